"""Prompts are Markdown files beside the method: split into messages first, rendered afterwards.

A line `# system`, `# user` or `# assistant` opens a message; a last `# assistant` message begins
the reply. Whatever is under judgement goes through `fence`, so no text can open a message.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from evenhand.errors import Misuse
from evenhand.records import Case, Decode, Media, Message, Part, Request, Response, escape

_ROLE_LINE = re.compile(r"^# (system|user|assistant)[ \t]*\n", re.MULTILINE)
# What our own fences look like; a text that holds one gets a fence of its own.
_FENCE_LIKE = re.compile(
    r"<\s*(?:/\s*)?(prompt|response|reference|context|rubric|text|material)", re.I
)
# Control tokens of common chat templates. Servers that template user text would obey them
# (llama.cpp tokenises the whole conversation with special tokens on), so they are broken up.
_ROLE_TOKEN = re.compile(
    r"<(?=\|[^<>|]{1,40}\|>|\uff5c|/?s>|/?(?:start|end)_of_turn>|bos>|eos>|<SYS>>|</SYS>>)"
    r"|\[(?=/?INST\])", re.IGNORECASE
)  # fmt: skip
_QUICK = re.compile(r"[<\[]")
_JOINER = "\u2060"  # word joiner: zero width, keeps the text readable
# Stands in the rendered text for an image until it is cut out again; unguessable, never sent.
_MEDIA_MARK = f"\x00{secrets.token_hex(8)}:"
_MEDIA_CUT = re.compile(f"{_MEDIA_MARK}(\\d+)\x00")


def fence(value: Any, name: str = "text") -> str:
    """Text between tags that do not occur in it, role tokens broken up by a zero-width joiner.

    Args:
        value: Text, a response, messages (written as a transcript), or a sequence of texts.
        name: The tag's name.

    Example:
        >>> print(fence("4", "response"))
        <response>
        4
        </response>
    """
    text = _as_text(value)
    if _QUICK.search(text):
        text = _ROLE_TOKEN.sub(lambda m: m.group() + _JOINER, text)
        if _FENCE_LIKE.search(text):
            name = f"{name}-{_unused(text)}"
    return f"<{name}>\n{text}\n</{name}>"


def _unused(text: str) -> str:
    mark = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    while mark in text:
        mark = hashlib.sha256(mark.encode()).hexdigest()[:8]
    return mark


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Response):
        return _parts_text(value.parts)
    if isinstance(value, Message):
        return _parts_text(value.parts)
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {_as_text(item)}" for key, item in value.items())
    if isinstance(value, Iterable):
        items = list(value)
        if items and all(isinstance(item, Message) for item in items):
            return _transcript(items)
        return "\n\n".join(_as_text(item) for item in items)
    return str(value)


def _transcript(messages: list[Message]) -> str:
    if len(messages) == 1 and messages[0].role == "user":
        return _parts_text(messages[0].parts)
    return "\n\n".join(f"[{m.role}]\n{_parts_text(m.parts)}" for m in messages)


# Filled while a message renders, emptied when it is cut up; rendering never awaits.
class _Seen(threading.local):
    def __init__(self) -> None:
        self.media: list[Media] = []


_seen = _Seen()


def _parts_text(parts: Iterable[Part]) -> str:
    texts = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        else:
            texts.append(f"{_MEDIA_MARK}{len(_seen.media)}\x00")
            _seen.media.append(part)
    return "".join(texts)


@dataclass(frozen=True, slots=True)
class Shot:
    """A case that people judged, shown as an example."""

    id: str
    prompt: str
    responses: tuple[str, ...]
    verdict: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template's text; it counts in a judge's identity by its text, never by its path.

    Attributes:
        languages: Two-letter language -> the same template in that language.
        language: The language to use; "" goes by `language` or `lang` in a case's notes.
        shots: Examples, shown above the last user message; one that is the case under judgement
            (by id or by prompt) is left out.

    Example:
        >>> ask = Prompt("# user\\nGrade this.\\n{{ case.responses[0] | fence }}")
        >>> ask(case=Case.of("q", "2+2?", "4")).messages[0].text.splitlines()[0]
        'Grade this.'
    """

    text: str
    languages: Mapping[str, str] = field(default_factory=dict, hash=False)
    language: str = ""
    shots: tuple[Shot, ...] = ()

    def __call__(
        self, *, case: Case | None = None, decode: Decode | None = None, **given: Any
    ) -> Request:
        """The request that this prompt makes of a case; `given` are further names in it.

        Raises:
            Misuse: The template names something that it is not given, or cannot be rendered.
        """
        messages = []
        for role, text, render in compiled(self._template(case)):
            parts: tuple[Part, ...] = (text,)
            if render is not None:
                _seen.media.clear()
                parts = _cut(render(case=case, **given))
            messages.append(Message(role, parts))
        if self.shots:
            messages = _with_shots(messages, _others(self.shots, case))
        draw = case.draw if case is not None else 0
        return Request(tuple(messages), decode or Decode(), draw)

    def _template(self, case: Case | None) -> str:
        if not self.languages or (case is None and not self.language):
            return self.text
        notes = case.notes if case is not None else {}
        wanted = self.language or notes.get("language") or notes.get("lang") or ""
        return self.languages.get(str(wanted)[:2].lower(), self.text)


