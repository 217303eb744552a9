"""What a run and its labels say, as arrays, and the figures that gates and card are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from evenhand.intervals import Interval, clustered_t
from evenhand.report.certificate import Floats, Ints, Policy
from evenhand.trust.alignment import Alignment, align
from evenhand.trust.alt_test import AltTest, alt_test
from evenhand.trust.baselines import Baselines, baselines
from evenhand.trust.ceiling import Ceiling, human_ceiling, line_ceiling
from evenhand.trust.coefficients import cohen_kappa, krippendorff_alpha, weighted_kappa
from evenhand.trust.confidence import Source, compare_sources
from evenhand.trust.engine import How
from evenhand.trust.estimate import Estimate, cases_of, described, no_interval
from evenhand.trust.isotonic import Transport, pair_audit, transport_audit
from evenhand.trust.ppi import ppi_difference, ppi_mean
from evenhand.trust.ratings import Figure, Gap, Ratings
from evenhand.trust.sampling import active_mean

Kind = Literal["pairs", "words", "grades", "line"]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Cases with a verdict, decided or not.

    Attributes:
        judged: Shape (n_cases,), the expected score; NaN where undecided. Of a pair: A's share.
        said: The same with the label's number in place of the expectation.
        labels: Shape (n_cases, n_raters), NaN where a person said nothing.
        why: Like labels: a `Gap` each.
        clusters: Shape (n_cases,); equal entries are not independent.
        systems: Shape (n_cases,), who answered; of a pair (n_cases, 2). "" where nobody said.
        kind: Pairs (1, 0.5, 0), words without order, ordered grades, or a line of numbers.
        grades: The scale's numbers, rising; empty for a line.
        span: Least and greatest number; None for a line without bounds.
        same: Whether both orders gave one winner, 1 or 0; NaN where not both were judged.
        first: Share of wins of the response shown first; NaN where order was not varied.
        chances: Shape (n_cases,), with which a case was drawn to be labelled, NaN where nobody
            recorded it; None when every case had the same.
        lengths: Shape (n_cases, n_responses), characters of each response; at least the labelled
            cases have them. None where the data could not be read again.
        overlap: Like lengths: words in common with the reference, or else the prompt, 0 to 1.
        sources: Name -> shape (n_cases,), how sure the judge was of what it said, 0 to 1.
    """

    judged: Floats
    said: Floats
    labels: Floats
    why: np.ndarray
    clusters: Ints
    systems: np.ndarray
    kind: Kind
    grades: tuple[float, ...]
    span: tuple[float, float] | None
    same: Floats
    first: Floats
    chances: Floats | None = None
    lengths: Floats | None = None
    overlap: Floats | None = None
    sources: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def width(self) -> float:
        return 1.0 if self.span is None else self.span[1] - self.span[0]

    @property
    def truth(self) -> Floats:
        """One label a case: the commonest one, of grades the middle one, on a line the mean.

        NaN where nobody said anything, or two labels are equally common.
        """
        if self.kind == "line":
            return self.means
        if self.kind == "grades":
            return _middle(self.labels)
        grades = np.array(self.grades)
        counts = (self.labels[:, :, None] == grades).sum(axis=1)
        most = counts.max(axis=1)
        alone = (most > 0) & ((counts == most[:, None]).sum(axis=1) == 1)
        return np.where(alone, grades[counts.argmax(axis=1)], np.nan)

    @property
    def means(self) -> Floats:
        """The mean label of each case."""
        there = ~np.isnan(self.labels)
        n = there.sum(axis=1)
        total = np.where(there, self.labels, 0.0).sum(axis=1)
        return np.where(n > 0, total / np.maximum(n, 1), np.nan)

    def ratings(self, people: Floats, why: np.ndarray | None = None) -> Ratings:
        """People's columns, and the judge's as the last one."""
        gaps = np.where(np.isnan(people), Gap.MISSING, Gap.USED) if why is None else why
        unread = np.where(np.isnan(self.said), Gap.UNREAD, Gap.USED)
        values = np.column_stack([people, self.said])
        whole = Ratings.from_values(
            values, why=np.column_stack([gaps, unread]), clusters=self.clusters,
            scale=self.grades or None,
        )  # fmt: skip
        labelled = (~np.isnan(people)).reshape(len(people), -1).any(axis=1)
        return whole.where(np.asarray(labelled))


