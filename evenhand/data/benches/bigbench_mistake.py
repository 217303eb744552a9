"""Chains of thought with the first mistake that people found."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, read, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Response

CASES = "*.jsonl*"

CARD = Card(
    name="bigbench-mistake",
    about="is there a mistake in a chain of thought, and where is the first one?",
    source="github.com/WHGTyen/BIG-Bench-Mistake",
    revision="270683a4ecce6f3b22c4ab28a204ab8fa09f2517",
    licence="Apache-2.0",
    gold="human",
    view="pointwise",
    metric=Metric("solution_macro_f1"),
    files=(File(CASES),),
    rows=900,
    split="word_sorting, tracking_shuffled_objects, multistep_arithmetic",
    folder="bigbench_mistake",
    paper="Tyen et al. 2023, LLMs cannot find reasoning errors, but can correct them given the "
    "error location, arXiv:2311.08516",
    status="verified",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    """`mistake_index` counts from 0 in the source; `first_error` from 1."""
    for path in files.paths[CASES]:
        task, one = path.name.split(".")[0], Files(files.card, {CASES: (path,)})

        def make(raw: Any, at: int, task: str = task) -> Row:
            steps, index = raw.get("steps"), raw.get("mistake_index")
            if not isinstance(steps, list) or not (index is None or isinstance(index, int)):
                found = f"{len(steps)} steps" if isinstance(steps, list) else str(steps)
                raise Wrong("mistake_index", f"{index!r} beside {found}", "a place, or null")
            answer = Response(("\n".join(steps),), None, tuple(steps))
            notes = {"first_error": None if index is None else index + 1, "n_steps": len(steps)}
            label = "correct" if index is None else "wrong"
            return case_row(f"{task}/{at}", text(raw, "input"), (answer,), label=label, at=at,
                group=task, notes=notes)  # fmt: skip

        yield from read(one, CASES, make, columns=("input", "steps", "mistake_index"))


def published(_files: Files) -> Iterator[Published]:
    counts = {"word_sorting": 266, "tracking_shuffled_objects": 260, "multistep_arithmetic": 238}
    for task, count in counts.items():
        yield Published("", "label_count", count, 0, task, standing="computed",
            options={"label": "wrong"})  # fmt: skip


BENCH = Bench(CARD, cases, published=published)
