"""What a run says: counts, scores with intervals, order effects, cost, and what to beware of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evenhand.door import modes
from evenhand.families import family, shared_families
from evenhand.intervals import Interval, clustered_t
from evenhand.manifest import counts
from evenhand.records import Scale, Verdict
from evenhand.store import Signed, Store, read_signed

FEW_CLUSTERS = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in figures.

    Attributes:
        scores, win_rates: By system; intervals are clustered by prompt.
        consistency: Share of cases whose two orders give the same label; None when no case was
            judged in both orders.
        first_position_rate: Share of single verdicts for the response shown first, verdicts
            without a winner left out; None unless order was varied.
        agreement: With people's labels: 'answered' (undecided left out), 'strict' (undecided
            counts as wrong) and coverage; None without labels that are on the judge's scale.
        invocation: calls, retries, cached, tokens, usd, seconds of the last start alone.
    """

    run: str
    manifest: Mapping[str, Any]
    counts: Mapping[str, Any]
    reasked: int
    scores: Mapping[str, Interval]
    win_rates: Mapping[str, Interval]
    consistency: Interval | None
    first_position_rate: Interval | None
    agreement: Mapping[str, Any] | None
    mass: float | None
    warnings: tuple[str, ...]

    @property
    def invocation(self) -> Mapping[str, Any]:
        return self.manifest["invocations"][-1]  # type: ignore[no-any-return]

    def json(self, *, last: bool = False) -> dict[str, Any]:
        """Machine output.

        Args:
            last: calls, retries, cached, tokens, usd and seconds are the last invocation's.
        """
        started = self.manifest.get("invocations", [])
        judge = self.manifest.get("judge", {})
        spent = {
            "calls": self.counts["calls"],
            "retries": sum(i.get("retries", 0) for i in started),
            "cached": sum(i.get("cached", 0) for i in started),
            "tokens": self.counts["tokens"],
            "usd": self.counts["usd"],
            "seconds": round(sum(i.get("seconds", 0.0) for i in started), 3),
        }
        if last:
            spent = {key: self.invocation.get(key) for key in spent}
        reason = {} if spent["usd"] is not None else {"usd_reason": "the model's price is unknown"}
        return {
            "run": self.run,
            "judge": {"name": judge.get("name"), "identity": judge.get("identity")},
            "models": self.manifest.get("models", []),
            "served": self.manifest.get("served", []),
            "data": self.manifest.get("data", {}),
            **{k: self.counts[k] for k in ("cases", "decided", "undecided", "failed")},
            "skipped": self.invocation.get("skipped", 0) if started else 0,
            "undecided_by": self.counts["undecided_by"],
            "reasked": self.reasked,
            **spent,
            **reason,
            "fallbacks": self.manifest.get("fallbacks", {}),
            "scores": {name: asdict(i) for name, i in self.scores.items()},
            "win_rates": {name: asdict(i) for name, i in self.win_rates.items()},
            **_or_reason("consistency", self.consistency, "no case was judged in both orders"),
            **_or_reason("first_position_rate", self.first_position_rate, "order was not varied"),
            **_or_reason("agreement", self.agreement, "the data hold no labels by people"),
            **_or_reason("label_mass", self.mass, "no label probabilities were read"),
            "warnings": list(self.warnings),
        }


def _or_reason(name: str, value: Any, reason: str) -> dict[str, Any]:
    if value is None:
        return {name: None, f"{name}_reason": reason}
    return {name: asdict(value) if isinstance(value, Interval) else value}


def summarise(folder: Path) -> Summary:
    """Reads a run once, row by row; memory grows by a few numbers a case."""
    with contextlib.closing(Store(folder, read=True)) as store:
        manifest, tally = store.manifest, _Tally()
        for signed in read_signed(store):
            tally.add(signed)
        return Summary(
            str(folder), manifest, counts(store), tally.reasked,
            {name: column.interval() for name, column in sorted(tally.scores.items())},
            {name: column.interval() for name, column in sorted(tally.wins.items())},
            tally.consistent.maybe(), tally.first.maybe(), tally.agreement(),
            tally.mean_mass(), tuple(_warnings(manifest, counts(store), tally)),
        )  # fmt: skip


@dataclass(slots=True)
class _Column:
    """Values with their clusters, and the bounds of their scale."""

    span: tuple[float, float] | None = (0.0, 1.0)
    values: list[float] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)

    def add(self, value: float, cluster: str) -> None:
        self.values.append(value)
        self.clusters.append(cluster)

    def interval(self) -> Interval:
        return clustered_t(self.values, self.clusters, span=self.span)

    def maybe(self) -> Interval | None:
        return self.interval() if self.values else None


def bounds(scale: Scale) -> tuple[float, float] | None:
    """Least and greatest number of a scale; None where it has no two."""
    if scale.span is not None:
        return scale.span
    numbers = set(scale.labels.values())
    return (min(numbers), max(numbers)) if len(numbers) > 1 else None


