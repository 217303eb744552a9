"""Data of any kind -> a table of rows: what was taken for what, counted, hashed, ids checked."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any

import msgspec

from evenhand.data.arrow import Saved, arrow_source
from evenhand.data.cases import case_of, label_of
from evenhand.data.fields import Plan, check_map, plan
from evenhand.data.files import Found, Source, absent_file, checked, text_source
from evenhand.data.ids import Ids, settle
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import kind, shown
from evenhand.errors import Misuse
from evenhand.identity import plain
from evenhand.records import Case

HEAD = 100  # rows looked at to know the columns
BENCH = "bench:"  # of a public benchmark, as in bench:judgebench@DIR
AS_NAMED: Mapping[str, str] = MappingProxyType({})
OnBad = Callable[[Bad], None]


@dataclass(frozen=True, slots=True)
class Given:
    """Cases and dicts from Python."""

    items: Iterable[Any]
    file: str = ""

    def rows(self, only: Collection[str] | None = None) -> Iterator[Found]:
        for row, item in enumerate(self.items, 1):
            if isinstance(item, Case | dict):
                yield row, item
            elif isinstance(item, Mapping):
                yield row, dict(item)
            else:
                found = f"{kind(item)} where a row is due: {shown(item)}"
                due = "a Case or a dict (pandas: table.to_dict('records'))"
                yield row, Bad("", row, "", found, due)


class Reader:
    """Dicts -> rows; the plan for a set of columns is made once."""

    def __init__(self, source: Source, ids: Ids, columns: Mapping[str, str]) -> None:
        self.file, self.ids = source.file, ids
        self.folder = self.file if isinstance(source, Saved) else os.path.dirname(self.file)

        def planned(*present: str) -> Plan:
            return plan(present, columns, ids.columns)

        self.plan = lru_cache(256)(planned)

    def __call__(self, found: Mapping[str, Any], at: int) -> Row | Bad:
        try:
            ident = self.ids.of(found, at)
            how = self.plan(*found)
            case = case_of(how, found, ident, folder=self.folder)
        except Wrong as wrong:
            return Bad(self.file, at, wrong.field, wrong.found, wrong.expected)
        label = label_of(how, found, case, file=self.file, at=at)
        return Row(case, at, self.ids.shared(found, ident), label, self.file)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, read anew each time it is iterated; nothing is kept in memory.

    Attributes:
        name: The file's name without its folder; 'rows' for Python records.
        sha256: Of the file as it lies on disk, or of the list. None for other iterables.
        count: Rows of the source, bad ones included. None for iterables that are no list.
        taken: Field -> columns, as in {"prompt": "input", "responses": "output_1, output_2"}.
            Empty for cases and for iterables that are no list.
        notices: What should be said once.
        on_bad: Gets rows that cannot be used.
    """

    name: str
    sha256: str | None
    count: int | None
    taken: Mapping[str, str]
    notices: tuple[str, ...]
    _source: Source = field(repr=False)
    _ids: Ids | None = field(repr=False)
    _columns: Mapping[str, str] = field(repr=False)
    on_bad: OnBad | None = field(repr=False)

    @property
    def path(self) -> str | None:
        """Where the file lies; None for Python records."""
        file = self._source.file
        return file if not file or file.startswith(BENCH) else os.path.abspath(file)

    def __iter__(self) -> Iterator[Row]:
        reader = None if self._ids is None else Reader(self._source, self._ids, self._columns)
        for at, found in checked(self._source):
            if isinstance(found, Case):
                found = Row(found, at, found.id, None, "")
            elif not isinstance(found, Row | Bad):
                reader = reader or self._reader(tuple(found))
                found = reader(found, at)
            if isinstance(found, Row):
                yield found
            elif self.on_bad is None:
                raise found.error()
            else:
                self.on_bad(found)

    def _reader(self, present: tuple[str, ...]) -> Reader:
        """For what can be seen only once: known names of ids may repeat, so only sure ones do."""
        check_map(self._columns, present, "")
        ids = Ids.choose(self.name, present, self._columns)
        if not ids.sure:
            ids = replace(ids, columns=(), cluster=ids.cluster or ids.columns)
        return Reader(self._source, ids, self._columns)


