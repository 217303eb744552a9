"""Runs and files of battles, brought together as the arrays that a board is made of."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from evenhand.data import Row
from evenhand.errors import Misuse
from evenhand.records import Verdict, View, escape
from evenhand.report.battle_file import read_file
from evenhand.report.fought import Fought, Gathering
from evenhand.report.source import rows_again
from evenhand.report.style import STYLE, counted
from evenhand.store import Signed, Store, read_signed

OWN = ("prompt", "cluster", "case", "id", "group")  # fields that a run has itself


def read_battles(
    sources: Sequence[Path],
    *,
    by: str | None = None,
    cluster: str | None = None,
    control: Sequence[str] = (),
) -> Fought:
    """Battles of runs and files together; each run, or value of a file's judge column, is a judge.

    A pairwise verdict is one battle with A's expected share; `both_battles` makes one of each
    order. Grades of systems on one prompt, and orders, make a battle of every two of them.
    Undecided is NaN. A case that failed is no battle and is counted.

    Args:
        by: Names the slices: group, case or a column of the data.
        cluster: What is independent: prompt unless given, case, group or a column.
        control: Names as in `board`: 'length', 'style' or a column's.

    Raises:
        Misuse: No such run, file or column, or no battle; or the data of a run are gone and a
            column or a control needs them.
        DataError: A row of a file that cannot be read.
    """
    into = Gathering()
    for source in sources:
        if source.is_dir():
            with contextlib.closing(Store(source, read=True)) as store:
                _OfRun(store, by, cluster, control).read(into)
        else:
            read_file(source, into, by=by, cluster=cluster, control=control)
    return into.fought(by=by, cluster=cluster or "prompt")


class _OfRun:
    """One run, and what is known of its cases."""

    def __init__(
        self, store: Store, by: str | None, cluster: str | None, control: Sequence[str]
    ) -> None:
        self.store, self.by, self.cluster = store, by, cluster
        self.marks = STYLE if "style" in control else ()
        self.rows = list(read_signed(store))
        self.view = _view(self.rows, store.folder)
        named = [name for name in (by, cluster) if name is not None and name not in OWN]
        what = f"values of {named[0]!r}" if named else "the counts of --control"
        self.purpose = what if named or control else ""
        self.known: dict[str, Row] = {}
        self.told = False
        self.places: dict[tuple[str, int], int] = {}

    def read(self, into: Gathering) -> None:
        manifest = self.store.manifest
        judge = self._judge(manifest, into)
        data = manifest.get("data", {})
        into.files.append({"name": data.get("name"), "sha256": data.get("sha256")})
        into.views.setdefault(self.view)
        into.failed += sum(one.verdict is None for one in self.rows)
        into.looks += len(manifest.get("invocations", []))
        self._read_data(into)
        prefix = str(data.get("sha256") or self.store.folder)
        {"pairwise": self._pairs, "pointwise": self._grades, "listwise": self._orders}[self.view](
            into, judge, prefix
        )

    def _judge(self, manifest: Mapping[str, Any], into: Gathering) -> str:
        """The judge's name in the tables: equal judges of two runs are one."""
        form = manifest.get("judge", {})
        models = [str(model.get("name")) for model in manifest.get("models", [])]
        served = [name for name in manifest.get("served", []) if name not in models]
        name = " · ".join([str(form.get("name")), *models])
        there = into.judges.get(name)
        if there is not None and there["identity"] != form.get("identity"):
            name = f"{name} ({form.get('identity')})"
        into.judges[name] = {"name": form.get("name"), "identity": form.get("identity"),
            "models": [*models, *served]}  # fmt: skip
        return name

    def _read_data(self, into: Gathering) -> None:
        """The data are needed for a column or a control; else they only tell equal answers."""
        try:
            rows = rows_again(self.store, self.view, purpose=self.purpose or "equal answers")
            self.known = {escape(row.case.id): row for row in rows}
            every = (one for row in self.known.values() for one in row.case.responses)
            self.told = any(one.text or "characters" in one.notes for one in every)
            if not self.told:
                into.notices.append(
                    "constant answers were not looked for: the data hold no responses"
                )
        except Misuse as gone:
            if self.purpose:
                raise
            into.notices.append(f"constant answers were not looked for: {gone.happened}")

    # -- fields

    def _field(self, name: str | None, one: Signed) -> str:
        if name in (None, "prompt", "cluster"):
            return one.cluster
        if name in ("case", "id"):
            return one.case
        if name == "group":
            return one.group or "(none)"
        row = self.known.get(one.case)
        notes = row.case.notes if row else {}
        if name not in notes and not any(name in r.case.notes for r in self.known.values()):
            columns = sorted({str(key) for r in self.known.values() for key in r.case.notes})
            raise Misuse(
                f"the data of {self.store.folder} have no column {name!r}",
                expected=", ".join(["prompt", "case", "group", *columns[:12]]),
                do="name one of these",
            )
        return str(notes.get(name, "(none)"))

    def _part(self, one: Signed) -> str:
        return "" if self.by is None else self._field(self.by, one)

    def _answer(self, one: Signed, at: int, system: str, into: Gathering) -> int:
        """The number of a response; -1 where the data are not there."""
        row = self.known.get(one.case)
        if row is None or not self.told or at >= len(row.case.responses):
            return -1
        response = row.case.responses[at]
        if not response.text and "characters" in response.notes:  # a source that kept lengths alone
            length = float(response.notes["characters"])
            return into.answer(system, length, {"length": length})
        return into.answer(system, response.text, counted(response.text, self.marks))

    # -- verdicts

    def _pairs(self, into: Gathering, judge: str, prefix: str) -> None:
        for one in self.rows:
            if one.verdict is None:
                continue
            names = _names(one, 2)
            at = (self._answer(one, 0, names[0], into), self._answer(one, 1, names[1], into))
            cluster, part = prefix + self._field(self.cluster, one), self._part(one)
            for share in _shares(one.verdict):
                into.add(names, share, cluster, judge=judge, part=part, at=at)

    def _grades(self, into: Gathering, judge: str, prefix: str) -> None:
        """Every two systems on a prompt; several grades of one count by their mean."""
        prompts = dict[str, dict[str, list[tuple[float, int]]]]()
        parts = dict[str, str]()
        for one in self.rows:
            if one.verdict is None:
                continue
            name, cluster = _names(one, 1)[0], prefix + one.cluster
            score = math.nan if one.verdict.score is None else one.verdict.score
            systems = prompts.setdefault(cluster, {})
            systems.setdefault(name, []).append((score, self._answer(one, 0, name, into)))
            independent = prefix + self._field(self.cluster, one)
            parts.setdefault(cluster, self._part(one) + "\0" + independent)
        for cluster, systems in prompts.items():
            part, _, independent = parts[cluster].partition("\0")
            found = {name: _middle(grades) for name, grades in systems.items()}
            for x, y in combinations(found, 2):
                (one_, i), (other, j) = found[x], found[y]
                share = math.nan if math.isnan(one_ + other) else float(np.sign(one_ - other))
                into.add((x, y), 0.5 + share / 2, independent, judge=judge, part=part, at=(i, j))
        into.notices.append(
            "battles are drawn from grades: of two systems on one prompt the higher grade wins, "
            "equal grades are ties that count half, and how far apart they are does not count"
        )

    def _orders(self, into: Gathering, judge: str, prefix: str) -> None:
        for one in self.rows:
            if one.verdict is None:
                continue
            names = _names(one, len(one.systems) or len(one.verdict.scores or ()))
            at = [self._answer(one, i, name, into) for i, name in enumerate(names)]
            cluster, part = prefix + self._field(self.cluster, one), self._part(one)
            for i, j in combinations(range(len(names)), 2):
                share, spot = _before(one.verdict, i, j), (at[i], at[j])
                into.add((names[i], names[j]), share, cluster, judge=judge, part=part, at=spot)
        into.notices.append("battles are drawn from orders: every two responses of a list are one")