def _middle(labels: Floats) -> Floats:
    """The lower median of each row, which is always a grade."""
    ordered = np.sort(labels, axis=1)  # NaN stand last
    n = (~np.isnan(labels)).sum(axis=1)
    return np.asarray(ordered[np.arange(len(labels)), np.maximum(n - 1, 0) // 2])


# ---- figures -------------------------------------------------------------------------------------


def coefficient(seen: Evidence, level: float = 0.95) -> Figure:
    """The judge with one label a case: kappa, weighted for grades, interval alpha for a line."""
    both, how = seen.ratings(seen.truth), How(level=level)
    if seen.kind == "line":
        found = krippendorff_alpha(both, "interval", how)
    elif seen.kind == "grades":
        found = weighted_kappa(both, "quadratic", how)
    else:
        found = cohen_kappa(both, how)
    used = both.values[(both.why == Gap.USED).all(axis=1), 0]
    if used.size and np.ptp(used) == 0 and found.interval.low is not None:
        # No judge could agree beyond chance with one label: [0, 0] would be no finding.
        open_ = replace(found.interval, low=None, high=None, reason="every label is the same")
        return replace(found, interval=open_)
    return found


def over_baseline(seen: Evidence, level: float = 0.95) -> tuple[str, Interval] | str:
    """The best of the trivial judges, and the judge's accuracy above it."""
    truth = seen.truth
    there = ~np.isnan(truth)
    if seen.kind in ("grades", "line") and len(seen.grades) != 2:
        return "the labels are ordered numbers: agreement is already measured beyond chance"
    if not there.any():
        return "no case has a label"
    if seen.kind == "pairs":
        found = trivial_of_pairs(seen, level).over_best
        return found.name.removeprefix("judge over "), found.interval
    values, counts = np.unique(truth[there], return_counts=True)
    common = values[np.argmax(counts)]
    gained = (seen.said == truth).astype(float) - (truth == common)
    span = (-1.0, 1.0)
    made = clustered_t(gained[there], seen.clusters[there], level=level, span=span)
    return "commonest label", made


def trivial_of_pairs(seen: Evidence, level: float = 0.95) -> Baselines:
    """Length and words in common count where the responses could be read."""
    truth = seen.truth
    there, both = ~np.isnan(truth), seen.ratings(truth)
    signs = Ratings.from_values(2 * both.values - 1, why=both.why, clusters=both.clusters)
    lengths = None if seen.lengths is None else seen.lengths[there]
    lexical = None if seen.overlap is None else np.sign(-np.diff(seen.overlap[there])[:, 0])
    return baselines(signs, ties="separate", lengths=lengths, lexical=lexical, level=level)


def ceiling(seen: Evidence, level: float = 0.95) -> Ceiling:
    """People against people: shares of agreement, of numbers what is beyond chance."""
    both, how = seen.ratings(seen.labels, seen.why), How(method="bootstrap", level=level)
    if seen.kind == "line":
        return line_ceiling(both, how=how)
    graded = seen.kind == "grades"
    weights: Literal["identity", "quadratic"] = "quadratic" if graded else "identity"
    return human_ceiling(both, weights=weights, beyond_chance=graded, how=how)


def confidences(seen: Evidence) -> tuple[Source, ...]:
    """What each source of confidence is worth; one that never varies is left out.

    Nothing on a line of numbers, where no verdict is simply right.
    """
    truth = seen.truth
    known = ~np.isnan(truth) & ~np.isnan(seen.said)
    if seen.kind == "line" or not known.any():
        return ()
    right = np.where(known, (seen.said == truth).astype(float), np.nan)
    given = {name: values for name, values in {**seen.sources, "orders": seen.same}.items()
             if np.unique(values[known & ~np.isnan(values)]).size > 1}  # fmt: skip
    return compare_sources(given, right, clusters=seen.clusters)


def annotator_scores(seen: Evidence) -> Alignment | str:
    if seen.labels.shape[1] < 2:
        return f"labels by {seen.labels.shape[1]} rater; the test needs two, better three"
    metric: Literal["accuracy", "neg_rmse"] = (
        "accuracy" if seen.kind in ("pairs", "words") else "neg_rmse"
    )
    return align(seen.said, seen.labels, metric=metric)


def annotator_test(seen: Evidence, policy: Policy, q: float = 0.05) -> AltTest | str:
    scores = annotator_scores(seen)
    if isinstance(scores, str):
        return scores
    alone = len(np.unique(seen.clusters)) == len(seen.clusters)
    clusters = None if alone else seen.clusters
    return alt_test(scores, epsilon=policy.epsilon, clusters=clusters, q=q)


def levels(seen: Evidence, level: float = 0.95) -> dict[str, Estimate]:
    """The corrected mean of each system; of pairs, the win rate of the first of two systems."""
    if seen.kind == "pairs":
        name, turned, judged = _oriented(seen, seen.means)
        everything = np.ones(len(turned), dtype=bool)
        return {name: _corrected(seen, turned, judged, everything, level=level)}
    return {
        str(system) or "all responses": _corrected(
            seen, seen.means, seen.judged, seen.systems == system, level=level
        )
        for system in np.unique(seen.systems)
    }


def _corrected(
    seen: Evidence, labels: Floats, judged: Floats, mine: np.ndarray, *, level: float
) -> Estimate:
    rest: dict[str, Any] = {"clusters": seen.clusters[mine], "level": level, "span": seen.span}
    if seen.chances is None:
        return ppi_mean(labels[mine], judged[mine], **rest)
    return _drawn(labels[mine], judged[mine], seen.chances[mine], **rest)


def _drawn(labels: Floats, judged: Floats, chances: Floats, **rest: Any) -> Estimate:
    """From labels drawn with unequal chances; nothing while one of the chances is not known."""
    lost = int((~np.isnan(labels) & ~((chances > 0) & (chances <= 1))).sum())
    if not lost:
        return active_mean(labels, judged, chances, **rest)
    why = f"{lost} labelled cases have no recorded chance of being drawn, and others have one"
    cases = cases_of(labels, judged, clusters=rest["clusters"], span=rest["span"])
    nothing = no_interval("active", rest["level"], why)
    return described(cases, nothing, level=rest["level"], span=rest["span"])


def _oriented(seen: Evidence, means: Floats) -> tuple[str, Floats, Floats]:
    """Shares of one system, which is named; of the first response when there are not two."""
    names = two_systems(seen)
    if names is None:
        return "the first response", means, seen.judged
    turn = seen.systems[:, 0] != names[0]
    return (
        f"{names[0]} over {names[1]}",
        np.where(turn, 1 - means, means),
        np.where(turn, 1 - seen.judged, seen.judged),
    )


def two_systems(seen: Evidence) -> tuple[str, str] | None:
    names = sorted({str(name) for name in seen.systems.ravel()})
    if len(names) != 2 or "" in names:
        return None
    return (names[0], names[1])


def contrast(seen: Evidence, level: float = 0.95) -> tuple[str, Estimate] | str:
    """The first system less the second; of pairs, its win rate."""
    names = two_systems(seen)
    if names is None:
        n = len(np.unique(seen.systems[seen.systems != ""]))
        return f"{n} systems are named in the run; the claim compares two"
    if seen.kind == "pairs":
        return next(iter(levels(seen, level).items()))
    means, rows = seen.means, dict[int, dict[str, int]]()
    for at, (cluster, system) in enumerate(zip(seen.clusters, seen.systems, strict=True)):
        rows.setdefault(int(cluster), {}).setdefault(str(system), at)
    both = [(row[names[0]], row[names[1]]) for row in rows.values() if len(row) == 2]
    if not both:
        return "no prompt was answered by both systems"
    index = np.array(both)
    rest: dict[str, Any] = {"clusters": seen.clusters[index[:, 0]], "level": level}
    if seen.chances is None:
        found = ppi_difference(means[index], seen.judged[index], span=seen.span, **rest)
    else:  # the mean over all rows of twice the signed values is the difference of the means
        told, said = ((values[index] * (2.0, -2.0)).ravel() for values in (means, seen.judged))
        rest = {"clusters": np.repeat(rest["clusters"], 2), "level": level, "span": None}
        found = _drawn(told, said, seen.chances[index].ravel(), **rest)
    return f"{names[0]} minus {names[1]}", found


def audited(seen: Evidence, policy: Policy, level: float = 0.95) -> tuple[Transport, ...] | str:
    """The judge's error on each system; of two systems in pairs, on the first."""
    known, margin = ~np.isnan(seen.means), policy.transport * seen.width
    names = np.unique(seen.systems[known])
    if (n := int((names != "").sum())) < 2:
        return f"labels of {n} named systems; the judge's error is compared between two or more"
    audit = pair_audit if seen.kind == "pairs" else transport_audit
    return audit(
        seen.means, seen.judged, seen.systems, margin=margin, clusters=seen.clusters, level=level
    )
