"""Canonical bytes of a request: what caches and recordings identify it by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from evenhand.models.media import content, has_media
from evenhand.records import Media, Request


def _mapping(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be part of a request")


_encode = msgspec.json.Encoder(order="deterministic", enc_hook=_mapping).encode


def request_bytes(request: Request) -> bytes:
    """Canonical JSON: equal requests give equal bytes, in every process.

    Media given by path or as bytes count by the sha256 of their content; URLs count as they are.
    """
    if has_media(request.messages):
        return _with_media(request, _messages(request))
    return _encode(request)


def recorded_bytes(form: Mapping[str, Any]) -> bytes:
    """The same bytes from the plain form of a request, its media already replaced by hashes."""
    messages = [
        {"role": message["role"], "parts": [_recorded(part) for part in message["parts"]]}
        for message in form["messages"]
    ]
    if all(isinstance(part, str) for message in messages for part in message["parts"]):
        return _encode(msgspec.convert(form, Request))
    return _with_media(msgspec.convert({**form, "messages": []}, Request), messages)


def _with_media(request: Request, messages: list[dict[str, Any]]) -> bytes:
    form = {name: getattr(request, name) for name in Request.__dataclass_fields__}
    return _encode({**form, "messages": messages})


def _messages(request: Request) -> list[dict[str, Any]]:
    return [
        {
            "role": message.role,
            "parts": [part if isinstance(part, str) else _media(part) for part in message.parts],
        }
        for message in request.messages
    ]


def _media(media: Media) -> dict[str, str]:
    if media.url is not None:
        return {"kind": media.kind, "url": media.url, "mime": media.mime}
    digest = hashlib.sha256(content(media)).hexdigest()
    return {"kind": media.kind, "sha256": digest, "mime": media.mime}


def _recorded(part: Any) -> Any:
    if isinstance(part, str):
        return part
    held = part if part.get("sha256") else part.get("data")
    if isinstance(held, Mapping):
        return {"kind": part["kind"], "sha256": held["sha256"], "mime": part.get("mime", "")}
    return _media(msgspec.convert(part, Media))
