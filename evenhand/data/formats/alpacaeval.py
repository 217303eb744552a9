"""AlpacaEval's annotations.json: preferences between two systems' outputs.

A preference lies between 1 (the first output) and 2 (the second); 1.5, and 0 in old files, is a
draw; null and -1 are replies that could not be read.
"""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import ROW, ROWS, because, form_card, others, short, word
from evenhand.data.reading import case_row, number, once, read, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import absent
from evenhand.records import PAIR_NO_TIE, Verdict

TEXTS = ("instruction", "output_1", "output_2")
SYSTEMS = ("generator_1", "generator_2")
COLUMNS = (*TEXTS, *SYSTEMS, "preference")
ORDER = ("instruction", "output_1", "generator_1", "dataset", "output_2", "generator_2",
         "annotator", "preference")  # fmt: skip

CARD = form_card(
    "alpacaeval",
    "AlpacaEval: annotations.json",
    source="github.com/tatsu-lab/alpaca_eval",
    revision="cd543a149df89434d8a54582c0151c0b945c3d20",
    view="pairwise",
    status="verified",
)


def ident(raw: Any) -> str:
    """From what was compared, so that two annotators of one comparison share its case."""
    return f"{text(raw, 'generator_2')}/{short(*(raw.get(key) for key in (*TEXTS, *SYSTEMS)))}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        outputs = [text(raw, column, empty=True) for column in TEXTS[1:]]
        prompt = text(raw, "instruction", empty=True)
        return case_row(
            ident(raw), prompt, outputs, label=None, at=at, cluster=short(prompt),
            systems=[text(raw, column) for column in SYSTEMS],
            group=word(raw, "dataset"),
        )  # fmt: skip

    yield from once(read(files, ROWS, make, columns=COLUMNS))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> Verdict:
        case, judge = ident(raw), str(raw.get("annotator") or "alpaca_eval")
        made = said(case, judge, None, scale=PAIR_NO_TIE)
        if not absent(raw.get("preference")) and number(raw, "preference") != -1:
            second = (number(raw, "preference") or 1.5) - 1
            if not 0 <= second <= 1:
                raise Wrong("preference", str(raw["preference"]), "1 to 2")
            made = Verdict(PAIR_NO_TIE, {"A": 1 - second, "B": second}, case=case, rater=judge)
        return because(made, None, **{ROW: others(raw, *TEXTS)})

    yield from read(files, ROWS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases, recorded=recorded)