def open_data(
    source: str | os.PathLike[str] | Iterable[Case | Mapping[str, Any]],
    *,
    columns: Mapping[str, str] = AS_NAMED,
    on_bad: OnBad | None = None,
) -> Table:
    """Open a file, a saved dataset's folder, or cases and dicts from Python.

    Files and lists are scanned once here: rows are counted, ids checked for repeats.

    Args:
        source: Also 'bench:NAME@DIR', the cases of a public benchmark whose files lie below DIR.
        columns: Field -> column, where names are not the known ones. "subset+idx" names two
            columns: joined by "/" for an id, one after the other for a prompt, two responses.
            "" takes no column for that field.
        on_bad: Gets each row that cannot be used, which is then left out. Without it the first
            one is raised.

    Raises:
        Misuse: No such file, field or column.
        DataError: A bad row, a repeated id, a label that cannot be understood, an empty file.
    """
    if isinstance(source, str) and source.startswith(BENCH):
        return _benchmark(source, on_bad)
    origin = source_of(source)
    if isinstance(origin, Given) and not isinstance(origin.items, list | tuple):
        return Table("rows", None, None, {}, (), origin, None, columns, on_bad)
    present = _present(origin, strict=on_bad is None)
    check_map(columns, present, origin.file)
    name = os.path.basename(os.path.abspath(origin.file)) if origin.file else "rows"
    ids = Ids.choose(name, present, columns)
    ids, count, notices = settle(origin, ids, strict=on_bad is None)
    how = plan(present, columns, ids.columns)
    taken = {"id": "/".join(ids.columns), **how.taken(), "cluster": "/".join(ids.cluster)}
    taken = {name: columns for name, columns in taken.items() if columns}
    notices += how.notices()
    digest = sha256_of(origin)
    return Table(name, digest, count, taken, tuple(notices), origin, ids, columns, on_bad)


def _benchmark(named: str, on_bad: OnBad | None) -> Table:
    from evenhand.data.bench import Cases, opened

    bench, files = opened(named.removeprefix(BENCH))
    source, notices = (
        Cases(named, bench, files),
        [f"{name} is not the known file: its hash differs" for name in files.changed],
    )
    count = sum(1 for _ in source.rows())
    return Table(
        bench.card.name, files.sha256, count, {}, tuple(notices), source, None, AS_NAMED, on_bad
    )


def source_of(source: Any) -> Source:
    """Raises: Misuse when there is no such file, or its ending is not known."""
    if not isinstance(source, str | os.PathLike):
        return Given(source)
    file = os.fspath(source)
    if not os.path.exists(file):
        raise absent_file(file)
    found = arrow_source(file) or text_source(file)
    if found is None:
        raise Misuse(
            f"the ending of '{file}' is not known",
            expected=".jsonl, .ndjson, .json, .csv, .tsv (each also .gz) or .parquet",
            do="rename the file after what is in it",
        )
    return found


def _present(origin: Source, *, strict: bool) -> tuple[str, ...]:
    """The columns of the first rows, in order."""
    seen: dict[str, None] = {}
    for _, found in islice(checked(origin), HEAD):
        if isinstance(found, Bad) and strict:
            raise found.error()
        if isinstance(found, dict):
            seen |= dict.fromkeys(found)
    return tuple(seen)


def sha256_of(origin: Source) -> str:
    if isinstance(origin, Given):
        return hashlib.sha256(b"\n".join(map(_rendered, origin.items))).hexdigest()
    if not isinstance(origin, Saved):
        with open(origin.file, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    total = hashlib.sha256()
    for name in sorted(os.listdir(origin.file)):
        with open(os.path.join(origin.file, name), "rb") as stream:
            total.update(f"{name} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def _rendered(item: Any) -> bytes:
    """One row of a list as bytes that stay the same from run to run."""
    try:
        return msgspec.json.encode(item, order="deterministic")
    except (TypeError, ValueError, OverflowError):  # lone surrogates, huge numbers, odd objects
        return json.dumps(plain(item), sort_keys=True, default=str).encode()
