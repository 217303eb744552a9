"""The key of labelling sheets: which case an item is, and in which order its responses stood."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evenhand.errors import DataError, Misuse
from evenhand.records import Scale

KEY = "key.json"


@dataclass(frozen=True, slots=True)
class Item:
    """Attributes: swapped says that the case's second response was shown first."""

    case: str
    rater: str
    swapped: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """What `evenhand label` keeps beside its sheets.

    Attributes:
        words: What the sheet offers -> the judge's label, of responses as they were shown.
        span: The line on which labels are numbers; None where `words` are all there is.
        chances: Case -> the probability with which the plan drew it; empty without a plan.
    """

    file: str
    pairs: bool
    words: Mapping[str, str]
    span: tuple[float, float] | None
    items: Mapping[str, Item]
    chances: Mapping[str, float] = field(default_factory=dict, hash=False)

    def offers(self, label: str) -> bool:
        if self.span is None:
            return label in self.words.values()
        return Scale("span", span=self.span).has(label)

    @property
    def offer(self) -> str:
        if self.span is None:
            return "one of " + ", ".join(self.words)
        return f"a number from {self.span[0]:g} to {self.span[1]:g}"


def item_columns(present: Collection[str]) -> bool:
    """Whether these are the columns of a sheet."""
    return {"item", "rater", "label"} <= set(present)


def read_key(path: Path, sheet: str) -> Key:
    """Raises: Misuse without a key beside the sheet; DataError when it is not one of ours."""
    try:
        form = json.loads(path.read_text(encoding="utf-8"))
        items = {name: Item(**item) for name, item in form["items"].items()}
        span = tuple(map(float, form["span"])) if form["span"] else None
        chances = {case: float(p) for case, p in form.get("chances", {}).items()}
        if chances and not {item.case for item in items.values()} <= set(chances):
            raise ValueError("an item has no probability")
        if not all(0 < p <= 1 for p in chances.values()):
            raise ValueError("a probability is not above 0 and at most 1")
        return Key(str(path), bool(form["pairs"]), dict(form["words"]), span, items, chances)  # type: ignore[arg-type]
    except FileNotFoundError as error:
        raise Misuse(
            f"{sheet} is a labelling sheet, and its {KEY} is not beside it",
            expected=f"{path}, which `evenhand label` wrote with the sheets",
            do="move the filled sheet back into that folder; another file of yours: --map id=item",
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"not a key of labelling sheets ({error})",
            expected="what `evenhand label` wrote, unchanged",
            do="put the original back",
            file=str(path),
        ) from error
