"""Each system against one baseline on 805 instructions, with the judge's recorded preferences."""

import csv
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, number, read, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import absent
from evenhand.records import PAIR_NO_TIE, Response, Verdict

SOURCE, DERIVED = "*annotations*.json*", "preferences_*.csv*"
BOARD = "leaderboard_weighted_gpt4_turbo.csv"
JUDGE, BASELINE = "weighted_alpaca_eval_gpt4_turbo", "gpt4_1106_preview"

CARD = Card(
    name="alpaca-eval",
    about="recorded preferences between 58 systems and one baseline",
    source="github.com/tatsu-lab/alpaca_eval",
    revision="cd543a149df89434d8a54582c0151c0b945c3d20",
    licence="Apache-2.0",
    gold="none",
    view="pairwise",
    metric=Metric("win_rate", ties="half"),
    files=(File(SOURCE, needed=False), File(DERIVED, needed=False), File(BOARD, needed=False)),
    folder="alpacaeval",
    paper="Dubois et al. 2024, Length-Controlled AlpacaEval: A Simple Way to Debias Automatic "
    "Evaluators, arXiv:2404.04475",
    status="verified",
)


def ident(raw: Any, at: int) -> tuple[str, str]:
    system = str(raw.get("model") or raw.get("generator_2") or "system")
    index = raw.get("instruction_idx")
    return (f"{system}/{at if absent(index) else index}", str(raw.get("instruction") or index))


def cases(files: Files) -> Iterator[Row | Bad]:
    def annotated(raw: Any, at: int) -> Row:
        name, prompt = ident(raw, at)
        both = (text(raw, "output_1", empty=True), text(raw, "output_2", empty=True))
        who = (raw.get("generator_1", BASELINE), raw.get("generator_2"))
        return case_row(
            name, prompt, both, label=None, at=at, cluster=prompt, systems=who,
            group=raw.get("dataset"),
        )  # fmt: skip

    def derived(raw: Any, at: int) -> Row:
        name, prompt = ident(raw, at)
        who = (BASELINE, text(raw, "model"))
        both = [
            Response((), system, notes={"characters": int(number(raw, f"len_output_{k}"))})
            for k, system in enumerate(who, 1)
        ]
        return case_row(name, "", both, label=None, at=at, cluster=prompt)

    if files.has(SOURCE):
        return read(files, SOURCE, annotated, columns=("instruction", "output_1", "output_2"))
    return read(files, DERIVED, derived, columns=("model", "instruction_idx", "len_output_2"))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """A preference lies in [1, 2], and 2 is the second response; empty where the call failed."""

    def make(raw: Any, at: int) -> Verdict:
        name, judge = ident(raw, at)[0], str(raw.get("annotator") or JUDGE)
        if absent(raw.get("preference")) or raw["preference"] in (-1, "-1", 0, "0"):
            return said(name, judge, None, scale=PAIR_NO_TIE, why="empty")
        second = number(raw, "preference") - 1
        if not 0 <= second <= 1:
            raise Wrong("preference", str(raw["preference"]), "1 to 2")
        return Verdict(PAIR_NO_TIE, {"A": 1 - second, "B": second}, case=name, rater=judge)

    return read(files, SOURCE if files.has(SOURCE) else DERIVED, make, columns=("preference",))


def published(files: Files) -> Iterator[Published]:
    ours = {row.case.responses[1].system for row in cases(files) if isinstance(row, Row)}
    with files.path(BOARD).open(encoding="utf-8", newline="") as stream:
        for raw in csv.DictReader(stream):
            if raw[""] in ours:
                yield Published(
                    JUDGE, "win_rate", float(raw["win_rate"]), 9, unit="%",
                    options={"system": raw[""]},
                )  # fmt: skip


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
