"""Trajectories of web agents, labelled by experts on four questions."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, one_of, read_many, text
from evenhand.data.rows import Bad, Row

CASES = "annotations.csv"
UNSURE = "unsure"
YES: dict[Any, str] = {"Yes": "yes", "No": "no", "Unsure": UNSURE}
DONE = {"Successful": "yes", "Unsuccessful": "no", "Unsure": UNSURE}
STEPS = ("1. Complete Failure", "2. Suboptimal", "3. Somewhat Optimal", "4. Completely Optimal")
QUESTIONS: dict[str, dict[Any, str]] = {
    "trajectory_success": DONE,
    "trajectory_side_effect": YES,
    "trajectory_optimality": {**{step: step[0] for step in STEPS}, "Unsure": UNSURE},
    "trajectory_looping": YES,
}

CARD = Card(
    name="agent-reward-bench",
    about="did a web agent succeed, by the smallest way, without side effects or loops?",
    source="github.com/McGill-NLP/agent-reward-bench",
    revision="ea58fb5b17cd0d8b28b89918a9a02953b51ae59c",
    licence="unstated",
    gold="human",
    view="pointwise",
    metric=Metric("precision", options={"positive": "yes"}),
    files=(File(CASES),),
    rows=5208,
    split="1,302 trajectories, four questions each",
    folder="agentrewardbench",
    paper="Lù et al. 2025, AgentRewardBench: Evaluating Automatic Evaluations of Web Agent "
    "Trajectories, arXiv:2504.08942",
    status="verified",
    notes="labels alone: trajectories and judgments are on the hub; unsure is never the gold",
)


def labels(files: Files) -> Iterator[tuple[int, Any, Label] | Bad]:
    def make(raw: Any, at: int) -> list[tuple[int, Any, Label]]:
        where, who = f"{text(raw, 'task_id')}/{text(raw, 'exp_name')}", text(raw, "annotator_name")
        text(raw, "model_name")  # that `cases` wants too
        told = {name: one_of(raw, name, known) for name, known in QUESTIONS.items()}
        return [
            (at, raw, Label(f"{where}/{name.removeprefix('trajectory_')}", who.strip(), label))
            for name, label in told.items()
        ]  # fmt: skip

    return read_many(files, CASES, make, columns=("annotator_name", "task_id", *QUESTIONS))


def cases(files: Files) -> Iterator[Row | Bad]:
    """The gold is the label of the only annotator; of two, `people` says what each found."""
    found, many = dict[str, tuple[int, Any, Label]](), set[str]()
    for one in labels(files):
        if isinstance(one, Bad):
            yield one
        elif one[2].case in found:
            many.add(one[2].case)
        else:
            found[one[2].case] = one
    for name, (at, raw, label) in found.items():
        gold, question = (
            None if name in many or label.label == UNSURE else label.label,
            name.rpartition("/")[2],
        )
        yield case_row(name, text(raw, "task_id"), ("",), label=gold, at=at, group=question,
            cluster=text(raw, "task_id"), systems=(text(raw, "model_name"),),
            notes={"benchmark": raw.get("benchmark")})  # fmt: skip


def people(files: Files) -> Iterator[Label | Bad]:
    return (one if isinstance(one, Bad) else one[2] for one in labels(files))


def published(_files: Files) -> Iterator[Published]:
    shares = {"success": 87.7, "side_effect": 96.2, "optimality": 60.4, "looping": 89.6}
    for question, share in shares.items():
        yield Published("", "rows", 1302, 0, question, standing="computed")
        yield Published("", "percent_agreement", share, 1, question, "%", "computed")


BENCH = Bench(CARD, cases, people=people, published=published)
