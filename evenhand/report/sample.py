"""A benchmark read once: its cases with their gold, what people said, what each judge said."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evenhand.data.bench import Bench, Files
from evenhand.data.raters import Label
from evenhand.data.rows import Bad, Row
from evenhand.intervals import Floats
from evenhand.records import Verdict, escape
from evenhand.report.summary import walk, winner
from evenhand.trust.ratings import Gap, Ratings

SIGNS = {"A": 1.0, "tie": 0.0, "B": -1.0}


@dataclass(frozen=True, slots=True)
class Fact:
    """What figures need to know of a case; its texts are not kept.

    Attributes:
        lengths: Characters of each response.
    """

    id: str
    label: str | None
    group: str
    cluster: str
    systems: tuple[str | None, ...]
    lengths: tuple[int, ...]
    notes: Mapping[str, Any]

    @classmethod
    def of(cls, row: Row) -> Fact:
        case = row.case
        return cls(
            case.id, row.label, case.group or "", row.cluster,
            tuple(one.system for one in case.responses),
            tuple(int(one.notes.get("characters", len(one.text))) for one in case.responses),
            case.notes,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contents:
    """Attributes: verdicts by judge and case; bad rows of cases, labels and verdicts together."""

    bench: Bench
    files: Files
    facts: tuple[Fact, ...]
    people: tuple[Label, ...]
    verdicts: Mapping[str, Mapping[str, Verdict]]
    bad: tuple[Bad, ...]

    @property
    def judges(self) -> list[str]:
        return sorted(self.verdicts)

    @property
    def subsets(self) -> list[str]:
        return sorted({fact.group for fact in self.facts} - {""})

    def having(self, judge: str, verdicts: Iterable[Verdict]) -> Contents:
        """With the verdicts of one more judge."""
        found = {one.case: one for one in verdicts}
        return replace(self, verdicts={**self.verdicts, judge: found})


def contents(bench: Bench, files: Files, *, recorded: bool = True) -> Contents:
    """Reads everything that a benchmark's files hold."""
    bad: list[Bad] = []
    facts = tuple(Fact.of(row) for row in _good(bench.cases(files), bad.append))
    people = tuple(_good(bench.people(files), bad.append)) if bench.people else ()
    verdicts = dict[str, dict[str, Verdict]]()
    if recorded and bench.recorded:
        for verdict in _good(bench.recorded(files), bad.append):
            verdicts.setdefault(escape(verdict.rater), {})[verdict.case] = verdict
    return Contents(bench, files, facts, people, verdicts, tuple(bad))


