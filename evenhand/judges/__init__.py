"""Every judge by class, and the published protocols by name.

`evenhand/judges/build.py` makes a judge from a protocol's plain form; a new judge file is added
here in two lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
_COMBINATORS: tuple[type, ...] = (Cascade, Derived, Each, Panel, Repeat, Seeded, Swap, Written)
CLASSES: dict[str, type] = {cls.__name__: cls for cls in (*_JUDGES, *_COMBINATORS)}


@dataclass(frozen=True, slots=True)
class Published:
    """A protocol under its name, order rule included.

    Attributes:
        form: Its plain form, without models.
        status: 'from code' or 'from paper': what was followed; 'own': ours. Wording is always ours.
        needs: What the model must give besides text: 'logprobs' (or, failing that, more calls).
        calls: How many a case.
    """

    form: Mapping[str, Any] = field(hash=False)
    summary: str
    paper: str
    status: Literal["from code", "from paper", "own"]
    needs: tuple[str, ...] = ()
    calls: str = "1"


_MT_BENCH = (
    'Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", arXiv:2306.05685'
)
_ARENA_HARD = (
    'Li et al. 2024, "From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard and '
    'BenchBuilder Pipeline", arXiv:2406.11939'
)
_G_EVAL = (
    'Liu et al. 2023, "G-Eval: NLG Evaluation using GPT-4 with Better Human Alignment", '
    "arXiv:2303.16634"
)
_LEXICAL = (
    'Thakur et al. 2024, "Judging the Judges: Evaluating Alignment and Vulnerabilities in '
    'LLMs-as-Judges", arXiv:2406.12624'
)

PUBLISHED: dict[str, Published] = {
    "mt-bench-single": Published(
        {"is": "Pointwise"},
        "Rate one response from 1 to 10, after an explanation.",
        _MT_BENCH,
        "from code",
    ),
    "mt-bench-pair": Published(
        {"is": "Swap", "pool": "agree", "judge": {"is": "Pairwise"}},
        "Choose the better of two responses in both orders; orders that differ make a tie.",
        _MT_BENCH,
        "from code",
        calls="2",
    ),
    "arena-hard": Published(
        {"is": "Swap", "pool": "both_battles", "judge": {"is": "ArenaHard"}},
        "Answer first, then compare on five levels in both orders; each order is a battle.",
        _ARENA_HARD,
        "from code",
        calls="2",
    ),
    "g-eval": Published(
        {"is": "GEval"},
        "Score one response from 1 to 5 on a criterion, scores weighed by token probability.",
        _G_EVAL,
        "from code",
        ("logprobs",),
        "1, and 1 per criterion; without logprobs 2 to 21",
    ),
    "choice": Published(
        {"is": "Choice"},
        "Give one response a label, with probabilities, in one token or typed answer.",
        "own",
        "own",
        ("logprobs",),
    ),
    "choice-pair": Published(
        {"is": "Swap", "pool": "mean", "judge": {"is": "ChoicePair"}},
        "Choose between two responses in one token or typed answer; the mean of both orders.",
        "own",
        "own",
        ("logprobs",),
        "2",
    ),
    "exact": Published(
        {"is": "Exact"},
        "Does the response equal a reference?",
        _LEXICAL,
        "from paper",
        calls="0",
    ),
    "contains": Published(
        {"is": "Contains"},
        "Does the response contain a reference, as whole words?",
        _LEXICAL,
        "from paper",
        calls="0",
    ),
}
