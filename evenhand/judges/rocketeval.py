"""How much of a checklist, made once for the prompt, does this response satisfy?

Paper: Wei et al. 2025, "RocketEval: Efficient Automated LLM Evaluation via Grading Checklist",
    section 3. arXiv:2503.05142. Unclear answers are left out, where the authors' code takes 0.5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.checklists import checklist_score
from evenhand.errors import Misuse
from evenhand.fits import Fit, must_be
from evenhand.judges.combine import Written, together
from evenhand.pools import mean
from evenhand.prompts import Prompt, beside
from evenhand.readers import answered, label_probs, spoken, undecided, unreadable, whole_label
from evenhand.records import YES_NO, Case, Decode, Model, Question, Scale, Verdict, View, line

_HEADING = re.compile(r"^[ \t]*#+ ", re.MULTILINE)
_QUESTION = re.compile(r"^[ \t]*\d+[.)][ \t]+(\S.*\?)[ \t*]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RocketEval:
    """Ask about every item of a checklist by itself: 1 + 9 times the mean chance of a yes.

    Attributes:
        model: Answers the questions; a small one will do.
        writer: Writes the checklist from the prompt and the reference, never from a response.
        weights: One a question; None: all count alike.
        fit: Of kind 'rocketeval' or 'rocketeval-trees': for the checklists that it knows.
        unread: What a question without an answer means: 'drop', 'stop', 'yes' or 'no'.
    """

    model: Model
    writer: Model
    weights: tuple[float, ...] | None = None
    fit: Fit | None = None
    unread: str = "drop"
    scale: Scale = line("rating", 1.0, 10.0)
    prompt: Prompt = beside(__file__)
    checklist_prompt: Prompt = beside(__file__, "checklist")
    decode: Decode = Decode(temperature=0.0, max_tokens=1)
    checklist_decode: Decode = Decode(temperature=0.7, top_p=0.95, max_tokens=1024)
    view: ClassVar[View] = "pointwise"

    def __post_init__(self) -> None:
        must_be(self.fit, "rocketeval", "RocketEval", also="rocketeval-trees")

    async def __call__(self, case: Case) -> Verdict:
        write = Written(self.writer, self.checklist_prompt, self.checklist_decode)
        made = await write(replace(case, responses=()))
        if stopped := unreadable(made, self.scale):
            return stopped
        items = questions(spoken(made.text))
        if not items:
            return undecided(self.scale, "unread", "the checklist has no question", (made,))
        if self.weights is not None and len(self.weights) != len(items):
            count = f"{len(items)} questions, and there are {len(self.weights)} weights"
            raise Misuse(f"case {case.id!r}: the checklist has {count}", do="fit them on this data")
        parts = await together([self._answer(case, item) for item in items])
        whole = mean(parts, unread=self.unread, weights=self.weights)
        score = None if whole.score is None else 1.0 + 9.0 * whole.score
        if self.fit and score is not None:
            score = checklist_score(self.fit.data, items, parts, unread=self.unread) or score
        probs = {} if score is None else {repr(round(score, 9)): 1.0}
        done = replace(whole, scale=self.scale, probs=probs, calls=(made,))
        return done.marked(questions=len(parts), unread=sum(not part.decided for part in parts))

    async def _answer(self, case: Case, item: str) -> Verdict:
        ask = self.prompt(case=case, decode=self.decode, item=item)
        asked = replace(ask, need="answer", question=Question(item, ("yes", "no")))
        reply = await self.model(asked)
        if reply.answer is not None:
            return answered(reply, YES_NO).marked(item=item)
        read = label_probs(reply, YES_NO, take="max") if reply.tops else whole_label(reply, YES_NO)
        return read.marked(item=item)


def questions(text: str) -> list[str]:
    """The numbered lines that end in a question mark, below the last heading.

    Example:
        >>> questions("1. Old?\\n## Checklist\\n1. Is it four?\\n2. Be kind.\\n3) Is it short?")
        ['Is it four?', 'Is it short?']
    """
    return [item.strip("* ") for item in _QUESTION.findall(_HEADING.split(text)[-1])]
