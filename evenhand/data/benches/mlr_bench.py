"""Papers written by research agents, with the reviews of people and of a judge."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, number, once, read_many, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Verdict, line

PEOPLE, JUDGED = "human_eval/human_review.csv", "human_eval/llm_judge.csv"
RUBRICS, SCALE = ("Novelty", "Clarity", "Soundness", "Significance", "Overall"), line("1-10", 1, 10)
JUDGE = "MLR-Judge"

CARD = Card(
    name="mlr-bench",
    about="five rubrics of papers that agents wrote, 1 to 10",
    source="github.com/chchenhui/mlrbench",
    revision="1d3b189596ea44ae0f7551c1d89c9b19b888d2ef",
    licence="unstated",
    gold="human",
    view="pointwise",
    metric=Metric("gap_to_people"),
    files=(File(PEOPLE), File(JUDGED, needed=False)),
    split="30 papers of three systems, 60 reviews",
    paper="Chen et al. 2025, MLR-Bench: Evaluating AI Agents on Open-Ended Machine Learning "
    "Research, arXiv:2505.19955",
    notes="scores alone, no papers. Two reviewers have two rows about one paper: the second is "
    "taken as of another reviewer. The judge's score is a mean of two models",
)


def scores(raw: Any) -> list[tuple[str, str, float]]:
    """(case, rubric, score)."""
    where, found = f"{text(raw, 'workshop_name')}/{text(raw, 'model_name')}", []
    for rubric in RUBRICS:
        given = number(raw, rubric)
        if not 1 <= given <= 10:
            raise Wrong(rubric, str(raw[rubric]), "1 to 10")
        found.append((f"{where}/{rubric.lower()}", rubric.lower(), given))
    return found


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> list[Row]:
        workshop, who = text(raw, "workshop_name"), (text(raw, "model_name"),)
        known: dict[str, Any] = {"label": None, "at": at, "cluster": workshop, "systems": who}
        return [
            case_row(ident, workshop, ("",), group=rubric, rubric=rubric, **known)
            for ident, rubric, _ in scores(raw)
        ]

    columns = ("reviewer_id", "model_name", "workshop_name", *RUBRICS)
    return once(read_many(files, PEOPLE, make, columns=columns))


def people(files: Files) -> Iterator[Label | Bad]:
    seen = Counter[tuple[str, str]]()

    def make(raw: Any, at: int) -> list[Label]:
        found = []
        for ident, _, given in scores(raw):
            who = text(raw, "reviewer_id")
            seen[who, ident] += 1
            rater = who if seen[who, ident] == 1 else f"{who} ({seen[who, ident]})"
            found.append(Label(ident, rater, f"{given:g}", row=at))
        return found

    return read_many(files, PEOPLE, make, columns=("reviewer_id", "workshop_name", *RUBRICS))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> list[Verdict]:
        return [said(ident, JUDGE, given, scale=SCALE) for ident, _, given in scores(raw)]

    if files.has(JUDGED):
        yield from read_many(files, JUDGED, make, columns=("workshop_name", "model_name", *RUBRICS))


BENCH = Bench(CARD, cases, people=people, recorded=recorded)
