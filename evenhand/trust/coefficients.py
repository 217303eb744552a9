"""Agreement of raters: percent, Cohen, weighted, Scott, Fleiss, Gwet, Krippendorff.

Ratings in, a `Figure` out. A coefficient that the ratings cannot define is NaN with the reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from evenhand.intervals import Floats, from_replicates, resampled_sums
from evenhand.trust.engine import (
    CONSTANT,
    DEFAULT,
    How,
    Parts,
    Problem,
    Weights,
    agreement_weights,
    answer,
    counted,
    pairs_of_grades,
    pseudo_counts,
)
from evenhand.trust.krippendorff import alpha_problem
from evenhand.trust.ratings import Figure, Gap, Ratings, figure, share

Level = Literal["nominal", "ordinal", "interval", "ratio"]
PARADOX = "kappa {:.2f} and AC1 {:.2f} are far apart: one label is so common that chance is high"


def percent_agreement(ratings: Ratings, how: How = DEFAULT) -> Figure:
    """The mean over items of the share of rater pairs that agree."""
    counts = counted(ratings, ratings.grades())
    sizes = counts.sum(axis=0)
    kept = sizes >= 2
    counts, sizes = counts[:, kept], sizes[kept]
    agree = (counts * (counts - 1)).sum(axis=0) / (sizes * (sizes - 1))
    groups = None if ratings.clusters is None else ratings.clusters[kept]
    interval = share(agree, groups, level=how.level)
    if how.method == "bootstrap" and agree.size:
        index = (
            np.arange(agree.size) if groups is None else np.unique(groups, return_inverse=True)[1]
        )
        ones = np.ones(agree.size)
        rows = np.column_stack([np.bincount(index, weights=w) for w in (agree, ones)])
        sums = resampled_sums(rows, how.replicates, how.seed)
        draws, n = sums[:, 0] / sums[:, 1], agree.size
        interval = from_replicates(
            interval.estimate, draws, n=n, n_clusters=len(rows), level=how.level
        )
    return figure("percent agreement", interval, ratings, n_used=int(sizes.sum()))


# ---- two raters ----------------------------------------------------------------------------------


def cohen_kappa(ratings: Ratings, how: How = DEFAULT) -> Figure:
    """Agreement of two raters beyond what their own label shares give by chance.

    Paper: Cohen 1960, "A Coefficient of Agreement for Nominal Scales", Educational and
        Psychological Measurement 20, doi:10.1177/001316446002000104

    Raises:
        ValueError: Not two raters; `Ratings.pick` takes two.
    """
    found = _two_raters("Cohen's kappa", ratings, how)
    rest = gwet_ac(ratings.where((ratings.why == Gap.USED).all(axis=1)), how=DEFAULT).estimate
    if abs(found.estimate - rest) > 0.2:
        warned = (*found.warnings, PARADOX.format(found.estimate, rest))
        return replace(found, warnings=warned)
    return found


def weighted_kappa(ratings: Ratings, weights: Weights = "quadratic", how: How = DEFAULT) -> Figure:
    """Cohen's kappa with credit for near misses, by distance on the declared scale.

    Paper: Cohen 1968, "Weighted Kappa: Nominal Scale Agreement with Provision for Scaled
        Disagreement or Partial Credit", Psychological Bulletin 70, doi:10.1037/h0026256
    """
    return _two_raters(f"weighted kappa ({weights})", ratings, how, weights=weights)


def scott_pi(ratings: Ratings, how: How = DEFAULT) -> Figure:
    """Like Cohen's kappa, with one set of label shares for both raters.

    Paper: Scott 1955, "Reliability of Content Analysis: The Case of Nominal Scale Coding", Public
        Opinion Quarterly 19, doi:10.1086/266577
    """
    return _two_raters("Scott's pi", ratings, how, shared=True)


def _two_raters(
    name: str,
    ratings: Ratings,
    how: How,
    *,
    weights: Weights = "identity",
    shared: bool = False,
) -> Figure:
    if ratings.n_raters != 2:
        raise ValueError(f"{name} compares two raters, not {ratings.n_raters}; see Ratings.pick")
    units = (ratings.why == Gap.USED).all(axis=1)
    grades = ratings.grades()
    agree = agreement_weights(grades, weights)
    codes = np.searchsorted(grades, ratings.values[units]).T.astype(float)

    def solve(table: Floats, unit_weights: Floats) -> Parts | str:
        return _table_parts(table, unit_weights, agree, shared=shared)

    pseudo = pairs_of_grades(grades.size).astype(float)
    return answer(name, ratings, Problem(units, codes, solve, pseudo), how=how)


def _table_parts(table: Floats, w: Floats, agree: Floats, *, shared: bool) -> Parts | str:
    """(po - pe) / (1 - pe) of the two raters' joint shares."""
    a, b = table.astype(np.int64)
    k, total = len(agree), w.sum()
    joint = np.bincount(a * k + b, weights=w, minlength=k * k).reshape(k, k) / total
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    middle = (rows + columns) / 2
    if shared:
        rows = columns = middle
    po, pe = float(np.sum(agree * joint)), float(rows @ agree @ columns)
    if pe > 1 - 1e-12:
        return CONSTANT
    kappa = (po - pe) / (1 - pe)
    moved = (agree @ columns)[:, None] + rows @ agree - 2 * pe
    influence = (agree - po - (1 - kappa) * moved) / (1 - pe)

    def terms() -> Floats:
        one = np.eye(k)
        return np.column_stack([agree[a, b], np.ones(a.size), one[a], one[b]])

    def of(sums: Floats) -> Floats:
        n = sums[:, 1:2]
        first, second = sums[:, 2 : 2 + k] / n, sums[:, 2 + k :] / n
        if shared:
            first = second = (first + second) / 2
        chance = np.asarray(((first @ agree) * second).sum(axis=1))
        return _corrected(sums[:, 0] / n[:, 0], chance)

    return Parts(kappa, influence[a, b], 1 - pe, float(middle.max()), terms, of)


