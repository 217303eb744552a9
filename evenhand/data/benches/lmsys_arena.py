"""Votes of visitors between two models, with and without what the models said."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.raters import Label
from evenhand.data.reading import apart, case_row, dialogues, one_of, read, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import absent, kind, shown

# train-*.parquet of the conversations, train.csv of the 55k, clean_battle_*.json without texts
VOTES, WHO = "[tc][rl][ae][ia]n*", ("model_a", "model_b")
WINS = {"model_a": "A", "model_b": "B", "tie": "tie", "tie (bothbad)": "tie", "both_bad": "tie"}
ONE_HOT = {"winner_model_a": "A", "winner_model_b": "B", "winner_tie": "tie"}

CARD = Card(
    name="lmsys-arena",
    about="which of two models a visitor of Chatbot Arena preferred",
    source="huggingface.co/datasets/lmsys/chatbot_arena_conversations, "
    "lmsys-arena-human-preference-55k, and the clean_battle files",
    revision="unknown",
    licence="CC-BY-4.0 (prompts), CC-BY-NC-4.0 (answers); Apache-2.0 (the 55k)",
    gold="human",
    view="pairwise",
    metric=Metric("accuracy", ties="separate"),
    files=(File(VOTES),),
    paper="Chiang et al. 2024, Chatbot Arena: An Open Platform for Evaluating LLMs by Human "
    "Preference, arXiv:2403.04132",
    notes="columns are those of the data cards; unchecked: the licences, the clean_battle files",
)


def vote(raw: Any) -> str:
    if "winner" in raw or not set(ONE_HOT) <= set(raw):
        return one_of(raw, "winner", WINS)
    found = [label for column, label in ONE_HOT.items() if raw[column] in (1, "1", True)]
    if len(found) != 1:
        raise Wrong("winner_model_a", f"{len(found)} winners", "1 in one of the three columns")
    return found[0]


def ident(raw: Any, at: int) -> str:
    return str(raw.get("question_id") or raw.get("id") or at)


def told(raw: Any) -> tuple[str, list[str]]:
    """The prompt and both answers, empty where the file has none."""
    if "conversation_a" in raw:
        return dialogues(raw, "conversation_a", "conversation_b")
    if "response_a" not in raw:
        return "", ["", ""]
    asked, *said = (listed(raw, column) for column in ("prompt", "response_a", "response_b"))
    return "\n\n".join(asked), ["\n\n".join(one) for one in said]


def listed(raw: Any, column: str) -> list[str]:
    """A list of turns, written as JSON; null where a model said nothing."""
    with contextlib.suppress(ValueError):
        if isinstance(found := json.loads(text(raw, column)), list):
            return [one or "" for one in found]
    raise Wrong(column, f"{kind(raw[column])}: {shown(raw[column])}", "a list of texts as JSON")


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        (prompt, both), who = told(raw), [text(raw, column) for column in WHO]
        known = {
            key: raw[key] for key in ("turn", "winner", "language") if not absent(raw.get(key))
        }
        return case_row(
            ident(raw, at), prompt, both, label=vote(raw), at=at, systems=who,
            cluster=prompt or None, group=raw.get("language") or None, notes=known,
        )  # fmt: skip

    for _, one in apart(files, VOTES):
        yield from read(one, VOTES, make, columns=WHO)


def people(files: Files) -> Iterator[Label | Bad]:
    def make(raw: Any, at: int) -> Label:
        return Label(ident(raw, at), str(raw.get("judge") or "visitor"), vote(raw))

    for _, one in apart(files, VOTES):
        yield from read(one, VOTES, make, columns=WHO)


BENCH = Bench(CARD, cases, people=people)
