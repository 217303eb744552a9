"""Figures of benchmarks that rank systems: whether they tell them apart, and as people do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from evenhand.correlations import spearman
from evenhand.data.bench import Bench, Files, Metric, Published, in_shape
from evenhand.data.benches import alpaca_eval_arena, arena_meta
from evenhand.data.benches.arena_meta import Board
from evenhand.intervals import Interval, undefined
from evenhand.rank.meta import (
    Standings,
    agreement_with_confidence,
    pair_rank_brier,
    separability,
)
from evenhand.report.bench import Scored

BOARDS = {"arena-meta": arena_meta.board, "alpaca-eval-arena": alpaca_eval_arena.board}


def board_figure(files: Files, one: Published) -> Interval:
    """Of the board that the source calls `one.judge`."""
    with in_shape(files):
        return FIGURES[one.figure](BOARDS[files.card.name](files, one.judge), one.options)


def boards(bench: Bench, files: Files) -> list[Scored]:
    """A line a figure: ours, beside that of the source; none where the bench has cases."""
    if files.card.name not in BOARDS or bench.published is None:
        return []
    return [_line(files, one) for one in bench.published(files)]


def _line(files: Files, one: Published) -> Scored:
    value = board_figure(files, one)
    card = replace(files.card, metric=Metric(one.figure, options=one.options))
    told = ", ".join(str(option) for option in one.options.values())
    name = f"{one.judge}: {one.figure}" + (f" ({told})" if told else "")
    none = undefined("systems are not answered", "clustered t", level=0.95)
    return Scored(card, name, value, value, none, {}, {}, {}, one, {}, None, files.sha256)


def _people(board: Board) -> Standings:
    rating, low, high = np.array(board.people, dtype=float).T
    return Standings(rating, low, high)


def _standings(board: Board) -> Standings:
    return Standings.of(board.draws, score=board.scores)


Made = Callable[[Board, Mapping[str, Any]], Interval]
FIGURES: Mapping[str, Made] = {
    "separability": lambda board, options: separability(_standings(board)).interval,
    "agreement_with_confidence": lambda board, options: agreement_with_confidence(
        _standings(board), _people(board), form=options.get("form", "disjoint")).interval,
    "pair_brier": lambda board, options: pair_rank_brier(
        board.draws, _people(board).score).interval,
    "spearman_of_boards": lambda board, options: spearman(
        board.scores, _people(board).score).interval,
}  # fmt: skip