def _corrected(po: Floats, pe: Floats) -> Floats:
    fill = np.full(po.shape, np.nan)
    return np.asarray(np.divide(po - pe, 1 - pe, out=fill, where=pe < 1 - 1e-12))


# ---- any number of raters ------------------------------------------------------------------------


def fleiss_kappa(ratings: Ratings, how: How = DEFAULT) -> Figure:
    """Agreement of any raters, who need not be the same on every item.

    Paper: Fleiss 1971, "Measuring Nominal Scale Agreement Among Many Raters", Psychological
        Bulletin 76, doi:10.1037/h0031619. Items may have different numbers of ratings: an item's
        label shares count once each, and an item with one rating counts for these shares only, as
        in Gwet 2014, "Handbook of Inter-Rater Reliability".
    """
    return _many_raters("Fleiss' kappa", ratings, "identity", how, gwet=False)


def gwet_ac(ratings: Ratings, weights: Weights = "identity", how: How = DEFAULT) -> Figure:
    """Gwet's AC1, and AC2 when weights are given: chance agreement only where raters are unsure.

    The declared scale matters: a label that nobody used still counts as one that could be.

    Paper: Gwet 2008, "Computing Inter-Rater Reliability and Its Variance in the Presence of High
        Agreement", British Journal of Mathematical and Statistical Psychology 61,
        doi:10.1348/000711006X126600
    """
    name = "Gwet's AC1" if weights == "identity" else f"Gwet's AC2 ({weights})"
    return _many_raters(name, ratings, weights, how, gwet=True)


def _many_raters(name: str, ratings: Ratings, weights: Weights, how: How, *, gwet: bool) -> Figure:
    grades = ratings.grades()
    agree = agreement_weights(grades, weights)
    counts = counted(ratings, grades)
    units = counts.sum(axis=0) >= 1

    def solve(table: Floats, w: Floats) -> Parts | str:
        return _count_parts(table, w, agree, gwet=gwet)

    problem = Problem(units, counts[:, units], solve, pseudo_counts(grades.size))
    found = answer(name, ratings, problem, how=how)
    if gwet and grades.size == 1 and found.interval.n:
        warned = (*found.warnings, "every rating is the same label")
        return replace(found, warnings=warned)
    return found


def _count_parts(table: Floats, w: Floats, agree: Floats, *, gwet: bool) -> Parts | str:
    sizes, k, total = table.sum(axis=0), len(agree), w.sum()
    double = sizes >= 2
    pairs = np.where(double, sizes * (sizes - 1), 1)
    hits = np.where(double, (table * (agree @ table - 1)).sum(axis=0) / pairs, 0.0)
    shares, paired = table / sizes, float(w[double].sum())
    if paired == 0:
        return "no item has two ratings"
    po, labels = float(w @ hits) / paired, shares @ w / total
    scale = agree.sum() / (k * (k - 1)) if k > 1 else 0.0
    pe = float(scale * np.sum(labels * (1 - labels)) if gwet else labels @ agree @ labels)
    if pe > 1 - 1e-12:
        return CONSTANT
    slope = scale * (1 - 2 * labels) if gwet else 2 * (agree @ labels)
    value = (po - pe) / (1 - pe)
    seen = np.where(double, total / paired * (hits - po), 0.0)
    influence = (seen - (1 - value) * (slope @ shares - slope @ labels)) / (1 - pe)

    def terms() -> Floats:
        return np.column_stack([hits, double, np.ones(sizes.size), shares.T])

    def of(sums: Floats) -> Floats:
        p = sums[:, 3:] / sums[:, 2:3]
        chance = scale * (p * (1 - p)).sum(axis=1) if gwet else ((p @ agree) * p).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return _corrected(sums[:, 0] / sums[:, 1], chance)

    return Parts(value, influence, 1 - pe, float(labels.max()), terms, of)


def krippendorff_alpha(ratings: Ratings, level: Level = "nominal", how: How = DEFAULT) -> Figure:
    """Krippendorff's alpha: one minus observed over expected disagreement of all pairable ratings.

    Items with fewer than two ratings are left out with a warning.

    Paper: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", University of
        Pennsylvania, https://repository.upenn.edu/asc_papers/43

    Args:
        level: What differences between values mean; "ratio" needs values of one sign.

    Raises:
        ValueError: More than 256 different values at level "ordinal" or "ratio".
    """
    return answer(
        f"Krippendorff's alpha ({level})", ratings, alpha_problem(ratings, level), how=how
    )
