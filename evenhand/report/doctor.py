"""What a model can do, found out with a few calls of some tokens each."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import RenderableType
from rich.table import Table

from evenhand.errors import Error, Misconfigured, ModelError, Rejected
from evenhand.models.prices import known
from evenhand.records import (
    Closing,
    Completion,
    Decode,
    Media,
    Message,
    Model,
    Question,
    Request,
)  # fmt: skip
from evenhand.report.dryrun import is_free
from evenhand.report.terminal import shown

Result = Literal["ok", "no", "failed", "not tried"]
_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": ["A", "B"]}},
    "required": ["answer"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    result: Result
    what: str


async def examine(model: Model) -> list[Finding]:
    """Reach and key first; what depends on them is not tried when they fail."""
    try:
        first = await _reach(model)
        findings = [first]
        for name, check in _CHECKS.items():
            if first.result != "ok" and name != "price":
                findings.append(Finding(name, "not tried", "the model was not reached"))
            else:
                findings.append(await _safely(name, check, model))
        return findings
    finally:
        if isinstance(model, Closing):
            await model.aclose()


def doctor(model: Model) -> list[Finding]:
    return asyncio.run(examine(model))


def findings_text(findings: Sequence[Finding]) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for finding in findings:
        table.add_row(finding.check, finding.result, shown(finding.what))
    return table


async def _safely(name: str, check: Callable[[Model], Awaitable[Finding]], model: Model) -> Finding:
    try:
        return await check(model)
    except Rejected as error:
        return Finding(name, "no", error.happened)
    except Error as error:
        return Finding(name, "failed", str(error))


def _asked(text: str, **fields: Any) -> Request:
    decode = fields.pop("decode", Decode(max_tokens=16))
    return Request((Message("user", (text,)),), decode, **fields)


_PICK = Question("Which letter comes first in the alphabet?", ("A", "B"))


async def _reach(model: Model) -> Finding:
    """One call; a decision model takes only typed questions, so that is the second thing tried."""
    began = time.perf_counter()
    try:
        try:
            reply = await model(_asked("Say the word yes."))
        except Rejected:
            reply = await model(_asked(_PICK.text, need="answer", question=_PICK))
    except Misconfigured as error:
        return Finding("key and address", "failed", str(error))
    except ModelError as error:
        return Finding("key and address", "failed", str(error))
    served = f"answered as {reply.served}" if reply.served else "answered"
    return Finding("key and address", "ok", f"{served} in {time.perf_counter() - began:.2f} s")


async def _probabilities(model: Model) -> Finding:
    request = _asked(
        "Answer with one letter, A or B. Which comes first in the alphabet?",
        need="answer", question=_PICK, decode=Decode(max_tokens=1),
    )  # fmt: skip
    reply = await model(request)
    if reply.answer is not None:
        return Finding("label probabilities", "ok", "typed answers with probabilities")
    if reply.tops:
        return Finding("label probabilities", "ok", f"top {len(reply.tops[0])} of each token")
    return Finding("label probabilities", "no", "judges that read them will draw samples instead")


async def _schema(model: Model) -> Finding:
    request = _asked(
        "Which letter comes first, A or B? Answer in JSON.",
        schema=_SCHEMA, decode=Decode(max_tokens=64),
    )  # fmt: skip
    reply = await model(request)
    fell = [text for text in reply.fallbacks if "schema" in text or "function" in text]
    if fell:
        return Finding("JSON schema", "no", f"{', '.join(fell)}; the reply is read as it comes")
    follows = _follows_schema(reply.text)
    return Finding("JSON schema", "ok" if follows else "no", f"it said {_short(reply)}")


def _follows_schema(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("answer") in _PICK.labels


async def _picture(model: Model) -> Finding:
    image = Media("image", data=_red_square(), mime="image/png")
    message = Message("user", ("Name the main colour in one word.", image))
    reply = await model(Request((message,), Decode(max_tokens=16)))
    right = "red" in reply.text.lower()
    return Finding(
        "images", "ok" if right else "no", f"shown a red square, it said {_short(reply)}"
    )


async def _price(model: Model) -> Finding:
    if is_free(model):
        return Finding("price", "ok", "nothing: it runs on this machine")
    if known(model.name):
        return Finding("price", "ok", "known; --budget 1usd will hold")
    what = "unknown: give budgets in tokens or calls, or add it to prices.toml (docs/models.md)"
    return Finding("price", "no", what)


_CHECKS: dict[str, Callable[[Model], Awaitable[Finding]]] = {
    "label probabilities": _probabilities,
    "JSON schema": _schema,
    "images": _picture,
    "price": _price,
}


def _short(reply: Completion) -> str:
    text = " ".join(reply.text.split())
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _red_square(side: int = 64) -> bytes:
    """A PNG file, written by hand."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + kind + body + check

    head = side.to_bytes(4, "big") * 2 + bytes((8, 2, 0, 0, 0))
    pixels = zlib.compress((b"\x00" + b"\xe0\x10\x10" * side) * side)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
