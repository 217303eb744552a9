"""Steps and plans of agents with tools: the one that people preferred, and the other."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, read, sided, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import as_text

PAIRS = "*process_supervision*"
COLUMNS = ("prompt", "tools", "history", "preferred", "dispreferred")

CARD = Card(
    name="tool-comp",
    about="which of two next steps, or of two plans, is better?",
    source="huggingface.co/datasets/vaskarnath/toolcomp_process_supervision_eval",
    revision="1f803119f00fb29fe209b0846dc9c939884123c9",
    licence="unstated",
    gold="human",
    view="pairwise",
    metric=Metric("mean_accuracy", orders=2, ties="half"),
    files=(File(PAIRS, hub="data/train-00000-of-00001.parquet"),),
    split="process supervision; groups plan and step",
    paper="Nath et al. 2025, ToolComp: A Multi-Tool Reasoning & Process Supervision Benchmark, "
    "arXiv:2501.01290",
    hub="vaskarnath/toolcomp_process_supervision_eval",
    notes="columns as read by inference/llm_as_judge_inference.py of github.com/"
    "vaskar-open-source-research/toolcomp at 8a9bffe1175e57c683dacdc119b9c71d22e231d4; the file "
    "was not seen. That script counts a half unless both orders name the same step. Its logs "
    "cannot be joined to the cases: the retry counter overwrites the index that they hold. Which "
    "step stands first is drawn from the id",
)  # fmt: skip


def told(value: Any, column: str) -> str:
    """A step or a plan, its parts by name: {'thought': {'text': …}, 'action': …}."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, str) and value:
        return value
    if not isinstance(value, dict) or not value:
        raise Wrong(column, str(value)[:60], "a step, as text or as an object")
    parts = {key: one.get("text") if isinstance(one, dict) else one for key, one in value.items()}
    return "\n".join(f"{key}: {as_text(one)}" for key, one in parts.items() if one is not None)


def history(raw: Any) -> list[str]:
    value = raw.get("history")
    try:
        found = json.loads(value) if isinstance(value, str) and value.strip() else value or []
    except ValueError as error:
        raise Wrong("history", f"not JSON: {error}", "a list of steps as JSON") from error
    if not isinstance(found, list):
        raise Wrong("history", str(found)[:60], "a list of steps as JSON")
    return [told(one, "history") for one in found]


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        prompt, before, ident = text(raw, "prompt"), history(raw), f"toolcomp/{at}"
        both = (told(raw.get(column), column) for column in ("preferred", "dispreferred"))
        responses, label = sided(ident, *both)
        return case_row(ident, "\n\n".join((prompt, *before)), responses, label=label, at=at,
            cluster=prompt, group="step" if before else "plan",
            context=(f"tools: {as_text(raw.get('tools'))}",))  # fmt: skip

    return read(files, PAIRS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
