"""What corrected means gain, and what would fail without them; their coverage is in the table."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.intervals import Interval
from evenhand.trust.ppi import ppi_mean
from evenhand.trust.sampling import active_mean, aligned_probabilities, label_plan
from tests.trust.coverage import BINARY
from tests.trust.draws import binary, hidden

FAST = pytest.param(60, id="fast")
SLOW = pytest.param(400, id="slow", marks=pytest.mark.slow)


def covers(interval: Interval | None, truth: float) -> bool:
    assert interval is not None
    assert interval.low is not None, interval.reason
    assert interval.high is not None
    return interval.low <= truth <= interval.high


def width(interval: Interval | None) -> float:
    assert interval is not None
    assert interval.low is not None
    assert interval.high is not None
    return interval.high - interval.low


def floor(reps: int) -> float:
    """Nominal minus three standard errors of a share of `reps` runs; five when they are few."""
    return float(0.95 - (3 if reps >= 400 else 5) * (0.95 * 0.05 / reps) ** 0.5)


@pytest.mark.parametrize("reps", [FAST, SLOW])
@pytest.mark.parametrize(("rate", "sp", "se", "n", "rest"), BINARY)
def test_a_corrected_mean_is_not_wider_than_labels_alone(
    rate: float, sp: float, se: float, n: int, rest: int, reps: int
) -> None:
    rng, widths = np.random.default_rng(7), []
    for _ in range(reps):
        part = binary(rng, n, rate=rate, sp=sp, se=se, rest=rest)
        found = ppi_mean(part.labels, part.judged, span=(0, 1))
        widths.append([width(found.interval), width(found.human)])
    ours, human = np.mean(widths, axis=0)
    assert ours <= 1.02 * human


@pytest.mark.parametrize("reps", [FAST, SLOW])
def test_a_judge_alone_does_not_cover_what_its_correction_does(reps: int) -> None:
    rng, bias = np.random.default_rng(7), 0.7 * 0.7 + 0.3 * 0.4 - 0.7
    hits = []
    for _ in range(reps):
        part = binary(rng, 100, rate=0.7, sp=0.6, se=0.7)
        found = ppi_mean(part.labels, part.judged, span=(0, 1))
        assert found.bias_bound is not None
        alone, ours = covers(found.naive, 0.7), covers(found.interval, 0.7)
        hits.append([alone, ours, found.bias_bound >= abs(bias)])
    alone, ours, bound = np.mean(hits, axis=0)
    assert alone <= 0.02
    assert ours >= floor(reps)
    assert bound >= 0.9, "the bias bound beside the judge's own figure holds where that does not"


@pytest.mark.parametrize("reps", [FAST, SLOW])
def test_ignoring_clusters_would_not_cover(reps: int) -> None:
    """What the clustered form is for: the same draws, prompts forgotten."""
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(reps):
        rate = np.repeat(rng.beta(0.6, 0.4, 330), 8)
        y = (rng.random(rate.size) < rate).astype(float)
        f = np.where(rng.random(y.size) < 0.4, 1 - y, y)
        prompts = np.arange(y.size) // 8
        one = [ppi_mean(hidden(y, 240), f, clusters=c, span=(0, 1)) for c in (None, prompts)]
        hits.append([covers(e.interval, 0.6) for e in one])
    forgot, known = np.mean(hits, axis=0)
    assert forgot <= 0.85
    assert known >= floor(reps)


def test_planned_labels_give_a_shorter_interval_than_even_ones() -> None:
    rng = np.random.default_rng(5)
    widths = []
    for _ in range(40):
        slip = rng.beta(0.3, 4.0, 2000)
        y = (rng.random(slip.size) < 0.7).astype(float)
        f = np.where(rng.random(slip.size) < slip, 1 - y, y)
        both = []
        for confidence in (1 - slip, None):
            plan = label_plan(f, confidence, budget=200, rng=rng)
            chances = aligned_probabilities(plan, y.size)
            labels = np.where(np.isnan(chances), np.nan, y)
            both.append(width(active_mean(labels, f, chances, span=(0, 1)).interval))
        widths.append(both)
    planned, even = np.mean(widths, axis=0)
    assert planned < 0.9 * even
