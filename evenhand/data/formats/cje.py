"""Fresh draws of CJE: prompt_id, judge_score and, on a slice, oracle_label.

A policy is a column, or the file's name without _responses. The oracle's labels go to the cases
and, as rater 'oracle', to the labels.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import ROWS, Told, answer, form_card, part, scaled
from evenhand.data.raters import Label
from evenhand.data.reading import apart, case_row, read, read_many, text
from evenhand.data.rows import Bad, Row
from evenhand.data.texts import absent, as_text
from evenhand.records import Verdict

COLUMNS, JUDGE = ("prompt_id",), "judge_score"

CARD = form_card(
    "cje",
    "CJE: fresh draws with judge_score and oracle_label",
    source="github.com/cimo-labs/cje",
    revision="5a6f2915143a481539e96200325fa6e7ca72021f",
    view="pointwise",
    status="verified",
)


def policy(raw: Any, path: Path) -> str:
    named = raw.get("policy") or raw.get("target_policy")
    stem = path.name.partition(".")[0]
    return str(named or stem.removesuffix("_responses").removesuffix("_probe"))


def ident(raw: Any, path: Path) -> str:
    draw = raw.get("draw_idx")
    tail = "" if absent(draw) else f"/{draw}"
    return f"{policy(raw, path)}/{text(raw, 'prompt_id')}{tail}"


def beside(raw: Any, column: str) -> Any:
    """Old files keep scores and labels in the metadata."""
    return raw[column] if column in raw else part(raw, "metadata", column)


def oracle(raw: Any) -> str | None:
    label = beside(raw, "oracle_label")
    return None if absent(label) else as_text(label)


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, ROWS):

        def make(raw: Any, at: int, path: Path = path) -> Row:
            answered = str(raw.get("response") or "")
            return case_row(
                ident(raw, path), str(raw.get("prompt") or ""), [answered], label=oracle(raw),
                at=at, cluster=text(raw, "prompt_id"), systems=[policy(raw, path)],
            )  # fmt: skip

        yield from read(one, ROWS, make, columns=COLUMNS)


def scores(files: Files) -> Iterator[Told | Bad]:
    for path, one in apart(files, ROWS):

        def make(raw: Any, _at: int, path: Path = path) -> Told:
            return ident(raw, path), JUDGE, answer(beside(raw, JUDGE)), None

        yield from read(one, ROWS, make, columns=COLUMNS)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    return scaled(lambda: scores(files))


def people(files: Files) -> Iterator[Label | Bad]:
    for path, one in apart(files, ROWS):

        def make(raw: Any, at: int, path: Path = path) -> Iterator[Label]:
            if (label := oracle(raw)) is not None:
                yield Label(ident(raw, path), "oracle", label, row=at)

        yield from read_many(one, ROWS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases, people, recorded)
