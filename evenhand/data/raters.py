"""Files of people's labels, one row a (case, rater): `read_labels`."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from evenhand.data.chances import chances_of, one_plan
from evenhand.data.key import KEY, Item, Key, item_columns, read_key
from evenhand.data.label_columns import Fields, fields_of, rows_of, text_of
from evenhand.data.labels import pair_label
from evenhand.data.table import sha256_of, source_of
from evenhand.data.texts import absent, as_text, kind, shown
from evenhand.errors import DataError, Misuse
from evenhand.records import PAIR, escape

REFUSED = frozenset(
    ("skip", "skipped", "cannot judge", "can't judge", "cannot say", "cannot tell", "refused")
)
NOTHING: Mapping[str, Any] = MappingProxyType({})
Why = Literal["", "missing", "refused"]
Systems = Mapping[str, tuple[str | None, ...]]


@dataclass(frozen=True, slots=True)
class Label:
    """What one rater said of one case.

    Attributes:
        label: None when there is none; `why` then says why not.
        why: 'missing' is an empty cell; 'refused' a rater who could not or would not judge.
        row: In its file, counted from 1.
    """

    case: str
    rater: str
    label: str | None
    why: Why = ""
    note: str = ""
    row: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Labels:
    """Every (case, rater) of one or more files, each once.

    Attributes:
        sha256: Of the file; of the files' digests when there are several.
        raters: In the order in which they first appear.
        notices: What should be said once.
        chances: Case -> the probability with which a plan drew it, for every case of the plan;
            empty for labels that no plan drew.
    """

    rows: tuple[Label, ...]
    sha256: str
    raters: tuple[str, ...]
    notices: tuple[str, ...] = ()
    chances: Mapping[str, float] = field(default_factory=dict, hash=False)


def read_labels(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] = NOTHING,
    scale: Mapping[str, str] = NOTHING,
    systems: Systems = NOTHING,
) -> Labels:
    """Labels from CSV, TSV, JSONL, JSON or Parquet, or from a sheet that `evenhand label` wrote.

    Args:
        columns: 'id', 'rater' or 'label' -> column, where names are not the known ones.
            "subset+idx" joins an id by "/"; "anna+ben" as the rater is one column a rater.
        scale: What is written -> the judge's label. It is looked up before anything else.
        systems: Of the cases that are pairs. Their labels become 'A', 'tie' or 'B', and may be
            written as `evenhand.data.labels` reads them, a system's name included.

    Raises:
        Misuse: No such file, field or column.
        DataError: A bad row, the same case and rater twice, a label that cannot be understood, a
            labelled case without a probability where others have one.
    """
    file = os.fspath(path)
    found = list(rows_of(file))
    present = tuple(dict.fromkeys(name for _, row in found for name in row))
    if item_columns(present) and "id" not in columns:
        key = read_key(Path(file).with_name(KEY), file)
        rows, heard = _sheet_labels(found, key, scale, file)
        chances = key.chances
    else:
        fields = fields_of(present, columns, file)
        rows, heard = _plain_labels(found, fields, scale, systems)
        labelled = {label.case: label.row for label in rows if label.label is not None}
        chances = chances_of(found, fields, labelled)
    unheard = [written for written in scale if written not in heard]
    notices = [f"--map-labels {', '.join(unheard)}: no row holds that"] if unheard else []
    raters = tuple(dict.fromkeys(row.rater for row in rows))
    return Labels(rows, sha256_of(source_of(file)), raters, tuple(notices), chances)


def merged(files: Mapping[str, Labels]) -> Labels:
    """Several files, by name, as one.

    Raises:
        DataError: Two files hold the same case and rater, or cases that were not drawn by one plan.
    """
    if len(files) == 1:
        return next(iter(files.values()))
    seen: dict[tuple[str, str], str] = {}
    for name, labels in files.items():
        for row in labels.rows:
            first = seen.setdefault((row.case, row.rater), name)
            if first != name:
                raise _twice(row, f"in {first} already", name, row.row)
    parts = list(files.values())
    digest = hashlib.sha256("\n".join(sorted(one.sha256 for one in parts)).encode()).hexdigest()
    rows = tuple(row for one in parts for row in one.rows)
    raters = tuple(dict.fromkeys(rater for one in parts for rater in one.raters))
    labelled = {
        name: {row.case: row.row for row in one.rows if row.label is not None}
        for name, one in files.items()
    }
    chances = one_plan({name: one.chances for name, one in files.items()}, labelled)
    return Labels(rows, digest, raters, tuple(n for one in parts for n in one.notices), chances)


def mapping_of(texts: Iterable[str]) -> dict[str, str]:
    """What `--map-labels` says.

    Raises:
        Misuse: A word without "=", or the same word mapped to two labels.

    Example:
        >>> mapping_of(["good=1 bad=0", "not sure=tie"])
        {'good': '1', 'bad': '0', 'not sure': 'tie'}
    """
    found: dict[str, str] = {}
    for text in texts:
        words = text.split() if text.count("=") > 1 else [text]
        for word in words:
            written, equals, label = word.rpartition("=")
            known = found.setdefault(written.strip(), label.strip())
            if not equals or not written.strip() or known != label.strip():
                raise Misuse(
                    f"--map-labels {text}" + (f": {written} is {known}" if equals else ""),
                    expected="WRITTEN=LABEL, each written label once",
                    do="--map-labels 'good=1 bad=0'",
                )
    return found


# ---- labels ----------------------------------------------------------------------------------


def _plain_labels(
    found: Iterable[tuple[int, Mapping[str, Any]]],
    fields: Fields,
    scale: Mapping[str, str],
    systems: Systems,
) -> tuple[tuple[Label, ...], set[str]]:
    rows, places, heard = [], dict[tuple[str, str], int](), set[str]()
    for at, row in found:
        case = fields.case(row, at)
        for rater, column, value in fields.cells(row, at):
            if isinstance(value, list | tuple | Mapping):
                raise _no_label(value, column, fields.file, at)
            label = Label(case, rater, *_read(value, scale, heard), row=at)
            if label.label is not None and case in systems:
                cell = (column, fields.file, at)
                label = replace(label, label=_pair(label.label, systems[case], *cell))
            _once(label, places, fields.file, at)
            rows.append(label)
    return tuple(rows), heard


def _sheet_labels(
    found: Iterable[tuple[int, Mapping[str, Any]]], key: Key, scale: Mapping[str, str], file: str
) -> tuple[tuple[Label, ...], set[str]]:
    """Of a sheet, whose items and order of responses only its key knows."""
    rows, places, heard = [], dict[tuple[str, str], int](), set[str]()
    for at, row in found:
        item = _item(key, row, file, at)
        rater = as_text(row.get("rater") or item.rater).strip()
        said, why = _read(row.get("label"), {**key.words, **scale}, heard)
        if said is not None and key.pairs:
            said = _pair(said, (None, None), "label", file, at)
            said = PAIR.swapped(said) if item.swapped else said
        elif said is not None and not key.offers(said):
            raise _not_offered(said, key, file, at)
        note = "" if absent(row.get("note")) else as_text(row["note"])
        label = Label(item.case, escape(rater), said, why, escape(note), at)
        _once(label, places, file, at)
        rows.append(label)
    return tuple(rows), heard


def _not_offered(said: str, key: Key, file: str, at: int) -> DataError:
    return DataError(
        f"the label {shown(said)} is not one of the sheet",
        expected=key.offer,
        do="mend the row",
        file=file,
        row=at,
        field="label",
    )


def _item(key: Key, row: Mapping[str, Any], file: str, at: int) -> Item:
    name = text_of(row, "item", file=file, at=at)
    if name not in key.items:
        raise DataError(
            f"the item {shown(name)} is not in the key",
            expected=f"an item of {key.file}",
            do=f"put the file beside the {KEY} that was made with it",
            file=file,
            row=at,
            field="item",
        )
    return key.items[name]


def _read(value: Any, scale: Mapping[str, str], heard: set[str]) -> tuple[str | None, Why]:
    """One cell. What `scale` maps to itself is a label, whatever it reads like."""
    written = "" if absent(value) else escape(as_text(value).strip())
    if re.fullmatch(r"[-+]?\d+\.0+", written) and written not in scale:
        written = written.partition(".")[0]  # tables write 4 as 4.0
    folded = {word.casefold(): word for word in scale}
    word = written if written in scale else folded.get(written.casefold(), "")
    text = written
    if word:
        heard.add(word)
        text = scale[word]
    if not text or text.casefold() == "nan":
        return None, "missing"
    refused = re.sub(r"[\s_-]+", " ", text.casefold().replace("’", "'")) in REFUSED
    return (None, "refused") if refused and not (word and text == word) else (text, "")


def _no_label(value: object, column: str, file: str, at: int) -> DataError:
    return DataError(
        f"{kind(value)} where a label is due: {shown(value)}",
        expected="a text or a number",
        do="one label a row",
        file=file,
        row=at,
        field=column,
    )


def _pair(text: str, systems: tuple[str | None, ...], column: str, file: str, at: int) -> str:
    try:
        said = pair_label(text, column, systems, file=file, row=at)
    except DataError as error:
        raise DataError(
            error.happened,
            expected=error.expected,
            do="say what it means: --map-labels 'WRITTEN=A WRITTEN=B WRITTEN=tie'",
            file=file,
            row=at,
            field=column,
        ) from error
    assert said is not None  # an empty text was found missing before
    return said


def _once(label: Label, places: dict[tuple[str, str], int], file: str, at: int) -> None:
    first = places.setdefault((label.case, label.rater), at)
    if first != at:
        raise _twice(label, f"in row {first} already", file, at)


def _twice(label: Label, where: str, file: str, at: int) -> DataError:
    return DataError(
        f"rater {shown(label.rater)} has a label of case {shown(label.case)} {where}",
        expected="one row for each case and rater",
        do="leave one of them; several raters need a column 'rater' that tells them apart",
        file=file,
        row=at,
        field="rater",
    )