def _view(rows: Sequence[Signed], folder: Path) -> View:
    scales = [one.verdict.scale for one in rows if one.verdict is not None]
    if not scales:
        raise Misuse(
            f"{folder} has no verdict yet",
            expected="a run with verdicts",
            do=f"evenhand show {folder}",
        )
    if any(scale.orders for scale in scales):
        return "listwise"
    return "pairwise" if any(scale.swaps for scale in scales) else "pointwise"


def _names(one: Signed, n: int) -> Any:
    """Whose responses they are; places stand for systems that nobody named."""
    given = one.systems if len(one.systems) == n else (None,) * n
    if n == 1 and given[0] is None:
        raise Misuse(
            f"nobody said which system answered case {one.case!r}",
            expected="a system for every response",
            do="judge again with --map system=COLUMN",
        )
    return tuple(name or f"response {i}" for i, name in enumerate(given, 1))


def _shares(verdict: Verdict) -> Iterator[float]:
    if verdict.marks.get("battles"):
        parts = [part for part in verdict.parts if part.decided]
        yield from (part.score for part in parts if part.score is not None)
        return
    yield math.nan if verdict.score is None else verdict.score


def _middle(grades: Sequence[tuple[float, int]]) -> tuple[float, int]:
    """The mean of a system's decided grades on a prompt, NaN without one; and an answer of it."""
    known = [grade for grade, _ in grades if not math.isnan(grade)]
    return (sum(known) / len(known) if known else math.nan), grades[0][1]


def _before(verdict: Verdict, i: int, j: int) -> float:
    """How probable it is that response i stands before j; a shared place is half."""
    if not verdict.probs:
        return math.nan
    total = 0.0
    for order, p in verdict.probs.items():
        place = {
            int(one): at for at, tier in enumerate(order.split(">")) for one in tier.split("=")
        }
        total += p * (0.5 + 0.5 * float(np.sign(place[j] - place[i])))
    return min(max(total, 0.0), 1.0)
