"""One row and its plan -> the prompt, the responses, the rest of a case, and a person's label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from evenhand.data.fields import Plan
from evenhand.data.labels import pair_label
from evenhand.data.rows import Wrong
from evenhand.data.texts import (
    absent,
    answered,
    as_text,
    instead_of_text,
    is_turns,
    kind,
    media,
    messages,
    response,
    shown,
    texts,
)
from evenhand.records import Case, Message, Response, escape

Said = tuple[tuple[Message, ...], tuple[Response, ...]]


def case_of(plan: Plan, row: Mapping[str, Any], ident: str, *, folder: str) -> Case:
    """A case; media paths are from `folder`.

    Raises:
        Wrong: A value does not fit its field.
    """
    prompt, responses = _said(plan, row, folder)
    if plan.image:
        prompt = _with_images(prompt, plan, row, folder)
    return Case(
        ident,
        prompt,
        responses,
        _several(plan.reference, row) if plan.reference else (),
        _several(plan.context, row) if plan.context else (),
        _rubric(plan, row) if plan.rubric or plan.anchors else None,
        _group(plan.group, row) if plan.group else None,
        {column: row[column] for column in plan.notes} if plan.notes else {},
    )


def label_of(plan: Plan, row: Mapping[str, Any], case: Case, *, file: str, at: int) -> str | None:
    """Raises: DataError when a label beside a pair cannot be understood."""
    if plan.chosen:
        return "A"
    if plan.label is None:
        return None
    value, pair = row[plan.label], len(case.responses) == 2
    if pair and plan.label.lower() == "score":
        return None
    if pair:
        systems = [answer.system for answer in case.responses]
        return pair_label(value, plan.label, systems, file=file, row=at)
    return None if absent(value) else escape(as_text(value))


# ---- prompt and responses --------------------------------------------------------------------


def _said(plan: Plan, row: Mapping[str, Any], folder: str) -> Said:
    if not plan.prompt and not plan.responses:
        raise Wrong(
            "prompt",
            "neither a prompt nor a response; columns: " + ", ".join(map(str, plan.columns)),
            "a column of a known name, or --map prompt=COLUMN and response=COLUMN",
        )
    names, values = _values(plan, row)
    systems = _systems(plan, row, len(values))
    if plan.turns and (turns := _turns(row[plan.prompt[0]])) is not None:
        prompt = tuple(Message("user", (turn,)) for turn in turns)
        answers = zip(names, values, systems, strict=True)
        return prompt, tuple(_in_turns(v, c, system, folder) for c, v, system in answers)
    if len(values) == 2 and all(map(is_turns, values)):
        return _conversations(plan, row, systems, folder)
    prompt = _prompt(plan, row, folder)
    if not names and not plan.responses and prompt[-1].role == "assistant":
        system = _systems(plan, row, 1)[0]
        return prompt[:-1], (answered(prompt[-1:], plan.prompt[0], system),)
    return prompt, tuple(
        response(value, column, system, folder=folder)
        for column, value, system in zip(names, values, systems, strict=True)
    )


def _values(plan: Plan, row: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Any]]:
    """The column and the value of every response."""
    if plan.listed:
        (column,) = plan.responses
        value = row[column]
        if isinstance(value, list | tuple) and not is_turns(value):
            return [column] * len(value), value
    return plan.responses, [row[column] for column in plan.responses]


def _systems(plan: Plan, row: Mapping[str, Any], n: int) -> Sequence[str | None]:
    if not plan.systems:
        return (None,) * n
    found = [row[column] for column in plan.systems]
    if len(found) == 1:
        found = list(found[0]) if isinstance(found[0], list | tuple) else found * n
    if len(found) != n:
        columns = ", ".join(plan.systems)
        raise Wrong(columns, f"{len(found)} systems for {n} responses", "one system a response")
    for name in found:
        if isinstance(name, list | tuple | Mapping):
            raise Wrong(plan.systems[0], f"{kind(name)} as a system: {shown(name)}", "a name")
    return [None if absent(name) else escape(as_text(name)) for name in found]


def _prompt(plan: Plan, row: Mapping[str, Any], folder: str) -> tuple[Message, ...]:
    if not plan.prompt:
        return ()
    if len(plan.prompt) == 1:
        value = row[plan.prompt[0]]
        if plan.image:
            value = _without_placeholders(value)
        return messages(value, plan.prompt[0], folder)
    pieces = []
    for column in plan.prompt:
        if absent(row[column]):
            continue
        if not isinstance(row[column], str):
            raise Wrong(column, instead_of_text(row[column]), "text: these columns are joined")
        pieces.append(row[column])
    return (Message("user", ("\n\n".join(pieces),)),)


def _conversations(
    plan: Plan, row: Mapping[str, Any], systems: Sequence[str | None], folder: str
) -> Said:
    """Two conversations: the shared beginning is the prompt, the last turns are the responses."""
    both = [messages(row[column], column, folder) for column in plan.responses]
    shared = 0
    shortest = min(map(len, both)) - 1
    while shared < shortest and both[0][shared] == both[1][shared]:
        shared += 1
    prompt = _prompt(plan, row, folder) or both[0][:shared]
    return prompt, tuple(
        answered(turns[shared:], column, system)
        for turns, column, system in zip(both, plan.responses, systems, strict=True)
    )


# ---- turns written as JSON in a text (LMSYS) --------------------------------------------------


def _turns(value: object) -> list[str] | None:
    """The texts of a JSON list of texts; None when it is none. A null turn is an empty text."""
    if not isinstance(value, str) or not value.startswith("["):
        return None
    try:
        found = msgspec.json.decode(value, type=list[str | None])
    except (ValueError, RecursionError):
        return None
    return [turn or "" for turn in found] or None


def _in_turns(value: object, column: str, system: str | None, folder: str) -> Response:
    turns = _turns(value)
    if turns is None:
        return response(value, column, system, folder=folder)
    return Response(("\n\n".join(turns),), system, tuple(turns) if len(turns) > 1 else ())


# ---- the rest --------------------------------------------------------------------------------


def _without_placeholders(value: Any) -> Any:
    """Chat templates mark where an image of another column stands: {"type": "image"}."""
    if not is_turns(value):
        return value

    def real(part: Any) -> bool:
        given = [key for key, item in part.items() if item] if isinstance(part, Mapping) else []
        return given != ["type"]

    return [
        {**turn, "content": [part for part in turn["content"] if real(part)]}
        if isinstance(turn.get("content"), list)
        else turn
        for turn in value
    ]


def _with_images(
    prompt: tuple[Message, ...], plan: Plan, row: Mapping[str, Any], folder: str
) -> tuple[Message, ...]:
    """The images stand at the end of the last user message."""
    found = []
    for column in plan.image:
        value = row[column]
        items = value if isinstance(value, list | tuple) else (value,)
        found += [media(item, column, folder) for item in items if not absent(item)]
    if not found:
        return prompt
    asked = [i for i, message in enumerate(prompt) if message.role == "user"]
    if not asked:
        return (*prompt, Message("user", tuple(found)))
    last = prompt[asked[-1]]
    seen = replace(last, parts=(*last.parts, *found))
    return (*prompt[: asked[-1]], seen, *prompt[asked[-1] + 1 :])


def _several(columns: tuple[str, ...], row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(text for column in columns for text in texts(row[column]))


def _group(columns: tuple[str, ...], row: Mapping[str, Any]) -> str | None:
    named = [escape(as_text(row[column])) for column in columns if not absent(row[column])]
    return "/".join(named) or None


def _rubric(plan: Plan, row: Mapping[str, Any]) -> Any:
    """As it stands in one column; with score descriptions or several columns, one text."""
    found = [row[column] for column in plan.rubric if not absent(row[column])]
    anchors = [
        f"Score {score}: {as_text(row[column])}"
        for score, column in plan.anchors
        if not absent(row[column])
    ]
    if len(found) == 1 and not anchors:
        return found[0]
    pieces = [as_text(piece) for piece in found]
    return "\n".join(pieces + anchors) or None
