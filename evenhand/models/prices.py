"""What a call costs, from a table of list prices that the user can extend."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from evenhand.errors import Misuse
from evenhand.models.settings import setting

_DATE = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|\d{4}|latest)")
_FREE = re.compile(r"(?:local/|replay:|scripted\b)")
_ADDRESS = re.compile(r"https?://[^#]+")

Rates = dict[str, tuple[float, float]]


def price(name: str, tokens_in: int | None, tokens_out: int | None) -> float | None:
    """USD; None when the model's price or its token counts are not known.

    Example:
        >>> price("openai/gpt-4.1-2025-04-14", 1_000_000, 100_000)
        2.8
        >>> price("local/gemma3-270m", 1_000, 1_000)
        0.0
    """
    found = rate(name)
    if found == (0.0, 0.0):
        return 0.0
    if found is None or tokens_in is None or tokens_out is None:
        return None
    return (found[0] * tokens_in + found[1] * tokens_out) / 1e6


def known(name: str) -> bool:
    return rate(name) is not None


def rate(name: str) -> tuple[float, float] | None:
    """USD per million tokens in and out. Provider prefixes and a date at the end do not count."""
    address = _ADDRESS.search(name)
    if _FREE.match(name) or (address and is_loopback(address.group())):
        return (0.0, 0.0)
    table = _own() | _listed(_users())
    while name:
        if (found := _longest(name, table)) is not None:
            return found
        name = name.partition("/")[2]
    return None


def _longest(name: str, table: Rates) -> tuple[float, float] | None:
    if name in table:
        return table[name]
    for length in range(len(name) - 1, 0, -1):
        if name[:length] in table and _DATE.fullmatch(name, length):
            return table[name[:length]]
    return None


def is_loopback(address: str) -> bool:
    """Whether this URL is this machine, which costs nothing and may need no key."""
    try:
        host = urlsplit(address).hostname or ""
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return bool(re.match(r"https?://(?:[^/]*\.)?localhost(?![^:/])", address))


@lru_cache(maxsize=1)
def _own() -> Rates:
    return _table(Path(__file__).with_name("prices.toml"))


def _users() -> Path | None:
    if named := setting("EVENHAND_PRICES"):
        return Path(named)
    here = Path.cwd() / "prices.toml"
    return here if here.is_file() else None


def _listed(path: Path | None) -> Rates:
    if path is None:
        return {}
    try:
        return _table_at(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise Misuse(
            f"Cannot read the prices in {path}: {error.strerror}",
            do="correct EVENHAND_PRICES, or unset it",
        ) from error


@lru_cache(maxsize=8)
def _table_at(path: Path, _changed: int) -> Rates:
    return _table(path)


def _table(path: Path) -> Rates:
    try:
        models = tomllib.loads(path.read_text("utf-8"))["models"]
        return {name: (float(row["in"]), float(row["out"])) for name, row in models.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Misuse(
            f"{path} is not a table of prices: {error!r}",
            expected='[models] and lines such as "gpt-4.1" = { in = 2.00, out = 8.00 }',
            do="correct the file: USD per million tokens",
        ) from error
