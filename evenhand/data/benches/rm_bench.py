"""Right and subtly wrong answers, each in three styles: every one against every other."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, one_of, read_many, sided, text
from evenhand.data.rows import Bad, Row, Wrong

PAIRS = "total_dataset.json*"
STYLES = ("concise", "detailed", "markdown")
DOMAINS = {"chat": "chat", "code": "code", "math": "math", "safety-refuse": "safety",
           "safety-response": "safety"}  # fmt: skip

CARD = Card(
    name="rm-bench",
    about="which of two answers is right, when style speaks for or against it",
    source="github.com/THU-KEG/RM-Bench",
    revision="73c52d7b27b361621361ec959ac6c0eb9bb7a689",
    licence="unstated",
    gold="constructed",
    view="pairwise",
    metric=Metric("accuracy", ties="wrong", mean="subsets"),
    files=(File(PAIRS, hub="total_dataset.json"),),
    split="nine pairs a row; subsets are domain/difficulty",
    paper="Liu et al. 2024, RM-Bench: Benchmarking Reward Models of Language Models with Subtlety "
    "and Style, arXiv:2410.16184",
    hub="THU-KEG/RM-Bench",
    notes="hard: the wrong answer is in a fuller style than the right one; easy: in a plainer one; "
    "normal: in the same. The mean of the twelve subsets is the source's overall figure. Which "
    "answer stands first is drawn from the id. Columns by the README; total_dataset.json was not "
    "seen",
)  # fmt: skip


def difficulty(chosen: int, rejected: int) -> str:
    return "normal" if chosen == rejected else "hard" if chosen < rejected else "easy"


def three(raw: Any, column: str) -> list[str]:
    found = raw.get(column)
    if not isinstance(found, list) or len(found) != 3 or not all(isinstance(x, str) for x in found):
        raise Wrong(column, str(found)[:60], "three texts: concise, detailed, with markdown")
    return found


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> list[Row]:
        domain, prompt = one_of(raw, "domain", DOMAINS), text(raw, "prompt")
        chosen, rejected = three(raw, "chosen"), three(raw, "rejected")
        name, found = f"{raw['domain']}/{text(raw, 'id')}", []
        for i, right in enumerate(chosen):
            for j, wrong in enumerate(rejected):
                ident = f"{name}/{STYLES[i]}-{STYLES[j]}"
                responses, label = sided(ident, right, wrong)
                found.append(case_row(ident, prompt, responses, label=label, at=at, cluster=name,
                    group=f"{domain}/{difficulty(i, j)}"))  # fmt: skip
        return found

    columns = ("id", "prompt", "chosen", "rejected", "domain")
    return read_many(files, PAIRS, make, columns=columns)


BENCH = Bench(CARD, cases)
