"""Responses with a rubric and a reference, and three grades by GPT-4 each."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, read, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.pools import mean
from evenhand.records import Verdict, ints

CASES = "vicuna_eval.json*"
SCALE = ints("1-5", 1, 5)

CARD = Card(
    name="prometheus-vicuna",
    about="rubric grades 1 to 5, three samples of GPT-4 for each response",
    source="github.com/prometheus-eval/prometheus-eval",
    revision="dcfb44272d5d0414832f5dbb8c2a05ebc2614234",
    licence="Apache-2.0",
    gold="none",
    view="pointwise",
    metric=Metric("mean_score"),
    files=(File(CASES),),
    rows=320,
    folder="prometheus_rubric",
    paper="Kim et al. 2023, Prometheus: Inducing Fine-grained Evaluation Capability in Language "
    "Models, arXiv:2310.08491",
    status="verified",
    notes="`instruction` is the whole prompt of the source: task, response, reference and rubric",
)


def ident(raw: Any) -> str:
    return f"{text(raw, 'idx')}/{text(raw, 'response_source')}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        who = (text(raw, "response_source"),)
        return case_row(ident(raw), text(raw, "instruction"), ("",), label=None, at=at,
            cluster=text(raw, "idx"), systems=who, group=text(raw, "category"))  # fmt: skip

    return read(files, CASES, make, columns=("idx", "instruction", "response_source"))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> Verdict:
        scores, name = raw["gpt4_score"], ident(raw)
        if not isinstance(scores, list):
            raise Wrong("gpt4_score", str(scores), "a list of grades")
        parts = [said(name, "gpt-4", one, scale=SCALE).marked(draw=n)
                 for n, one in enumerate(scores)]  # fmt: skip
        whole = mean(parts, unread="drop")
        return Verdict(SCALE, whole.probs, whole.reason, tuple(parts), case=name, rater="gpt-4")

    return read(files, CASES, make, columns=("idx", "response_source", "gpt4_score"))


def published(_files: Files) -> Iterator[Published]:
    yield Published("gpt-4", "equal_repeats", 199, 0, standing="computed")


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
