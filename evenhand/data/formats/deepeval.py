"""DeepEval's test runs: each metric of a test case is a judge.

Fields are those of the tool's `MetricData` and `LLMApiTestCase`; a run was not read.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import Told, answer, each, form_card, inside, part, scaled, short
from evenhand.data.reading import case_row, once, text, whole
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import kind, shown, texts
from evenhand.records import Verdict

COLUMNS = ("name", "input", "metricsData")

CARD = form_card(
    "deepeval",
    "DeepEval: .latest_test_run.json",
    source="github.com/confident-ai/deepeval",
    revision="a2e0d4cfd",
    view="pointwise",
)


def listed(path: Path) -> Iterator[Any]:
    held = whole(path)
    inner = part(held, "testRunData")
    yield from inside(path, held if inner is None else inner, "testCases", source=CARD.source)


def ident(raw: Any) -> str:
    return f"{text(raw, 'name')}/{short(raw.get('input'), raw.get('actualOutput'))}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Iterator[Row]:
        prompt = text(raw, "input", empty=True)
        yield case_row(
            ident(raw), prompt, [str(raw.get("actualOutput") or "")], label=None, at=at,
            cluster=short(prompt), reference=texts(raw.get("expectedOutput")),
            context=texts(raw.get("retrievalContext") or raw.get("context")),
        )  # fmt: skip

    yield from once(each(files, listed, make, columns=COLUMNS))


def judge_of(metric: Any) -> str:
    return " ".join(str(metric[key]) for key in ("name", "evaluationModel") if metric.get(key))


def measured(raw: Any, _at: int) -> Iterator[Told]:
    found = raw["metricsData"]
    if not isinstance(found, list | None):
        raise Wrong("metricsData", f"{kind(found)}: {shown(found)}", "a list")
    for metric in found or ():
        if not isinstance(metric, dict) or "name" not in metric:
            raise Wrong("metricsData", f"{kind(metric)}: {shown(metric)}", "name and score")
        why = metric.get("error") or metric.get("reason")
        yield ident(raw), judge_of(metric), answer(metric.get("score")), why


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    return scaled(lambda: each(files, listed, measured, columns=COLUMNS))


BENCH = Bench(CARD, cases, recorded=recorded)
