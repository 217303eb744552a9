"""The bytes behind an image, a sound or a film, and what kind of file they are."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Iterable
from pathlib import Path

from evenhand.errors import Rejected
from evenhand.records import Media, Message

_MAGIC = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_DEFAULT = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4"}
_ALIAS = {"audio/x-wav": "audio/wav", "image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg"}


def content(media: Media) -> bytes:
    """The bytes of media given by path or as bytes.

    Raises:
        Rejected: The file cannot be read.
    """
    if media.data is not None:
        return media.data
    try:
        return Path(str(media.path)).read_bytes()
    except OSError as error:
        raise Rejected(
            f"Cannot read the {media.kind} file {media.path}: {error.strerror or error}",
            expected="a file that exists",
            do="check the path; relative paths start at the working folder",
        ) from error


def mime(media: Media, data: bytes = b"") -> str:
    kind = media.mime or _sniffed(data)
    if not kind:
        kind = mimetypes.guess_type(media.path or media.url or "")[0] or _DEFAULT[media.kind]
    return _ALIAS.get(kind, kind)


def _sniffed(data: bytes) -> str:
    if data.startswith(b"RIFF"):
        return _RIFF.get(data[8:12], "")
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")


def encoded(media: Media) -> tuple[str, str]:
    """MIME type and base64 text."""
    data = content(media)
    return mime(media, data), base64.b64encode(data).decode()


def as_url(media: Media) -> str:
    """The address as it was given, or a data: URL."""
    if media.url is not None:
        return media.url
    kind, text = encoded(media)
    return f"data:{kind};base64,{text}"


def has_media(messages: Iterable[Message]) -> bool:
    for message in messages:
        for part in message.parts:
            if type(part) is not str:
                return True
    return False
