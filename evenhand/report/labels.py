"""Blind labelling sheets: a CSV file and a form for the browser, one of each a rater."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from evenhand.data import Row
from evenhand.data.key import KEY
from evenhand.data.label_columns import read_ids
from evenhand.data.raters import Labels, Systems, merged, read_labels
from evenhand.errors import Misuse
from evenhand.records import Case, Message, Scale, View, escape
from evenhand.report.draw import PLAN, drawn, write_plan
from evenhand.report.sheet import Answers, Shown, form, sheet, write_csv
from evenhand.report.source import rows_again
from evenhand.report.terminal import visible
from evenhand.store import Store, read_signed

ADJUDICATOR = "adjudicator"


@dataclass(frozen=True, slots=True)
class Sheets:
    """What was written.

    Attributes:
        cases, of: On each sheet, and in the run.
        words: The labels offered; empty for numbers on a line.
        plan: The file of the cases drawn and their chances; None unless a plan drew them.
    """

    run: str
    folder: str
    raters: tuple[str, ...]
    cases: int
    of: int
    words: tuple[str, ...]
    notices: tuple[str, ...]
    plan: str | None = None

    def json(self) -> dict[str, Any]:
        sheets = [{"rater": r, "csv": f"{r}.csv", "html": f"{r}.html"} for r in self.raters]
        return {**asdict(self), "raters": list(self.raters), "key": KEY, "sheets": sheets}


def sheets_text(made: Sheets) -> str:
    many = f"{made.cases} of {made.of} cases" if made.cases < made.of else f"{made.cases} cases"
    lines = [*map(visible, made.notices), f"{many} on each sheet in {visible(made.folder)}"]
    lines += [f"  {rater}.html, or {rater}.csv" for rater in made.raters]
    lines += [
        "Send each person one sheet, and nothing else of that folder: key.json maps them back.",
        "Put the saved CSV files into that folder, in place of the empty ones.",
    ]
    if made.plan:
        lines.append(f"{made.plan} and key.json keep the chance with which each case was drawn.")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which cases a sheet holds: all of the run, unless something is set.

    Attributes:
        sample: So many, drawn by the seed.
        cases: A file with their ids.
        adjudicate: Label files; the cases on which they disagree.
        label_budget: So many, drawn by the seed in proportion to the judge's doubt.
    """

    sample: int | None = None
    cases: Path | None = None
    adjudicate: tuple[Path, ...] = ()
    label_budget: int | None = None


def write_sheets(
    run: Path, to: Path | None = None, *, raters: int = 2, seed: int = 0, choice: Choice = Choice()
) -> Sheets:
    """Writes RATER.csv, RATER.html and the key that maps their items back.

    Args:
        to: A folder without sheets; RUN/labels, or RUN/adjudication, for None.

    Raises:
        Misuse: The data changed since the run, or the judge's labels are none that a sheet offers.
    """
    ways = ("sample", "cases", "adjudicate", "label_budget")
    given = [name.replace("_", "-") for name in ways if getattr(choice, name)]
    if len(given) > 1:
        raise Misuse(f"--{given[0]} and --{given[1]} exclude each other", do="give one")
    names = tuple(f"rater{n}" for n in range(1, raters + 1))
    folder = to or run / "labels"
    if choice.adjudicate:
        names, folder = (ADJUDICATOR,), to or run / "adjudication"
    with contextlib.closing(Store(run, read=True)) as store:
        judged = _judged(store)
        chosen = _chosen(store, judged, choice, seed)
        sha256 = store.manifest.get("data", {}).get("sha256")
        cases = _cases(store, judged, chosen.ids)
    notices = list(chosen.notices)
    if media := sum(map(_has_media, cases)):
        notices.append(f"{media} cases hold images or sound, which a sheet only names")
    sheets = {name: sheet(cases, name, seed, pairs=judged.answers.pairs) for name in names}
    about = {
        "run": str(run),
        "data_sha256": sha256,
        "seed": seed,
        "cases": len(cases),
        "of": len(judged.systems),
        "chances": dict(chosen.chances),
    }
    _write(folder, sheets, judged.answers, about)
    words = tuple(judged.answers.words)
    plan = PLAN if chosen.chances else None
    told = (len(cases), len(judged.systems), words, tuple(notices), plan)
    return Sheets(str(run), str(folder), names, *told)


# ---- which cases -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Judged:
    folder: Path
    answers: Answers
    systems: Systems


def _judged(store: Store) -> _Judged:
    """The scale is that of the decided verdicts; of the undecided ones, when none is decided."""
    systems, scales = {}, {True: dict[str, Scale](), False: dict[str, Scale]()}
    for signed in read_signed(store):
        systems[signed.case] = signed.systems
        if signed.verdict is not None:
            scale = signed.verdict.scale
            scales[signed.verdict.decided][scale.name] = scale
    found = scales[True] or scales[False]
    if len(found) != 1:
        raise Misuse(
            f"{store.folder} has verdicts on {len(found)} scales"
            + (": " + ", ".join(sorted(found)) if found else ""),
            expected="verdicts on one scale: a sheet offers the judge's labels",
            do=f"evenhand show {store.folder}",
        )
    return _Judged(store.folder, Answers.on(found.popitem()[1]), systems)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Attributes: chances are those of a plan's draw; empty without one."""

    ids: Sequence[str]
    notices: Sequence[str] = ()
    chances: Mapping[str, float] = field(default_factory=dict)


