"""Files -> rows as dicts, streamed: JSONL, CSV and JSON, packed with gzip or not."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import json
import os
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict, cast

import msgspec

from evenhand.data.rows import Bad
from evenhand.data.texts import kind, shown
from evenhand.errors import DataError, Misuse

Found = tuple[int, Any]  # row number and a dict, or a Bad; a Case when it comes from Python
BOM = b"\xef\xbb\xbf"
CHUNK = 1 << 18
TABLE = (",", "\t", ";", "|")


class Source(Protocol):
    """Something with rows; read as often as wanted.

    `only` names columns that are enough: a source may leave out the others to be faster.
    """

    @property
    def file(self) -> str: ...

    def rows(self, only: Collection[str] | None = None) -> Iterator[Found]: ...


@contextmanager
def reading(file: str) -> Iterator[io.BufferedReader[io.RawIOBase]]:
    """The bytes of a file, unpacked, after its byte order mark."""
    with open(file, "rb") as raw:
        packed = gzip.GzipFile(fileobj=raw) if file.endswith(".gz") else raw
        with io.BufferedReader(cast(io.RawIOBase, packed), CHUNK) as stream:
            if stream.peek(3)[:3] == BOM:
                stream.read(3)
            yield stream


def checked(source: Source, only: Collection[str] | None = None) -> Iterator[Found]:
    """The rows of a source.

    Raises:
        DataError: There are none, or the file breaks off where no further row can be found.
    """
    row = 0
    try:
        for found in source.rows(only):
            row = found[0]
            yield found
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"the file cannot be read further than row {row} ({error})",
            expected="a whole file",
            do="copy it again, or write it again",
            file=source.file,
            row=row + 1,
        ) from error
    if not row:
        empty = (
            bool(source.file) and os.path.isfile(source.file) and not os.path.getsize(source.file)
        )
        raise DataError(
            "the file is empty" if empty else "there are no rows",
            expected="at least one row",
            do="give a file with rows" if source.file else "give a list: iterators are read once",
            file=source.file,
        )


# ---- JSON ------------------------------------------------------------------------------------


def _decoder(only: Collection[str] | None) -> Callable[[bytes], Any]:
    if only is None:
        return msgspec.json.Decoder(dict[str, Any]).decode
    wanted = TypedDict("wanted", dict.fromkeys(only, Any), total=False)  # type: ignore[misc]
    return cast(Callable[[bytes], Any], msgspec.json.Decoder(wanted).decode)


def _second_look(file: str, row: int, raw: bytes) -> dict[str, Any] | Bad:
    """What the fast decoder refuses may still be a row: lone surrogates, NaN and Infinity."""
    due = "one JSON object a row"
    try:
        value = json.loads(raw.decode())
    except UnicodeDecodeError as error:
        found = f"bytes that are not UTF-8: {shown(raw[error.start : error.start + 8])}"
        return Bad(file, row, "", f"{found} at byte {error.start}", "text in UTF-8")
    except (ValueError, RecursionError) as error:
        text = raw.decode().strip()
        if text.startswith("{") and not text.endswith("}"):
            return Bad(file, row, "", f"a row that breaks off: ...{shown(text[-40:])}", due)
        return Bad(file, row, "", f"broken JSON ({error}): {shown(text)}", due)
    if isinstance(value, dict):
        return value
    return Bad(file, row, "", f"{kind(value)}: {shown(value)}", due)


def _decoded(file: str, raws: Iterable[bytes], only: Collection[str] | None) -> Iterator[Found]:
    decode = _decoder(only)
    for row, raw in enumerate(raws, 1):
        try:
            found = decode(raw)
        except (ValueError, RecursionError):
            if raw.isspace():
                continue
            found = _second_look(file, row, raw)
        yield row, found


@dataclass(frozen=True, slots=True)
class Lines:
    """JSONL: one object a line. Blank lines count, so that the row is the line of an editor."""

    file: str

    def rows(self, only: Collection[str] | None = None) -> Iterator[Found]:
        with reading(self.file) as lines:
            yield from _decoded(self.file, lines, only)


@dataclass(frozen=True, slots=True)
class Elements:
    """JSON: a list of objects."""

    file: str

    def rows(self, only: Collection[str] | None = None) -> Iterator[Found]:
        with reading(self.file) as stream:
            yield from _decoded(self.file, _elements(stream), only)


# A whole string, a bracket, or a quote whose string does not end in what was read so far.
PIECES = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _elements(stream: io.BufferedReader[io.RawIOBase]) -> Iterator[bytes]:
    """The elements of a JSON list, undecoded; what stands wrongly between them is one, too."""
    text, at, begin, depth = b"", 0, 0, 0
    while more := stream.read(max(CHUNK, len(text) - begin)):
        text, at, begin = text[begin:] + more, at - begin, 0
        for piece in PIECES.finditer(text, at):
            start, end = piece.span()
            step = STEPS.get(text[start], 0)
            if not step and end - start == 1:
                break
            at, depth = end, depth + step
            if (depth, step) == (1, 1):
                begin = end
            elif (depth, step) == (2, 1):
                yield from _stray(text[begin:start], (b"", b","))
                begin = start
            elif (depth, step) == (1, -1):
                yield text[begin:end]
                begin = end
            elif depth == 0 and step:
                yield from _stray(text[begin:start], (b"", b","))
                yield from _stray(text[end:] + stream.read(), (b"",))
                return
    yield text[begin:].strip(b", \t\r\n") or b"{"


def _stray(between: bytes, allowed: tuple[bytes, ...]) -> Iterator[bytes]:
    if between.strip() not in allowed:
        yield between.strip().strip(b",")


# ---- tables ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cells:
    """CSV and its kin: a header, then one row each, counted without the header."""

    file: str

    def rows(self, only: Collection[str] | None = None) -> Iterator[Found]:
        csv.field_size_limit(2**31 - 1)  # the default refuses a cell of over 128 KiB
        with reading(self.file) as lines:
            sign = _delimiter(lines.peek(CHUNK)[:CHUNK])
            records = csv.reader(map(bytes.decode, lines), delimiter=sign, strict=True)
            header, row = self._header(records), 0
            while True:
                try:
                    record = next(records)
                except StopIteration:
                    break
                except (UnicodeDecodeError, csv.Error) as error:
                    row += 1
                    yield row, self._broken(error, row)
                    continue
                if not record:
                    continue
                row += 1
                if len(record) == len(header):
                    yield row, dict(zip(header, record, strict=True))
                else:
                    found = f"{len(record)} cells: {shown(sign.join(record))}"
                    yield row, Bad(self.file, row, "", found, f"{len(header)}, as the header has")
        if header and not row:
            self._refuse("there is no row below the header", "at least one row", 1)

    def _header(self, records: Iterator[list[str]]) -> list[str]:
        try:
            header = [name.strip() for name in next(filter(None, records), [])]
        except (UnicodeDecodeError, csv.Error) as error:
            broken = self._broken(error, 0)
            raise DataError(
                broken.found, expected=broken.expected, do="mend the header", file=self.file
            ) from error
        for name in header:
            if name and header.count(name) > 1:
                self._refuse(f"the header names '{name}' twice", "one column of a name", 0)
        return header

    def _refuse(self, happened: str, expected: str, row: int) -> None:
        do = "give a file with a header and rows"
        raise DataError(happened, expected=expected, do=do, file=self.file, row=row)

    def _broken(self, error: Exception, row: int) -> Bad:
        if isinstance(error, UnicodeDecodeError):
            found = f"bytes that are not UTF-8: {shown(error.object[error.start :][:8])}"
            return Bad(self.file, row, "", found, "text in UTF-8")
        if "end of data" in str(error):
            return Bad(self.file, row, "", "a row that breaks off inside quotes", "a closing quote")
        return Bad(self.file, row, "", f"broken quoting ({error})", 'quotes doubled: ""')


def _delimiter(head: bytes) -> str:
    """Whichever makes most columns of the header; quotes are respected."""
    lines = head.decode(errors="replace")
    counts = {
        sign: len(next(csv.reader(io.StringIO(lines, newline=""), delimiter=sign), []))
        for sign in TABLE
    }
    return max(TABLE, key=lambda sign: counts[sign])


# ---- which kind of file ----------------------------------------------------------------------


def text_source(file: str) -> Source | None:
    """By the ending of the name; None when it is none of these."""
    ending = os.path.splitext(file.lower().removesuffix(".gz"))[1]
    if ending in (".jsonl", ".ndjson"):
        return Lines(file)
    if ending in (".csv", ".tsv"):
        return Cells(file)
    if ending == ".json":
        return _json(file)
    return None


def _json(file: str) -> Source:
    with reading(file) as stream:
        if stream.peek(CHUNK).lstrip()[:1] == b"[":
            return Elements(file)
        first = stream.readline()
    if first.strip() == b"{":
        raise DataError(
            "the file is one object over many lines",
            expected="a list of objects, or one object a line",
            do="save the list that is inside as a file of its own",
            file=file,
        )
    return Lines(file)


def absent_file(file: str) -> Misuse:
    folder = os.path.dirname(file) or "."
    if not os.path.isdir(folder):
        return Misuse(
            f"there is no folder '{folder}'", expected="a file", do="mend the path of the data"
        )
    near = difflib.get_close_matches(os.path.basename(file), os.listdir(folder), 3, 0.5)
    return Misuse(
        f"there is no file '{file}'" + (f" (near: {', '.join(near)})" if near else ""),
        expected="a JSONL, CSV, JSON or Parquet file, or a saved dataset's folder",
        do="mend the path of the data",
    )
