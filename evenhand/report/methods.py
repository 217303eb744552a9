"""The table of judging methods."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenhand.errors import Misuse
from evenhand.judges import PUBLISHED, build
from evenhand.records import Case, Completion, Judge, Request
from evenhand.report.terminal import listed, shown


@dataclass(frozen=True, slots=True)
class Method:
    name: str
    view: str
    scale: str
    calls: str
    needs: tuple[str, ...]
    paper: str
    status: str
    summary: str
    form: Mapping[str, Any]

    def json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Nobody:
    name: str = "MODEL"

    async def __call__(self, request: Request) -> Completion:
        return Completion("")


def methods(name: str | None = None) -> list[Method]:
    """All published methods, or the one of that name."""
    if name is not None and name not in PUBLISHED:
        build.find(name)  # says what there is
        raise Misuse(f"{name} is not a published method", do="list them: evenhand judges")
    return [_method(known) for known in PUBLISHED if name in (None, known)]


def _method(name: str) -> Method:
    known = PUBLISHED[name]
    judge = build.build(build.find(name), model=_Nobody(), resolve=None)
    return Method(name, judge.view, _scale(judge), known.calls, known.needs, known.paper,
        known.status, known.summary, known.form)  # fmt: skip


def _scale(judge: Judge) -> str:
    """In words; an undecided verdict has its scale too, so that of an empty reply will do."""

    async def asked() -> str:
        scale = (await judge(Case.of("", "", "", ""))).scale
        if scale.span is not None:
            return f"{scale.span[0]:g} to {scale.span[1]:g}"
        return "orders of the responses" if scale.orders else ", ".join(scale.labels)

    return asyncio.run(asked())


def methods_text(found: Sequence[Method], whole: bool) -> RenderableType:
    if whole:
        return Group(*(_page(method) for method in found))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("judge", "view", "calls", "what it does"):
        table.add_column(column, overflow="fold")
    for method in found:
        calls = method.calls if len(method.calls) <= 3 else method.calls.partition(",")[0] + "+"
        table.add_row(method.name, method.view, calls, method.summary)
    more = {"one whole": "evenhand judges NAME", "your own": "--judge FILE.py:CLASS or judge.toml"}
    return Group(table, Text(), listed(more.items(), "dim"))


def _page(method: Method) -> RenderableType:
    judge = PUBLISHED[method.name]
    lines = {
        "judge": method.name, "does": method.summary, "view": method.view, "scale": method.scale,
        "calls": f"a case: {method.calls}", "needs": ", ".join(method.needs) or "text",
        "paper": method.paper, "status": method.status,
    }  # fmt: skip
    if method.calls == "0":
        lines["needs"] = "no model"
    else:
        lines["status"] += ", own wording"
    if judge.departs:
        lines["departs"] = judge.departs
    toml = (f"{key} = {_toml(value)}" for key, value in method.form.items())
    return Group(listed(lines.items()), Text(), shown("# as judge.toml", "dim"),
        shown("\n".join(toml)))  # fmt: skip


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