def _chosen(store: Store, judged: _Judged, choice: Choice, seed: int) -> _Chosen:
    every = sorted(judged.systems)
    if choice.adjudicate:
        return _disagreed(judged, choice.adjudicate)
    if choice.label_budget is not None:
        chances, notices = drawn(store, choice.label_budget, seed)
        return _Chosen(list(chances), notices, chances)
    if choice.cases is not None:
        ids = read_ids(choice.cases)
        unknown = [ident for ident in ids if ident not in judged.systems]
        if unknown:
            raise Misuse(
                f"{len(unknown)} cases of {choice.cases} are not in {judged.folder}: "
                + ", ".join(map(repr, unknown[:3])),
                expected=f"ids such as {', '.join(map(repr, every[:3]))}",
                do=f"evenhand export {judged.folder} --to verdicts.csv lists every id",
            )
        return _Chosen(ids)
    if choice.sample is not None and choice.sample < len(every):
        return _Chosen(sorted(random.Random(f"sample {seed}").sample(every, choice.sample)))
    more = choice.sample is not None and choice.sample > len(every)
    told = (f"--sample {choice.sample}: the run has {len(every)} cases",) if more else ()
    return _Chosen(every, told)


def _disagreed(judged: _Judged, files: Sequence[Path]) -> _Chosen:
    systems = judged.systems if judged.answers.pairs else {}
    labels = merged({str(file): read_labels(file, systems=systems) for file in files})
    found = disagreements(labels)
    foreign = sorted({row.case for row in labels.rows} - set(judged.systems))
    notices = [*labels.notices]
    if foreign:
        near = ", ".join(foreign[:3])
        notices.append(f"{len(foreign)} labelled cases are not in the run: {near}")
    ids = [case for case in found if case in judged.systems]
    if not ids:
        raise Misuse(
            f"the raters ({', '.join(labels.raters)}) disagree on no case of {judged.folder}",
            expected="labels of the same cases by two raters or more",
            do="there is nothing to adjudicate; or give every rater's file: "
            "--adjudicate ONE --adjudicate OTHER",
        )
    return _Chosen(ids, notices)


def disagreements(labels: Labels) -> list[str]:
    """Cases with two different labels or more, sorted; missing and refused ones say nothing."""
    said: dict[str, set[str]] = {}
    for row in labels.rows:
        if row.label is not None:
            said.setdefault(row.case, set()).add(row.label)
    return sorted(case for case, found in said.items() if len(found) > 1)


def _cases(store: Store, judged: _Judged, ids: Collection[str]) -> list[Case]:
    """The cases with these ids, read again from the data."""
    found: dict[str, Row] = {}
    wanted = {len(judged.systems[ident]): set[str]() for ident in ids}
    for ident in ids:
        wanted[len(judged.systems[ident])].add(ident)
    for n, those in sorted(wanted.items()):
        view: View = "pointwise" if n == 1 else "pairwise" if n == 2 else "listwise"
        for row in rows_again(store, view, purpose="labelling sheets"):
            if (ident := escape(row.case.id)) in those:
                found[ident] = row
    lost = [ident for ident in ids if ident not in found]
    if lost:
        raise Misuse(
            f"{len(lost)} cases of {store.folder} are not in its data: {', '.join(lost[:3])}",
            expected="the responses that were judged",
            do="judge the data again, and label that run",
        )
    return [replace(found[ident].case, id=ident) for ident in ids]


def _has_media(case: Case) -> bool:
    said: list[Message | Any] = [*case.prompt, *case.responses]
    return any(not isinstance(part, str) for one in said for part in one.parts)


# ---- files -----------------------------------------------------------------------------------


def _write(
    folder: Path,
    sheets: Mapping[str, Sequence[Shown]],
    answers: Answers,
    about: Mapping[str, Any],
) -> None:
    files = [KEY, *(f"{rater}.{end}" for rater in sheets for end in ("csv", "html"))]
    files += [PLAN] if about["chances"] else []
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise Misuse(
            f"{folder} holds {', '.join(there)} already",
            expected="a folder without sheets: filled ones are never written over",
            do="give another --to",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for rater, shown in sheets.items():
        write_csv(folder / f"{rater}.csv", rater, shown)
        text = form(rater, shown, answers)
        (folder / f"{rater}.html").write_text(text, encoding="utf-8")
    if about["chances"]:
        write_plan(folder / PLAN, about["chances"])
    items = {one.item: asdict(one.key) for shown in sheets.values() for one in shown}
    key = {**about, "pairs": answers.pairs, "words": answers.words, "span": answers.span}
    text = json.dumps({**key, "items": items}, indent=1)
    (folder / KEY).write_text(text + "\n", encoding="utf-8")
