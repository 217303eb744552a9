"""Every judge by class, and the published protocols by name.

A new judge file is imported here and listed in `CLASSES`; its protocols stand in
`published.toml`. `evenhand/judges/build.py` makes a judge from a protocol's plain form.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from evenhand.judges.arena_hard import ArenaHard
from evenhand.judges.choice import Choice, ChoicePair
from evenhand.judges.combine import (
    Cascade,
    Derived,
    Each,
    Panel,
    Repeat,
    Seeded,
    Swap,
    Written,
)
from evenhand.judges.geval import GEval
from evenhand.judges.lexical import Contains, Exact
from evenhand.judges.long import Long
from evenhand.judges.pairwise import Pairwise
from evenhand.judges.pointwise import Pointwise

__all__ = [
    "CLASSES",
    "PUBLISHED",
    "ArenaHard",
    "Cascade",
    "Choice",
    "ChoicePair",
    "Contains",
    "Derived",
    "Each",
    "Exact",
    "GEval",
    "Long",
    "Pairwise",
    "Panel",
    "Pointwise",
    "Published",
    "Repeat",
    "Seeded",
    "Swap",
    "Written",
]

_JUDGES: tuple[type, ...] = (ArenaHard, Choice, ChoicePair, Contains, Exact, GEval)
_JUDGES += (Pairwise, Pointwise)
_COMBINATORS: tuple[type, ...] = (
    Cascade,
    Derived,
    Each,
    Long,
    Panel,
    Repeat,
    Seeded,
    Swap,
    Written,
)
CLASSES: dict[str, type] = {cls.__name__: cls for cls in (*_JUDGES, *_COMBINATORS)}


@dataclass(frozen=True, slots=True)
class Published:
    """A protocol under its name, order rule included.

    Attributes:
        form: Its plain form, without models.
        status: 'from code' or 'from paper': what was followed; 'reconstructed': parts of the
            method are not known; 'own': ours. Wording is always ours.
        needs: What the model must give besides text: 'logprobs' (or, failing that, more calls).
        calls: How many a case.
        cites: The paper of a protocol that is made by its combinators; "" takes the innermost
            judge's.
    """

    form: Mapping[str, Any] = field(hash=False)
    summary: str
    status: Literal["from code", "from paper", "reconstructed", "own"]
    calls: str
    needs: tuple[str, ...] = ()
    cites: str = ""

    @property
    def paper(self) -> str:
        """Where it is from: author, year, title, section and arXiv id or DOI; or 'own'."""
        return self._source[0] or "own"

    @property
    def departs(self) -> str:
        """How it departs from that paper, as the module says."""
        return self._source[1]

    @property
    def _source(self) -> tuple[str, str]:
        whole = self.cites or papers(CLASSES[innermost(self.form)["is"]].__module__)
        cut = re.match(r".*?(?:arXiv:\d{4}\.\d{5}|doi:\S+[^\s.,])", whole)
        return (cut[0], whole[cut.end() :].strip(" .")) if cut else (whole, "")


def innermost(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a plain form that is no combinator, the first where there are several."""
    while form["is"] in {cls.__name__ for cls in _COMBINATORS}:
        inner = form.get("judge", form.get("first", form.get("judges")))
        form = inner[0] if isinstance(inner, list | tuple) else inner
    return form


@lru_cache(maxsize=256)
def papers(module: str) -> str:
    """The paragraph that follows `Paper:` in a module's docstring, on one line."""
    doc = sys.modules[module].__doc__ or ""
    found = re.search(r"^Paper: (.*?)(?:\n\S|\n\n|\Z)", doc, re.DOTALL | re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def _published() -> dict[str, Published]:
    text = Path(__file__).with_name("published.toml").read_text(encoding="utf-8")
    forms = tomllib.loads(text)
    return {
        name: Published(**{**f, "needs": tuple(f.get("needs", ()))}) for name, f in forms.items()
    }


PUBLISHED: dict[str, Published] = _published()
