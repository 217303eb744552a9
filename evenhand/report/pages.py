"""Pages of the documentation that are made from the code: judges, papers, what is covered.

`python -m evenhand.report.pages docs` writes them; a test compares them with what stands there.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from evenhand.judges import PUBLISHED
from evenhand.prompts import Prompt
from evenhand.records import Decode, Judge, Scale
from evenhand.report.coverage import coverage
from evenhand.report.examples import block, worked
from evenhand.report.methods import (
    STATUS,
    Method,
    Nobody,
    as_toml,
    languages,
    methods,
    needs,
    prompts_in,
    scale_text,
    unasked,
)
from evenhand.report.papers import citations, followed, paragraphs
from evenhand.report.tables import table

COMMAND = "python -m evenhand.report.pages docs"
MADE = f"<!-- made from the code by: {COMMAND} -->"
_SPOKEN = {
    "en": "English", "ar": "Arabic", "de": "German", "es": "Spanish", "fr": "French",
    "ja": "Japanese", "ko": "Korean", "ru": "Russian", "zh": "Chinese",
}  # fmt: skip


def pages() -> dict[str, str]:
    """Path inside the folder of the documentation -> text."""
    found = methods()
    made = {f"judges/{method.name}.md": _judge_page(method) for method in found}
    made |= {"judges/README.md": _index(found), "papers.md": _papers(), "coverage.md": coverage()}
    return {path: f"{MADE}\n{text.strip()}\n" for path, text in made.items()}


def stale(folder: Path) -> list[Path]:
    """Pages of judges that are gone."""
    made = pages()
    return [
        path
        for path in sorted(folder.rglob("*.md"))
        if path.relative_to(folder).as_posix() not in made
        and path.read_text(encoding="utf-8").startswith(MADE)
    ]


def write(folder: Path) -> int:
    """Writes every page, takes those of judges that are gone away, and says how many it wrote."""
    made = pages()
    for path, text in made.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for gone in stale(folder):
        gone.unlink()
    return len(made)


# ---- one judge -------------------------------------------------------------------------------


def _judge_page(method: Method) -> str:
    judge = unasked(method.name)
    pieces = [f"# {method.name}", method.summary, _facts(method, judge), _status(method)]
    pieces += [*_origin(method), *_settings(judge)]
    pieces += ["## As judge.toml", block(as_toml(method.form), "toml")]
    pieces += [*_prompts(prompts_in(judge)), *_example(method.name), *_bibtex(method)]
    return "\n\n".join(pieces)


def _facts(method: Method, judge: Judge) -> str:
    rows = {
        "view": method.view,
        "scale": method.scale,
        "calls a case": method.calls,
        "needs": needs(method),
        "status": method.status,
    }
    if spoken := languages(prompts_in(judge).values()):
        rows["prompt in"] = _spoken(spoken)
    return table(("", ""), rows.items())


def _status(method: Method) -> str:
    told = f"Status *{method.status}*: {STATUS[method.status]}."
    if method.calls == "0":
        return told
    return f"{told} Own wording: the prompts are ours, so it is the same method, not the same \
instrument."


def _origin(method: Method) -> Iterator[str]:
    if method.paper == "own":
        return
    yield "## Where it is from"
    cited = citations(method.paper)
    where = f" Followed: {cited[0].where}." if cited and cited[0].where else ""
    yield (cited[0].cited if cited else method.paper) + where
    if departs := PUBLISHED[method.name].departs:
        yield f"What is different here: {departs}."


def _prompts(found: Mapping[str, Prompt]) -> Iterator[str]:
    if found:
        yield "## Prompt" if len(found) == 1 else "## Prompts"
    for name, prompt in found.items():
        if len(found) > 1:
            yield f"### {name}"
        yield block(prompt.text.strip(), "markdown")
        if prompt.languages:
            yield f"Also in {_spoken(prompt.languages)}: a case's note `language` chooses."


def _spoken(codes: Iterable[str]) -> str:
    return ", ".join(sorted(f"{_SPOKEN.get(code, code)} (`{code}`)" for code in codes))


def _example(name: str) -> Iterator[str]:
    if found := worked(name):
        yield "## A worked example"
        yield found.text


def _bibtex(method: Method) -> Iterator[str]:
    if cited := citations(method.paper):
        yield "## BibTeX"
        yield "Names as the package cites them: family names, *others* for the rest."
        yield block(cited[0].bibtex(), "bibtex")


# ---- settings --------------------------------------------------------------------------------


def _settings(judge: Judge) -> Iterator[str]:
    yield "## Settings"
    yield "`--set FIELD=VALUE` changes one. [How judges are nested](../judges.md)."
    seen: list[str] = []
    for thing in _nested(judge):
        title = type(thing).__name__
        if title not in seen:
            seen.append(title)
            yield f"### {title}\n\n{_first_line(type(thing))}\n\n{_fields(thing)}"


def _nested(thing: Any) -> Iterator[Any]:
    """The judges inside, and what else is called, wrapped models too; the outermost first."""
    if isinstance(thing, tuple):
        for one in thing:
            yield from _nested(one)
    elif is_dataclass(thing) and callable(thing) and not isinstance(thing, Nobody | Prompt):
        yield thing
        for each in fields(thing):
            yield from _nested(getattr(thing, each.name))


def _fields(thing: Any) -> str:
    meanings = _meanings(type(thing))
    rows = ((f"`{each.name}`", _value(thing, each), meanings.get(each.name, ""))
        for each in fields(thing) if each.init)  # fmt: skip
    return table(("field", "value", "meaning"), rows)


def _value(thing: Any, each: Field[Any]) -> str:
    value = getattr(thing, each.name)
    default = each.default
    if default is MISSING and each.default_factory is not MISSING:
        default = each.default_factory()
    told = _told(value)
    return told if default is MISSING or default == value else f"{told} (else {_told(default)})"


def _told(value: Any) -> str:
    if isinstance(value, Prompt):
        return "the prompt below"
    if isinstance(value, Scale):
        return f"{value.name}: {scale_text(value)}"
    if isinstance(value, Decode):
        given = {each.name: getattr(value, each.name) for each in fields(value)}
        return ", ".join(f"{name} {v}" for name, v in given.items() if v not in (None, ()))
    if isinstance(value, Nobody):
        return "`--model`"
    if is_dataclass(value):
        return f"`{type(value).__name__}`"
    if isinstance(value, tuple) and value and all(is_dataclass(one) for one in value):
        return ", ".join(map(_told, value))
    if value is None:
        return "none"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"`{text}`" if len(text) <= 200 else f"`{text[:199]}…`"


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")


def _meanings(cls: type) -> dict[str, str]:
    """Attribute -> what the docstring says of it."""
    section = re.search(r"^Attributes:\n(.*?)(?=^\S|\Z)", inspect.getdoc(cls) or "", re.S | re.M)
    if section is None:
        return {}
    found = re.findall(r"^ {4}(\w+): (.*?)(?=^ {4}\S|\Z)", section[1], re.S | re.M)
    return {name: " ".join(said.split()) for name, said in found}


# ---- pages of several --------------------------------------------------------------------------


def _index(found: list[Method]) -> str:
    rows = ((f"[{m.name}]({m.name}.md)", m.view, m.scale, m.calls, needs(m), _short(m), m.status)
        for m in found)  # fmt: skip
    head = ("judge", "view", "scale", "calls a case", "needs", "paper", "status")
    told = "\n".join(f"- *{status}*: {meaning}." for status, meaning in STATUS.items())
    return "\n\n".join([
        "# Published judges",
        "`evenhand judge DATA --judge NAME --model MODEL` runs one, its order rule included. "
        "`evenhand judges NAME` prints what its page says, and with `--prompt` its prompt. "
        "[Writing one](../judges.md) takes one file; [the papers](../papers.md) stand on one page.",
        table(head, rows),
        f"Status, which says what was followed; the wording of prompts is always ours:\n\n{told}",
    ])  # fmt: skip


def _short(method: Method) -> str:
    cited = citations(method.paper)
    if not cited:
        return method.paper
    return f"{cited[0].authors} {cited[0].year}, [{cited[0].ident}]({cited[0].address})"


def _papers() -> str:
    cites = [
        (f"[`{name}`](judges/{name}.md)", known.cites)
        for name, known in PUBLISHED.items()
        if known.cites
    ]
    modules = [(f"[`{path}`](../evenhand/{path})", text) for path, text in paragraphs()]
    lines = (f"- {paper.cited} {'; '.join(by)}" for paper, by in followed([*modules, *cites]))
    return "\n\n".join([
        "# Papers",
        "Each paper whose method is followed, and where in the package; brackets name the part. "
        "How a module departs from its paper is said in its docstring and on the judge's page.",
        "\n".join(lines),
    ])  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"one folder is expected: {COMMAND}")
    print(f"{write(Path(sys.argv[1]))} pages written")
