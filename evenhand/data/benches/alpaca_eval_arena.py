"""Leaderboards of AlpacaEval and other benchmarks beside the arena's ratings."""

import csv
from collections.abc import Iterator

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.benches.arena_meta import Board
from evenhand.data.rows import Bad, Row
from evenhand.errors import DataError

TABLE = "*benchmarks*.csv"
ARENA = "Arena Elo\n[Feb 2, 2024]"

CARD = Card(
    name="alpaca-eval-arena",
    about="do leaderboards order systems as the arena's voters do?",
    source="github.com/tatsu-lab/alpaca_eval",
    revision="cd543a149df89434d8a54582c0151c0b945c3d20",
    licence="Apache-2.0",
    gold="human",
    view=None,
    metric=Metric("spearman_of_boards"),
    files=(
        File(TABLE),
        File("benchmarks_vs_arena.csv", needed=False,
             sha256="ed599373eadbb343bbe80f677a513305c21ef5d110c5d81dfbb94a098e51ac75"),
    ),
    rows=0,
    split="37 systems that both rank",
    folder="alpacaeval",
    paper="Dubois et al. 2024, Length-Controlled AlpacaEval: A Simple Way to Debias Automatic "
    "Evaluators, arXiv:2404.04475",
    status="verified",
    notes="figures of systems, and no cases to judge; notebooks/benchmarks.csv in the source",
)  # fmt: skip


def board(files: Files, name: str) -> Board:
    """Of a column, over the systems that have a number in it and a rating of the arena's."""
    path = files.path(TABLE)
    with path.open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    for column in ("Model", ARENA, name):
        if not table or column not in table[0]:
            due = f"columns as in {CARD.source} at {CARD.revision}"
            told = f"there is no column {column!r}"
            raise DataError(told, expected=due, file=str(path), row=1, field=column)
    rows = [raw for raw in table if raw[name] and raw[ARENA]]
    people = tuple((float(raw[ARENA]),) * 3 for raw in rows)
    return Board(tuple(r["Model"] for r in rows), tuple(float(r[name]) for r in rows), people)


def cases(_files: Files) -> Iterator[Row | Bad]:
    return iter(())


def published(_files: Files) -> Iterator[Published]:
    yield Published("AlpacaEval 2.0", "spearman_of_boards", 0.931, 3)
    yield Published("LC AlpacaEval 2.0", "spearman_of_boards", 0.975, 3)


BENCH = Bench(CARD, cases, published=published)