class _Tally:
    def __init__(self) -> None:
        self.reasked = 0
        self.scores: dict[str, _Column] = {}
        self.wins: dict[str, _Column] = {}
        self.consistent, self.first = _Column(), _Column()
        self.right, self.strict = _Column(), _Column()
        self.foreign = 0
        self.masses: list[float] = []
        self.systems: set[str] = set()

    def add(self, signed: Signed) -> None:
        self.reasked += max(0, signed.asked - 1)
        self.systems.update(system for system in signed.systems if system)
        verdict = signed.verdict
        if verdict is None:
            return
        self._label(signed, verdict)
        for part in walk(verdict):
            if isinstance(mass := part.marks.get("mass"), int | float):
                self.masses.append(float(mass))
        self._orders(verdict, signed.cluster)
        if verdict.decided:
            self._score(signed, verdict)

    def _score(self, signed: Signed, verdict: Verdict) -> None:
        scores, scale = verdict.scores or (), verdict.scale
        many = len(scores) > 1
        for i, (score, system) in enumerate(zip(scores, _names(signed, len(scores)), strict=True)):
            name = system or (f"response {i + 1}" if many else "all responses")
            table = self.wins if scale.swaps else self.scores
            span = (0.0, 1.0) if many else bounds(scale)
            table.setdefault(name, _Column(span)).add(score, signed.cluster)

    def _orders(self, verdict: Verdict, cluster: str) -> None:
        for whole in walk(verdict):
            orders = {part.marks.get("order"): part for part in whole.parts}
            given, swapped = orders.get("given"), orders.get("swapped")
            if given is not None and swapped is not None and given.decided and swapped.decided:
                self.consistent.add(float(modes(given) == modes(swapped)), cluster)
        for part in walk(verdict):
            order = part.marks.get("order")
            if order in ("given", "swapped") and part.decided and part.scale.swaps:
                self._first(part, order == "given", cluster)

    def _first(self, part: Verdict, given: bool, cluster: str) -> None:
        best = winner(part)
        if best != "tie":
            self.first.add(float((best == "A") == given), cluster)

    def _label(self, signed: Signed, verdict: Verdict) -> None:
        if signed.label is None:
            return
        same = same_label(verdict, signed.label)
        if same is None:
            self.foreign += 1
            return
        self.strict.add(float(same), signed.cluster)
        if verdict.decided:
            self.right.add(float(same), signed.cluster)

    def agreement(self) -> dict[str, Any] | None:
        if not self.strict.values:
            return None
        answered = self.right.maybe()
        return {
            "strict": asdict(self.strict.interval()),
            "answered": asdict(answered) if answered else None,
            "coverage": len(self.right.values) / len(self.strict.values),
            "rule": "the judge's label equals the person's; a tie is a label of its own",
        }

    def mean_mass(self) -> float | None:
        return sum(self.masses) / len(self.masses) if self.masses else None


def _names(signed: Signed, n: int) -> Sequence[str | None]:
    return signed.systems if len(signed.systems) == n else (None,) * n


def winner(verdict: Verdict) -> str | None:
    """'A', 'tie' or 'B' of a pairwise verdict's label; None when undecided.

    Labels of both sides with the same probability are a tie, whichever stands first.
    """
    if not verdict.decided:
        return None
    shares = [verdict.scale.number(label) for label in modes(verdict)]
    return "A" if min(shares) > 0.5 else "B" if max(shares) < 0.5 else "tie"


def same_label(verdict: Verdict, label: str) -> bool | None:
    """Whether a verdict says what a person said; None when the judge's scale has no such label.

    An undecided verdict says nothing that anybody said.
    """
    scale = verdict.scale
    if scale.swaps:
        return winner(verdict) == label
    known = scale.has(label) or any(_alike(one, label) for one in scale.labels)
    if not known and (scale.labels or scale.span):
        return None
    return verdict.label is not None and _alike(verdict.label, label)


def _alike(one: str, other: str) -> bool:
    """Tables write 4 as 4.0 and yes as Yes."""
    try:
        return float(one) == float(other)
    except ValueError:
        return one.casefold() == other.casefold()


def walk(verdict: Verdict) -> Iterator[Verdict]:
    """The verdict and all its parts."""
    yield verdict
    for part in verdict.parts:
        yield from walk(part)


# ---- what to beware of -----------------------------------------------------------------------


def _warnings(
    manifest: Mapping[str, Any], count: Mapping[str, Any], tally: _Tally
) -> Iterator[str]:
    cases = count["cases"]
    if cases == 0:
        yield "no case has a verdict yet"
        return
    yield from _counted(count, cases)
    names = [m["name"] for m in manifest.get("models", [])] + list(manifest.get("served", []))
    for model, system in shared_families(names, sorted(tally.systems)):
        yield (
            f"judge {model} and judged system {system} are of one family ({family(model)}): "
            "judges tend to favour their own family; check with a judge of another"
        )
    columns = (tally.wins or tally.scores).values()
    clusters = max((len(set(column.clusters)) for column in columns), default=0)
    if 0 < clusters < FEW_CLUSTERS:
        yield f"only {clusters} prompts: intervals from so few are rough"
    if tally.foreign:
        yield (
            f"{tally.foreign} labels by people are not on the judge's scale and were not compared"
        )
    if (mass := tally.mean_mass()) is not None and mass < 0.5:
        yield (
            f"on average only {mass:.0%} of the model's probability was on the scale's labels: "
            "these scores are unreliable"
        )
    if (first := tally.first.maybe()) is not None and _off_half(first):
        yield f"position bias: the response shown first wins {first.estimate:.0%} of verdicts"


def _counted(count: Mapping[str, Any], cases: int) -> Iterator[str]:
    if count["failed"]:
        yield f"{count['failed']} of {cases} cases failed; the same command tries them again"
    undecided = count["undecided"]
    if undecided > 0.05 * cases:
        why = ", ".join(f"{code} {n}" for code, n in count["undecided_by"].items())
        rest = "scores rest on the others, which may be the easier ones"
        if not count["decided"]:
            rest = "there is no score"
        yield f"{undecided} of {cases} cases are undecided ({why}); {rest}"


def _off_half(interval: Interval) -> bool:
    low, high = interval.low, interval.high
    return low is not None and high is not None and not low <= 0.5 <= high
