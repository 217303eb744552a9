"""Several runs of the same cases together, such as one judge with several templates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from scipy.special import stdtr, stdtrit

from evenhand.intervals import Interval, clustered_t
from evenhand.records import Verdict
from evenhand.report.people import known_only
from evenhand.report.summary import bounds, same_label, winner
from evenhand.report.terminal import shown
from evenhand.report.text import share
from evenhand.store import Signed
from evenhand.trust.coefficients import krippendorff_alpha
from evenhand.trust.ratings import Gap, Ratings

LEAST = 3
SHARE = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Said:
    """What one run says of one case.

    Attributes:
        label: None when it is undecided or failed; `gap` then says which.
        right: Whether a person says the same; None without a label of a person's on the scale.
        bounds: Least and greatest number of the scale.
    """

    cluster: str
    gap: Gap
    label: str | None
    score: float | None
    line: bool
    bounds: tuple[float, float] | None
    right: bool | None


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure of every run, in their order; `sd` is that of the runs' estimates."""

    by_run: tuple[Interval, ...]
    min: float
    max: float
    sd: float


@dataclass(frozen=True, slots=True)
class Behind:
    """Attributes: difference is the best run's accuracy less this one's, paired by case; p is
    two-sided and adjusted by Holm's rule for the number of other runs."""

    run: str
    difference: Interval
    p: float


@dataclass(frozen=True, slots=True)
class Best:
    run: str
    accuracy: Interval
    against: tuple[Behind, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """Three runs or more, on the cases that all of them have.

    Attributes:
        cases, decided: Common to all runs, and decided by all of them.
        coefficient, agreement: Krippendorff's alpha with the runs as raters; nominal for labels,
            interval for numbers on a line.
        unanimous: Share of the decided cases on which all runs give one label.
        score: Mean scores on the decided cases; None when scales differ.
        accuracy: Share of cases on which a run says what a person said, undecided counted as
            wrong; None without such labels.
        flips: By two runs, the share of cases that both decided on which their labels differ; None
            where there is no such case, and on the diagonal.
        best: The run with the highest accuracy.
    """

    runs: tuple[str, ...]
    cases: int
    decided: int
    coefficient: str
    agreement: Interval
    unanimous: Interval | None
    score: Spread | None
    accuracy: Spread | None
    flips: tuple[tuple[Interval | None, ...], ...]
    best: Best | None
    warnings: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        return dict(known_only(asdict(self)))


def label_said(verdict: Verdict) -> str:
    """Of a decided verdict; for a pair the winner."""
    return str(winner(verdict) if verdict.scale.swaps else verdict.label)


def said_of(signed: Signed) -> Said:
    verdict, person = signed.verdict, signed.label
    if verdict is None:
        return Said(signed.cluster, Gap.MISSING, None, None, False, None, None)
    scale = verdict.scale
    right = None if person is None else same_label(verdict, person)
    about = (scale.span is not None, bounds(scale), right)
    if not verdict.decided:
        return Said(signed.cluster, Gap.UNREAD, None, None, *about)
    return Said(signed.cluster, Gap.USED, label_said(verdict), verdict.score, *about)


def sweep(names: Sequence[str], runs: Sequence[Mapping[str, Said]]) -> Sweep | None:
    """None for fewer than three runs, and when no case is in all of them.

    Args:
        runs: Case -> what that run says of it; in the order of the names.
    """
    cases = [case for case in runs[0] if all(case in run for run in runs)]
    if len(runs) < LEAST or not cases:
        return None
    rows = [[run[case] for run in runs] for case in cases]
    settled = [row for row in rows if all(one.label is not None for one in row)]
    alike = [float(len({one.label for one in row}) == 1) for row in settled]
    alpha = _alpha(rows)
    accuracy, best = _accuracy(names, rows)
    scales = {one.bounds for row in rows for one in row if one.gap != Gap.MISSING}
    warnings = [*alpha.warnings, *_chosen_here(len(runs), accuracy)]
    if len(scales) > 1:
        warnings.append("the runs use different scales: labels are compared as they are written")
    return Sweep(
        tuple(names),
        len(cases),
        len(settled),
        alpha.name,
        alpha.interval,
        _mean(alike, _clusters(settled)) if settled else None,
        _scores(settled) if len(scales) == 1 else None,
        accuracy,
        tuple(tuple(_flips(rows, i, j) for j in range(len(runs))) for i in range(len(runs))),
        best,
        tuple(warnings),
    )


def _clusters(rows: Sequence[Sequence[Said]]) -> list[str]:
    return [row[0].cluster for row in rows]


def _mean(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    return clustered_t(values, np.asarray(clusters), span=SHARE)


def _alpha(rows: Sequence[Sequence[Said]]) -> Any:
    clusters, gaps = _clusters(rows), [[int(one.gap) for one in row] for row in rows]
    if any(one.line for row in rows for one in row):
        values = [[math.nan if one.score is None else one.score for one in row] for row in rows]
        # A label on a line without a number has no place there.
        gaps = np.where(np.isnan(values), np.maximum(gaps, int(Gap.MISSING)), gaps).tolist()
        return krippendorff_alpha(
            Ratings.from_values(values, why=gaps, clusters=clusters), "interval"
        )
    place = {
        name: at for at, name in enumerate(sorted({o.label for r in rows for o in r if o.label}))
    }
    values = [[place.get(one.label or "", math.nan) for one in row] for row in rows]
    return krippendorff_alpha(Ratings.from_values(values, why=gaps, clusters=clusters), "nominal")


def _scores(settled: Sequence[Sequence[Said]]) -> Spread | None:
    scores = np.array([[np.nan if o.score is None else o.score for o in row] for row in settled])
    if not scores.size or np.isnan(scores).any():
        return None
    clusters = np.asarray(_clusters(settled))
    return _spread([clustered_t(column, clusters) for column in scores.T])


def _spread(by_run: Sequence[Interval]) -> Spread:
    values = np.array([one.estimate for one in by_run])
    low, high = float(values.min()), float(values.max())
    return Spread(tuple(by_run), low, high, float(values.std(ddof=1)))


def _flips(rows: Sequence[Sequence[Said]], i: int, j: int) -> Interval | None:
    both = [row for row in rows if row[i].label is not None and row[j].label is not None]
    if i == j or not both:
        return None
    return _mean([float(row[i].label != row[j].label) for row in both], _clusters(both))


# ---- against people --------------------------------------------------------------------------


def _accuracy(
    names: Sequence[str], rows: Sequence[Sequence[Said]]
) -> tuple[Spread | None, Best | None]:
    """Undecided is wrong here, or a run would gain by leaving the hard cases undecided."""
    known = [row for row in rows if all(one.right is not None for one in row)]
    if not known:
        return None, None
    right = np.array([[float(bool(one.right)) for one in row] for row in known])
    clusters = np.asarray(_clusters(known))
    spread = _spread([clustered_t(column, clusters, span=SHARE) for column in right.T])
    first = int(right.mean(axis=0).argmax())
    others = [at for at in range(len(names)) if at != first]
    gaps = [right[:, first] - right[:, at] for at in others]
    adjusted = holm([_p(gap, clusters) for gap in gaps])
    against = tuple(
        Behind(names[at], clustered_t(gap, clusters, span=(-1.0, 1.0)), p)
        for at, gap, p in zip(others, gaps, adjusted, strict=True)
    )
    return spread, Best(names[first], spread.by_run[first], against)


def _p(gap: Any, clusters: Any) -> float:
    """Two-sided, of Student's t on clusters; of signs where every case differs alike."""
    found = clustered_t(gap, clusters)
    if found.low is None or found.high is None:
        return math.nan
    if np.ptp(gap) == 0:
        return 1.0 if found.estimate == 0 else min(1.0, 2.0 * 0.5**found.n_clusters)
    freedom = found.n_clusters - 1
    half = (found.high - found.low) / 2
    t = abs(found.estimate) / half * stdtrit(freedom, 0.975) if half > 0 else math.inf
    return float(2 * stdtr(freedom, -t))


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted so that a false one among them is as rare as stated; NaN stays.

    Paper: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian
        Journal of Statistics 6, after the paper.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    adjusted, least = list(p), 0.0
    order = sorted((at for at in range(len(p)) if not math.isnan(p[at])), key=p.__getitem__)
    for rank, at in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * p[at]))
        adjusted[at] = least
    return adjusted


