"""How many labels and cases a claim needs, and what a given number can show.

A claim "level" is an estimate with a half-width; "compare" is a difference of two systems to be
detected. Both are estimated from human labels with the help of a judge, which sees every case:

    variance = sd^2 * design * ((1 - r^2) / labels + r^2 / cases)

with r the correlation of judge and label, and design = 1 + (m - 1) * icc for clusters of m.
"replace" is the alternative annotator test, planned by running it on a pilot drawn again.

Paper: Angelopoulos, Duchi and Zrnic 2023, "PPI++: Efficient Prediction-Powered Inference", the
    variance at the best power-tuning weight, arXiv:2311.01453; Chen, Guo and Li 2026, "Power
    Analysis for Prediction-Powered Inference", arXiv:2603.16041; Kish 1965, "Survey Sampling", the
    design effect. Departures: all cases are counted (labelled ones are among them), quantiles are
    Student's with clusters - 1 degrees of freedom, and one icc serves labels and judge alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtrit

from evenhand.intervals import Interval

Claim = Literal["level", "compare"]

MOST = 10**9
FEWEST = 10


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a plan has to know beforehand, measured by `pilot` or assumed.

    Attributes:
        sd: Standard deviation of what is estimated: the labels, or for "compare" the differences of
            two systems' labels on one case.
        correlation: Of the judge with it, in [-1, 1]. 0 plans without a judge.
        icc: Share of the variance that cases of one cluster have in common, in [0, 1].
        cluster_size: Cases in a cluster, at least 1.
        worst: Correlation nearest to 0 that the pilot's interval allows; None when assumed.
        n, n_clusters: Labels of the pilot, 0 when assumed.
    """

    sd: float
    correlation: float = 0.0
    icc: float = 0.0
    cluster_size: float = 1.0
    worst: float | None = None
    n: int = 0
    n_clusters: int = 0
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        inside = -1 <= self.correlation <= 1 and 0 <= self.icc <= 1 and self.cluster_size >= 1
        if not (inside and self.sd > 0):
            raise ValueError(
                f"a spread above 0, shares in range, clusters of 1 or more: not {self}"
            )

    @property
    def design(self) -> float:
        """How many clustered cases say as much as one independent case."""
        return 1 + (self.cluster_size - 1) * self.icc


@dataclass(frozen=True, slots=True)
class Plan:
    """What is needed; None where no number of labels or cases is enough, and `reason` says why.

    Attributes:
        effect: Half-width ("level"), difference ("compare", "win rate", "paired accuracy"), or the
            penalty epsilon ("replace").
        n_labels, n_cases: Human labels, and cases that the judge sees, the labelled ones included.
        cautious: The number asked for if judge and label correlate as little as the pilot allows;
            None without such a pilot, or when no number is enough.
        power: Chance to detect the effect; None for "level". An interval where it was simulated.
        formula: The formula used and its source.
    """

    claim: str
    effect: float | None
    n_labels: int | None
    n_cases: int | None
    cautious: int | None
    power: float | Interval | None
    level: float
    formula: str
    reason: str = ""
    warnings: tuple[str, ...] = ()


