"""Settings from the environment and from `.env` in the working folder."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

_LINE = re.compile(
    r"""^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*
        (?:"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:(?!\s\#).)*))""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def setting(name: str) -> str | None:
    """What the environment says, else what `.env` says; an empty value counts as not set."""
    if name in os.environ:
        return os.environ[name].strip() or None
    return _dotenv().get(name, "").strip() or None


def first_set(*names: str) -> str:
    """The first of these names that is set, else the first: what to read, or to ask for."""
    return next((name for name in names if setting(name)), names[0])


def _dotenv() -> dict[str, str]:
    path = Path.cwd() / ".env"
    try:
        stat = path.stat()
    except OSError:
        return {}
    return _parsed(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _parsed(path: Path, _changed: int, _size: int) -> dict[str, str]:
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return {}
    found = (_LINE.match(line) for line in text.splitlines())
    return {match[1]: _value(match) for match in found if match}


def _value(match: re.Match[str]) -> str:
    if match[2] is not None:
        return _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]), match[2])
    return match[3] if match[3] is not None else match[4].strip()
