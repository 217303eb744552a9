"""A run as Parquet, CSV, JSONL or TRL preference rows, and its calls as a recording."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from evenhand.door import flat
from evenhand.errors import Misuse
from evenhand.records import Case, Completion, Message, escape
from evenhand.report.exported import rows_as
from evenhand.report.source import rows_again
from evenhand.report.summary import winner
from evenhand.store import Recorded, Store, read_calls, read_signed

Row = dict[str, Any]


def export(
    run: Path,
    to: Path,
    *,
    calls: bool = False,
    preferences: bool = False,
    form: str | None = None,
    say: Callable[[str], None] = lambda told: None,
) -> int:
    """Writes the file and returns its rows; the format is the file's ending.

    Args:
        calls: The model calls instead of the verdicts, as a recording for `replay:FILE` (JSONL).
        preferences: TRL rows (prompt, chosen, rejected) of decided pairs; ties are left out.
        form: 'alpacaeval' or 'lmsys', as JSON or JSONL for those tools.
        say: Gets what the rows had to leave out.
    """
    if calls + preferences + (form is not None) > 1:
        raise Misuse("--calls, --preferences and --as exclude each other", do="give one")
    writer = (_FORMS if form else _WRITERS).get(to.suffix.lower())
    if writer is None:
        raise Misuse(
            f"cannot export to {to.name!r}",
            expected=f"a file that ends in {', '.join(_FORMS if form else _WRITERS)}",
            do="change the ending",
        )
    if calls and to.suffix.lower() != ".jsonl":
        raise Misuse("a recording of calls is JSONL", do=f"--to {to.with_suffix('.jsonl')}")
    with contextlib.closing(Store(run, read=True)) as store:
        rows = rows_as(store, form, say) if form else _rows(store, calls, preferences)
        first = list(islice(rows, 1))  # what cannot be exported must not empty an old file
        to.parent.mkdir(parents=True, exist_ok=True)
        return writer(to, chain(first, rows))


def _rows(store: Store, calls: bool, preferences: bool) -> Iterator[Row]:
    if calls:
        yield from (_recorded(call) for call in read_calls(store))
    elif preferences:
        yield from _preferences(store)
    else:
        yield from (flat(signed) for signed in read_signed(store))


def _recorded(call: Recorded) -> Row:
    reply = call.completion
    form = {name: getattr(reply, name) for name in Completion.__dataclass_fields__}
    return {"model": call.model, "request": call.request, "completion": form}


def _preferences(store: Store) -> Iterator[Row]:
    """TRL's preference rows, responses read again from the data that the run was made from."""
    decided = read_signed(store, "state='decided'")
    said = {s.case: s.verdict for s in decided if s.verdict and s.verdict.scale.swaps}
    if not said:
        raise Misuse(
            f"{store.folder} holds no decided pair",
            expected="a run of a pairwise judge",
            do="leave --preferences out: the plain export has one row a case",
        )
    for row in rows_again(store, "pairwise", purpose="preference rows"):
        verdict = said.get(escape(row.case.id))
        if verdict is not None and (best := winner(verdict)) != "tie":
            first, second = row.case.responses
            chosen, rejected = (first, second) if best == "A" else (second, first)
            yield {"prompt": _turns(row.case.prompt), "chosen": _reply(row.case, chosen.text),
                "rejected": _reply(row.case, rejected.text),
                "confidence": max(verdict.probs.values())}  # fmt: skip


def _turns(messages: Sequence[Message]) -> Any:
    """Plain text for a single user message, else TRL's conversational form."""
    if len(messages) == 1 and messages[0].role == "user":
        return escape(messages[0].text)
    return [{"role": m.role, "content": escape(m.text)} for m in messages]


def _reply(case: Case, text: str) -> Any:
    if isinstance(_turns(case.prompt), str):
        return escape(text)
    return [{"role": "assistant", "content": escape(text)}]


def _jsonl(to: Path, rows: Iterable[Row]) -> int:
    n = 0
    with to.open("w", encoding="utf-8") as handle:
        for n, row in enumerate(rows, 1):  # noqa: B007
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
    return n


def _csv(to: Path, rows: Iterable[Row]) -> int:
    n, writer = 0, None
    with to.open("w", encoding="utf-8", newline="") as handle:
        for n, row in enumerate(rows, 1):  # noqa: B007
            if writer is None:
                writer = csv.DictWriter(handle, list(row))
                writer.writeheader()
            cells = {k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()}
            writer.writerow(cells)
    return n


def _parquet(to: Path, rows: Iterable[Row]) -> int:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise Misuse(
            "Parquet needs pyarrow, which is not installed",
            do="pip install 'evenhand[parquet]'",
        ) from error
    table = pyarrow.Table.from_pylist(list(rows))
    pyarrow.parquet.write_table(table, to)
    return int(table.num_rows)


def _json(to: Path, rows: Iterable[Row]) -> int:
    """A list, written row by row."""
    n = 0
    with to.open("w", encoding="utf-8") as handle:
        for n, row in enumerate(rows, 1):
            handle.write("[\n " if n == 1 else ",\n ")
            handle.write(json.dumps(row, ensure_ascii=False))
        handle.write("\n]\n" if n else "[]\n")
    return n


_WRITERS: dict[str, Callable[[Path, Iterable[Row]], int]] = {
    ".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet,
}  # fmt: skip
_FORMS = {".json": _json, ".jsonl": _jsonl}
