"""Columns of files of labels: which holds the case, the rater and the label."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenhand.data.files import absent_file, checked
from evenhand.data.rows import Bad
from evenhand.data.table import source_of
from evenhand.data.texts import absent, as_text, kind
from evenhand.errors import DataError, Misuse
from evenhand.records import escape

# In order of preference. Names of positions (idx, index) are never an id.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "case", "case_id", "question_id", "uid", "prompt_id", "item_id"),
    "rater": (
        *("rater", "rater_id", "annotator", "annotator_id", "worker", "worker_id"),
        *("user", "user_id", "labeller", "labeler"),
    ),
    "label": (
        *("label", "winner", "score", "preference", "rating", "verdict", "human_label"),
        *("human_preference", "annotator_preference"),
    ),
    "probability": ("probability",),
}


def rows_of(file: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for at, row in checked(source_of(file)):
        if isinstance(row, Bad):
            raise DataError(row.found, expected=row.expected, do="mend the row", file=file, row=at)
        yield at, row


@dataclass(frozen=True, slots=True)
class Fields:
    """Which columns hold what.

    Attributes:
        wide: Raters are columns, and each holds that rater's labels.
        probability: With which the case was drawn to be labelled; "" without such a column.
    """

    file: str
    id: tuple[str, ...]
    rater: tuple[str, ...]
    label: str
    wide: bool
    probability: str = ""

    def case(self, row: Mapping[str, Any], at: int) -> str:
        return "/".join(text_of(row, column, file=self.file, at=at) for column in self.id)

    def cells(self, row: Mapping[str, Any], at: int) -> Iterator[tuple[str, str, Any]]:
        """Rater, column and value of every label in a row."""
        if self.wide:
            yield from ((rater, rater, row.get(rater)) for rater in self.rater)
            return
        rater = Path(self.file).name.partition(".")[0]
        if self.rater:
            rater = text_of(row, self.rater[0], file=self.file, at=at)
        yield rater, self.label, row.get(self.label)


def fields_of(present: Sequence[str], columns: Mapping[str, str], file: str) -> Fields:
    for field in columns:
        if field not in ALIASES:
            raise Misuse(
                f"--map names the field '{field}' for labels",
                expected="one of " + ", ".join(ALIASES),
                do="write --map FIELD=COLUMN",
            )
    found = {field: _columns(field, present, columns, file) for field in ALIASES}
    wide = len(found["rater"]) > 1
    for field in ("id",) if wide else ("id", "label"):
        if not found[field]:
            raise _no_column(field, present, file)
    label, chance = ("".join(found[field][:1]) for field in ("label", "probability"))
    return Fields(file, found["id"], found["rater"], label, wide, chance)


def _no_column(field: str, present: Sequence[str], file: str) -> DataError:
    return DataError(
        f"no column holds the {'case' if field == 'id' else field}; columns: "
        + ", ".join(map(str, present)),
        expected="one of " + ", ".join(ALIASES[field]),
        do=f"name it: --map {field}=COLUMN, or rename the column",
        file=file,
        field=field,
    )


def _columns(
    field: str, present: Sequence[str], columns: Mapping[str, str], file: str
) -> tuple[str, ...]:
    by_name = {str(name).strip().lower(): name for name in reversed(present)}
    if field not in columns:
        return next(((by_name[name],) for name in ALIASES[field] if name in by_name), ())
    named = columns[field]
    names = [named] if named.lower() in by_name else named.split("+")
    for name in names:
        if name.lower() not in by_name:
            raise Misuse(
                f"--map {field}={named}: there is no column '{name}'",
                expected=f"columns of {file}: " + ", ".join(map(str, present)),
                do="mend the name",
            )
    if field in ("label", "probability") and len(names) > 1:
        raise Misuse(
            f"--map {field}={named}: a {field} stands in one column",
            do="one column a rater is --map rater=COLUMN+COLUMN",
        )
    return tuple(by_name[name.lower()] for name in names)


def text_of(row: Mapping[str, Any], column: str, *, file: str, at: int) -> str:
    value = row.get(column)
    if absent(value) or isinstance(value, list | tuple | Mapping) or not as_text(value).strip():
        raise DataError(
            kind(value) if column in row else f"column '{column}' is missing",
            expected="a text or a number",
            do="mend the row",
            file=file,
            row=at,
            field=column,
        )
    return escape(as_text(value).strip())


def read_ids(path: str | os.PathLike[str]) -> list[str]:
    """Case ids, each once: a file of rows with a column of ids, or .txt with one id a line.

    Raises:
        Misuse: No such file.
        DataError: A row without an id, or none at all.
    """
    file = os.fspath(path)
    if file.lower().endswith(".txt"):
        return _lines(file)
    rows = list(rows_of(file))
    present = tuple(dict.fromkeys(name for _, row in rows for name in row))
    columns = _columns("id", present, {}, file)
    if not columns:
        raise _no_column("id", present, file)
    return list(dict.fromkeys(text_of(row, columns[0], file=file, at=at) for at, row in rows))


def _lines(file: str) -> list[str]:
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise absent_file(file) from error
    except UnicodeDecodeError as error:
        raise DataError(str(error), expected="text in UTF-8", file=file) from error
    found = [line.strip() for line in lines if line.strip()]
    if not found:
        raise DataError("the file is empty", expected="one case id a line", file=file)
    return list(dict.fromkeys(found))
