"""Recorded calls instead of a server: one JSON line a call, as `evenhand export --calls` writes."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from evenhand.errors import DataError, Misuse, ModelError
from evenhand.models.keys import recorded_bytes, request_bytes
from evenhand.records import Completion, Request

_CANDIDATES = 200  # recorded prompts looked at for the nearest one
_TAIL = 2_000  # characters at the end of a prompt that are compared
_SHOWN = 300


class _Named(msgspec.Struct):
    name: str = ""


class _Head(msgspec.Struct):
    """A line without its completion, which indexing skips."""

    model: _Named
    request: dict[str, Any]


class _Line(msgspec.Struct):
    completion: Completion


_head = msgspec.json.Decoder(_Head)
_line = msgspec.json.Decoder(_Line)


@dataclass(slots=True, eq=False)
class _Index:
    """Where each recorded call stands; requests by hash, so that memory stays small."""

    places: dict[bytes, int] = field(default_factory=dict)
    tails: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """Plays the calls of one recorded model. Nothing is paid and nothing waits.

    Attributes:
        path: A JSONL file of `{"model": {"name": …}, "request": …, "completion": …}`.
        name: The recorded model; "" when the file holds one only.
        sha256: Of the file: another recording is another model.

    Raises:
        Misuse: No such file, no such model in it, or several models and no name.
        DataError: A line that is no recorded call.
    """

    path: str = field(compare=False)
    name: str = ""
    sha256: str = field(default="", init=False)
    index: _Index = field(default_factory=_Index, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        places: dict[str, dict[bytes, int]] = {}
        digest = hashlib.sha256()
        for row, (offset, line) in enumerate(_lines(self.path), 1):
            digest.update(line)
            if line.strip():
                name, key = _key(line, self.path, row)
                places.setdefault(name, {})[key] = offset
        name = _chosen(self.name, list(places), self.path)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "sha256", digest.hexdigest())
        self.index.places = places[name]

    async def __call__(self, request: Request, /) -> Completion:
        offset = self.index.places.get(_hash(request_bytes(request)))
        if offset is None:
            raise self._unrecorded(request)
        completion = _line.decode(self._read(offset)).completion
        return replace(completion, usd=0.0, seconds=0.0, key="")

    def _read(self, offset: int) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(offset)
            return file.readline()

    def _unrecorded(self, request: Request) -> ModelError:
        count = len(self.index.places)
        wanted = "".join(message.text for message in request.messages[-1:])[-_TAIL:]
        near = self._nearest(wanted)
        same = near == wanted
        return ModelError(
            f"{self.path} holds no call of {self.name} for this request "
            f"(draw {request.draw}), among {count} calls. It ends in: {wanted[-_SHOWN:]!r}",
            expected=f"a recorded request. The nearest one ends in: {near[-_SHOWN:]!r}"
            + (" (same last message: settings, draw or earlier messages differ)" if same else ""),
            do="record again with the judge, prompt and data that are used now",
        )

    def _nearest(self, wanted: str) -> str:
        if self.index.tails is None:
            offsets = list(self.index.places.values())
            step = max(1, -(-len(offsets) // _CANDIDATES))
            self.index.tails = [_tail(self._read(offset)) for offset in offsets[::step]]
        matcher = difflib.SequenceMatcher(b=wanted)

        def likeness(tail: str, exact: bool) -> float:
            matcher.set_seq1(tail)
            return matcher.ratio() if exact else matcher.quick_ratio()

        best = sorted(self.index.tails, key=lambda tail: likeness(tail, False), reverse=True)[:5]
        return max(best, key=lambda tail: likeness(tail, True))


def _lines(path: str) -> Iterator[tuple[int, bytes]]:
    offset = 0
    try:
        with Path(path).open("rb") as file:
            for line in file:
                yield offset, line
                offset += len(line)
    except OSError as error:
        raise Misuse(
            f"Cannot read the recording {path}: {error.strerror}",
            expected="a JSONL file of recorded calls",
            do="write one with `evenhand export RUN --calls --to FILE.jsonl`",
        ) from error


def _key(line: bytes, path: str, row: int) -> tuple[str, bytes]:
    try:
        head = _head.decode(line)
        return head.model.name, _hash(recorded_bytes(head.request))
    except (msgspec.DecodeError, KeyError, TypeError, ModelError) as error:
        raise DataError(
            f"not a recorded call: {error!r}",
            expected='{"model": {"name": …}, "request": {"messages": …}, "completion": {…}}',
            do="export the calls again",
            file=path,
            row=row,
        ) from error


def _hash(request: bytes) -> bytes:
    return hashlib.sha256(request).digest()[:16]


def _chosen(name: str, found: list[str], path: str) -> str:
    if name in found or (not name and len(found) == 1):
        return name or found[0]
    if not found:
        raise Misuse(f"{path} holds no recorded call", do="export the calls again")
    raise Misuse(
        f"{path} holds no model {name!r}" if name else f"{path} holds {len(found)} models",
        expected="one of " + ", ".join(sorted(found)),
        do=f"name it: replay:{path}#{sorted(found)[0]}",
    )


def _tail(line: bytes) -> str:
    messages = _head.decode(line).request["messages"]
    parts = messages[-1]["parts"] if messages else ()
    return "".join(part for part in parts if isinstance(part, str))[-_TAIL:]
