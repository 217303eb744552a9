"""Values of a row -> texts, messages, responses and media, or `Wrong` with what was found."""

from __future__ import annotations

import base64
import binascii
import json
import mimetypes
import os
from collections.abc import Mapping
from typing import Any, Literal

from evenhand.data.rows import Wrong
from evenhand.records import Media, Message, Part, Response

PROMPTS = (
    *("prompt", "instruction", "input", "question", "user_input"),
    *("inputs", "query", "messages", "conversation"),
)
RESPONSES = (
    *("response", "output", "actual_output", "outputs"),
    *("completion", "answer", "model_output"),
)
SYSTEMS = ("generator", "model", "system", "policy", "agent")
TURNS = "a list of messages with role and content"
ROLES = {
    **{role: role for role in ("system", "user", "assistant", "tool")},
    "developer": "system",
    "human": "user",
    "function": "tool",
}


# ---- any value as text -----------------------------------------------------------------------


def kind(value: object) -> str:
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | tuple):
        return "a list"
    return "an object" if isinstance(value, Mapping) else f"a {type(value).__name__}"


def shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def instead_of_text(value: object) -> str:
    return f"{kind(value)} where text is due" + ("" if value is None else f": {shown(value)}")


def as_text(value: object) -> str:
    """Numbers and lists as JSON writes them, whole floats without the point."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def absent(value: object) -> bool:
    """Null, not-a-number and an empty cell: what tables write when there is nothing."""
    return value is None or value == "" or value != value


def texts(value: object) -> tuple[str, ...]:
    """Of a reference or a context: one text, or a list of texts or of objects with a text."""
    if absent(value):
        return ()
    items = value if isinstance(value, list | tuple) else (value,)
    return tuple(_document(item) for item in items if not absent(item))


def _document(item: object) -> str:
    if isinstance(item, Mapping):
        for key in ("text", "content", "page_content"):
            if isinstance(item.get(key), str):
                return str(item[key])
    return as_text(item)


# ---- messages --------------------------------------------------------------------------------


def is_turns(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(turn, Mapping) and "role" in turn for turn in value)
    )


def messages(value: object, column: str, folder: str) -> tuple[Message, ...]:
    if isinstance(value, str):
        return (Message("user", (value,)),)
    if is_turns(value):
        return tuple(_message(turn, column, folder) for turn in value)  # type: ignore[attr-defined]
    if isinstance(value, Mapping):
        for name in PROMPTS:
            if name in value:
                return messages(value[name], f"{column}.{name}", folder)
    raise Wrong(column, instead_of_text(value), f"text, or {TURNS}")


def _message(turn: Mapping[str, Any], column: str, folder: str) -> Message:
    role = ROLES.get(turn["role"]) if isinstance(turn["role"], str) else None
    if role is None:
        raise Wrong(
            column, f"a message of role {shown(turn['role'])}", "one of " + ", ".join(ROLES)
        )
    content, called = turn.get("content"), turn.get("tool_calls")
    said = () if called and content is None else parts(content, column, folder)
    return Message(role, (*said, as_text(called)) if called else said)


def parts(content: object, column: str, folder: str) -> tuple[Part, ...]:
    """Of one message: a text, or a list of texts and of OpenAI's content parts."""
    if isinstance(content, str):
        return (content,)
    if not isinstance(content, list | tuple):
        raise Wrong(column, instead_of_text(content), "text, or a list of content parts")
    return tuple(_part(part, column, folder) for part in content)


def _part(part: object, column: str, folder: str) -> Part:
    if isinstance(part, str | Media):
        return part
    if not isinstance(part, Mapping):
        raise Wrong(column, f"{kind(part)} as a content part", "text, or an object with a type")
    if isinstance(part.get("text"), str):
        return str(part["text"])
    for key in ("image_url", "image", "url", "path"):
        if part.get(key):
            return media(part[key], column, folder)
    sound = part.get("input_audio")
    if isinstance(sound, Mapping) and isinstance(sound.get("data"), str):
        mime = f"audio/{sound.get('format') or 'wav'}"
        return Media("audio", data=_unbase64(sound["data"], column), mime=mime)
    raise Wrong(
        column,
        f"a content part with neither text nor media: {shown(part)}",
        "parts of type text, image_url or input_audio",
    )


# ---- media -----------------------------------------------------------------------------------

MAGIC = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


def media(value: object, column: str, folder: str) -> Media:
    """An image from a path in `folder`, a URL, a data URL, bytes, or an object with one of them."""
    if isinstance(value, Media):
        return value
    if isinstance(value, Mapping):
        if isinstance(value.get("bytes"), bytes):
            return _bytes(value["bytes"], str(value.get("path") or ""))
        value = value.get("url") or value.get("path")
    if isinstance(value, bytes):
        return _bytes(value, "")
    if not isinstance(value, str) or not value:
        raise Wrong(column, f"{kind(value)} where an image is due", "a path, URL or data URL")
    if value.startswith("data:"):
        head, _, data = value[5:].partition(",")
        mime = head.partition(";")[0]
        return Media(_kind(mime), data=_unbase64(data, column), mime=mime)
    mime = mimetypes.guess_type(value)[0] or ""
    if value.startswith(("http://", "https://")):
        return Media(_kind(mime), url=value, mime=mime)
    path = os.path.join(folder, value)
    if not os.path.isfile(path):
        raise Wrong(column, f"no file at {path}", "a path from the folder of the data file")
    return Media(_kind(mime), path=path, mime=mime)


def _kind(mime: str) -> Literal["image", "audio", "video"]:
    if mime.startswith("audio/"):
        return "audio"
    return "video" if mime.startswith("video/") else "image"


def _bytes(data: bytes, path: str) -> Media:
    guess = (mime for magic, mime in MAGIC.items() if data.startswith(magic))
    webp = "image/webp" if data[8:12] == b"WEBP" else ""
    mime = mimetypes.guess_type(path)[0] or next(guess, webp)
    return Media(_kind(mime), data=data, mime=mime)


def _unbase64(data: str, column: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Wrong(column, f"media that is not base64 ({error})", "base64 text") from error


# ---- responses -------------------------------------------------------------------------------


def response(value: object, column: str, system: str | None, *, folder: str) -> Response:
    """A text; an object with text, system and steps; or messages that end with the response."""
    if isinstance(value, str):
        return Response((value,), system)
    if is_turns(value):
        return answered(messages(value, column, folder), column, system)
    if isinstance(value, Mapping):
        return _object(value, column, system, folder)
    raise Wrong(column, instead_of_text(value), "text, or an object with text, system and steps")


def answered(turns: tuple[Message, ...], column: str, system: str | None) -> Response:
    """The last turn as the response, what came before it as its steps."""
    if not turns or turns[-1].role != "assistant":
        raise Wrong(column, "messages without a last assistant turn", "a response at the end")
    return Response(turns[-1].parts, system, tuple(turn.text for turn in turns[:-1]))


def _object(value: Mapping[str, Any], column: str, system: str | None, folder: str) -> Response:
    rest = {key: item for key, item in value.items() if key not in ("steps", "role")}
    for key in ("text", "content", "parts", *RESPONSES):
        if key in rest:
            said = parts(rest.pop(key), f"{column}.{key}", folder)
            break
    else:
        found = "an object with " + (", ".join(map(str, value)) or "nothing in it")
        raise Wrong(column, found, "an object with text (or content, or parts)")
    named = next((rest.pop(key) for key in SYSTEMS if not absent(rest.get(key))), None)
    steps = tuple(as_text(step) for step in value.get("steps") or ())
    return Response(said, system if named is None else as_text(named), steps, rest)
