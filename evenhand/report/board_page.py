"""The board as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evenhand.report.board_text import advice, brief, cells, figures, judges, percent, places
from evenhand.report.standings import Board, Standing, Standings
from evenhand.report.terminal import visible

PAGE = Path(__file__).with_name("board.html")
WIDE = 200  # of a drawn interval, in its own units
NUMBERED, DRAWN = 16, 120  # systems up to which a matrix has numbers in it; is drawn at all


def board_page(board: Board) -> str:
    """Every text is escaped; there is no script and no address in it."""
    from jinja2 import Environment

    page = Environment(autoescape=True).from_string(PAGE.read_text(encoding="utf-8"))
    gate = board.gate
    shown: Mapping[str, Any] = {
        "headline": _clean(board.headline),
        "gate": None
        if gate is None
        else {
            "result": gate.result,
            "text": f"{_clean(gate.claim)}: {percent(gate.probability)}",
        },
        "whole": _drawn(board.whole),
        "slices": [
            {"name": _clean(one.name), "reason": _clean(one.reason), **_drawn(one)}
            for one in board.slices
        ],
        "matrix": _matrix(board),
        "advice": [_clean(text) for text in advice(board)],
        "warnings": [_clean(text) for text in (*board.warnings, *board.fought.notices)],
        "figures": [(_clean(name), _clean(text)) for name, text in _rests_on(board)],
    }
    return page.render(shown) + "\n"


def _clean(text: str) -> str:
    return visible(brief(text))


def _drawn(standings: Standings) -> dict[str, Any]:
    """Rows with their places on one axis; the axis in rating points."""
    ratings = [row.rating for row in standings.rows]
    ends = [x for one in ratings for x in (one.low, one.high, one.estimate) if x is not None]
    known = [x for x in ends if np.isfinite(x)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    margin = max(0.02 * (high - low), 1.0)
    low, high = low - margin, high + margin

    def place(value: float) -> float:
        return round(WIDE * (value - low) / (high - low), 1)

    rows = [_row(row, at, place) for at, row in enumerate(standings.rows, 1)]
    centre = place(1000.0) if low <= 1000.0 <= high else None
    return {"rows": rows, "low": f"{low:.0f}", "high": f"{high:.0f}", "centre": centre}


def _row(row: Standing, at: int, place: Any) -> dict[str, Any]:
    middle, spread, rate = cells(row)
    drawn = {
        "rank": places(row, at), "name": _clean(row.system), "rating": middle, "spread": spread,
        "rate": rate, "battles": row.battles, "undecided": row.undecided, "at": None, "low": None,
        "best": None if row.best is None else f"{row.best:.0%}",
        "reason": _clean(row.rating.reason),
    }  # fmt: skip
    if np.isfinite(row.rating.estimate):
        drawn["at"] = place(row.rating.estimate)
    if row.rating.low is not None and row.rating.high is not None:
        drawn |= {"low": place(row.rating.low), "high": place(row.rating.high)}
    return drawn


# ---- who against whom ----------------------------------------------------------------------------


def _matrix(board: Board) -> dict[str, Any]:
    """Cells of a square of systems in the order of the table; or why it is not drawn."""
    names = [row.system for row in board.whole.rows]
    index = [board.matrix.systems.index(name) for name in names]
    rates = board.matrix.rates[np.ix_(index, index)]
    counts = board.matrix.counts[np.ix_(index, index)]
    met = int((counts > 0).sum()) // 2
    told = f"{met} of {len(names) * (len(names) - 1) // 2} pairs met."
    star = np.flatnonzero((counts > 0).sum(axis=1) == len(names) - 1)
    if len(names) > 2 and met == len(names) - 1 and star.size == 1:
        one = _clean(names[star[0]])
        return {"why": f"{told} All met {one} alone: the win rates above are the matrix."}
    if len(names) > DRAWN:
        return {"why": f"{told} {len(names)} systems are too many to draw: --json has them."}
    made = {"why": "", "told": told, "names": [_clean(name) for name in names]}
    if len(names) <= NUMBERED:
        return {**made, "rows": [_numbers(rates[i], counts[i]) for i in range(len(names))]}
    return {**made, "cells": _squares(rates, counts, names), "size": len(names)}


def _numbers(rates: np.ndarray, counts: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"text": "", "n": 0, "hue": "", "strength": 0}
        if not n
        else {"text": f"{100 * rate:.0f}", "n": f"{n:g}", **_hue(float(rate))}
        for rate, n in zip(rates.tolist(), counts.tolist(), strict=True)
    ]


def _squares(rates: np.ndarray, counts: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "x": int(j), "y": int(i), **_hue(float(rates[i, j])),
            "text": f"{_clean(names[i])} against {_clean(names[j])}: "
            f"{rates[i, j]:.0%} of {counts[i, j]:g}",
        }
        for i, j in np.argwhere(counts > 0)
    ]  # fmt: skip


def _hue(rate: float) -> dict[str, Any]:
    """A colour for the row's system winning or losing, the stronger the further from a half."""
    return {"hue": "win" if rate >= 0.5 else "lose", "strength": round(abs(rate - 0.5) * 1.6, 2)}


def _rests_on(board: Board) -> list[tuple[str, str]]:
    form = board.json()
    rows = [(name, text) for name, text in figures(board) if name not in ("judge", "sha256")]
    rows += [("judge", text) for text in list(judges(board))[:20]]
    rows += [("data", f"{one['name']}, sha256 {one['sha256']}") for one in board.fought.files]
    numbers = ", ".join(f"{name} {number}" for name, number in form["versions"].items())
    return [*rows, ("versions", numbers), ("seed", str(form["seed"]))]
