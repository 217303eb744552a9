"""The cases of a run, read again from the file that it was made from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evenhand.data import Bad, Row, Table, fit, open_data
from evenhand.data.table import BENCH
from evenhand.errors import Misuse
from evenhand.records import View
from evenhand.store import Store


def rows_again(store: Store, view: View, *, purpose: str) -> Iterator[Row]:
    """Rows as the judge of that view saw them.

    Args:
        purpose: What needs the responses, in the plural: the message names it.

    Raises:
        Misuse: The file is gone, or is no longer the one that was judged.
    """
    pairs = store.manifest.get("data", {}).get("pairs", "all")
    return fit(_data(store, purpose), view, pairs=pairs, on_bad=_left_out)


def _left_out(_bad: Bad) -> None:
    """A row that could not be used when the run was made was reported then."""


def _data(store: Store, purpose: str) -> Table:
    data = store.manifest.get("data", {})
    file = data.get("path") or data.get("name") or ""
    if not file.startswith(BENCH) and not Path(file).exists():
        raise Misuse(
            f"the data of {store.folder} are not at {file!r}",
            expected=f"the file that the run was made from: {purpose} need its responses",
            do="run this in the folder of that file",
        )
    table = open_data(file, columns=data.get("columns", {}), on_bad=_left_out)
    if not data.get("sha256") or table.sha256 != data["sha256"]:
        raise Misuse(
            f"{file!r} is not the file that {store.folder} was made from",
            expected=f"sha256 {data.get('sha256')}",
            do=f"put that file back; {purpose} need its responses",
        )
    return table
