"""What readers of other tools' files share: rows inside JSON, scales found, evidence kept."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from evenhand.data.bench import Card, File, Files, Metric
from evenhand.data.files import reading
from evenhand.data.reading import check_columns, made_of, said
from evenhand.data.rows import Bad, Wrong
from evenhand.data.texts import absent, as_text, kind, shown
from evenhand.errors import DataError
from evenhand.records import Scale, Verdict, View, escape, line

T = TypeVar("T")
ROWS = "*"
ROW = "row"  # the mark that holds what else stood beside a verdict
MOST_WORDS = 50
OPPOSITES = (
    ("true", "false"), ("yes", "no"), ("pass", "fail"), ("passed", "failed"),
    ("correct", "incorrect"), ("good", "bad"), ("C", "I"),
)  # fmt: skip
KNOWN = {
    **{one.casefold(): 1.0 for one, _ in OPPOSITES},
    **{other.casefold(): 0.0 for _, other in OPPOSITES},
    **dict.fromkeys(("partial", "partially", "p"), 0.5),
    "n": 0.0,
}


def form_card(
    name: str, about: str, *, source: str, revision: str, view: View | None, **more: Any
) -> Card:
    """The card of a format; its files may have any name."""
    known: dict[str, Any] = {
        "licence": "that of whoever made the file", "gold": "none", "files": (File(ROWS),),
        "metric": Metric("coverage"), **more,
    }  # fmt: skip
    return Card(name, about, source, revision, view=view, **known)


def short(*texts: object) -> str:
    """A name for texts that is the same wherever they stand."""
    joined = "\0".join(as_text(text) for text in texts)
    return hashlib.sha256(joined.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def each(
    files: Files,
    listed: Callable[[Path], Iterable[Any]],
    make: Callable[[Any, int], Iterable[T]],
    *,
    columns: Sequence[str] = (),
) -> Iterator[T | Bad]:
    """As `reading.read_many`, for rows that stand inside one JSON value; it is read whole."""
    for path in files.paths[ROWS]:
        for at, raw in enumerate(listed(path), 1):
            due = f"as in {files.card.source} at {files.card.revision}"
            if not isinstance(raw, dict):
                yield Bad(str(path), at, "", f"{kind(raw)}: {shown(raw)}", f"an object {due}")
                continue
            if at == 1:
                check_columns(files, str(path), at, found=raw, columns=columns)
            yield from made_of(raw, at, make, file=str(path), card=files.card)


def json_lines(path: Path) -> Iterator[Any]:
    """Raises: DataError for a line that is not JSON."""
    with reading(str(path)) as lines:
        for at, one in enumerate(lines, 1):
            try:
                yield json.loads(one.decode())
            except (ValueError, RecursionError) as error:
                happened, due = f"broken JSON: {error}", "one object a line"
                raise DataError(happened, expected=due, file=str(path), row=at) from error


def inside(path: Path, value: Any, *keys: str, source: str) -> Any:
    """The list below these keys of a JSON value.

    Raises:
        DataError: A key is missing, or there is something else.
    """
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            there = ", ".join(list(value)[:8]) if isinstance(value, dict) else kind(value)
            raise DataError(
                f"there is no {key!r}; there is {there}",
                expected=f"{'.'.join(keys)}, as in {source}",
                do="give the file as the tool writes it",
                file=str(path),
                field=key,
            )
        value = value[key]
    return value


def part(raw: Any, *keys: str) -> Any:
    """The value below these keys; None where one of them is missing."""
    for key in keys:
        raw = raw.get(key) if isinstance(raw, dict) else None
    return raw


def because(verdict: Verdict, why: Any, **marks: Any) -> Verdict:
    """The verdict with what its judge wrote, and with marks."""
    text = "" if absent(why) else escape(as_text(why))
    if not verdict.decided:
        text = f"{verdict.code}: {text}" if text else verdict.reason
    return replace(verdict, reason=text, marks={**verdict.marks, **marks})


# ---- scales that nobody wrote down ---------------------------------------------------------------


def answer(value: Any) -> str | float | None:
    """A score as a number or a word; None where there is none.

    Raises:
        Wrong: It is neither.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if absent(value):
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    if not isinstance(value, str) or len(value) > 200:
        raise Wrong("score", f"{kind(value)}: {shown(value)}", "a number or a word")
    try:
        number = float(value)
    except ValueError:
        return escape(value.strip())
    return number if math.isfinite(number) else None


