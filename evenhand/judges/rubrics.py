"""A rubric in any of its common shapes: weighted criteria, or a criterion with described levels."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evenhand.errors import DataError, Misuse
from evenhand.readers import undecided
from evenhand.records import Scale, Verdict

FILES = (".toml", ".yaml", ".yml")
_TEXT = ("criterion", "requirement", "criteria", "description", "text", "question")
_NAME = ("name", "title")
_POINTS = ("points", "weight", "max_points", "score")
_LISTS = ("criteria", "rubrics", "rubric", "requirements")
_LEVELS = ("levels", "scores", "scale", "rubric")
_LEVEL_KEY = re.compile(r"(?i)(?:score|level)?[ _]?(\d{1,2})(?:_description)?")
_LEVEL_LINE = re.compile(r"(?im)^[ \t*#-]{0,6}(?:score|level)?[ \t]*(\d{1,2})[ \t*]*[:=][ \t*]*")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing to look for, and what it is worth; a fault costs points below zero."""

    criterion: str
    points: float = 1.0
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Levels:
    """What to look for, and what each score means, lowest first; no meanings: only the criterion.

    Example:
        >>> Levels("Is it polite?", (("1", "rude"), ("2", "polite"))).text.splitlines()
        ['Is it polite?', 'Score 1: rude', 'Score 2: polite']
    """

    criterion: str
    meanings: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        lines = [f"Score {score}: {meaning}" for score, meaning in self.meanings]
        return "\n".join([self.criterion, *lines] if self.criterion else lines)

    def scale(self, default: Scale) -> Scale:
        """Of the scores that are described, if there are two or more."""
        scores = [score for score, _ in self.meanings]
        if len(scores) < 2:
            return default
        return Scale(f"scores {', '.join(scores)}", {score: float(score) for score in scores})


# ---- weighted criteria -----------------------------------------------------------------------


def criteria_of(rubric: Any, *, file: str = "") -> tuple[Criterion, ...]:
    """The criteria of a rubric; a text is one criterion (or JSON), an unweighted one has 1 point.

    Example:
        >>> criteria_of([{"criterion": "Says four.", "points": 5}, "Is short."])[1].points
        1.0

    Raises:
        DataError: A criterion has no text, or points that are no number.
    """
    rubric = _opened(rubric)
    if isinstance(rubric, str):
        return (Criterion(rubric),) if rubric.strip() else ()
    if isinstance(rubric, Mapping):
        inside = next((rubric[k] for k in _LISTS if _holds(rubric.get(k))), None)
        if inside is not None:
            return criteria_of(inside, file=file)
        if any(isinstance(rubric.get(key), str) for key in _TEXT):
            return (_criterion(rubric, 1, file),)
        rubric = [_named(name, value) for name, value in rubric.items()]
    return tuple(_criterion(one, at, file) for at, one in enumerate(rubric or (), 1))


def _opened(rubric: Any) -> Any:
    """What a text holds that is JSON, as tables write lists; anything else as it is."""
    if not (isinstance(rubric, str) and rubric.lstrip()[:1] in ("[", "{")):
        return rubric
    try:
        return json.loads(rubric)
    except (ValueError, RecursionError):
        return rubric


def _holds(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str)


def _named(name: Any, value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return {"name": str(name), **value}
    what = "points" if isinstance(value, int | float) else "criterion"
    return {"name": str(name), what: value}


def _criterion(one: Any, at: int, file: str) -> Criterion:
    if isinstance(one, Criterion):
        return one
    given = {"criterion": one} if isinstance(one, str) else one
    found = given if isinstance(given, Mapping) else {}
    texts = [_first(found, names) for names in (_NAME, _TEXT)]
    text = ": ".join(str(piece).strip() for piece in texts if piece)
    try:
        points = float(1.0 if (said := _first(found, _POINTS)) is None else said)
    except (TypeError, ValueError):
        points = math.nan
    if not text or not math.isfinite(points):
        told = f"criterion {at} is {one!r:.100}"
        wanted = "a text, or a criterion with points that are a number"
        raise DataError(told, expected=wanted, file=file, field="rubric")
    tags = found.get("tags") or ()
    return Criterion(text, points, (tags,) if isinstance(tags, str) else tuple(map(str, tags)))


def _first(found: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((found[name] for name in names if found.get(name) is not None), None)


def from_file(name: str) -> tuple[Criterion, ...]:
    """The criteria in a TOML or YAML file: a list, or a table `criteria`.

    Raises:
        Misuse: The file cannot be read, is of another kind, or holds no criteria.
        DataError: A criterion in it has no text, or points that are no number.
    """
    path = Path(name)
    if path.suffix not in FILES:
        raise Misuse(f"{name} is no rubric file", expected="a file in .toml or .yaml")
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text) if path.suffix == ".toml" else _yaml(text)
    except (OSError, ValueError) as error:  # TOML's and YAML's errors, and bad UTF-8, too
        raise Misuse(f"{name} cannot be read: {error}", expected="a rubric") from error
    if not (isinstance(found, str) or _holds(found)) or not (
        listed := criteria_of(found, file=name)
    ):
        raise Misuse(f"{name} holds no criteria", expected="a list of criteria with points")
    return listed


def _yaml(text: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError as error:
        raise Misuse(
            "a rubric in YAML needs PyYAML",
            expected="a rubric in TOML",
            do="pip install 'evenhand[yaml]'",
        ) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


# ---- described levels ------------------------------------------------------------------------


def levels_of(rubric: Any) -> Levels:
    """The criterion and the meanings of its scores, as far as the rubric has them.

    Example:
        >>> levels_of({"criteria": "Polite?", "score1_description": "rude"}).meanings
        (('1', 'rude'),)
        >>> levels_of("Polite?\\n0: rude\\n1: polite").criterion
        'Polite?'
    """
    rubric = _opened(rubric)
    if isinstance(rubric, str):
        pieces = _LEVEL_LINE.split(rubric)
        found = _rising(zip(pieces[1::2], pieces[2::2], strict=True))
        return Levels(pieces[0].strip(), found) if len(found) > 1 else Levels(rubric.strip())
    if isinstance(rubric, Mapping):
        inside: Mapping[str, Any] = next(
            (rubric[k] for k in _LEVELS if isinstance(rubric.get(k), Mapping)), {}
        )
        keys = [(m[1], text) for key, text in {**rubric, **inside}.items()
                if (m := _LEVEL_KEY.fullmatch(str(key)))]  # fmt: skip
        if found := _rising(keys):
            texts = [_first(rubric, names) for names in (_NAME, _TEXT)]
            return Levels(": ".join(str(text).strip() for text in texts if text), found)
    listed = criteria_of(rubric)
    return Levels("\n".join(one.criterion for one in listed))


def _rising(found: Any) -> tuple[tuple[str, str], ...]:
    meanings = {str(int(score)): str(text).strip() for score, text in found}
    return tuple(sorted(meanings.items(), key=lambda item: int(item[0])))


# ---- verdicts from parts ---------------------------------------------------------------------


def first_lost(scale: Scale, parts: Sequence[Verdict]) -> Verdict | None:
    """The undecided whole of parts of which one is undecided; None when all are decided."""
    for at, part in enumerate(parts, 1):
        if not part.decided:
            code, _, why = part.reason.partition(":")
            told = f"part {at} of {len(parts)}: {why.strip()}"
            return replace(undecided(scale, code, told), parts=tuple(parts))
    return None
