"""Run judges over model outputs, and prove how far each judge may be believed.

Example:
    import evenhand
    run = evenhand.judge("pairs.jsonl", "choice-pair", "local/gemma3-270m", limit=20)
    run.table()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from evenhand.errors import BudgetSpent, DataError, Error, Misuse, ModelError
from evenhand.records import (
    PAIR,
    PAIR_5,
    PAIR_NO_TIE,
    YES_NO,
    Case,
    Completion,
    Decode,
    Judge,
    Media,
    Message,
    Model,
    Question,
    Request,
    Response,
    Scale,
    Verdict,
    ints,
    line,
)  # fmt: skip

if TYPE_CHECKING:
    from evenhand.door import Run, judge
    from evenhand.prompts import Prompt, beside
    from evenhand.report.summary import summarise

# Loaded on first use, so that `import evenhand` stays light.
_LATER = {
    "judge": "evenhand.door",
    "Run": "evenhand.door",
    "Prompt": "evenhand.prompts",
    "beside": "evenhand.prompts",
    "summarise": "evenhand.report.summary",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'evenhand' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "PAIR",
    "PAIR_5",
    "PAIR_NO_TIE",
    "YES_NO",
    "BudgetSpent",
    "Case",
    "Completion",
    "DataError",
    "Decode",
    "Error",
    "Judge",
    "Media",
    "Message",
    "Misuse",
    "Model",
    "ModelError",
    "Prompt",
    "Question",
    "Request",
    "Response",
    "Run",
    "Scale",
    "Verdict",
    "beside",
    "ints",
    "judge",
    "line",
    "summarise",
]
