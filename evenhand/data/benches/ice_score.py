"""Code judged by GPT-3.5 and by metrics, against the execution of tests."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, number, read, read_many, said, text, whole
from evenhand.data.rows import Bad, Row
from evenhand.records import Verdict, line

RUN, FIGURES = "humaneval_*.csv", "expected.json"
JUDGES = ("gpt35_no_ref", "gpt35_with_ref", "bleu", "codebertscore_f1")
FOUR = ("kendall", "spearman", "kendall", "spearman")

CARD = Card(
    name="ice-score",
    about="does a program pass its tests?",
    source="github.com/terryyz/ice-score",
    revision="4e45c6dcd0a31cf62488619ce23cecc032263d8b",
    licence="MIT",
    gold="objective",
    view="pointwise",
    metric=Metric("kendall", options={"within": True}),
    files=(File(RUN), File(FIGURES, needed=False)),
    rows=6439,
    split="HumanEval-X, Python and Java",
    paper="Zhuo 2023, ICE-Score: Instructing Large Language Models to Evaluate Code, "
    "arXiv:2304.14317",
    status="verified",
    notes="scores alone",
)


def each(files: Files, pattern: str) -> Iterator[tuple[str, Files]]:
    for path in files.paths[pattern]:
        name = path.name.split(".")[0].removeprefix("humaneval_").removesuffix("_gpt35")
        yield name, Files(files.card, {pattern: (path,)})


def cases(files: Files) -> Iterator[Row | Bad]:
    for name, one in each(files, RUN):

        def make(raw: Any, at: int, name: str = name) -> Row:
            task, label = f"{name}/{text(raw, 'task_id')}", f"{number(raw, 'execution_pass'):g}"
            return case_row(f"{task}/{text(raw, 'sample')}", task, ("",), label=label, at=at,
                cluster=task, group=name)  # fmt: skip

        yield from read(one, RUN, make, columns=("task_id", "sample", "execution_pass"))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for name, one in each(files, RUN):

        def make(raw: Any, _at: int, name: str = name) -> list[Verdict]:
            ident = f"{name}/{raw['task_id']}/{raw['sample']}"
            return [said(ident, judge, number(raw, judge), scale=line("score", -1e9, 1e9))
                    for judge in JUDGES if raw.get(judge) not in (None, "")]  # fmt: skip

        yield from read_many(one, RUN, make, columns=("task_id", "sample"))


def published(files: Files) -> Iterator[Published]:
    form = whole(files.path(FIGURES))
    for language in ("python", "java"):
        for judge, values in form[language].items():
            for at, (name, value) in enumerate(zip(FOUR, values, strict=True)):
                options = {"within": True} if at < 2 else {}
                yield Published(judge, name, value, 3, language, options=options)


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
