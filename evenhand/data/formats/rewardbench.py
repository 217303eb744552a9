"""RewardBench's scores: one row a pair, or one JSON object of columns; the first is the chosen one.

Columns are those that the source's scripts write; a file of scores was not read. Which response
stands first in ours is drawn from the id.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Files, Metric
from evenhand.data.foreign import ROWS, because, each, form_card, inside
from evenhand.data.reading import case_row, number, once, rows, said, sided, text, whole
from evenhand.data.rows import Bad, Row
from evenhand.data.texts import absent
from evenhand.records import Verdict

COLUMNS = ("id", "subset", "results")
SCORES = ("scores_chosen", "scores_rejected")

CARD = form_card(
    "rewardbench",
    "RewardBench: scores of chosen and rejected responses",
    source="github.com/allenai/reward-bench",
    revision="05a9005efb607249822c193590c8ecab87c77052",
    view="pairwise",
    gold="constructed",
    metric=Metric("accuracy", ties="half"),
)


def listed(files: Files, path: Path) -> Iterator[Any]:
    if path.suffix != ".json":
        yield from (found for _, found in rows(Files(files.card, {ROWS: (path,)}), ROWS))
        return
    held = whole(path)
    if isinstance(held, list):
        yield from held
        return
    model = held.get("model") if isinstance(held, dict) else None
    for column in COLUMNS:
        inside(path, held, column, source=CARD.source)
    named = {name: column for name, column in held.items() if isinstance(column, list)}
    for values in zip(*named.values(), strict=True):
        yield {"model": model, **dict(zip(named, values, strict=True))}


def ident(raw: Any) -> str:
    return f"{text(raw, 'subset')}/{text(raw, 'id')}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Iterator[Row]:
        both = [str(raw.get(f"text_{side}") or "") for side in ("chosen", "rejected")]
        responses, label = sided(ident(raw), *both)
        prompt = str(raw.get("prompt") or "")
        yield case_row(ident(raw), prompt, responses, label=label, at=at, group=text(raw, "subset"))

    yield from once(each(files, lambda path: listed(files, path), make, columns=COLUMNS))


def score(raw: Any, column: str) -> float | None:
    value = raw.get(column)
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return None if absent(value) else number({column: value}, column)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> Iterator[Verdict]:
        judge, right = str(raw.get("model") or "rewardbench"), sided(ident(raw), "", "")[1]
        scores = [score(raw, column) for column in SCORES]
        gap = score(raw, "results")
        gap = None if gap is None else gap - 0.5
        if scores[0] is not None and scores[1] is not None:
            gap = scores[0] - scores[1]
        wrong = "B" if right == "A" else "A"
        label = None if gap is None else "tie" if gap == 0 else right if gap > 0 else wrong
        beside = {name: one for name, one in zip(SCORES, scores, strict=True) if one is not None}
        yield because(said(ident(raw), judge, label), None, **beside)

    yield from each(files, lambda path: listed(files, path), make, columns=COLUMNS)


BENCH = Bench(CARD, cases, recorded=recorded)
