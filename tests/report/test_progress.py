from __future__ import annotations

from evenhand.models.wrap import Desk
from evenhand.report.progress import told
from evenhand.run import Tally


def test_rate_cost_and_what_went_wrong_are_told() -> None:
    tally = Tally(decided=20, undecided=3, failed=1, desks=(Desk(usd=0.0345),))
    assert told(tally, 2.0) == "12.0/s · 0.035 USD · 3 undecided · 1 failed"


def test_what_is_nothing_is_left_out() -> None:
    assert told(Tally(decided=1, desks=(Desk(),)), 0.0) == "0.0/s"
    assert told(Tally(decided=1, desks=(Desk(usd=1.0, unpriced=1),)), 1.0) == "1.0/s"
