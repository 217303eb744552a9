"""A rate corrected by the judge's sensitivity and specificity, when labels come from elsewhere."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from evenhand.intervals import Interval, clustered_t, wilson
from evenhand.trust.estimate import INDEPENDENT, Estimate, Floats, codes_of, no_interval

LEAST_YOUDEN = 0.05
CONSTANT = "constancy: the judge is as sensitive and as specific here as where the labels come from"


def rogan_gladen(
    judged: ArrayLike,
    elsewhere_labels: ArrayLike,
    elsewhere_judged: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:
    """The rate of good cases from yes-or-no verdicts and a judge measured on other data.

    Paper: Rogan and Gladen 1978, "Estimating Prevalence from the Results of a Screening Test",
        American Journal of Epidemiology 107, doi:10.1093/oxfordjournals.aje.a112510 (the estimate);
        Lee et al. 2025, "How to Correctly Report LLM-as-a-Judge Evaluations", arXiv:2511.21140 (the
        interval). Ours: clusters shrink the number of verdicts to the effective one, and a
        judge hardly better than chance is refused.

    Args:
        judged: Shape (n_cases,), 0 or 1, NaN where undecided. Undecided cases are left out.
        elsewhere_labels, elsewhere_judged: Shape (n_labels,), 0 or 1 and NaN, on other cases;
            one row an independent case.

    Returns:
        No estimate when the interval of Youden's J reaches down to 0.05, or when a class has no
        labels; `interval.reason` says which, and `youden` is shown. Otherwise
        `interval.estimate` is unadjusted, clipped to [0, 1].

    Raises:
        ValueError: Shapes that differ, or values other than 0, 1 and NaN.
    """
    here = _yes_or_no(judged, "verdicts")
    truth = _yes_or_no(elsewhere_labels, "labels from elsewhere")
    answers = _yes_or_no(elsewhere_judged, "verdicts from elsewhere")
    if truth.shape != answers.shape:
        raise ValueError(f"{truth.size} labels and {answers.size} verdicts from elsewhere differ")
    codes, decided = codes_of(clusters, here.size), ~np.isnan(here)
    both = ~np.isnan(truth) & ~np.isnan(answers)
    truth, answers = truth[both], answers[both]
    hits, rejects = answers[truth == 1], 1 - answers[truth == 0]
    lost = int((~both).sum())
    warnings = [f"{lost} rows from elsewhere lack a label or a verdict"] if lost else []
    if not decided.all():
        warnings.append(
            f"{int((~decided).sum())} undecided cases are left out: the rate is of the rest"
        )
    naive = (
        clustered_t(here[decided], codes[decided], level=level, span=(0, 1))
        if decided.any()
        else no_interval("clustered t", level, "the judge left every case undecided")
    )
    youden = youden_of(hits, rejects, level=level)
    why = naive.reason or _refusal(youden)
    interval = (
        no_interval("Rogan-Gladen", level, why)
        if why
        else _corrected(naive, hits, rejects, level=level)
    )
    return Estimate(
        interval,
        "Rogan-Gladen, interval of Lee et al.",
        n_labelled=truth.size,
        n_unlabelled=int(decided.sum()),
        n_undecided=int((~decided).sum()),
        naive=naive,
        youden=youden,
        assumptions=(CONSTANT, INDEPENDENT),
        warnings=tuple(warnings),
    )


def _yes_or_no(values: ArrayLike, what: str) -> Floats:
    found = np.asarray(values, dtype=float)
    known = found[~np.isnan(found)]
    if found.ndim != 1 or not np.isin(known, (0, 1)).all():
        raise ValueError(f"{what} must be a row of 0, 1 and NaN; map the scale to yes or no first")
    return found


def youden_of(hits: Floats, rejects: Floats, *, level: float = 0.95) -> Interval:
    """Sensitivity + specificity - 1, its interval from the two Wilson intervals.

    Paper: Newcombe 1998, "Interval Estimation for the Difference Between Independent Proportions",
        Statistics in Medicine 17, method 10, after the paper (for a sum: the squares of the
        distances to the Wilson bounds add up).

    Args:
        hits: Shape (n_positive,), 1 where the judge said yes to a good case.
        rejects: Shape (n_negative,), 1 where it said no to a bad one.
    """
    method, n = "Youden's J, Newcombe", hits.size + rejects.size
    if not hits.size or not rejects.size:
        kind = "good" if not hits.size else "bad"
        return no_interval(method, level, f"no labelled {kind} case from elsewhere", n=n)
    a, b = (wilson(float(part.sum()), part.size, level=level) for part in (hits, rejects))
    assert a.low is not None
    assert a.high is not None
    assert b.low is not None
    assert b.high is not None
    j = a.estimate + b.estimate - 1
    low = j - math.hypot(a.estimate - a.low, b.estimate - b.low)
    high = j + math.hypot(a.high - a.estimate, b.high - b.estimate)
    return Interval(j, max(low, -1.0), min(high, 1.0), level, method, n, n)


def _refusal(youden: Interval) -> str:
    if youden.low is None:
        return youden.reason
    if youden.low > LEAST_YOUDEN:
        return ""
    return (
        f"Youden's J is {youden.estimate:.2f} and may be as low as {youden.low:.2f} (at most "
        f"{LEAST_YOUDEN}): the judge may be no better than chance, so nothing can be corrected"
    )


def _corrected(naive: Interval, hits: Floats, rejects: Floats, *, level: float) -> Interval:
    z = float(ndtri(0.5 + level / 2))
    n = _effective(naive, level)
    p = (n * naive.estimate + z * z / 2) / (n + z * z)
    m1, m0 = hits.size + 2, rejects.size + 2
    s1, s0 = (hits.sum() + 1) / m1, (rejects.sum() + 1) / m0
    slope = s0 + s1 - 1
    theta = min(max((p + s0 - 1) / slope, 0.0), 1.0)
    miss0, miss1 = s0 * (1 - s0) / m0, s1 * (1 - s1) / m1
    shift = 2 * z * z * (theta * miss1 - (1 - theta) * miss0)
    spread = p * (1 - p) / (n + z * z) + (1 - theta) ** 2 * miss0 + theta**2 * miss1
    half = z * math.sqrt(spread) / slope
    youden = float(hits.mean() + rejects.mean() - 1)
    raw = min(max((naive.estimate + float(rejects.mean()) - 1) / youden, 0.0), 1.0)
    low, high = max(theta + shift - half, 0.0), min(theta + shift + half, 1.0)
    return Interval(
        raw, min(low, raw), max(high, raw), level, "Rogan-Gladen", naive.n, naive.n_clusters
    )


def _effective(naive: Interval, level: float) -> float:
    """Verdicts that independent cases would need for the same spread; at most what there are."""
    p, n = naive.estimate, naive.n
    if naive.n_clusters == n or naive.low is None or naive.high is None:
        return float(n)
    # The bounds may be cut at 0 or 1, so the longer side tells the standard error.
    error = max(naive.high - p, p - naive.low) / float(ndtri(0.5 + level / 2))
    return min(float(n), max(p * (1 - p) / error**2, 1.0)) if 0 < p < 1 else naive.n_clusters


def calibration_allocation(
    budget: int, rate: float, *, sensitivity: float, specificity: float
) -> tuple[int, int]:
    """How many (good, bad) cases to label for the shortest Rogan-Gladen interval.

    Paper: after Lee et al. 2025, "How to Correctly Report LLM-as-a-Judge Evaluations",
        arXiv:2511.21140: the allocation rule.

    Args:
        rate: The judge's rate of yes, and with sensitivity and specificity from a pilot.

    Raises:
        ValueError: A budget under 2, or a rate outside (0, 1).

    Example:
        >>> calibration_allocation(100, 0.5, sensitivity=0.9, specificity=0.9)
        (50, 50)
    """
    if budget < 2 or not 0 < rate < 1:
        raise ValueError(
            f"budget {budget}, rate {rate}; expected at least 2 labels, rate in (0, 1)"
        )
    # A perfect pilot says nothing certain: a tenth of a per cent keeps both classes.
    miss0, miss1 = max(1 - specificity, 1e-3), max(1 - sensitivity, 1e-3)
    good = round(budget / (1 + (1 / rate - 1) * math.sqrt(miss0 / miss1)))
    good = min(max(good, 1), budget - 1)
    return good, budget - good