def pilot(labels: ArrayLike, judge: ArrayLike, clusters: ArrayLike | None = None) -> Pilot:
    """Measure a pilot: spread, correlation and how alike the cases of a cluster are.

    Paper: Donner 1986, "A Review of Inference Procedures for the Intraclass Correlation Coefficient
        in the One-Way Random Effects Model", International Statistical Review 54, the estimator
        from the analysis of variance. The correlation's interval is Fisher's, with clusters in
        place of n.

    Args:
        labels: Shape (n,): labels, or for "compare" differences of two systems' labels. NaN where
            missing; such rows are dropped.
        judge: Shape (n,), the judge's figure for the same; NaN where undecided.
        clusters: Shape (n,), equal entries belong together; None for independent cases.

    Raises:
        ValueError: Fewer than 4 complete rows, or labels that are all the same.
    """
    y, f = np.asarray(labels, dtype=float), np.asarray(judge, dtype=float)
    named = np.arange(y.size) if clusters is None else np.asarray(clusters)
    if not y.shape == f.shape == named.shape or y.ndim != 1:
        raise ValueError(f"one length, not {y.shape}, {f.shape} and {named.shape}")
    there = ~np.isnan(y + f)
    y, f = y[there], f[there]
    _, index, sizes = np.unique(named[there], return_inverse=True, return_counts=True)
    if y.size < 4 or np.ptp(y) == 0:
        raise ValueError(f"a pilot needs 4 labels that are not all the same, has {y.size}")
    told = [] if there.all() else [f"{int((~there).sum())} rows without label or verdict dropped"]
    r = 0.0 if np.ptp(f) == 0 else float(np.clip(np.corrcoef(y, f)[0, 1], -1, 1))
    if np.ptp(f) == 0:
        told.append("the judge always says the same: the plan does without it")
    worst = 0.0
    if len(sizes) > 3 and abs(r) < 1:
        low = np.arctanh(abs(r)) - ndtri(0.975) / np.sqrt(len(sizes) - 3)
        worst = float(np.sign(r) * np.tanh(max(0.0, float(low))))
    elif abs(r) == 1:
        told.append("judge and label agree wholly in the pilot: it is too small to plan with")
    if len(sizes) < FEWEST:
        told.append(f"{len(sizes)} independent cases in the pilot: read the cautious number")
    weighted = float(np.sum(sizes**2) / y.size)
    sd, icc = float(y.std(ddof=1)), _icc(y, index, sizes)
    return Pilot(sd, r, icc, weighted, worst, y.size, len(sizes), tuple(told))


def labels_needed(
    known: Pilot,
    claim: Claim,
    effect: float,
    *,
    cases: float = np.inf,
    power: float = 0.8,
    level: float = 0.95,
) -> Plan:
    """Labels for a half-width ("level") or a difference ("compare") of `effect`.

    Args:
        cases: Cases that the judge sees; infinity where verdicts cost nothing.
        power: Chance to detect the difference; not used for "level".

    Example:
        >>> labels_needed(Pilot(sd=0.5, correlation=0.7), "level", 0.05, cases=2000).n_labels
        219
    """
    _positive(effect)

    def enough(n: int, at: Pilot = known) -> bool:
        return _reach(at, claim, n, max(n, cases), power, level) <= effect

    found = _least(enough, cases)
    shy = known.worst is not None and found is not None
    cautious = _least(lambda n: enough(n, _worse(known)), cases) if shy else None
    reason = "" if found else f"{cases:g} cases are too few for {effect:g}, even with all labelled"
    total = None if np.isinf(cases) else int(cases)
    return _plan(known, claim, effect, (found, total, cautious), reason, power, level)


def cases_needed(
    known: Pilot,
    claim: Claim,
    effect: float,
    *,
    labels: int,
    power: float = 0.8,
    level: float = 0.95,
) -> Plan:
    """Cases that the judge must see, when `labels` of them get a human label."""
    _positive(effect)

    def enough(n: int, at: Pilot = known) -> bool:
        return n >= labels and _reach(at, claim, labels, n, power, level) <= effect

    found = _least(enough, np.inf)
    shy = known.worst is not None and found is not None
    cautious = _least(lambda n: enough(n, _worse(known)), np.inf) if shy else None
    reason = (
        "" if found else f"{labels} labels are too few for {effect:g}, with any number of cases"
    )
    return _plan(known, claim, effect, (labels, found, cautious), reason, power, level)


def detectable(
    known: Pilot,
    claim: Claim,
    *,
    labels: int,
    cases: float = np.inf,
    power: float = 0.8,
    level: float = 0.95,
) -> Plan:
    """The half-width ("level") or the minimum detectable effect ("compare") of given numbers.

    Example:
        >>> round(detectable(Pilot(sd=0.5), "level", labels=400).effect, 4)
        0.0491
    """
    reach = _reach(known, claim, labels, max(labels, cases), power, level)
    reason = "" if np.isfinite(reach) else f"{labels} labels make fewer than two clusters"
    effect = float(reach) if np.isfinite(reach) else None
    total = None if np.isinf(cases) else int(cases)
    return _plan(known, claim, effect, (labels, total, None), reason, power, level)


