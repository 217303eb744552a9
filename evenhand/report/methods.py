"""The table of judging methods, and what each one asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenhand.errors import Misuse
from evenhand.identity import is_model
from evenhand.judges import PUBLISHED, build
from evenhand.prompts import Prompt
from evenhand.records import Case, Completion, Judge, Request, Scale, Verdict
from evenhand.report.terminal import listed, shown, visible

STATUS = {
    "from code": "what the authors' code does",
    "from paper": "what the paper describes",
    "reconstructed": "parts of the method are not public or could not be checked; they are ours",
    "own": "ours, after no paper",
}
ENGLISH = "en"


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
class Nobody:
    """Stands where `--model` will."""

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
    known, judge = PUBLISHED[name], unasked(name)
    return Method(name, judge.view, _scale(judge), known.calls, known.needs, known.paper,
        known.status, known.summary, known.form)  # fmt: skip


def unasked(name: str) -> Judge:
    """The published judge, with a model that answers nothing."""
    return build.build(build.find(name), model=Nobody(), resolve=None)


def prompts_in(judge: Any) -> dict[str, Prompt]:
    """Field -> prompt; by its path from the outermost judge where two fields share a name."""
    found = dict(_prompts(judge, ""))
    names = [path.rpartition(".")[2] for path in found]
    return {
        path if names.count(name) > 1 else name: prompt
        for (path, prompt), name in zip(found.items(), names, strict=True)
    }


def _prompts(thing: Any, at: str) -> Iterator[tuple[str, Prompt]]:
    if isinstance(thing, Prompt):
        yield at, thing
    elif isinstance(thing, tuple):
        for place, one in enumerate(thing):
            yield from _prompts(one, f"{at}.{place}")
    elif is_dataclass(thing) and not is_model(thing):
        for each in fields(thing):
            path = f"{at}.{each.name}" if at else each.name
            yield from _prompts(getattr(thing, each.name), path)


def prompts(name: str | None) -> dict[str, Any]:
    """{name, prompts: {field: {language: text}}} of a published judge.

    Raises:
        Misuse: No name, an unknown one, or that of a judge that asks no model.
    """
    if name is None:
        raise Misuse("--prompt shows the prompt of one judge", do="evenhand judges NAME --prompt")
    judge = unasked(methods(name)[0].name)
    found = {
        field: {ENGLISH: prompt.text, **prompt.languages}
        for field, prompt in prompts_in(judge).items()
    }
    if not found:
        raise Misuse(f"{name} has no prompt: it asks no model", do=f"evenhand judges {name}")
    return {"name": name, "prompts": found}


def prompts_text(found: Mapping[str, Any]) -> RenderableType:
    """One prompt as it is, ready for --template; several under their fields' names."""
    texts = {field: str(text[ENGLISH]).strip() for field, text in found["prompts"].items()}
    if len(texts) > 1:
        texts = {field: f"---- {field} ----\n{text}\n" for field, text in texts.items()}
    return Text(visible("\n".join(texts.values())), overflow="ignore", no_wrap=True)


def _scale(judge: Judge) -> str:
    """An undecided verdict has its scale too, so that of an empty reply will do."""
    return scale_text(asyncio.run(_empty(judge)).scale) or next(_scales_inside(judge), "")


async def _empty(judge: Judge) -> Verdict:
    return await judge(Case.of("", "", "", ""))


def _scales_inside(thing: Any) -> Iterator[str]:
    """Of the judges inside: a text made beforehand that never came has no scale."""
    if isinstance(thing, tuple):
        for one in thing:
            yield from _scales_inside(one)
    elif is_dataclass(thing) and hasattr(thing, "view"):
        own = getattr(thing, "scale", getattr(thing, "answers", None))
        if isinstance(own, Scale):
            yield scale_text(own)
        for each in fields(thing):
            yield from _scales_inside(getattr(thing, each.name))


def scale_text(scale: Scale) -> str:
    """In words; "" for a scale without labels."""
    if scale.span is not None:
        return f"{scale.span[0]:g} to {scale.span[1]:g}"
    return "orders of the responses" if scale.orders else ", ".join(scale.labels)


def methods_text(found: Sequence[Method], whole: bool) -> RenderableType:
    if whole:
        return Group(*(_page(method) for method in found))
    parts: list[RenderableType] = []
    for view in ("pointwise", "pairwise", "listwise"):
        parts += [_table(view, [method for method in found if method.view == view]), Text()]
    end = {
        "calls": "a case; … more, as the page of the method says",
        "status": "what was followed; the wording is ours everywhere",
        "one whole": "evenhand judges NAME",
        "your own": "--judge FILE.py:CLASS or judge.toml",
    }
    return Group(*parts, listed(end.items(), "dim"))


def _table(view: str, found: Sequence[Method]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in (view, "scale", "calls", "needs", "status", "paper"):
        table.add_column(column, overflow="fold", no_wrap=column == view)
    for method in found:
        calls, _, more = method.calls.partition(" ")
        table.add_row(method.name, method.scale, f"{calls.rstrip(',')} …" if more else calls,
            ", ".join(method.needs), method.status.removeprefix("from "),
            method.paper.partition(",")[0].replace(" et al.", ""))  # fmt: skip
    return table


def _page(method: Method) -> RenderableType:
    judge = PUBLISHED[method.name]
    lines = {
        "judge": method.name, "does": method.summary, "view": method.view, "scale": method.scale,
        "calls": f"a case: {method.calls}", "needs": needs(method), "paper": method.paper,
        "status": status(method),
    }  # fmt: skip
    if judge.departs:
        lines["departs"] = judge.departs
    if spoken := languages(prompts_in(unasked(method.name)).values()):
        lines["prompt"] = f"in {', '.join(spoken)}; shown with --prompt"
    return Group(listed(lines.items()), Text(), shown("# as judge.toml", "dim"),
        shown(as_toml(method.form)))  # fmt: skip


def needs(method: Method) -> str:
    return "no model" if method.calls == "0" else ", ".join(method.needs) or "text"


def status(method: Method) -> str:
    wording = "" if method.calls == "0" else ", own wording"
    told = f" ({STATUS[method.status]})" if method.status == "reconstructed" else ""
    return f"{method.status}{wording}{told}"


def languages(found: Iterable[Prompt]) -> list[str]:
    """In which all of the prompts stand; none where there is no prompt."""
    each = [{ENGLISH, *prompt.languages} for prompt in found]
    rest = sorted(set.intersection(*each) - {ENGLISH}) if each else []
    return [ENGLISH, *rest] if each else []


def as_toml(form: Mapping[str, Any]) -> str:
    """A plain form as the text of a judge.toml."""
    return "\n".join(f"{key} = {_toml(value)}" for key, value in form.items())


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
