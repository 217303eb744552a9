"""Files and Python records -> cases: `open_data` reads them, `fit` suits them to a judge."""

from evenhand.data.fit import fit
from evenhand.data.rows import Bad, Row
from evenhand.data.table import Table, open_data

__all__ = ["Bad", "Row", "Table", "fit", "open_data"]