def win_rate_cases(rate: float, *, power: float = 0.8, level: float = 0.95) -> Plan:
    """Independent battles to tell a win rate from one half.

    Paper: Fleiss, Levin and Paik 2003, "Statistical Methods for Rates and Proportions", the sample
        size of a single proportion

    Example:
        >>> [win_rate_cases(p).n_cases for p in (0.52, 0.55, 0.60)]
        [4904, 783, 194]
    """
    if not 0 < rate < 1 or rate == 0.5:
        raise ValueError(f"a rate between 0 and 1 other than one half, not {rate}")
    a, b = float(ndtri(0.5 + level / 2)), float(ndtri(power))
    n = ((a * 0.5 + b * np.sqrt(rate * (1 - rate))) / (rate - 0.5)) ** 2
    formula = "((z_a / 2 + z_b sqrt(p (1 - p))) / (p - 1/2))^2, Fleiss, Levin and Paik 2003"
    cases = int(np.ceil(n))
    return Plan("win rate", abs(rate - 0.5), cases, cases, None, power, level, formula)


def paired_accuracy_cases(
    only_first: float, only_second: float, *, power: float = 0.8, level: float = 0.95
) -> Plan:
    """Cases to tell two accuracies apart on the same cases, by McNemar's test.

    Paper: Connor 1987, "Sample Size for Testing Differences in Proportions for the Paired-Sample
        Design", Biometrics 43

    Args:
        only_first, only_second: Shares of cases that only one of the two gets right.
    """
    gap, apart = abs(only_first - only_second), only_first + only_second
    if min(only_first, only_second) < 0 or apart > 1 or gap == 0:
        raise ValueError(f"two different shares within one, not {only_first} and {only_second}")
    a, b = float(ndtri(0.5 + level / 2)), float(ndtri(power))
    n = ((a * np.sqrt(apart) + b * np.sqrt(apart - gap**2)) / gap) ** 2
    formula = "((z_a sqrt(d) + z_b sqrt(d - e^2)) / e)^2, Connor 1987"
    cases = int(np.ceil(n))
    return Plan("paired accuracy", gap, cases, cases, None, power, level, formula)


def _positive(effect: float) -> None:
    if not effect > 0:
        raise ValueError(f"an effect above 0, not {effect}")


def _worse(known: Pilot) -> Pilot:
    worst = known.correlation if known.worst is None else known.worst
    return Pilot(known.sd, worst, known.icc, known.cluster_size)


def _reach(
    known: Pilot, claim: Claim, labels: float, cases: float, power: float, level: float
) -> float:
    """Half-width or detectable difference; infinite under two clusters of labels."""
    freedom = labels / known.cluster_size - 1
    if freedom < 1:
        return np.inf
    r2 = known.correlation**2
    variance = known.sd**2 * known.design * ((1 - r2) / labels + r2 / cases)
    steps = float(stdtrit(freedom, 0.5 + level / 2))
    if claim == "compare":
        steps += float(stdtrit(freedom, power))
    return steps * float(np.sqrt(variance))


def _least(enough: Callable[[int], bool], most: float) -> int | None:
    """The smallest number that is enough; more is never worse."""
    low, high = 0, int(min(most, MOST))
    if not enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _plan(
    known: Pilot,
    claim: Claim,
    effect: float | None,
    numbers: tuple[int | None, int | None, int | None],
    reason: str,
    power: float,
    level: float,
) -> Plan:
    steps = "t_a" if claim == "level" else "(t_a + t_b)"
    formula = (
        f"{steps} sd sqrt(design ((1 - r^2) / labels + r^2 / cases)), after PPI++"
        " (arXiv:2311.01453) and Kish's design effect"
    )
    told = list(known.warnings)
    labels = numbers[0]
    if labels is not None and labels / known.cluster_size < 30:
        told.append("fewer than 30 independent labels: check the interval's small-sample form")
    chance = None if claim == "level" else power
    return Plan(claim, effect, *numbers, chance, level, formula, reason, tuple(told))


def _icc(y: np.ndarray, index: np.ndarray, sizes: np.ndarray) -> float:
    """0 when every cluster has one case, or when clusters differ no more than their cases do."""
    groups, n = len(sizes), y.size
    if groups < 2 or groups == n:
        return 0.0 if groups > 1 else 1.0
    means = np.bincount(index, weights=y) / sizes
    between = float(np.sum(sizes * (means - y.mean()) ** 2)) / (groups - 1)
    within = float(np.sum((y - means[index]) ** 2)) / (n - groups)
    size = (n - float(np.sum(sizes**2)) / n) / (groups - 1)
    whole = between + (size - 1) * within
    return float(np.clip((between - within) / whole, 0.0, 1.0)) if whole > 0 else 0.0
