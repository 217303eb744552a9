"""A model that is a function: for tests, demonstrations and models of your own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from evenhand.records import Completion, Request


@dataclass(frozen=True, slots=True)
class Scripted:
    """Answers with what `answer` returns; an exception that it returns is raised.

    The name is its identity: two scripts that answer differently need two names.

    Example:
        >>> import asyncio
        >>> from evenhand.records import Message
        >>> model = Scripted("echo", lambda request: request.messages[-1].text)
        >>> asyncio.run(model(Request((Message("user", ("4",)),)))).text
        '4'
    """

    name: str
    answer: Callable[[Request], str | Completion | Exception] = field(compare=False)

    async def __call__(self, request: Request, /) -> Completion:
        given = self.answer(request)
        if isinstance(given, Exception):
            raise given
        if isinstance(given, Completion):
            return given
        return Completion(text=given, usd=0.0, served=self.name)
