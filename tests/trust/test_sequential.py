from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from evenhand.trust.sequential import betting_interval, confidence_sequence

VALUES = arrays(
    float, st.integers(1, 60), elements=st.floats(0, 1, allow_subnormal=False, width=32)
)
LAWS = {
    "fair coin": lambda rng, n: rng.integers(2, size=n).astype(float),
    "rare": lambda rng, n: (rng.random(n) < 0.03).astype(float),
    "skewed": lambda rng, n: rng.beta(0.3, 3.0, size=n),
}
TRUTH = {"fair coin": 0.5, "rare": 0.03, "skewed": 1 / 11}


def capital(x: NDArray[np.float64], m: float, alpha: float, fixed: bool) -> float:
    """The larger side of the hedged capital, one value after the other, at its highest."""
    seen, best, up, down = [0.5], 0.0, 0.5, 0.5
    squares = [0.25]
    for t, value in enumerate(x, 1):
        looks = len(x) if fixed else t * np.log(t + 1)
        bet = np.sqrt(2 * np.log(2 / alpha) / (sum(squares) / t * looks))
        up *= 1 + min(bet, 0.5 / m) * (value - m)
        down *= 1 - min(bet, 0.5 / (1 - m)) * (value - m)
        best = max(best, up, down)
        seen.append(value)
        squares.append((value - sum(seen) / (t + 1)) ** 2)
    return best


@pytest.mark.parametrize("fixed", [True, False])
def test_ends_are_where_the_capital_of_a_plain_loop_reaches_one_over_alpha(fixed: bool) -> None:
    x = np.random.default_rng(3).beta(2, 3, size=80)
    found = betting_interval(x) if fixed else confidence_sequence(x).last
    assert found.low is not None
    assert found.high is not None
    step = 1e-6 if fixed else 2e-3
    for edge, inward in ((found.low, step), (found.high, -step)):
        assert capital(x, edge - inward, 0.05, fixed) >= 20
        assert capital(x, edge + inward, 0.05, fixed) < 20


def misses(law: str, runs: int, n: int, seed: int) -> int:
    """In how many runs the sequence has left out the truth at any time."""
    rng, missed = np.random.default_rng(seed), 0
    for _ in range(runs):
        looks = confidence_sequence(LAWS[law](rng, n))
        fits = (looks.low <= TRUTH[law]) & (TRUTH[law] <= looks.high)
        missed += not fits.all()
    return missed


@pytest.mark.parametrize("law", LAWS)
def test_the_sequence_holds_at_every_look_at_once(law: str) -> None:
    runs = 60
    assert misses(law, runs, 150, 11) / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
def test_the_sequence_holds_at_every_look_at_once_in_many_runs(law: str) -> None:
    runs = 400
    share = misses(law, runs, 500, 12) / runs
    print(f"{law}: missed at any time in {share:.3f} of {runs} runs")
    assert share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_looking_every_time_ruins_the_normal_interval_but_not_the_sequence() -> None:
    rng, runs, n = np.random.default_rng(5), 60, 400
    normal = ours = 0
    for _ in range(runs):
        x = rng.integers(2, size=n).astype(float)
        t = np.arange(1, n + 1)
        mean = np.cumsum(x) / t
        half = 1.96 * np.sqrt(np.maximum(mean * (1 - mean), 0) / t)
        normal += bool((np.abs(mean - 0.5) > half)[30:].any())
        looks = confidence_sequence(x)
        ours += bool(((looks.low > 0.5) | (looks.high < 0.5)).any())
    assert normal / runs > 0.2
    assert ours / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [5, 50])
def test_the_betting_interval_covers_even_few_and_rare_values(law: str, n: int) -> None:
    rng, runs = np.random.default_rng(7), 200
    found = [betting_interval(LAWS[law](rng, n)) for _ in range(runs)]
    missed = sum(not (i.low or 0) <= TRUTH[law] <= (1 if i.high is None else i.high) for i in found)
    assert missed / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_clusters_are_the_units() -> None:
    """Ten copies of every value say no more than the value."""
    x = np.random.default_rng(1).random(30)
    once, often = betting_interval(x), betting_interval(np.repeat(x, 10), np.repeat(range(30), 10))
    assert (often.n, often.n_clusters) == (300, 30)
    assert often.low == pytest.approx(once.low, abs=1e-9)
    assert often.high == pytest.approx(once.high, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(VALUES)
def test_ends_never_leave_the_span_and_turn_with_the_values(x: NDArray[np.float64]) -> None:
    found, turned = betting_interval(x), betting_interval(1 - x)
    if found.low is None or found.high is None or turned.low is None or turned.high is None:
        assert found.low is None
        assert turned.low is None
        return
    assert 0 <= found.low <= found.high <= 1
    assert turned.low == pytest.approx(1 - found.high, abs=1e-6)
    assert turned.high == pytest.approx(1 - found.low, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(VALUES, st.floats(-5, 5), st.floats(0.1, 100))
def test_ends_follow_the_unit_of_the_scale(x: NDArray[np.float64], at: float, by: float) -> None:
    found = betting_interval(x)
    moved = betting_interval(np.clip(at + by * x, at, at + by), span=(at, at + by))
    if found.low is None or found.high is None:
        assert moved.low is None
        return
    assert moved.low == pytest.approx(at + by * found.low, abs=1e-5 * by)
    assert moved.high == pytest.approx(at + by * found.high, abs=1e-5 * by)


@settings(deadline=None, max_examples=25)
@given(VALUES)
def test_a_sequence_only_narrows_and_an_earlier_look_does_not_see_later_values(
    x: NDArray[np.float64],
) -> None:
    looks, early = confidence_sequence(x), confidence_sequence(x[: max(1, len(x) // 2)])
    there = ~np.isnan(looks.low)
    assert (np.diff(looks.low[there]) >= 0).all()
    assert (np.diff(looks.high[there]) <= 0).all()
    assert ((looks.low[there] >= 0) & (looks.high[there] <= 1)).all()
    np.testing.assert_array_equal(looks.low[: len(early.low)], early.low)
    np.testing.assert_array_equal(looks.high[: len(early.high)], early.high)


def test_values_that_drift_give_no_interval_but_a_reason() -> None:
    looks = confidence_sequence(np.repeat([0.0, 1.0], 400))
    assert looks.last.low is None
    assert "drift" in looks.last.reason
    assert looks.warnings
    assert np.isnan(looks.low[-1])


@pytest.mark.parametrize("wrong", [[], [0.5, np.nan], [1.2], [-0.1]])
def test_values_outside_the_span_or_missing_are_refused(wrong: list[float]) -> None:
    for method in (betting_interval, confidence_sequence):
        with pytest.raises(ValueError, match="value"):
            method(wrong)
