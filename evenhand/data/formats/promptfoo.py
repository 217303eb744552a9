"""promptfoo's output.json: each assertion of a test is a judge, named by its metric or its type.

Fields are those of the tool's documentation; a file was not read.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import Told, answer, each, form_card, inside, json_lines, part, scaled
from evenhand.data.reading import case_row, once, whole
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import as_text, kind, shown
from evenhand.records import Verdict

COLUMNS = ("provider", "gradingResult", "vars")

CARD = form_card(
    "promptfoo",
    "promptfoo: output.json and .jsonl of `eval --output`",
    source="github.com/promptfoo/promptfoo",
    revision="documentation of 2026",
    view="pointwise",
)


def listed(path: Path) -> Iterator[Any]:
    if path.suffix == ".jsonl":
        yield from json_lines(path)
        return
    held = inside(path, whole(path), "results", source=CARD.source)
    yield from held if isinstance(held, list) else inside(path, held, "results", source=CARD.source)


def system(raw: Any) -> str:
    who = raw.get("provider")
    return str(part(who, "label") or part(who, "id") or who)


def ident(raw: Any, at: int) -> str:
    place = raw.get("promptIdx", 0), raw.get("testIdx", at)
    return f"{system(raw)}/prompt {place[0]}/test {place[1]}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Iterator[Row]:
        prompt, answered = part(raw, "prompt", "raw"), part(raw, "response", "output")
        known = raw.get("vars")
        yield case_row(
            ident(raw, at), as_text(prompt or known or ""), [as_text(answered or "")], label=None,
            at=at, cluster=str(raw.get("testIdx", at)), systems=[system(raw)],
            notes=known if isinstance(known, dict) else {},
        )  # fmt: skip

    yield from once(each(files, listed, make, columns=COLUMNS))


def graded(raw: Any, at: int) -> Iterator[Told]:
    """A test without assertions of its own is graded as a whole."""
    whole_ = raw.get("gradingResult")
    if not isinstance(whole_, dict | None):
        raise Wrong("gradingResult", f"{kind(whole_)}: {shown(whole_)}", "an object")
    names = dict[str, int]()
    for one in (part(whole_, "componentResults") or [whole_]) if whole_ else []:
        about = part(one, "assertion") or {}
        name = str(about.get("metric") or about.get("type") or "promptfoo")
        names[name] = names.get(name, 0) + 1
        judge = name if names[name] == 1 else f"{name} {names[name]}"
        score = part(one, "score")
        value = answer(part(one, "pass") if score is None else score)
        yield ident(raw, at), judge, value, part(one, "reason")


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    return scaled(lambda: each(files, listed, graded, columns=COLUMNS))


BENCH = Bench(CARD, cases, recorded=recorded)
