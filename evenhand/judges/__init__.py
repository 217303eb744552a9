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

from evenhand.judges.alpaca_eval import AlpacaEval
from evenhand.judges.arena_hard import ArenaHard
from evenhand.judges.auto_j import AutoJ, AutoJPair
from evenhand.judges.cce import CCE
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
from evenhand.judges.conditional import Conditional
from evenhand.judges.confilm import ConfiLM
from evenhand.judges.fitted import Calibrated
from evenhand.judges.geval import GEval
from evenhand.judges.glider import Glider
from evenhand.judges.greek_bar import GreekBar
from evenhand.judges.href import HREF
from evenhand.judges.judgelm import JudgeLM
from evenhand.judges.koffvqa import Koffvqa
from evenhand.judges.lexam import Lexam
from evenhand.judges.lexical import Contains, Exact
from evenhand.judges.list_rank import ListRank
from evenhand.judges.list_scores import ListScores
from evenhand.judges.long import Long
from evenhand.judges.overlap import Overlap
from evenhand.judges.own_reference import OwnReference
from evenhand.judges.pairwise import Pairwise
from evenhand.judges.pandalm import PandaLM
from evenhand.judges.pc2 import PC2
from evenhand.judges.personalised import Personalised
from evenhand.judges.pointwise import Pointwise
from evenhand.judges.prometheus import Prometheus, PrometheusPair
from evenhand.judges.quantified import Quantified
from evenhand.judges.revis_eval import RevisEval
from evenhand.judges.rocketeval import RocketEval
from evenhand.judges.rotate import Rotate
from evenhand.judges.rubric import Rubric
from evenhand.judges.tournament import Tournament
from evenhand.judges.turns import ByTurn
from evenhand.judges.umbrela import Umbrela
from evenhand.judges.window import Window

__all__ = [
    "CCE",
    "CLASSES",
    "HREF",
    "PC2",
    "PUBLISHED",
    "AlpacaEval",
    "ArenaHard",
    "AutoJ",
    "AutoJPair",
    "ByTurn",
    "Calibrated",
    "Cascade",
    "Choice",
    "ChoicePair",
    "Conditional",
    "ConfiLM",
    "Contains",
    "Derived",
    "Each",
    "Exact",
    "GEval",
    "Glider",
    "GreekBar",
    "JudgeLM",
    "Koffvqa",
    "Lexam",
    "ListRank",
    "ListScores",
    "Long",
    "Overlap",
    "OwnReference",
    "Pairwise",
    "PandaLM",
    "Panel",
    "Personalised",
    "Pointwise",
    "Prometheus",
    "PrometheusPair",
    "Published",
    "Quantified",
    "Repeat",
    "RevisEval",
    "RocketEval",
    "Rotate",
    "Rubric",
    "Seeded",
    "Swap",
    "Tournament",
    "Umbrela",
    "Window",
    "Written",
]

_JUDGES: tuple[type, ...] = (ArenaHard, Choice, ChoicePair, Contains, Exact, GEval)
_JUDGES += (Pairwise, Pointwise)
_JUDGES += (AlpacaEval, Conditional, ConfiLM, HREF, JudgeLM, PandaLM, Personalised)
_JUDGES += (AutoJ, AutoJPair, Glider, GreekBar, Koffvqa, Lexam)
_JUDGES += (Prometheus, PrometheusPair, Rubric, Umbrela)
_JUDGES += (CCE, ListRank, ListScores, Overlap, OwnReference, PC2, RevisEval, RocketEval)
_COMBINATORS: tuple[type, ...] = (
    ByTurn,
    Calibrated,
    Cascade,
    Derived,
    Each,
    Long,
    Panel,
    Quantified,
    Repeat,
    Rotate,
    Seeded,
    Swap,
    Tournament,
    Window,
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
        example: Good replies in the order of the calls, the last one for all that follow; for the
            method's page. Empty: none is shown.
        example_probs: Token -> probability at the first token, for each call that asks for it.
        example_case: Fields of the example's case besides, or in the place of, the usual ones;
            `response_notes` has one table a response.
    """

    form: Mapping[str, Any] = field(hash=False)
    summary: str
    status: Literal["from code", "from paper", "reconstructed", "own"]
    calls: str
    needs: tuple[str, ...] = ()
    cites: str = ""
    example: tuple[str, ...] = ()
    example_probs: tuple[Mapping[str, float], ...] = field(default=(), hash=False)
    example_case: Mapping[str, Any] = field(default_factory=dict, hash=False)

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
    return {name: Published(**_frozen(given)) for name, given in tomllib.loads(text).items()}


def _frozen(given: dict[str, Any]) -> dict[str, Any]:
    lists = {name: given.get(name, ()) for name in ("needs", "example", "example_probs")}
    one = {name: (v,) if isinstance(v, str | dict) else tuple(v) for name, v in lists.items()}
    return {**given, **one}


PUBLISHED: dict[str, Published] = _published()
