"""Votes of people between models, and verdicts of GPT-4o in the protocols of other benchmarks."""

import re
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import Raw, apart, case_row, dialogues, one_of, read_many, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import kind, messages, shown
from evenhand.records import Message

ITEMS = "judgerbench_[AB]*.json"
WINS = {"model_a": "A", "model_b": "B"}
MARKS = {
    "alignment_bench_v1_1": r"\[\[([AB])\]\]",
    "alpaca_eval": r"^\s*([mM])\b",
    "arenahard": r"\[\[([AB<>=]+)\]\]",
    "wildbench": r'"choice":\s*"(A\+\+|A\+|A=B|B\+\+|B\+)"',
}
SIDES = {
    **dict.fromkeys(("A", "m", "A>>B", "A>B", "B<A", "B<<A", "A++", "A+"), "A"),
    **dict.fromkeys(("B", "M", "B>>A", "B>A", "A<B", "A<<B", "B++", "B+"), "B"),
    **dict.fromkeys(("A=B", "B=A"), "tie"),
}
COLUMNS = {
    "judgerbench_A": ("conversation_a", "conversation_b", "model_a", "model_b", "winner"),
    "judgerbench_B": ("dataset_name", "prediction", "others", "gpt4o_pred"),
}
GRADINGS = ("fofo_test_prompts", "fofo_test_prompts_cn")

CARD = Card(
    name="judger-bench-v1",
    about="agreement with people (part A) and with GPT-4o in the protocols of others (part B)",
    source="github.com/open-compass/opencompass, subjective/judgerbench",
    revision="2de7ed9cab60363e271b59376fa77aad62c0320a",
    licence="unstated",
    gold="human",
    view="pairwise",
    metric=Metric("accuracy", ties="separate", mean="subsets"),
    files=(File(ITEMS),),
    split="A in Chinese and English; B in four sets of pairs",
    paper="Cao et al. 2024, CompassJudger-1: All-in-one Judge Model Helps Model Evaluation and "
    "Evolution, arXiv:2410.16256",
    notes="columns are the loader's; the gold of B is GPT-4o's side; its gradings are left out",
)


def prompt_of(raw: Raw) -> str | tuple[Message, ...]:
    talk = raw.get("conversation")
    return messages(talk, "conversation", "") if talk else text(raw, "question")


def verdict_of(raw: Raw, name: str) -> str | None:
    found = re.findall(MARKS[name], text(raw, "gpt4o_pred"))
    return SIDES.get(found[-1]) if found else None


def voted(raw: Raw, at: int, part: str) -> list[Row]:
    prompt, both = dialogues(raw, "conversation_a", "conversation_b")
    who, known = (text(raw, "model_a"), text(raw, "model_b")), {"category": raw.get("category")}
    label, group = one_of(raw, "winner", WINS), part.removeprefix("judgerbench_")
    return [case_row(f"{group}/{at}", prompt, both, label=label, at=at, cluster=prompt, systems=who,
        group=group, notes=known)]  # fmt: skip


def compared(raw: Raw, at: int, _part: str) -> list[Row]:
    name, others = text(raw, "dataset_name"), raw.get("others")
    if name in GRADINGS:
        return []
    one_of(raw, "dataset_name", MARKS)
    if not isinstance(others, dict):
        raise Wrong("others", f"{kind(others)}: {shown(others)}", "an object")
    both, model = (text(raw, "prediction", empty=True), str(others.get("ref"))), others.get("model")
    who = (None, model) if others.get("swap") else (model, None)
    return [case_row(f"{name}/{at}", prompt_of(raw), both, label=verdict_of(raw, name), at=at,
        systems=who, group=name, rubric=others.get("checklist"))]  # fmt: skip


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, ITEMS):
        part, of = path.name.split(".")[0], voted if "_A" in path.name else compared

        def make(raw: Any, at: int, *, part: str = part, of: Any = of) -> Any:
            return of(raw, at, part)

        yield from read_many(one, ITEMS, make, columns=COLUMNS[part[:13]])


BENCH = Bench(CARD, cases)
