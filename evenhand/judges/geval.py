"""How good is this response on one criterion, weighing every score by its token's probability?

Paper: Liu et al. 2023, "G-Eval: NLG Evaluation using GPT-4 with Better Human Alignment", section 2.
    arXiv:2303.16634. Without token probabilities, 20 samples at temperature 1, where the authors'
    code uses 2. An unreadable sample is left out and counted, where that code counts it as zero.
    The wording is our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from evenhand.judges.combine import together
from evenhand.pools import mean
from evenhand.prompts import Prompt, beside
from evenhand.readers import label_probs, last_number, unreadable
from evenhand.records import Case, Completion, Decode, Model, Request, Scale, Verdict, View, ints

# The form's blank: a number that opens the reply, else one that follows a colon or equals sign.
_SCORE = (r"^[^\w\d+-]*(\d+(?:\.\d+)?)\b", r"[:=][^\w+-]{0,9}(\d+(?:\.\d+)?)\b")


@dataclass(frozen=True, slots=True)
class GEval:
    """Score one response by a form whose only blank is the score.

    Attributes:
        steps: How to judge the criterion; None: the model writes them, the same for every case.
        samples: Replies drawn where no token probabilities come back.
        unread: What an unreadable sample means: 'drop', 'stop' or a label.
    """

    model: Model
    criterion: str = "Overall quality: how well the response does what the prompt asks."
    steps: str | None = None
    scale: Scale = ints("score", 1, 5)
    samples: int = 20
    unread: str = "drop"
    prompt: Prompt = beside(__file__)
    steps_prompt: Prompt = beside(__file__, "steps")
    decode: Decode = Decode(temperature=0.0, max_tokens=16)
    steps_decode: Decode = Decode(temperature=0.0, max_tokens=1024)
    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        labels = tuple(self.scale.labels)
        steps, written = self.steps, tuple[Completion, ...]()
        if steps is None:  # no case in it: with a cache it is asked once a criterion
            ask = self.steps_prompt(case=_tongue(case), decode=self.steps_decode,
                criterion=self.criterion, labels=labels)  # fmt: skip
            made = await self.model(ask)
            if stopped := unreadable(made, self.scale):
                return stopped
            steps, written = made.text, (made,)
        form = self.prompt(
            case=case, decode=self.decode, criterion=self.criterion, steps=steps, labels=labels
        )
        reply = await self.model(replace(form, need="probs"))
        if reply.tops or reply.finish in ("refused", "rejected", "overflow"):
            verdict = label_probs(reply, self.scale, at=None)
        else:
            verdict = await self._sampled(form)
            verdict = replace(verdict, calls=(reply, *verdict.calls))
        return replace(verdict, calls=(*written, *verdict.calls))

    async def _sampled(self, form: Request) -> Verdict:
        """The mean of the scores that the model draws: in one call, and the rest one by one."""
        draw, decode = form.draw * self.samples, replace(self.decode, temperature=1.0)
        first = await self.model(replace(form, decode=decode, draw=draw, n=self.samples))
        texts = first.samples[: self.samples] or (first.text,)
        one = replace(form, decode=decode)
        rest = [replace(one, draw=draw + i) for i in range(len(texts), self.samples)]
        more = await together(self.model(request) for request in rest)
        replies = [*(replace(first, text=text) for text in texts), *more]
        parts = [self._read(reply) for reply in replies]
        lost = sum(not part.decided for part in parts)
        verdict = mean(parts, unread=self.unread).marked(samples=len(parts), unread=lost)
        return replace(verdict, calls=(first, *more))

    def _read(self, reply: Completion) -> Verdict:
        """Without its call, which several samples may share: the whole carries it."""
        return replace(last_number(reply, self.scale, _SCORE), calls=())


def _tongue(case: Case) -> Case:
    """A case of which nothing is known but its language."""
    return Case("", notes={k: v for k, v in case.notes.items() if k in ("language", "lang")})
