"""Korean answers graded by people, and the same with false statements put in."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import Raw, apart, case_row, number, read, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import shown
from evenhand.records import Verdict, ints

ANSWERS, RECORDED = "data/k2-eval-pointwise*.csv", "results/*/_pointwise_*.csv"
FALSE = "-falseinfo"
GRADES = ints("grade", 1, 5)
SCORE = {"": "final_score", FALSE: "original_human_score"}

CARD = Card(
    name="kudge-pointwise",
    about="how good a Korean answer is, 1 to 5; how much a false statement costs it",
    source="github.com/guijinSON/kudge",
    revision="09e13166f9f6a227cabaf82b177342a53c507d40",
    licence="MIT (the repository); unstated on the hub",
    gold="human",
    view="pointwise",
    metric=Metric("pearson"),
    files=(File(ANSWERS), File(RECORDED, needed=False)),
    rows=2506,
    split="k2-eval-pointwise, without the 54 answers of k2-eval-pointwise-falseinfo",
    paper="Son et al. 2024, LLM-as-a-Judge & Reward Model: What They Can and Cannot Do, "
    "arXiv:2409.11239",
    notes="the 54 answers with false statements and a judge's grades of them were read as they "
    "are; unchecked: the file of the 2,506, whose columns are those of the hub; instruction, "
    "reference and rubric are cut out of judge_query; answers with false statements have no "
    "label: people graded the answer before",
)


def kind_of(path: Path) -> str:
    return FALSE if "false" in path.name else ""


def between(raw: Raw, start: str, end: str) -> str:
    """What stands in the judge's prompt between two headings."""
    query = text(raw, "judge_query")
    if found := re.search(rf"###{start}:\s*(.*?)\s*###{end}", query, re.DOTALL):
        return found[1]
    raise Wrong("judge_query", shown(query), f"'###{start}:' and '###{end}' in it")


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, ANSWERS):
        kind = kind_of(path)

        def make(raw: Any, at: int, kind: str = kind) -> Row:
            prompt = between(raw, "The instruction to evaluate", "Response to evaluate")
            score = f"{number(raw, SCORE[kind]):g}"
            return case_row(
                f"pointwise{kind}/{at}", prompt, (text(raw, "response"),),
                label=None if kind else score, at=at, cluster=prompt, group=f"pointwise{kind}",
                reference=(between(raw, r"Reference Answer \(Score 5\)", "Score Rubrics"),),
                rubric=between(raw, "Score Rubrics", "Feedback"),
                notes={"graded_before": score} if kind else {},
            )  # fmt: skip

        yield from read(one, ANSWERS, make, columns=("judge_query", "response", SCORE[kind]))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """Rows stand in the order of the answers."""
    for path, one in apart(files, RECORDED):
        turn = "".join(re.findall(r"iteration_\d+", path.name)).replace("_", " ")

        def make(raw: Any, at: int, *, who: str = f"{path.parent.name} {turn}",
                 kind: str = kind_of(path)) -> Verdict:  # fmt: skip
            grade = raw["decision"]
            label = f"{float(grade):g}" if re.fullmatch(r"\d+(\.0)?", grade) else None
            return said(f"pointwise{kind}/{at}", who, label, scale=GRADES)

        yield from read(one, RECORDED, make, columns=("decision",))


BENCH = Bench(CARD, cases, recorded=recorded)
