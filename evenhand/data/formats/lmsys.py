"""Battles as LMSYS keeps them: model_a, model_b, winner and who judged.

Columns are those of Chatbot Arena's clean_battle files and of the data cards of
chatbot_arena_conversations and mt_bench_human_judgments; the files themselves were not read.
Visitors (`arena_user_…`) are one crowd: a judge called arena_user, and labels of each of them.
Experts and authors are people: labels only.
"""

import re
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import ROW, ROWS, because, form_card, others, short, word
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, dialogues, once, read, read_many, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import absent, kind, shown
from evenhand.records import Verdict

TEXTS = ("conversation_a", "conversation_b")
COLUMNS = ("model_a", "model_b", "winner")
WINS = {"model_a": "A", "model_b": "B", "tie": "tie", "tie (bothbad)": "tie",
        "tie (inconsistent)": "tie"}  # fmt: skip
CROWD, PERSON = "arena_user", re.compile(r"(arena_user|expert|author|human)(_|$)")

CARD = form_card(
    "lmsys", "LMSYS: battles, with or without conversations",
    source="github.com/lm-sys/FastChat", revision="0e6d3e4b", view="pairwise",
)  # fmt: skip


def ident(raw: Any, at: int) -> str:
    pair = f"{text(raw, 'model_a')}/{text(raw, 'model_b')}"
    for column in ("question_id", "tstamp"):
        if not absent(raw.get(column)):
            turn = "" if absent(raw.get("turn")) else f"/{raw['turn']}"
            return f"{text(raw, column)}/{pair}{turn}"
    return f"{at}/{pair}"


def judge_of(raw: Any) -> str:
    who = raw.get("judge")
    return " ".join(map(str, who)) if isinstance(who, list) else str(who or "judge")


def vote(raw: Any) -> str | None:
    """None where nobody won and nobody said that it is a tie."""
    winner = raw.get("winner")
    if absent(winner) or winner in ("error", "invalid"):
        return None
    if winner not in WINS:
        raise Wrong("winner", f"{kind(winner)}: {shown(winner)}", ", ".join(WINS))
    return WINS[winner]


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        prompt, both = dialogues(raw, *TEXTS) if raw.get(TEXTS[0]) else ("", ["", ""])
        return case_row(
            ident(raw, at), prompt, both, label=None, at=at,
            cluster=word(raw, "question_id") or (short(prompt) if prompt else None),
            systems=(text(raw, "model_a"), text(raw, "model_b")), group=word(raw, "language"),
            notes={key: raw[key] for key in TEXTS if key in raw},
        )  # fmt: skip

    yield from once(read(files, ROWS, make, columns=COLUMNS))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, at: int) -> Iterator[Verdict]:
        who = judge_of(raw)
        if not PERSON.match(who) or who.startswith(CROWD):
            made = said(ident(raw, at), CROWD if who.startswith(CROWD) else who, vote(raw))
            yield because(made, None, **{ROW: others(raw, *TEXTS)})

    yield from read_many(files, ROWS, make, columns=COLUMNS)


def people(files: Files) -> Iterator[Label | Bad]:
    def make(raw: Any, at: int) -> Iterator[Label]:
        if PERSON.match(who := judge_of(raw)):
            label = vote(raw)
            yield Label(ident(raw, at), who, label, "" if label else "missing", row=at)

    yield from read_many(files, ROWS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases, people, recorded)
