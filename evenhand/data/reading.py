"""What adapters of benchmarks share: rows with their columns checked, cases and verdicts made."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from evenhand.data.arrow import arrow_source
from evenhand.data.bench import MISSHAPEN, Card, Files
from evenhand.data.files import checked, reading, text_source
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import absent, as_text, kind, shown
from evenhand.data.texts import messages as turns
from evenhand.errors import DataError
from evenhand.readers import undecided
from evenhand.records import PAIR, Case, Message, Response, Scale, Verdict, admitted

T = TypeVar("T")
Raw = Mapping[str, Any]


# ---- files -> rows -------------------------------------------------------------------------------


def rows(files: Files, name: str, columns: Sequence[str] = ()) -> Iterator[tuple[int, Raw | Bad]]:
    """(row, columns) of every file of that name, streamed; the first row must have the columns.

    Raises:
        DataError: A column is missing: file, row, column and the revision that is known.
    """
    for path in files.paths[name]:
        source = arrow_source(str(path)) or text_source(str(path))
        if source is None:
            raise DataError(
                f"the ending of {path.name} is not known",
                expected=".jsonl, .json, .csv, .tsv (each also .gz) or .parquet",
                do=f"take the file of {files.card.source} as it is",
                file=str(path),
            )
        first = True
        for at, found in checked(source):
            if first and isinstance(found, dict):
                check_columns(files, str(path), at, found=found, columns=columns)
                first = False
            yield at, found


def check_columns(files: Files, path: str, at: int, *, found: Raw, columns: Sequence[str]) -> None:
    """Raises: DataError for the first that is not there, with the nearest ones."""
    for column in columns:
        if column not in found:
            near = difflib.get_close_matches(column, list(found), 2, 0.5)
            raise DataError(
                f"there is no column {column!r}" + (f" (near: {', '.join(near)})" if near else ""),
                expected=f"columns as in {files.card.source} at {files.card.revision}: "
                + ", ".join(columns),
                do="take the file of that revision, or another split of it",
                file=path,
                row=at,
                field=column,
            )


def read(
    files: Files, name: str, make: Callable[[Raw, int], T], *, columns: Sequence[str] = ()
) -> Iterator[T | Bad]:
    """What `make` makes of each row; a row that it refuses is a `Bad`."""
    yield from read_many(files, name, lambda raw, at: (make(raw, at),), columns=columns)


def read_many(
    files: Files, name: str, make: Callable[[Raw, int], Iterable[T]], *, columns: Sequence[str] = ()
) -> Iterator[T | Bad]:
    """As `read`, for rows that hold several things; a row that is refused gives none of them."""
    for path, one in apart(files, name):
        for at, found in rows(one, name, columns):
            if isinstance(found, Bad):
                yield found
            else:
                yield from made_of(found, at, make, file=str(path), card=files.card)


def made_of(
    raw: Raw, at: int, make: Callable[[Raw, int], Iterable[T]], *, file: str, card: Card
) -> Iterable[T | Bad]:
    """What `make` makes of a row, or a `Bad` where it refuses the row or stumbles over it."""
    known = f"as in {card.source} at {card.revision}"
    try:
        return tuple(make(raw, at))
    except Wrong as wrong:
        return (Bad(file, at, wrong.field, wrong.found, f"{wrong.expected}, {known}"),)
    except MISSHAPEN as error:
        told = f"{type(error).__name__}: {error}"[:200]
        return (Bad(file, at, "", f"a row of another shape ({told})", f"a row {known}"),)


def apart(files: Files, name: str) -> Iterator[tuple[Path, Files]]:
    """The files of that name one by one, for what stands in their names."""
    for path in files.paths[name]:
        yield path, Files(files.card, {name: (path,)})


def split_name(path: Path) -> str:
    """'test' of test-00000-of-00003.parquet and of test.jsonl.gz."""
    return re.split(r"-\d{5}-of-\d{5}|\.(?:parquet|jsonl?|[ct]sv)\b", path.name)[0]


def whole(path: Path) -> Any:
    """A JSON file that is one value, packed with gzip or not."""
    try:
        with reading(str(path)) as stream:
            return json.loads(stream.read().decode())
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"the file is not JSON: {error}", expected="one JSON value", file=str(path)
        ) from error
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"the file cannot be read: {error}", expected="a whole file",
            do="copy it again, or write it again", file=str(path),
        ) from error  # fmt: skip


# ---- columns -> values ---------------------------------------------------------------------------


def text(raw: Raw, column: str, *, empty: bool = False) -> str:
    """A text or a number as text.

    Args:
        empty: An empty answer is an answer.

    Raises:
        Wrong: It is nothing of the kind.
    """
    value = raw.get(column)
    if empty and value == "":
        return ""
    if absent(value) or isinstance(value, list | dict):
        raise Wrong(column, f"{kind(value)}: {shown(value)}", "text")
    return as_text(value)


def one_of(raw: Raw, column: str, known: Mapping[Any, T]) -> T:
    """The meaning of a value.

    Raises:
        Wrong: It has none.
    """
    value = raw.get(column)
    try:
        return known[value]
    except (KeyError, TypeError):
        due = ", ".join(map(repr, list(known)[:8]))
        raise Wrong(column, f"{kind(value)}: {shown(value)}", f"one of {due}") from None


def number(raw: Raw, column: str) -> float:
    """Raises: Wrong for what is no number, for infinity and for NaN."""
    value = raw.get(column)
    try:
        if isinstance(value, bool | None) or not math.isfinite(made := float(value)):
            raise ValueError
        return made
    except (OverflowError, TypeError, ValueError):
        raise Wrong(column, f"{kind(value)}: {shown(value)}", "a number") from None


# ---- cases ---------------------------------------------------------------------------------------


def case_row(
    ident: str,
    prompt: str | Sequence[Message],
    responses: Sequence[str | Response],
    *,
    label: str | None,
    at: int,
    file: str = "",
    cluster: str | None = None,
    systems: Sequence[str | None] = (),
    **known: Any,
) -> Row:
    """A case of a benchmark.

    Args:
        label: The gold: 'A', 'tie' or 'B' beside a pair, else its text; None when there is none.
        known: Further fields of `Case`: reference, context, rubric, group (the subset), notes.
    """
    asked = (Message("user", (prompt,)),) if isinstance(prompt, str) else tuple(prompt)
    who = systems or (None,) * len(responses)
    answers = tuple(
        one if isinstance(one, Response) else Response((one,), name)
        for one, name in zip(responses, who, strict=True)
    )
    case = admitted(Case(ident, asked, answers, **known))
    return Row(case, at, cluster if cluster is not None else ident, label, file)


def once(found: Iterable[Row | Bad]) -> Iterator[Row | Bad]:
    """Each case once, however many judged it. 8 bytes a case are kept, not ids."""
    seen = set[int]()
    for row in found:
        if isinstance(row, Row):
            name = hash(row.case.id)
            if name in seen:
                continue
            seen.add(name)
        yield row


def sided(ident: str, better: T, worse: T) -> tuple[tuple[T, T], str]:
    """Two responses in an order drawn from the id, and the label of the better one.

    For sources that name one 'chosen': always first, it would flatter whoever prefers the first.
    """
    if hashlib.sha256(ident.encode("utf-8", "backslashreplace")).digest()[0] % 2:
        return (worse, better), "B"
    return (better, worse), "A"


def dialogues(
    raw: Raw, first: str, second: str, *, last: int | None = None
) -> tuple[str, list[str]]:
    """Two conversations that open alike -> their first question, and what followed in each.

    Args:
        first, second: Columns of lists of messages.
        last: How many messages of each to keep; None for all.

    Raises:
        Wrong: A column is no such list, or a conversation lacks an answer.
    """
    both = [turns(raw.get(column), column, "")[:last] for column in (first, second)]
    for column, said_there in zip((first, second), both, strict=True):
        if len(said_there) < 2:
            raise Wrong(column, f"{len(said_there)} messages", "a question and an answer")
    return both[0][0].text, [_followed(said_there[1:]) for said_there in both]


def _followed(given: Sequence[Message]) -> str:
    if len(given) == 1:
        return given[0].text
    return "\n\n".join(f"{one.role.capitalize()}: {one.text}" for one in given)


RESPONSES = "responses*.jsonl*"


def answered(
    files: Files, name: str, make: Callable[[Raw, int], Row], *, columns: Sequence[str]
) -> Iterator[Row | Bad]:
    """Of a set that holds questions alone: a case for each answer in the file of responses.

    That file is the user's: rows of `id`, `response` and, of several systems, `system`.

    Args:
        make: A row of the set -> its case without responses.
    """
    asked = dict[str, Row]()
    for one in read(files, name, make, columns=columns):
        if isinstance(one, Bad):
            yield one
        else:
            asked[one.case.id] = one

    def case(raw: Raw, at: int) -> Row:
        ident = text(raw, "id")
        if ident not in asked:
            raise Wrong("id", ident, f"an id of {name}")
        row, system = asked[ident], None
        if not absent(raw.get("system")):
            system = as_text(raw["system"])
        reply = Response((text(raw, "response", empty=True),), system)
        own = ident if system is None else f"{system}/{ident}"
        return replace(row, case=admitted(replace(row.case, id=own, responses=(reply,))), row=at)

    yield from read(files, RESPONSES, case, columns=("id", "response"))


# ---- recorded verdicts ---------------------------------------------------------------------------


def said(
    case: str, rater: str, label: str | float | None, *, scale: Scale = PAIR, why: str = "unread"
) -> Verdict:
    """A recorded verdict that is sure of one label; undecided with the code `why` for None."""
    if label is None:
        made = undecided(scale, why, "as recorded by the source")
        return Verdict(scale, reason=made.reason, case=case, rater=rater)
    whole_number = isinstance(label, float) and label.is_integer()
    name = f"{label:.0f}" if whole_number else str(label)
    if not scale.has(name):
        made = undecided(scale, "unread", f"{name} is not on {scale.name}")
        return Verdict(scale, reason=made.reason, case=case, rater=rater)
    return Verdict(scale, {name: 1.0}, case=case, rater=rater)


def in_orders(given: Verdict, swapped: Verdict, pool: str = "net") -> Verdict:
    """One verdict from those of both orders, which name the same response the same way."""
    from evenhand.pools import pool as pooled

    parts = (given.marked(order="given"), swapped.marked(order="swapped"))
    made = pooled(pool, parts)
    return Verdict(
        made.scale, made.probs, made.reason, parts, made.marks, case=given.case, rater=given.rater
    )