def _good(found: Iterable[Any], keep: Callable[[Bad], None]) -> Iterable[Any]:
    for one in found:
        if isinstance(one, Bad):
            keep(one)
        else:
            yield one


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One judge on the cases, as arrays; "" is nobody, for figures of the people alone.

    Attributes:
        gold, said: Shape (n,): the number of a label; of pairs 1, 0 and -1. NaN: none, undecided.
        score: Shape (n,), the expectation in the scale's units; of pairs 2 * share - 1.
        asked: Shape (n,), whether there is a verdict at all.
        orders: Shape (n, 2), of pairs judged in both orders: given, and swapped turned back.
        labels: Shape (n, n_raters), NaN where a person said nothing.
        marks: Of each verdict.
    """

    facts: tuple[Fact, ...]
    verdicts: tuple[Verdict | None, ...]
    gold: Floats
    said: Floats
    score: Floats
    asked: np.ndarray
    orders: Floats
    labels: Floats
    raters: tuple[str, ...]
    clusters: np.ndarray
    pairs: bool
    names: tuple[str, ...]

    @property
    def n(self) -> int:
        return len(self.facts)

    @property
    def words(self) -> bool:
        """Whether the labels of these cases are words."""
        labels = (one.label for one in self.verdicts if one is not None and one.decided)
        return self.pairs or any(label in self.names for label in labels)

    def number(self, label: str) -> float:
        """Of a label, as in the arrays."""
        return _number(label, self.names, self.pairs)

    def where(self, kept: np.ndarray) -> Sample:
        """The cases kept."""
        index = np.flatnonzero(kept)
        return replace(
            self,
            facts=tuple(self.facts[at] for at in index),
            verdicts=tuple(self.verdicts[at] for at in index),
            gold=self.gold[index], said=self.said[index], score=self.score[index],
            asked=self.asked[index], orders=self.orders[index], labels=self.labels[index],
            clusters=self.clusters[index],
        )  # fmt: skip

    def two(self, said: Floats | None = None) -> Ratings:
        """Gold and judge: an undecided verdict is unread, none at all is missing."""
        given = self.said if said is None else said
        gaps = np.where(np.isnan(given), np.where(self.asked, Gap.UNREAD, Gap.MISSING), Gap.USED)
        why = np.column_stack([np.where(np.isnan(self.gold), Gap.MISSING, Gap.USED), gaps])
        values = np.column_stack([self.gold, given])
        return Ratings.from_values(values, why=why, clusters=self.clusters)


def sample(read: Contents, judge: str = "", subset: str = "") -> Sample:
    """The cases of a subset ("" is all) with one judge's verdicts."""
    facts = tuple(one for one in read.facts if subset in ("", one.group))
    known = read.verdicts.get(judge, {})
    verdicts = tuple(known.get(fact.id) for fact in facts)
    pairs = read.bench.card.view == "pairwise"
    names = () if pairs else _names(read, known.values())
    said = [_said(one, names, pairs) for one in verdicts]
    labels, raters = _labels(read.people, facts, names, pairs)
    return Sample(
        facts, verdicts,
        np.array([_number(one.label, names, pairs) for one in facts], dtype=float),
        np.array([one for one, _ in said], dtype=float),
        np.array([score for _, score in said], dtype=float),
        np.array([one is not None for one in verdicts], dtype=bool),
        np.array([_orders(one) for one in verdicts], dtype=float).reshape(-1, 2),
        labels, raters, np.array([one.cluster for one in facts]), pairs, names,
    )  # fmt: skip


def _names(read: Contents, verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Words in the order of their numbers on the judge's scale, or else of the alphabet."""
    written = {one.label for one in read.facts} | {one.label for one in read.people}
    words = {word for word in written if word is not None and math.isnan(_float(word))}
    scales = {one.scale.name: one.scale for one in verdicts if not one.scale.swaps}
    numbers = {word: n for scale in scales.values() for word, n in scale.labels.items()}
    words |= {word for word in numbers if math.isnan(_float(word))}
    return tuple(sorted(words, key=lambda word: (numbers.get(word, 0.0), word)))


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _number(label: str | None, names: tuple[str, ...], pairs: bool) -> float:
    if label is None:
        return math.nan
    if pairs:
        return SIGNS.get(label, math.nan)
    return float(names.index(label)) if label in names else _float(label)


def _said(verdict: Verdict | None, names: tuple[str, ...], pairs: bool) -> tuple[float, float]:
    """Label and expectation."""
    if verdict is None or not verdict.decided:
        return math.nan, math.nan
    score = verdict.score
    if pairs:
        return SIGNS[winner(verdict) or "tie"], 2 * (0.5 if score is None else score) - 1
    label = _number(verdict.label, names, pairs)
    return label, label if score is None or names else score


def _orders(verdict: Verdict | None) -> tuple[float, float]:
    for part in walk(verdict) if verdict is not None else ():
        seen = {one.marks.get("order"): one for one in part.parts}
        if "given" in seen and "swapped" in seen:
            given, swapped = (winner(seen[name]) for name in ("given", "swapped"))
            return SIGNS.get(given or "", math.nan), SIGNS.get(swapped or "", math.nan)
    return math.nan, math.nan


def _labels(
    people: Iterable[Label], facts: tuple[Fact, ...], names: tuple[str, ...], pairs: bool
) -> tuple[Floats, tuple[str, ...]]:
    place = {fact.id: at for at, fact in enumerate(facts)}
    mine = [one for one in people if one.case in place]
    raters = tuple(dict.fromkeys(one.rater for one in mine))
    column = {rater: at for at, rater in enumerate(raters)}
    table = np.full((len(facts), len(raters)), np.nan)
    for one in mine:
        table[place[one.case], column[one.rater]] = _number(one.label, names, pairs)
    return table, raters
