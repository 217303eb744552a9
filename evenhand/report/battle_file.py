"""Files of battles: one row a battle, in the names that public files use."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenhand.data.fields import PAIRS, SYSTEM_PAIRS
from evenhand.data.label_columns import rows_of
from evenhand.data.labels import FORMS
from evenhand.data.rows import Wrong
from evenhand.data.table import sha256_of, source_of
from evenhand.data.texts import absent, as_text, kind, shown
from evenhand.errors import DataError
from evenhand.records import escape
from evenhand.report.fought import Gathering, joined
from evenhand.report.style import STYLE, counted

SIDES = (*SYSTEM_PAIRS, ("model_1", "model_2"), ("system_1", "system_2"))
WINNER = ("winner", "label", "verdict", "result")
SHARE = ("share", "score", "outcome")
JUDGE = ("judge", "judge_name", "rater", "annotator")
CLUSTER = ("cluster", "question_id", "prompt_id", "prompt", "id")
LENGTHS = ("length", "len", "tokens", "words", "chars")
GRADES = {"a>>b": 1.0, "a>b": 0.75, "a=b": 0.5, "b>a": 0.25, "b>>a": 0.0}
SHARES = {"A": 1.0, "tie": 0.5, "B": 0.0}
HEAVIEST = 1e9  # of a weight; squares of weights and their sums stay exact enough
TIES = ("tie_both_bad", "tie (both bad)", "both", "neither")
EXPECTED = "model_a, model_b, tie, A, B, A>>B, …, a system's name, or nothing when undecided"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what; "" where there is none.

    Attributes:
        texts: The two responses, or nothing.
        pairs: Name -> columns of a number of A's and of B's answer.
        graded: Some rows hold A>>B or B>>A; else A>B is a whole win.
    """

    sides: tuple[str, str]
    winner: str
    share: str
    weight: str
    judge: str
    cluster: str
    slice: str
    texts: tuple[str, str] | tuple[()]
    pairs: Mapping[str, tuple[str, str]]
    graded: bool


def read_file(
    file: Path, into: Gathering, *, by: str | None, cluster: str | None, control: Sequence[str]
) -> None:
    """Raises: DataError with file, row and field for what cannot be read; Misuse without a file."""
    name = str(file)
    rows = list(rows_of(name))
    present = tuple(dict.fromkeys(column for _, row in rows for column in row))
    how = _columns(name, rows, present, by=by, cluster=cluster)
    again = sha256_of(source_of(name))
    if any(known["sha256"] == again for known in into.files):
        into.notices.append(f"{file.name} is given twice: each of its battles counts again")
    into.files.append({"name": file.name, "sha256": again})
    into.views.setdefault("file")
    if not how.cluster:
        text = f"{file.name} says nothing of prompts: every battle counts as independent"
        into.notices.append(f"{text}; name a column with --cluster")
    marks = STYLE if "style" in control else ()
    for at, row in rows:
        try:
            _one(row, at, how, into=into, file=file.name, marks=marks)
        except Wrong as wrong:
            raise DataError(
                wrong.found, expected=wrong.expected, do="mend the row", file=name, row=at,
                field=wrong.field,
            ) from wrong  # fmt: skip


def _columns(
    file: str,
    rows: Sequence[tuple[int, Mapping[str, Any]]],
    present: Sequence[str],
    *,
    by: str | None,
    cluster: str | None,
) -> Columns:
    known = {name.strip().lower(): name for name in reversed(present)}

    def first(names: Sequence[str]) -> str:
        return next((known[name] for name in names if name in known), "")

    def two(pairs: Sequence[tuple[str, str]]) -> tuple[str, str] | tuple[()]:
        return next(((known[a], known[b]) for a, b in pairs if {a, b} <= known.keys()), ())

    for named, option in ((by, "--by"), (cluster, "--cluster")):
        if named is not None and named not in present:
            raise _no_column(file, present, named, option)
    sides, winner, share = two(SIDES), first(WINNER), first(SHARE)
    if not sides:
        raise _no_column(file, present, "model_a and model_b", "two systems")
    if not winner and not share:
        raise _no_column(file, present, "winner, share or score", "an outcome")
    ends = {name[:-2] for name in known if name.endswith("_a") and name[:-2] + "_b" in known}
    pairs = {end: (known[end + "_a"], known[end + "_b"]) for end in sorted(ends)}
    spelt = {as_text(row.get(winner, "")).strip(" []").lower() for _, row in rows} if winner else ()
    return Columns(
        sides, winner, share, first(("weight", "weights")), first(JUDGE),
        cluster or first(CLUSTER), by or "", two(PAIRS), pairs, bool({"a>>b", "b>>a"} & set(spelt)),
    )  # fmt: skip


