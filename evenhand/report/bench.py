"""A judge on a public benchmark: its headline figure beside trivial judges and other judges."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import stdtrit

from evenhand.data.bench import Card, Metric, Published
from evenhand.intervals import Interval, clustered_t, undefined
from evenhand.report.bench_figures import figure, point
from evenhand.report.people import known_only
from evenhand.report.sample import Contents, Sample, sample
from evenhand.store import Store, read_signed

PAIRWISE = ("mean_accuracy", "consistent_accuracy", "net_vote_accuracy", "consistency")
GROUPS = 20
COMMONEST = "commonest label"


@dataclass(frozen=True, slots=True)
class Scored:
    """One judge on one benchmark.

    Attributes:
        value: Of the card's metric; an undecided verdict counts as wrong where the metric counts
            rights and wrongs.
        answered: The same over the cases that the judge decided; coverage is their share.
        baselines: Trivial judges, by name, in one order.
        further: The pairwise figures that are not the headline.
        expected: What the source gives for this judge.
        over_first: Less the first judge of the list, on the cases that both were asked; None for
            the first.
    """

    card: Card
    judge: str
    value: Interval
    answered: Interval
    coverage: Interval
    subsets: Mapping[str, Interval]
    baselines: Mapping[str, Interval]
    further: Mapping[str, Interval]
    expected: Published | None
    undecided_by: Mapping[str, int]
    over_first: Interval | None
    sha256: str
    run: str | None = None
    identity: str | None = None
    warnings: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        whole: dict[str, Any] = known_only({
            "bench": self.card.name,
            "revision": self.card.revision,
            "judge": {"name": self.judge, "identity": self.identity},
            "metric": str(self.card.metric),
            **_ends(self.value),
            "interval": self.value,
            "expected": self.expected,
            "baselines": self.baselines,
            "subsets": self.subsets,
            "answered": self.answered,
            "coverage": self.coverage,
            "further": self.further,
            "over_first": self.over_first,
            "undecided_by": dict(self.undecided_by),
            "data_sha256": self.sha256,
            "status": self.card.status,
            "run": self.run,
            "warnings": list(self.warnings),
        })  # fmt: skip
        return whole


def _ends(interval: Interval) -> dict[str, Any]:
    told = {"value": interval.estimate, "low": interval.low, "high": interval.high}
    return {**told, "reason": interval.reason} if interval.reason else told


def scored(read: Contents, judges: Sequence[str], level: float = 0.95) -> list[Scored]:
    """The judges, in this order, with paired differences to the first."""
    found: list[Scored] = []
    published = figures_printed(read)
    for judge in judges:
        one = _scored(read, judge, published)
        if found:
            gap = difference(read, (judges[0], judge), level)
            one = replace(one, over_first=gap)
        found.append(one)
    return found


def figures_printed(read: Contents) -> list[Published]:
    """What the source gives for its own verdicts; empty where the files with it are not there."""
    extra = [one.name for one in read.files.card.files if not one.needed]
    if read.bench.published is None or not all(map(read.files.has, extra)):
        return []
    return list(read.bench.published(read.files))


def _scored(read: Contents, judge: str, published: Sequence[Published]) -> Scored:
    card, metric = read.bench.card, read.bench.card.metric
    whole = sample(read, judge)
    decided = whole.where(~np.isnan(whole.said))
    judged = whole.where(whole.asked) if whole.asked.any() else whole
    parts = {name: sample(read, judge, name) for name in read.subsets}
    subsets = {name: headline(one, metric) for name, one in parts.items()}
    value = headline(whole, metric)
    if metric.mean == "subsets" and (there := [n for n, p in parts.items() if p.asked.any()]):
        value = mean_of([subsets[name] for name in there])
    further = (
        {name: figure(name, whole, _options(metric)) for name in PAIRWISE if name != metric.name}
        if not np.isnan(whole.orders).all() else {}
    )  # fmt: skip
    codes = [one.code for one in whole.verdicts if one is not None and one.code]
    expected = next((p for p in published if _same(p, judge, metric)), None)
    return Scored(
        card, judge, value, headline(decided, metric), _coverage(whole), subsets,
        baselines(judged), further, expected, {code: codes.count(code) for code in set(codes)},
        None, read.files.sha256, warnings=tuple(_warnings(read, whole)),
    )  # fmt: skip


def _same(one: Published, judge: str, metric: Metric) -> bool:
    return (one.judge, one.figure, one.subset) == (judge, metric.name, "")


def _options(metric: Metric) -> dict[str, Any]:
    return {**({"ties": metric.ties} if metric.ties else {}), **metric.options}


def headline(given: Sample, metric: Metric) -> Interval:
    if not given.n or not given.asked.any():
        return undefined("no case has a verdict", str(metric), level=0.95)
    return figure(metric.name, given, _options(metric))


def _coverage(whole: Sample) -> Interval:
    if not whole.asked.any():
        return undefined("no case has a verdict", "clustered t", level=0.95)
    return figure("coverage", whole, {})


def mean_of(parts: Sequence[Interval]) -> Interval:
    """The mean of subsets' figures, which are taken as independent of each other."""
    values = [one.estimate for one in parts]
    halves = [
        (one.high - one.low) / 2 if one.low is not None and one.high is not None else math.nan
        for one in parts
    ]
    mean, half = float(np.mean(values)), float(np.sqrt(np.sum(np.square(halves)))) / len(parts)
    n, groups = sum(one.n for one in parts), sum(one.n_clusters for one in parts)
    method = "mean of independent subsets"
    if math.isnan(mean) or math.isnan(half):
        why = "a subset has no interval"
        return Interval(mean, None, None, parts[0].level, method, n, groups, why)
    return Interval(mean, mean - half, mean + half, parts[0].level, method, n, groups)


