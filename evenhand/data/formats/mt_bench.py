"""MT-Bench's gpt-4_single.jsonl and gpt-4_pair.jsonl.

A grade of -1 and a winner 'error' are what the source writes when it could not read the reply. The
second game of a pair is turned back in the file already; games that differ make a tie.
"""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import ROWS, because, form_card
from evenhand.data.reading import case_row, in_orders, number, once, read, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import absent, shown
from evenhand.records import Verdict, line

SCALE = line("1-10", 1, 10)
COLUMNS = ("question_id", "judge", "turn")
WINS = {"model_1": "A", "model_2": "B", "tie": "tie"}

CARD = form_card(
    "mt-bench",
    "MT-Bench: gpt-4_single.jsonl and gpt-4_pair.jsonl",
    source="github.com/lm-sys/FastChat",
    revision="0e6d3e4b",
    view=None,
    status="verified",
    notes="the answers are not among the judgments",
)


def systems(raw: Any) -> tuple[str, ...]:
    names = ("model_1", "model_2") if "g1_winner" in raw else ("model",)
    return tuple(text(raw, name) for name in names)


def ident(raw: Any) -> str:
    return "/".join((text(raw, "question_id"), *systems(raw), text(raw, "turn")))


def judge_of(raw: Any) -> str:
    """One name for all of its prompts."""
    who = raw.get("judge")
    name = who[0] if isinstance(who, list) and who else who
    return f"{name} {'pair' if 'g1_winner' in raw else 'single'}"


def game(raw: Any, name: str) -> Verdict:
    winner = raw.get(f"{name}_winner")
    if winner not in (*WINS, "error"):
        raise Wrong(f"{name}_winner", shown(winner), ", ".join(WINS))
    made = said(ident(raw), judge_of(raw), WINS.get(winner))
    return because(made, raw.get(f"{name}_judgment"))


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        who = systems(raw)
        return case_row(
            ident(raw), "", [""] * len(who), label=None, at=at, cluster=text(raw, "question_id"),
            systems=who, group=f"turn {text(raw, 'turn')}",
        )  # fmt: skip

    yield from once(read(files, ROWS, make, columns=COLUMNS))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> Verdict:
        if "g1_winner" in raw:
            return in_orders(game(raw, "g1"), game(raw, "g2"), "agree")
        unread = absent(raw.get("score")) or number(raw, "score") < 0
        grade = None if unread else number(raw, "score")
        made = said(ident(raw), judge_of(raw), grade, scale=SCALE)
        return because(made, raw.get("judgment"))

    yield from read(files, ROWS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases, recorded=recorded)