@dataclass(slots=True)
class _Seen:
    low: float = math.inf
    high: float = -math.inf
    words: set[str] = field(default_factory=set)


class Scales:
    """The scale of each judge, from everything that it said.

    Numbers between 0 and 1 are on the line 0..1, others on the line from the least to the greatest
    that was seen. Words that say yes or no count 1 and 0; others are numbered as in the alphabet.
    """

    def __init__(self, said: Iterable[tuple[str, str | float | None]]) -> None:
        self._seen = dict[str, _Seen]()
        for judge, value in said:
            seen = self._seen.setdefault(judge, _Seen())
            if isinstance(value, str):
                seen.words.add(value)
                if len(seen.words) > MOST_WORDS:
                    raise DataError(
                        f"{judge} said more than {MOST_WORDS} different things",
                        expected="numbers, or the labels of a scale",
                        do="keep the column of labels, not that of reasons",
                    )
            elif value is not None:
                seen.low, seen.high = min(seen.low, value), max(seen.high, value)
        self._made = {judge: _scale(seen) for judge, seen in self._seen.items()}

    def verdict(self, case: str, judge: str, value: str | float | None) -> Verdict:
        scale = self._made[judge]
        if scale.labels and isinstance(value, float):
            value = f"{value:g}"
        name = f"{value!r}" if isinstance(value, float) and not value.is_integer() else value
        return said(case, judge, name, scale=scale)


Told = tuple[str, str, str | float | None, Any]


def first(raw: Any, *names: str) -> Any:
    """The value of the first of these columns that holds one."""
    return next((raw[name] for name in names if not absent(raw.get(name))), None)


def word(raw: Any, *names: str) -> str | None:
    """As `first`, as text."""
    value = first(raw, *names)
    return None if value is None else as_text(value)


def shares(raw: Any, column: str) -> dict[str, float] | None:
    """Probabilities, as an object or as its JSON; None where there are none.

    Raises:
        Wrong: They are something else, or do not sum to 1.
    """
    found = raw.get(column) or None
    try:
        found = json.loads(found) if isinstance(found, str) else found
        found = found and {str(label): float(p) for label, p in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise Wrong(column, shown(raw[column]), "label -> probability") from error
    if found and abs(sum(found.values()) - 1) > 1e-6:
        raise Wrong(column, f"a sum of {sum(found.values()):g}", "probabilities that sum to 1")
    return found


def scaled(found: Callable[[], Iterable[Told | Bad]]) -> Iterator[Verdict | Bad]:
    """Verdicts of (case, judge, value, why), read twice: the first time tells the scales."""
    good = (one for one in found() if not isinstance(one, Bad))
    scales = Scales((judge, value) for _, judge, value, _ in good)
    for one in found():
        yield one if isinstance(one, Bad) else because(scales.verdict(*one[:3]), one[3])


def _scale(seen: _Seen) -> Scale:
    low, high = seen.low, seen.high
    if not seen.words:
        if low > high or (low >= 0 and high <= 1):
            return line("0-1", 0, 1)
        low, high = (min(low, 0.0), max(high, 0.0)) if low == high else (low, high)
        return line(f"{low:g} to {high:g}", low, high)
    numbers = {f"{end:g}" for end in (low, high) if math.isfinite(end)}
    words = sorted({*seen.words, *_opposites(seen.words), *numbers})
    values = [_number(word) for word in words]
    known = [value for value in values if value is not None]
    if len(known) < len(words):
        known = [float(at) for at in range(len(words))]
    return Scale("words " + "/".join(words), dict(zip(words, known, strict=True)))


def _opposites(words: set[str]) -> Iterator[str]:
    """Whoever only ever said yes could have said no."""
    for one, other in (*OPPOSITES, *(pair[::-1] for pair in OPPOSITES)):
        yield from (style(other) for style in (str, str.capitalize, str.upper)
                    if style(one) in words)  # fmt: skip


def _number(word: str) -> float | None:
    if word.casefold() in KNOWN:
        return KNOWN[word.casefold()]
    try:
        return float(word)
    except ValueError:
        return None


def others(raw: Mapping[str, Any], *taken: str) -> dict[str, Any]:
    """What stands beside the texts."""
    return {key: value for key, value in raw.items() if key not in taken}
