"""The table of judging methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenhand.errors import Misuse
from evenhand.judges import PUBLISHED, build
from evenhand.records import Completion, Request, Scale


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
        raise NotImplementedError


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


def _scale(judge: Any) -> str:
    """The innermost judge's scale in words."""
    while (inner := getattr(judge, "judge", None)) is not None:
        judge = inner
    scale = getattr(judge, "scale", None) or getattr(type(judge), "answers", None)
    if not isinstance(scale, Scale):
        return ""
    if scale.span is not None:
        return f"{scale.span[0]:g} to {scale.span[1]:g}"
    return " ".join(scale.labels)


def methods_text(found: Sequence[Method], *, whole: bool) -> RenderableType:
    if whole:
        return Group(*(_page(method) for method in found))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("judge", "view", "calls", "what it does"):
        table.add_column(column, overflow="fold")
    for method in found:
        calls = method.calls if len(method.calls) <= 3 else method.calls.partition(",")[0] + "+"
        table.add_row(method.name, method.view, calls, method.summary)
    end = "scale, paper, status of one: evenhand judges NAME · your own: FILE.py:CLASS, judge.toml"
    return Group(table, Text(end, style="dim"))


def _page(method: Method) -> RenderableType:
    lines = {
        "judge": method.name, "does": method.summary, "view": method.view, "scale": method.scale,
        "calls": f"{method.calls} a case", "needs": ", ".join(method.needs) or "text",
        "paper": method.paper, "status": f"{method.status}, own wording", "form": str(method.form),
    }  # fmt: skip
    return Text("\n".join(f"{name:<7} {value}" for name, value in lines.items()))
