"""Judges on the same cases side by side: agreement, paired difference, cost, where they part."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from evenhand.errors import Misuse
from evenhand.intervals import Interval, clustered_t
from evenhand.report.noise import noise_json, noise_of, noise_text
from evenhand.report.summary import Summary, bounds, summarise
from evenhand.report.sweep import LEAST, Said, Sweep, label_said, said_of, sweep, sweep_text
from evenhand.report.terminal import shown
from evenhand.report.text import share
from evenhand.store import Signed, Store, read_signed
from evenhand.trust.agreement import Denoised

PARTINGS = 20


@dataclass(frozen=True, slots=True)
class Pair:
    """The first run against another, on the cases that both have.

    Attributes:
        both: Cases that both decided.
        agreement: Share of those with the same label (a pair's winner).
        difference: Mean of the other's score minus the first's; None when their scales differ.
        accuracies: With people's labels, on cases that both decided: first, other.
        gain: The other's accuracy minus the first's, paired by case; None without labels.
        parted: (case, first's label, other's label, person's label) where they differ.
    """

    other: str
    common: int
    both: int
    agreement: Interval | None
    difference: Interval | None
    accuracies: tuple[Interval, Interval] | None
    gain: Interval | None
    parted: tuple[tuple[str, str, str, str | None], ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What several runs say of the same cases.

    Attributes:
        sweep: Of three runs or more with cases in common.
        noise: One a run; None where its verdicts were not repeated, or nobody labelled them.
    """

    runs: tuple[Summary, ...]
    pairs: tuple[Pair, ...]
    sweep: Sweep | None
    noise: tuple[Denoised | None, ...]

    def json(self) -> dict[str, Any]:
        why = "fewer than three runs" if len(self.runs) < LEAST else "no case is in all runs"
        found = {"sweep": None, "sweep_reason": why}
        return {
            "runs": [run.json() for run in self.runs],
            "pairs": [{"first": self.runs[0].run, **asdict(pair)} for pair in self.pairs],
            **({"sweep": self.sweep.json()} if self.sweep else found),
            "noise": [noise_json(one) for one in self.noise],
        }


def compare(folders: Sequence[Path]) -> Comparison:
    """The first run against each of the others, and all together when they are three or more.

    Raises:
        Misuse: Fewer than two runs, or runs without a common case.
    """
    if len(folders) < 2:
        raise Misuse("one run alone", expected="two or more runs", do="evenhand compare RUN RUN")
    runs = tuple(summarise(folder) for folder in folders)
    first = _rows(folders[0])
    pairs, said = [], [_said(first)]
    noise = [noise_of(runs[0].manifest, first.values())]
    for folder, run in zip(folders[1:], runs[1:], strict=True):
        other = _rows(folder)
        pairs.append(_pair(run.run, first, other, _warnings(runs[0], run)))
        said.append(_said(other))
        noise.append(noise_of(run.manifest, other.values()))
    together = sweep([run.run for run in runs], said)
    return Comparison(runs, tuple(pairs), together, tuple(noise))


def _rows(folder: Path) -> dict[str, Signed]:
    with contextlib.closing(Store(folder, read=True)) as store:
        return {signed.case: signed for signed in read_signed(store)}


def _warnings(one: Summary, other: Summary) -> tuple[str, ...]:
    hashes = [run.manifest.get("data", {}).get("sha256") for run in (one, other)]
    if hashes[0] == hashes[1]:
        return ()
    return ("the runs were made from different data; cases are matched by id",)


def _pair(
    name: str, first: Mapping[str, Signed], other: Mapping[str, Signed], warnings: tuple[str, ...]
) -> Pair:
    common = [(first[case], other[case]) for case in first if case in other]
    if not common:
        raise Misuse(
            f"no case is in both runs: {name} has none of the first's ids",
            expected="runs of the same cases, judged with the same view",
            do="judge the same file with both",
        )
    both = [(a, b) for a, b in common if a.state == b.state == "decided"]
    said = [(a, b, _label(a), _label(b)) for a, b in both]
    parted = [(a.case, x, y, a.label) for a, _, x, y in said if x != y]
    clusters = [a.cluster for a, _ in both]
    equal = [float(x == y) for _, _, x, y in said]
    right = _accuracies([(a.label, x, y, a.cluster) for a, _, x, y in said])
    return Pair(name, len(common), len(both), _mean(equal, clusters), _difference(both),
        right[0], right[1], tuple(parted), warnings)  # fmt: skip


def _said(rows: Mapping[str, Signed]) -> dict[str, Said]:
    return {case: said_of(signed) for case, signed in rows.items()}


def _label(signed: Signed) -> str:
    assert signed.verdict is not None
    return label_said(signed.verdict)


def _mean(values: list[float], clusters: list[str]) -> Interval | None:
    return clustered_t(values, clusters, span=(0.0, 1.0)) if values else None


def _difference(both: Sequence[tuple[Signed, Signed]]) -> Interval | None:
    values, clusters, scales = [], [], set()
    for a, b in both:
        assert a.verdict is not None
        assert b.verdict is not None
        if a.verdict.score is None or b.verdict.score is None:
            return None
        scales |= {bounds(a.verdict.scale), bounds(b.verdict.scale)}
        values.append(b.verdict.score - a.verdict.score)
        clusters.append(a.cluster)
    return clustered_t(values, clusters) if values and len(scales) == 1 else None


def _accuracies(
    said: Sequence[tuple[str | None, str, str, str]],
) -> tuple[tuple[Interval, Interval] | None, Interval | None]:
    known = [(label, x, y, cluster) for label, x, y, cluster in said if label is not None]
    if not known:
        return None, None
    clusters = [cluster for *_, cluster in known]
    one = [float(x == label) for label, x, _, _ in known]
    two = [float(y == label) for label, _, y, _ in known]
    gain = clustered_t([b - a for a, b in zip(one, two, strict=True)], clusters)
    means = [clustered_t(v, clusters, span=(0.0, 1.0)) for v in (one, two)]
    return (means[0], means[1]), gain


# ---- in the terminal -------------------------------------------------------------------------


def compare_text(found: Comparison) -> RenderableType:
    parts: list[RenderableType] = [_table(found.runs)]
    for run, noise in zip(found.runs, found.noise, strict=True):
        parts += map(shown, noise_text(run.run, noise) if noise else ())
    for pair in found.pairs:
        parts += [shown(""), *(shown(line) for line in _lines(found.runs[0].run, pair))]
        if pair.parted:
            parts.append(_parted(pair))
    if found.sweep is not None:
        parts += [shown(""), sweep_text(found.sweep)]
    return Group(*parts)


def _table(runs: Sequence[Summary]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("run", "judge", "decided", "undecided", "calls", "USD"):
        justify: Any = "left" if name in ("run", "judge") else "right"
        table.add_column(name, justify=justify, overflow="fold")
    for run in runs:
        count, judge = run.counts, run.manifest.get("judge", {})
        usd = "unknown" if count["usd"] is None else f"{count['usd']:.4f}"
        table.add_row(shown(run.run), shown(str(judge.get("name"))), str(count["decided"]),
            str(count["undecided"]), str(count["calls"]), usd)  # fmt: skip
    return table


def _lines(first: str, pair: Pair) -> list[str]:
    lines = [f"{pair.other} against {first}: {pair.common} common cases, both decided {pair.both}"]
    lines += [f"! {warning}" for warning in pair.warnings]
    if pair.agreement is not None:
        lines.append(f"same label            {share(pair.agreement)}")
    if pair.difference is not None:
        lines.append(f"score difference      {_signed(pair.difference)}")
    if pair.accuracies is not None and pair.gain is not None:
        lines.append(f"agrees with people    {share(pair.accuracies[0])}, the first")
        lines.append(f"                      {share(pair.accuracies[1])}, the other")
        lines.append(f"difference of those   {_signed(pair.gain)} (paired by case)")
    return lines


def _signed(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:+.3f} (no interval: {interval.reason})"
    return f"{interval.estimate:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}] of {interval.n}"


def _parted(pair: Pair) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("they part on", "first", "other", "person"):
        table.add_column(name, overflow="fold")
    for case, one, two, person in pair.parted[:PARTINGS]:
        table.add_row(shown(case), shown(one), shown(two), shown(person or ""))
    more = len(pair.parted) - PARTINGS
    return Group(table, shown(f"{more} more")) if more > 0 else table