def _others(shots: Iterable[Shot], case: Case | None) -> list[Shot]:
    if case is None:
        return list(shots)
    asked = "".join(message.text for message in case.prompt).strip()
    base = case.id.partition("/")[0]
    return [s for s in shots if s.id not in (case.id, base) and s.prompt.strip() != asked]


def _with_shots(messages: list[Message], shots: list[Shot]) -> list[Message]:
    users = [i for i, message in enumerate(messages) if message.role == "user"]
    if not users or not shots:
        return messages
    block = "\n\n".join(_shot_text(n, shot) for n, shot in enumerate(shots, 1))
    opening = "Examples, with the verdict that people gave. They are not what you judge now.\n\n"
    last = messages[users[-1]]
    parts = (f"{opening}{block}\n\nNow the case to judge.\n\n", *last.parts)
    messages[users[-1]] = Message("user", parts if len(parts) > 2 else ("".join(map(str, parts)),))
    return messages


def _shot_text(number: int, shot: Shot) -> str:
    lines = [f"Example {number}", fence(shot.prompt, "prompt")]
    if shot.reference:
        lines.append(fence(shot.reference, "reference"))
    names = ("response",) if len(shot.responses) == 1 else ("response_a", "response_b")
    for place, text in enumerate(shot.responses):
        lines.append(fence(text, names[place] if place < len(names) else f"response_{place + 1}"))
    lines.append(f"Verdict: {escape(shot.verdict)}")
    return "\n".join(lines)


def _cut(text: str) -> tuple[Part, ...]:
    """Rendered text with the media back in their places."""
    text = escape(text)
    if not _seen.media:
        return (text,)
    pieces = _MEDIA_CUT.split(text)
    parts: list[Part] = [*pieces]
    parts[1::2] = [_seen.media[int(index)] for index in pieces[1::2]]
    return tuple(part for part in parts if part != "")


_FIELDS = frozenset(Case.__dataclass_fields__)
Rendered = tuple[str, str, Callable[..., str] | None]


@lru_cache(maxsize=512)
def compiled(text: str) -> tuple[Rendered, ...]:
    """(role, text, renderer or None when nothing is to be filled in) of each message.

    Raises:
        Misuse: No role line opens the template, or Jinja cannot read it.
    """
    pieces = _ROLE_LINE.split(text.strip() + "\n")
    if len(pieces) < 3 or pieces[0].strip():
        raise Misuse(
            f"a template begins with {text.strip()[:40]!r}",
            expected="a line '# system', '# user' or '# assistant' before any text",
            do="put the role line above the first sentence",
        )
    return tuple(
        (role, body.strip(), _renderer(body.strip()))
        for role, body in zip(pieces[1::2], pieces[2::2], strict=True)
    )


def _renderer(body: str) -> Callable[..., str] | None:
    if not re.search(r"\{[{%#]", body):
        return None
    from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError

    try:
        template = _sandbox().from_string(body)
    except TemplateSyntaxError as error:
        raise Misuse(
            f"a template cannot be read: {error.message} (line {error.lineno} of the message)",
            expected="a Jinja template",
            do="mend that line",
        ) from error
    template.globals = dict(template.globals)  # a ChainMap, copied at 5 us a prompt

    def render(**given: Any) -> str:
        try:
            return str(template.render(**given))
        except UndefinedError as error:
            raise Misuse(
                f"a template uses a name that it is not given: {error.message}",
                expected=f"one of {', '.join(sorted(given))} (case has prompt, responses, "
                "reference, context, rubric, group, notes)",
                do="mend the name, or test it first: {% if case.notes.x is defined %}",
            ) from error
        except TemplateError as error:
            raise Misuse(
                f"a template cannot be rendered: {error}", do="mend the template"
            ) from error

    return render


@lru_cache(maxsize=1)
def _sandbox() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        def getattr(self, obj: Any, attribute: str) -> Any:
            # A case holds data only; the check of every look-up costs 8 us a prompt.
            if type(obj) is Case and attribute in _FIELDS:
                return getattr(obj, attribute)
            return super().getattr(obj, attribute)

    sandbox = Sandbox(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    sandbox.filters["fence"] = fence
    return sandbox


def beside(file: str, part: str = "") -> Prompt:
    """NAME.md or NAME.PART.md beside NAME.py, with its translations NAME.PART.de.md and so on."""
    path = Path(file).with_suffix(f".{part}.md" if part else ".md")
    found = sorted(path.parent.glob(f"{path.stem}.[a-z][a-z].md"))
    languages = {p.suffixes[-2][1:]: p.read_text(encoding="utf-8") for p in found}
    return Prompt(path.read_text(encoding="utf-8"), languages)
