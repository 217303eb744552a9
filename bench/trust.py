"""What the trust layer costs, beside other packages in one run: `python bench/trust.py [--write]`.

All figures are CPU seconds of this process, threads included. A package that is not installed is
left out of the notes (`pip install 'evenhand[oracles]' pandas`).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from results import Line, reported
from scipy.special import stdtr

from evenhand.trust.alignment import align
from evenhand.trust.alt_test import alt_test
from evenhand.trust.coefficients import Level, krippendorff_alpha
from evenhand.trust.engine import How
from evenhand.trust.ratings import Floats, Ratings

T = TypeVar("T")
UNITS, RATERS, LABELS, MISSING = 100_000, 20, 5, 0.2
ITEMS, PEOPLE, EPSILON = 10_000, 5, 0.2
RESAMPLES, FEW, MORE = 1_000, 2, 12
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")


def spent(work: Callable[[], T], *, rounds: int) -> tuple[float, T]:
    """The median CPU time of some rounds after one that warms up, and what the last one gave."""
    times, found = [], work() if rounds > 1 else None
    for _ in range(rounds):
        began = time.process_time()
        found = work()
        times.append(time.process_time() - began)
    assert found is not None
    return statistics.median(times), found


def ratings() -> Floats:
    """Half of the ratings give the unit's label, the others any label."""
    rng = np.random.default_rng(0)
    label = rng.integers(1, LABELS + 1, UNITS)[:, None]
    guess = rng.integers(1, LABELS + 1, (UNITS, RATERS))
    values = np.where(rng.random((UNITS, RATERS)) < 0.5, label, guess).astype(float)
    values[rng.random(values.shape) < MISSING] = np.nan
    return values


# ---- the others ----------------------------------------------------------------------------------


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def with_krippendorff(values: Floats, level: Level, expected: float) -> str:
    number = version("krippendorff")
    if number is None:
        return "krippendorff is not installed"
    import krippendorff

    across = np.ascontiguousarray(values.T)
    cost, found = spent(lambda: krippendorff.alpha(across, level_of_measurement=level), rounds=3)
    same(found, expected)
    return f"krippendorff {number} {cost:.3f} s"


def with_evalica(values: Floats, level: Level, expected: float) -> tuple[str, str]:
    """Notes for the point and for the bootstrap, the latter from few resamples."""
    number = version("evalica")
    if number is None or version("pandas") is None:
        return ("evalica or pandas is not installed",) * 2
    import evalica
    import pandas

    frame = pandas.DataFrame(values.T)
    point, found = spent(lambda: evalica.alpha(frame, level), rounds=3)
    same(found.alpha, expected)
    costs = []
    for resamples in (FEW, MORE):

        def bootstrap(n: int = resamples) -> object:
            return evalica.alpha_bootstrap(frame, level, n_resamples=n, random_state=0)

        costs.append(spent(bootstrap, rounds=1)[0])
    full = costs[0] + (costs[1] - costs[0]) / (MORE - FEW) * (RESAMPLES - FEW)
    told = f"evalica {number} {full:,.0f} s, extrapolated from {FEW} and {MORE} resamples"
    return f"evalica {number} {point:.3f} s", f"{told}; krippendorff has none"


def same(found: float, expected: float) -> None:
    if abs(found - expected) > 1e-10:
        raise SystemExit(f"two packages give different values: {found} and {expected}")


# ---- the alternative annotator test, step by step as the paper describes it ----------------------


def share_of(label: int, others: list[int]) -> float:
    return sum(label == other for other in others) / len(others)


def by_loops(judge: list[int], people: list[list[int]]) -> tuple[float, float]:
    """Winning rate and advantage probability: one item of one annotator at a time."""
    p_values, advantages = [], []
    for j in range(PEOPLE):
        differences, wins = [], 0
        for said, row in zip(judge, people, strict=True):
            others = [label for k, label in enumerate(row) if k != j]
            ours, theirs = share_of(said, others), share_of(row[j], others)
            wins += ours >= theirs
            differences.append((theirs >= ours) - (ours >= theirs))
        mean, error = statistics.fmean(differences), statistics.stdev(differences)
        p_values.append(stdtr(ITEMS - 1, (mean - EPSILON) / (error / ITEMS**0.5)))
        advantages.append(wins / ITEMS)
    harmonic = sum(1 / k for k in range(1, PEOPLE + 1))
    rejected = 0
    for k, p in enumerate(sorted(p_values), 1):
        if p <= 0.05 * k / (PEOPLE * harmonic):
            rejected = k
    return rejected / PEOPLE, statistics.fmean(advantages)


def annotators() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, LABELS, ITEMS)[:, None]
    wrong = rng.random((ITEMS, PEOPLE + 1)) < 0.3
    said = np.where(wrong, rng.integers(0, LABELS, wrong.shape), truth).astype(float)
    return said[:, 0], said[:, 1:]


# ---- the table -----------------------------------------------------------------------------------


def alphas() -> Iterator[Line]:
    values = ratings()
    made = Ratings.from_values(values)
    bootstrap = How(method="bootstrap", replicates=RESAMPLES)
    what = f"{UNITS:,} x {RATERS}, {MISSING:.0%} missing, {LABELS} labels"
    for level in LEVELS:
        point, found = spent(lambda level=level: krippendorff_alpha(made, level), rounds=7)
        other = with_krippendorff(values, level, found.estimate)
        once, many = with_evalica(values, level, found.estimate)
        note = f"with its interval from influence; {other}, {once}, points alone"
        yield Line(f"alpha {level}, {what}", point, (0.1, 0.02), " s", note)
        cost, _ = spent(lambda level=level: krippendorff_alpha(made, level, bootstrap), rounds=3)
        yield Line(f"alpha {level}, {RESAMPLES:,} bootstraps", cost, (2, 0.7), " s", many)


def replacing() -> Iterator[Line]:
    judge, people = annotators()
    cost, found = spent(lambda: alt_test(align(judge, people), epsilon=EPSILON), rounds=5)
    said, rows = judge.astype(int).tolist(), people.astype(int).tolist()
    plain, (rate, advantage) = spent(lambda: by_loops(said, rows), rounds=2)
    same(found.winning_rate.estimate, rate)
    same(found.advantage_probability.estimate, advantage)
    note = f"with intervals; without them, in Python loops, {plain:.2f} s; the target is the floor"
    what = f"alternative annotator test, {ITEMS:,} items x {PEOPLE} annotators"
    yield Line(what, cost, (0.05, 0.05), " s", note)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="update bench/RESULTS.md")
    given = parser.parse_args()
    rest = "all figures are CPU seconds of one process, the median of several rounds."
    return reported("Trust", (part() for part in (alphas, replacing)), rest, write=given.write)


if __name__ == "__main__":
    sys.exit(main())