# ---- trivial judges ------------------------------------------------------------------------------


def baselines(whole: Sample) -> dict[str, Interval]:
    """Judges that read nothing, on the same gold; of the pairs those that show both texts."""
    if np.isnan(whole.gold).all():
        return {}
    if not whole.pairs:
        return {COMMONEST: _commonest(whole)}
    found = {"always the first": figure("accuracy of the first", whole)}
    lengths = [one.lengths for one in whole.facts]
    if all(len(pair) == 2 for pair in lengths) and any(map(any, lengths)):
        found["the longer"] = figure("accuracy of the longer", whole)
    return found


def _commonest(whole: Sample) -> Interval:
    there = ~np.isnan(whole.gold)
    values, counts = np.unique(whole.gold[there], return_counts=True)
    right = (whole.gold[there] == values[counts.argmax()]).astype(float)
    return clustered_t(right, whole.clusters[there], span=(0.0, 1.0))


# ---- two judges ----------------------------------------------------------------------------------


def difference(read: Contents, judges: tuple[str, str], level: float = 0.95) -> Interval:
    """How much the second judge's figure is above the first's, on cases that both were asked.

    Paper: Kott 2001, "The Delete-a-Group Jackknife", Journal of Official Statistics 17: whole
        clusters are dealt into 20 groups, each left out once; Student's t with one degree of
        freedom less than there are groups.
    """
    metric = read.bench.card.metric
    pair = [sample(read, judge) for judge in judges]
    both = pair[0].asked & pair[1].asked
    one, two = (given.where(both) for given in pair)
    if not both.any():
        return undefined("no case was judged by both", "jackknife", level=level)

    def gap(kept: np.ndarray) -> float:
        return _of(two.where(kept), metric) - _of(one.where(kept), metric)

    return jackknife(gap, one.clusters, level)


def _of(given: Sample, metric: Metric) -> float:
    if metric.mean == "cases":
        return _point(given, metric)
    names = sorted({fact.group for fact in given.facts})
    groups = np.array([fact.group for fact in given.facts])
    return float(np.mean([_point(given.where(groups == name), metric) for name in names]))


def _point(given: Sample, metric: Metric) -> float:
    asked = given.n and given.asked.any()
    return point(metric.name, given, _options(metric)) if asked else math.nan


def jackknife(of: Callable[[np.ndarray], float], clusters: np.ndarray, level: float) -> Interval:
    """Of a smooth figure; `of` takes the cases kept."""
    names, index = np.unique(clusters, return_inverse=True)
    n, groups = len(clusters), min(GROUPS, len(names))
    estimate, method = of(np.ones(n, dtype=bool)), "delete-a-group jackknife"
    if len(names) < 10:
        why = f"{len(names)} clusters, and no interval is given below 10"
        return Interval(estimate, None, None, level, method, n, len(names), why)
    dealt = np.random.default_rng(0).permutation(len(names)) % groups
    left = np.array([of(dealt[index.ravel()] != group) for group in range(groups)])
    error = math.sqrt((groups - 1) / groups * float(((left - left.mean()) ** 2).sum()))
    half = float(stdtrit(groups - 1, 0.5 + level / 2)) * error
    if math.isnan(half):
        why = "the figure is undefined without some of the cases"
        return Interval(estimate, None, None, level, method, n, len(names), why)
    return Interval(estimate, estimate - half, estimate + half, level, method, n, len(names))


# ---- runs ----------------------------------------------------------------------------------------


def with_run(read: Contents, folder: Path) -> tuple[Contents, str]:
    """The contents with the verdicts of a run as one more judge, and its name."""
    with contextlib.closing(Store(folder, read=True)) as store:
        verdicts = [one.verdict for one in read_signed(store) if one.verdict is not None]
        made = store.manifest
    models = ", ".join(one["name"] for one in made.get("models", []))
    name = f"{made['judge']['name']} {models}".strip()
    return read.having(name, verdicts), name


def _warnings(read: Contents, whole: Sample) -> list[str]:
    card, told = read.bench.card, []
    if card.status == "unverified":
        told.append("unverified: this adapter has never read the real file")
    told += [f"{name} is not the known file: its hash differs" for name in read.files.changed]
    if read.bad:
        first = read.bad[0]
        told.append(
            f"{len(read.bad)} rows could not be read, the first: {first.file}:{first.row} "
            f"field '{first.field}': {first.found}; expected {first.expected}"
        )
    if whole.pairs and (equal := sum(len(set(one.lengths)) == 1 for one in whole.facts)):
        told.append(f"{equal} pairs of equal length: the longer response is neither")
    if (lacking := int((~whole.asked).sum())) and whole.asked.any():
        told.append(f"{lacking} of {whole.n} cases have no verdict and are left out")
    return told