def _chosen_here(n: int, accuracy: Spread | None) -> list[str]:
    if accuracy is None:
        return []
    told = [
        f"the best of {n} was chosen on these cases, so its accuracy looks better than it is:"
        " measure it on other cases"
    ]
    if sum(one.estimate == accuracy.max for one in accuracy.by_run) > 1:
        told.append("several runs are equally good: the first of them is named")
    return told


# ---- in the terminal -------------------------------------------------------------------------


def sweep_text(found: Sweep) -> RenderableType:
    n = len(found.runs)
    lines = [f"{n} runs together: {found.cases} common cases, {found.decided} decided by all"]
    lines += [f"! {warning}" for warning in found.warnings]
    lines += [f"{found.coefficient}   {_number(found.agreement)}"]
    if found.unanimous is not None:
        lines.append(f"all say the same      {share(found.unanimous)}")
    if found.score is not None:
        one = found.score
        lines.append(f"mean score            {one.min:.3f} to {one.max:.3f}, sd {one.sd:.3f}")
    if found.accuracy is not None and found.best is not None:
        lines += _people(found.accuracy, found.best)
    lines.append("share of cases on which two runs give different labels:")
    return Group(*map(shown, lines), _matrix(found))


def _people(one: Spread, best: Best) -> list[str]:
    low, high, sd = (f"{100 * value:.0f}" for value in (one.min, one.max, one.sd))
    return [
        f"agrees with people    {low} to {high} %, sd {sd}; undecided counts as wrong",
        f"agrees best           {best.run}: {share(best.accuracy)}",
        *(f"  more than {it.run}: {_number(it.difference)}, p {it.p:.2g} (Holm)"
          for it in best.against),
    ]  # fmt: skip


def _number(one: Interval) -> str:
    if one.low is None or one.high is None:
        return f"{one.estimate:.3f} (no interval: {one.reason})"
    return f"{one.estimate:.3f} [{one.low:.3f}, {one.high:.3f}]"


def _matrix(found: Sweep) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", overflow="fold")
    for at in range(1, len(found.runs) + 1):
        table.add_column(str(at), justify="right")
    for at, (name, row) in enumerate(zip(found.runs, found.flips, strict=True), 1):
        cells = ["" if one is None else f"{100 * one.estimate:.0f} %" for one in row]
        table.add_row(shown(f"{at} {name}"), *map(shown, cells))
    return table
