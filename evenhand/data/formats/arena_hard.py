"""Arena-Hard's model_judgment files: two games a question, in both orders, on five steps.

The baseline is A in the first game and B in the second. Columns are those of the script that turns
judgments into battles; a judgment file was not read.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import ROWS, because, form_card, part, word
from evenhand.data.reading import apart, case_row, in_orders, once, read, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import as_text, kind, shown
from evenhand.records import PAIR_5, Verdict

COLUMNS, BASELINE = ("model", "games"), "gpt-4-0314"

CARD = form_card(
    "arena-hard",
    "Arena-Hard: model_judgment/JUDGE/MODEL.jsonl",
    source="github.com/lmarena/arena-hard-auto",
    revision="196f6b826783b3da7310e361a805fa36f0be83f3",
    view="pairwise",
)


def question(raw: Any) -> str:
    """`uid` in files of v2.0, `question_id` in the first ones."""
    return text(raw, "uid" if "uid" in raw else "question_id")


def ident(raw: Any) -> str:
    return f"{text(raw, 'model')}/{question(raw)}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        pair = word(raw, "baseline") or BASELINE, text(raw, "model")
        return case_row(
            ident(raw), "", ["", ""], label=None, at=at, cluster=question(raw), systems=pair,
            group=word(raw, "category"),
        )  # fmt: skip

    yield from once(read(files, ROWS, make, columns=COLUMNS))


def game(raw: Any, at: int, who: str) -> Verdict:
    """A label that is not one of the five is what the source writes for an unreadable reply."""
    played = raw["games"][at]
    label = part(played, "score")
    label = label if label in PAIR_5.labels else None
    made = said(ident(raw), who, PAIR_5.swapped(label) if at and label else label, scale=PAIR_5)
    why = part(played, "judgment")
    return because(made, as_text(part(why, "answer") or why or ""))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for path, one in apart(files, ROWS):

        def make(raw: Any, _at: int, path: Path = path) -> Verdict:
            games, who = raw["games"], str(raw.get("judge") or path.absolute().parent.name)
            if not isinstance(games, list) or len(games) != 2:
                raise Wrong("games", f"{kind(games)}: {shown(games)}", "two games")
            return in_orders(game(raw, 0, who), game(raw, 1, who), "mean")

        yield from read(one, ROWS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases, recorded=recorded)
