"""Runs with a planted truth, made with scripted models."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import evenhand
from evenhand import Case, Completion, Message, Request, Response
from evenhand.models.scripted import Scripted
from evenhand.report.summary import Summary, summarise

Answer = Callable[[Request], str | Completion | Exception]


def said(request: Request, tag: str) -> str:
    """What stands in that fence of the last message with one."""
    for message in reversed(request.messages):
        if found := re.search(rf"<{tag}[^>]*>\n(.*?)\n</{tag}", message.text, re.DOTALL):
            return found[1]
    raise AssertionError(f"no {tag} in the prompt")


def better(request: Request) -> str:
    """A content judge: the response with the larger number wins."""
    a, b = float(said(request, "response_a")), float(said(request, "response_b"))
    return "[[C]]" if a == b else "[[A]]" if a > b else "[[B]]"


def rating(request: Request) -> str:
    return f"[[{said(request, 'response')}]]"


def case(ident: str, *texts: str, systems: Sequence[str | None] = (), **fields: Any) -> Case:
    names = systems or [None] * len(texts)
    responses = tuple(Response((text,), name) for text, name in zip(texts, names, strict=True))
    return Case(ident, (Message("user", (f"prompt {ident}",)),), responses, **fields)


def summary_of(
    folder: Path, data: Any, judge: Any, answer: Answer, *, name: str = "model", **options: Any
) -> Summary:
    evenhand.judge(data, judge, Scripted(name, answer), out=folder, **options)
    return summarise(folder)
