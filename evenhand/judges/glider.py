"""How well does the response do on a rubric, why, and which words decided it?

Paper: Deshpande et al. 2024, "GLIDER: Grading LLM Interactions and Decisions using Explainable
    Ranking". arXiv:2412.14140. Highlighted words are looked up in what was judged; the paper does
    not ask for that. A missing block is undecided, which the authors' code means but never sees.
    The wording is our own; the trained model needs its own template: `--template`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from evenhand.judges.rubrics import levels_of
from evenhand.prompts import Prompt, beside
from evenhand.readers import last_number, spoken, undecided
from evenhand.records import Case, Decode, Model, Scale, Verdict, View, ints

_SCORE = r"<score>\s*(-?\d+(?:\.\d+)?)\s*</score>"
_AROUND = " \t\r,;[]-*•\"'`\u2018\u2019\u201c\u201d"


@dataclass(frozen=True, slots=True)
class Glider:
    """Score one response on the scores that the case's rubric describes, else on `scale`.

    `marks["spans"]` are the highlighted phrases with start, end and where they stand ('response',
    'prompt[0]', 'context[1]', …), `marks["unresolved"]` those that stand nowhere.
    """

    model: Model
    scale: Scale = ints("score", 1, 5)
    prompt: Prompt = beside(__file__)
    decode: Decode = Decode(temperature=0.0, max_tokens=2048)
    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        rubric = levels_of(case.rubric)
        scale, shown = rubric.scale(self.scale), rubric.text
        if not shown:
            return undecided(scale, "empty", "the case has no rubric")
        form = self.prompt(case=case, decode=self.decode, rubric=shown, labels=tuple(scale.labels))
        reply = await self.model(form)
        verdict = last_number(reply, scale, _SCORE)
        if not verdict.decided:
            return verdict
        phrases = _block(reply.text, "highlight")
        if phrases is None or _block(reply.text, "reasoning") is None:
            name = "highlight" if phrases is None else "reasoning"
            return undecided(scale, "unread", f"the reply has no <{name}> block", (reply,))
        found = [(phrase, _resolved(phrase, case)) for phrase in _listed(phrases)]
        lost = [phrase for phrase, span in found if span is None]
        return verdict.marked(spans=[span for _, span in found if span], unresolved=lost)


def _block(text: str, name: str) -> str | None:
    """What the last pair of such tags holds."""
    text = spoken(text)
    end = text.rfind(f"</{name}>")
    start = text.rfind(f"<{name}>", 0, max(end, 0))
    return None if start < 0 else text[start + len(name) + 2 : end]


def _listed(text: str) -> list[str]:
    """The phrases of a JSON list, of a list in quotes, or of lines."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = re.split(r"\n|(?<=['\"]),[ \t]*(?=['\"])", text)
    pieces = found if isinstance(found, list) else [found]
    return [phrase for piece in pieces if (phrase := str(piece).strip(_AROUND))]


def _resolved(phrase: str, case: Case) -> dict[str, Any] | None:
    words = re.escape(phrase), r"\s+".join(map(re.escape, phrase.split()))
    places = ((pattern, where, text) for pattern in words for where, text in _texts(case))
    for pattern, where, text in places:
        if match := re.search(pattern, text):
            return {"start": match.start(), "end": match.end(), "text": match[0], "where": where}
    return None


def _texts(case: Case) -> Iterator[tuple[str, str]]:
    yield "response", case.responses[0].text
    asked = [message.text for message in case.prompt]
    rest = {"prompt": asked, "context": case.context, "reference": case.reference}
    yield from ((f"{name}[{i}]", text) for name in rest for i, text in enumerate(rest[name]))
