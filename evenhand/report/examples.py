"""The worked example of a judge's page: a case, what is sent, what comes back, the verdict."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from evenhand.judges import PUBLISHED, build
from evenhand.models.scripted import Scripted
from evenhand.prompts import fence
from evenhand.records import Case, Completion, Request, Response, Verdict

_PROMPT = "Why does ice float on water?"
_RESPONSES = (
    "Ice is less dense than liquid water, because its molecules form an open lattice.",
    "Ice floats because it is cold.",
    "Ice is heavier than water.",
)
_IN_VIEW = {"pointwise": 1, "pairwise": 2, "listwise": 3}
_FENCED = re.compile(r"^<([a-z_]+[\w-]*)>\n.*?\n</\1>$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """One case judged with the replies that `published.toml` gives."""

    case: Case
    calls: tuple[tuple[Request, Completion], ...]
    verdict: Verdict

    @property
    def text(self) -> str:
        """In Markdown."""
        pieces = ["The case:", _case_text(self.case)]
        known: list[str] = []
        for number, (request, reply) in enumerate(self.calls, 1):
            wording = _wording(request)
            if wording in known:
                same = known.index(wording) + 1
                told = f"Call {number} has the wording of call {same}, with other material"
                pieces.append(f"{told} inside the tags. The reply:")
            else:
                pieces += [f"Call {number}:", block(_request_text(request)), "The reply:"]
            known.append(wording)
            pieces.append(_reply_text(reply))
        return "\n\n".join([*pieces, "The verdict:", _verdict_text(self.verdict)])


def worked(name: str) -> Example | None:
    """The example of a published judge; None where no reply is given and one is needed."""
    known = PUBLISHED[name]
    if not known.example and known.calls != "0":
        return None
    calls: list[tuple[Request, Completion]] = []

    def answer(request: Request) -> Completion:
        text = known.example[min(len(calls), len(known.example) - 1)]
        before = sum(bool(reply.tops) for _, reply in calls)
        asked = known.example_probs if request.need != "text" else ()
        tops = [{token: math.log(p) for token, p in one.items()} for one in asked]
        calls.append((request, Completion(text, tuple(tops[: before + 1][-1:]))))
        return calls[-1][1]

    judge = build.build(build.find(name), model=Scripted("example", answer), resolve=None)
    case = _case(judge.view, known.example_case)
    verdict = asyncio.run(judge(case))
    return Example(case, tuple(calls), verdict)


def _case(view: str, given: Mapping[str, Any]) -> Case:
    fields: dict[str, Any] = {
        key: tuple(value) if key in ("reference", "context") else value
        for key, value in given.items()
    }
    texts, prompt = fields.pop("responses", _RESPONSES), fields.pop("prompt", _PROMPT)
    known = fields.pop("response_notes", [{}] * len(texts))
    shown = list(zip(texts, known, strict=True))[: _IN_VIEW[view]]
    responses = tuple(Response((text,), notes=notes) for text, notes in shown)
    return replace(Case.of("example", prompt, **fields), responses=responses)


def block(text: str, language: str = "text") -> str:
    """A code block whose fence does not occur in the text.

    Example:
        >>> block("a ``` b").splitlines()[0]
        '````text'
    """
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _case_text(case: Case) -> str:
    lines = [fence(case.prompt, "prompt")]
    names = ["response"] if len(case.responses) == 1 else ["response_a", "response_b", "response_c"]
    for name, one in zip(names, case.responses, strict=False):
        lines.append(fence(one, name))
        lines += [f"{name}, {what}: {_known(value)}" for what, value in one.notes.items()]
    material = {"reference": case.reference, "context": case.context, "rubric": case.rubric}
    lines += [fence(_known(value), name) for name, value in material.items() if value]
    notes = {"group": case.group, **case.notes}
    lines += [f"{name}: {_known(value)}" for name, value in notes.items() if value]
    return block("\n".join(lines))


def _known(value: Any) -> str:
    if isinstance(value, tuple):
        return "\n".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _wording(request: Request) -> str:
    """What is said outside of tags."""
    return _FENCED.sub("", _request_text(request))


def _request_text(request: Request) -> str:
    return "\n\n".join(f"# {message.role}\n{message.text}" for message in request.messages)


def _reply_text(reply: Completion) -> str:
    if not reply.tops:
        return block(reply.text)
    probs = (f"`{token}` {math.exp(p):.2g}" for token, p in reply.tops[0].items())
    return f"{block(reply.text)}\n\nIts first token's probabilities: {', '.join(probs)}."


def _verdict_text(verdict: Verdict) -> str:
    lines = [f"- {_told(verdict)}"]
    lines += [f"  - part {number}: {_told(part)}" for number, part in enumerate(verdict.parts, 1)]
    return "\n".join(lines)


def _told(verdict: Verdict) -> str:
    if not verdict.decided:
        return f"undecided: {verdict.reason}"
    told = f"label `{verdict.label}`"
    if verdict.scores:
        numbers = ", ".join(f"{score:.3g}" for score in verdict.scores)
        told += f", {'score' if len(verdict.scores) == 1 else 'scores'} {numbers}"
    probs = {label: p for label, p in verdict.probs.items() if p}
    if len(probs) > 1:
        told += f", probabilities {', '.join(f'`{label}` {p:.3g}' for label, p in probs.items())}"
    marks = [f"{name} {_mark(value)}" for name, value in verdict.marks.items()]
    return f"{told} ({'; '.join(marks)})" if marks else told


def _mark(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else text[:99] + "…"
