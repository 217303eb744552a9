"""Verdicts in plain rows: id, judge, and a label, a score or a winner; see docs/import.md."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import ROWS, Scales, answer, because, form_card, shares, word
from evenhand.data.labels import pair_label
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, once, read, read_many, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.errors import DataError
from evenhand.records import Verdict

JUDGES, SAID = ("judge", "rater", "annotator"), ("label", "score", "verdict")
CARD = form_card(
    "verdicts", "plain rows: id, judge, and label, score or winner",
    source="docs/import.md", revision="this version", view=None, status="verified",
)  # fmt: skip


def pair(raw: Any) -> bool:
    return "winner" in raw


def systems(raw: Any) -> list[str | None]:
    if pair(raw):
        return [word(raw, f"model_{one}", f"system_{one}") for one in "ab"]
    return [word(raw, "system", "model")]


def side(raw: Any, column: str) -> str | None:
    try:
        return pair_label(raw.get(column), column, systems(raw), file="", row=0)
    except DataError as error:
        raise Wrong(column, error.happened, error.expected) from error


def human(raw: Any) -> str | None:
    return side(raw, "human_label") if pair(raw) else word(raw, "human_label")


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        names = ("response_a", "response_b") if pair(raw) else ("response",)
        return case_row(
            text(raw, "id"), word(raw, "prompt") or "", [word(raw, name) or "" for name in names],
            label=human(raw), at=at, cluster=word(raw, "prompt_id", "cluster"),
            systems=systems(raw), group=word(raw, "group", "subset"),
        )  # fmt: skip

    yield from once(read(files, ROWS, make, columns=("id",)))


def judged(raw: Any, _at: int) -> Any:
    """(row, (case, judge, value), probabilities)"""
    if not pair(raw) and not any(name in raw for name in SAID):
        raise Wrong("label", f"columns {', '.join(raw)}", f"{', '.join(SAID)} or winner")
    value = side(raw, "winner") if pair(raw) else answer(word(raw, *SAID))
    return raw, (text(raw, "id"), word(raw, *JUDGES) or "judge", value), shares(raw, "probs")


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """Read twice: labels tell the scale."""
    plain = (one for one in read(files, ROWS, judged) if not isinstance(one, Bad))
    scales = Scales((one[1], v) for raw, one, probs in plain if not pair(raw)
                    for v in (one[2], *map(answer, probs or ())))  # fmt: skip
    for found in read(files, ROWS, judged):
        if isinstance(found, Bad):
            yield found
            continue
        raw, one, probs = found
        made = said(*one) if pair(raw) else scales.verdict(*one)
        if probs and all(map(made.scale.has, probs)):
            made = Verdict(made.scale, probs, case=one[0], rater=one[1])
        yield because(made, word(raw, "reason", "explanation"))


def people(files: Files) -> Iterator[Label | Bad]:
    def make(raw: Any, at: int) -> Iterator[Label]:
        if (label := human(raw)) is not None:
            yield Label(text(raw, "id"), word(raw, "human") or "person", label, row=at)

    return read_many(files, ROWS, make)


BENCH = Bench(CARD, cases, people, recorded)
