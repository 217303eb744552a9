"""Votes of experts between answers of six models, turn by turn, and those of GPT-4."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.raters import Label
from evenhand.data.reading import apart, case_row, dialogues, number, once, one_of, read, said, text
from evenhand.data.rows import Bad, Row
from evenhand.records import Verdict

HUMAN, GPT = "data/human*", "data/gpt4*"
WINS = {"model_a": "A", "model_b": "B", "tie": "tie", "tie (inconsistent)": "tie"}
TURNED = {"A": "B", "B": "A", "tie": "tie"}
TALKS = ("conversation_a", "conversation_b")
COLUMNS = ("question_id", "model_a", "model_b", "winner", "judge", "turn")

CARD = Card(
    name="mt-bench-human",
    about="which of two models experts preferred, after the first and after the second turn",
    source="huggingface.co/datasets/lmsys/mt_bench_human_judgments",
    revision="f7d2896",
    licence="CC-BY-4.0",
    gold="human",
    view="pairwise",
    metric=Metric("accuracy", ties="separate"),
    files=(File(HUMAN), File(GPT, needed=False)),
    split="human: 3,355 votes; gpt4_pair: 2,400",
    paper="Zheng et al. 2023, Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena, "
    "arXiv:2306.05685",
    hub="lmsys/mt_bench_human_judgments",
    notes="columns and counts are those of the data card, the coding that of the source's script; "
    "a case is a question, a turn and two models in the order of their names; its label is what "
    "most said, none where no answer has most; the source counts agreement vote by vote",
)


def ident(raw: Any) -> tuple[str, bool]:
    """Of the case, and whether the models stand the other way round here."""
    pair = text(raw, "model_a"), text(raw, "model_b")
    names, turn = sorted(pair), int(number(raw, "turn"))
    question = text(raw, "question_id")
    return f"{question}/{names[0]}/{names[1]}/turn {turn}", tuple(names) != pair


def vote(raw: Any) -> tuple[str, str, str]:
    """Case, who, and the label."""
    (name, turned), label = ident(raw), one_of(raw, "winner", WINS)
    who = raw.get("judge")
    judge = " ".join(who) if isinstance(who, list) else text(raw, "judge")
    return name, judge, TURNED[label] if turned else label


def votes(files: Files, name: str) -> Iterator[tuple[str, str, str] | Bad]:
    for _, one in apart(files, name):
        yield from read(one, name, lambda raw, _: vote(raw), columns=COLUMNS)


def voted(files: Files) -> Iterator[Row | Bad]:
    counts: dict[str, Counter[str]] = {}
    for found in votes(files, HUMAN):
        if not isinstance(found, Bad):
            counts.setdefault(found[0], Counter())[found[2]] += 1

    def make(raw: Any, at: int) -> Row:
        name, last = vote(raw)[0], 2 * int(number(raw, "turn"))
        prompt, both = dialogues(raw, *TALKS, last=last)
        pair = sorted((raw["model_a"], raw["model_b"]))
        both = both[::-1] if ident(raw)[1] else both
        most = [*counts[name].most_common(2), (None, 0)]
        label = most[0][0] if most[0][1] > most[1][1] else None
        return case_row(name, prompt, both, label=label, at=at, cluster=text(raw, "question_id"),
            systems=pair, group=f"turn {last // 2}")  # fmt: skip

    for _, one in apart(files, HUMAN):
        yield from read(one, HUMAN, make, columns=(*COLUMNS, *TALKS))


def people(files: Files) -> Iterator[Label | Bad]:
    for found in votes(files, HUMAN):
        yield found if isinstance(found, Bad) else Label(*found)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for found in votes(files, GPT):
        yield found if isinstance(found, Bad) else said(*found)


BENCH = Bench(CARD, lambda files: once(voted(files)), people=people, recorded=recorded)
