"""Every interval of the trust layer holds its planted truth as often as it says.

400 runs (slow): at least nominal - 3 standard errors. 60 runs: nominal - 5, every time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evenhand.intervals import Interval
from tests.trust.coverage import TABLE, Covered, Row, covered, result

HEAVY = ("overconfident judge", "latent class, people and judges", "latent utility",
         "solutions in four steps")  # fmt: skip


def named(row: Row) -> str:
    return f"{row.name} | {row.world.name} | {row.n}"


def holds(found: Covered, errors: float) -> None:
    told = f"{named(found.row)}: {found.share:.3f} of {found.runs}, mean width {found.width:.3f}"
    print(told, found.mark)
    if found.row.kind == "may refuse":
        assert found.runs >= 0.3 * found.asked
    else:
        assert found.runs >= 0.98 * found.asked
    assert found.share >= found.row.level - errors * found.error, told


@pytest.mark.parametrize("row", [r for r in TABLE if not r.world.name.startswith(HEAVY)], ids=named)
def test_an_interval_holds_the_truth_in_sixty_runs(row: Row) -> None:
    holds(result(row, 60), 5)


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE, ids=named)
def test_an_interval_holds_the_truth_as_often_as_it_says(row: Row) -> None:
    holds(result(row, 400), 3)


def test_names_are_told_apart_within_a_world() -> None:
    keys = [(row.name, row.world.name, row.n) for row in TABLE]
    assert len(keys) == len(set(keys))


def test_intervals_of_half_and_double_the_width_are_marked() -> None:
    row = next(row for row in TABLE if row.name == "mean, clustered t" and row.n == 100)

    def times(factor: float) -> Row:
        def method(draw: object) -> Interval:
            found = row.method(draw)
            assert found is not None
            assert found.high is not None
            half = factor * (found.high - found.estimate)
            return replace(found, low=found.estimate - half, high=found.estimate + half)

        return replace(row, method=method)

    marks = [one.mark for one in covered((times(0.5), row, times(2.0)), 400)]
    assert marks == ["UNDER", "", "conservative"]


def test_no_interval_is_no_cover() -> None:
    row = replace(TABLE[0], method=lambda draw: None)
    found = next(covered((row,), 5))
    assert (found.runs, found.share) == (0, 0.0)
    assert np.isnan(found.width)
