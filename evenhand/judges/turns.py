"""One verdict a turn of a conversation.

Paper: Zheng et al. 2023, "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena", section 3.1.
    arXiv:2306.05685. Each turn is rated with the conversation before it in view, and the mean over
    the turns is the whole; the authors' code also reports the turns apart. References are shown on
    every turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from evenhand.judges.combine import together
from evenhand.pools import PoolName, pool
from evenhand.records import Case, Judge, Message, Response, Verdict, View


@dataclass(frozen=True, slots=True)
class ByTurn:
    """Ask once per answer of the conversation; parts are marked with their turn, from 1.

    The answers are the assistant's messages in the prompt and the response; or, where the prompt
    is the user's side of several turns, the response's steps.
    """

    judge: Judge
    pool: PoolName = "mean"
    unread: str = "stop"

    def __post_init__(self) -> None:
        if self.judge.view != "pointwise":
            raise ValueError(f"one turn at a time needs a pointwise judge: {self.judge.view}")

    @property
    def view(self) -> View:
        return "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        parts = await together([self.judge(turn) for turn in _turns(case)])
        marked = [part.marked(turn=turn) for turn, part in enumerate(parts, 1)]
        return pool(self.pool, marked, unread=self.unread)


def _turns(case: Case) -> list[Case]:
    """A case for every answer, with what was said before it as its prompt."""
    talk, last = _talk(case)
    answers = [i for i, said in enumerate(talk) if said.role == "assistant"]
    earlier = [(talk[:i], replace(last, parts=talk[i].parts, steps=())) for i in answers]
    return [replace(case, prompt=p, responses=(r,)) for p, r in [*earlier, (talk, last)]]


def _talk(case: Case) -> tuple[tuple[Message, ...], Response]:
    """The conversation up to its last answer, and that answer."""
    response, asked = case.responses[0], sum(said.role == "user" for said in case.prompt)
    steps = response.steps
    if len(steps) == asked - 1:
        steps = (*steps, response.text)
    alone = all(said.role != "assistant" for said in case.prompt)
    if asked < 2 or len(steps) != asked or not alone:
        return case.prompt, response
    talk, answers = list[Message](), iter(steps)
    for said in case.prompt:
        if said.role == "user" and any(before.role == "user" for before in talk):
            talk.append(Message("assistant", (next(answers),)))
        talk.append(said)
    return tuple(talk), replace(response, parts=(next(answers),), steps=())