def _no_column(file: str, present: Sequence[str], wanted: str, what: str) -> DataError:
    return DataError(
        f"no column {wanted!r}; columns: {joined(present, 20)}",
        expected=f"{what}: {wanted}",
        do="rename a column, or name one of these",
        file=file,
        field=wanted,
    )


def _one(
    row: Mapping[str, Any], at: int, how: Columns, *, into: Gathering, file: str,
    marks: Sequence[str],
) -> None:  # fmt: skip
    one, other = (_text(row, column) for column in how.sides)
    share = _share(row, how, (one, other))
    judge = _text(row, how.judge) if how.judge and not absent(row.get(how.judge)) else ""
    if judge:
        into.judges.setdefault(judge, {"name": judge, "identity": None, "models": []})
    cluster = f"{file}:{at}"
    if how.cluster and not absent(row.get(how.cluster)):
        cluster = escape(as_text(row[how.cluster]))
    part = escape(as_text(row.get(how.slice) or "(none)")) if how.slice else ""
    numbers = [_numbers(row, how, side, marks) for side in (0, 1)]
    sides = zip((one, other), (0, 1), numbers, strict=True)
    places = [into.answer(name, _same(row, how, side, n), n) for name, side, n in sides]
    into.add(
        (one, other), share, cluster, judge=judge, part=part, at=(places[0], places[1]),
        weight=_weight(row, how.weight),
    )  # fmt: skip


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if absent(value) or isinstance(value, list | tuple | Mapping) or not as_text(value).strip():
        raise Wrong(column, "nothing (an empty cell)" if absent(value) else kind(value), "a name")
    return escape(as_text(value).strip())


def _share(row: Mapping[str, Any], how: Columns, systems: tuple[str, str]) -> float:
    if not how.winner:
        return _number(row, how.share, 0.0, 1.0, "A's share of the win, from 0 to 1")
    value = row.get(how.winner)
    if absent(value):
        return math.nan
    text = as_text(value).strip()
    plain = text.lower().strip(" []").replace("≫", ">>").replace(" > ", ">").replace(" >> ", ">>")
    if plain == "undecided":
        return math.nan
    if plain in GRADES and how.graded:
        return GRADES[plain]
    named = {side for side, system in zip("AB", systems, strict=True) if system == text}
    label = FORMS.get(text.lower().removesuffix(".0")) or FORMS.get(plain)
    meant = named or ({"tie"} if plain in TIES else {label} if label else set())
    if len(meant) != 1:
        raise Wrong(how.winner, shown(value), EXPECTED)
    return SHARES[meant.pop()]


def _weight(row: Mapping[str, Any], column: str) -> float:
    return (
        _number(row, column, 0.0, HEAVIEST, "a weight, at least 0 and at most 1e9")
        if column
        else 1.0
    )


def _number(row: Mapping[str, Any], column: str, low: float, high: float, due: str) -> float:
    """NaN when there is nothing."""
    value: Any = row.get(column)
    if absent(value):
        return math.nan if high == 1.0 else 1.0
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise Wrong(column, shown(value), due)
    return number


def _numbers(
    row: Mapping[str, Any], how: Columns, side: int, marks: Sequence[str]
) -> dict[str, float]:
    found = dict(_columns_of(row, how.pairs, side))
    if how.texts and isinstance(text := row.get(how.texts[side]), str):
        return {**found, **counted(text, marks)}
    for name in LENGTHS:
        if name in found:
            return {"length": found[name], **found}
    return found


def _columns_of(
    row: Mapping[str, Any], pairs: Mapping[str, tuple[str, str]], side: int
) -> Iterator[tuple[str, float]]:
    """Cells that are numbers; others are not known."""
    for name, columns in pairs.items():
        value: Any = row.get(columns[side])
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            continue
        if math.isfinite(number):
            yield name, number


def _same(row: Mapping[str, Any], how: Columns, side: int, found: Mapping[str, float]) -> Any:
    """What equal answers share: their text, else their length; None where nothing tells."""
    text = row.get(how.texts[side]) if how.texts else None
    return text if isinstance(text, str) else found.get("length")
