"""What was learnt from labels, as frozen data in a JSON file: made in `trust/`, applied by judges.

A file holds `fit` (1, the format), `kind`, `made_from` and `data`, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from evenhand.errors import DataError, Misuse

ROUTES = ("reference", "no-reference", "similarity")
_FILE = ("fit", "kind", "made_from", "data")
_MADE_FROM = ("what", "hash", "n")


@dataclass(frozen=True, slots=True)
class Fit:
    """Data of one kind, and where they are from.

    Attributes:
        kind: 'routing': `data` is category -> 'reference', 'no-reference' or 'similarity'.
        made_from: `what` in words; `hash` of the cases that it was learnt from, in hexadecimal
            digits, and `n`, how many: None where somebody else's fit does not say.

    Raises:
        DataError: Data that are not of that kind; names the field.
    """

    kind: str
    data: Mapping[str, Any] = field(hash=False)
    made_from: Mapping[str, Any] = field(hash=False)
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise _wrong("kind", self.kind, f"one of {', '.join(_KINDS)}")
        if not isinstance(self.data, Mapping) or not self.data:
            raise _wrong("data", self.data, "an object with at least one entry")
        _KINDS[self.kind](self.data)
        _check_made_from(self.made_from)

    @classmethod
    def read(cls, path: str | Path) -> Fit:
        """The fit in a file.

        Raises:
            Misuse: The file cannot be read.
            DataError: It holds no fit; names the line or the field.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Misuse(
                f"{path} cannot be read: {error}",
                expected="a fit, a JSON file",
                do="write one with: evenhand fit",
            ) from error
        try:
            return _parsed(text)
        except json.JSONDecodeError as error:
            told = f"no JSON: {error.msg}"
            raise DataError(told, expected="a fit", file=str(path), row=error.lineno) from error
        except DataError as error:
            error.file = str(path)
            raise

    def write(self, path: str | Path) -> None:
        form = {"fit": self.version, "kind": self.kind}
        whole = {**form, "made_from": dict(self.made_from), "data": dict(self.data)}
        text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
        try:
            Path(path).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise Misuse(f"{path} cannot be written: {error}", do="name another file") from error


def _parsed(text: str) -> Fit:
    form = json.loads(text, object_pairs_hook=_once)
    if not isinstance(form, dict):
        raise DataError(f"found {_short(form)}", expected="a fit, a JSON object")
    _check_keys(form, _FILE, "")
    if form["fit"] != Fit.version:
        raise _wrong("fit", form["fit"], f"{Fit.version}, the format that this version reads")
    return Fit(form["kind"], form["data"], form["made_from"])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise DataError(f"{twice!r} stands twice", expected="each name once", field=twice)
    return found


def _check_keys(form: Mapping[str, Any], known: tuple[str, ...], at: str) -> None:
    expected = f"exactly {', '.join(known)}"
    for key in known:
        if key not in form:
            raise DataError(f"{key} is missing", expected=expected, field=at + key)
    for key in form:
        if key not in known:
            raise DataError(f"{key!r} is not known here", expected=expected, field=f"{at}{key}")


def _check_made_from(made_from: Any) -> None:
    if not isinstance(made_from, Mapping):
        raise _wrong("made_from", made_from, f"an object with {', '.join(_MADE_FROM)}")
    _check_keys(made_from, _MADE_FROM, "made_from.")
    what, digest, n = (made_from[key] for key in _MADE_FROM)
    if not (isinstance(what, str) and what.strip()):
        raise _wrong("made_from.what", what, "what it was learnt from, in words")
    if digest is not None and not _is_hex(digest):
        raise _wrong("made_from.hash", digest, "hexadecimal digits, or null")
    if n is not None and not (isinstance(n, int) and not isinstance(n, bool) and n > 0):
        raise _wrong("made_from.n", n, "a number of cases above 0, or null")


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and value != "" and set(value) <= set("0123456789abcdef")


def _check_routing(data: Mapping[str, Any]) -> None:
    for category, way in data.items():
        if not (isinstance(category, str) and category.strip()):
            raise _wrong("data", category, "names of categories")
        if way not in ROUTES:
            raise _wrong(f"data.{category}", way, f"one of {', '.join(ROUTES)}")


def _wrong(where: str, value: Any, expected: str) -> DataError:
    return DataError(f"found {_short(value)}", expected=expected, field=where)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], None]] = {"routing": _check_routing}
