"""Standings of systems: what each fit says, what it rests on, and what it cannot support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evenhand.errors import Misuse, Undecidable
from evenhand.intervals import Floats
from evenhand.rank.active import next_pairs, top_separated
from evenhand.rank.battles import Battles
from evenhand.rank.bradley_terry import bradley_terry, elo_interval
from evenhand.rank.fitted import Fitted
from evenhand.rank.graph import cycles
from evenhand.rank.ordinal import ordinal
from evenhand.rank.ranks import ranks
from evenhand.rank.ties import davidson, rao_kupper
from evenhand.rank.win_rate import win_matrix, win_rate
from evenhand.report.board_text import headline, warnings
from evenhand.report.fought import Fought, joined
from evenhand.report.standings import (
    SEED,
    Asked,
    Board,
    Control,
    Gate,
    Result,
    Standing,
    Standings,
)
from evenhand.report.style import STYLE, set_off

TIES = {"half": bradley_terry, "davidson": davidson, "rao-kupper": rao_kupper, "ordinal": ordinal}
CENTRE = 1000.0  # Elo points of the mean, or of the anchor
DRAWS = 2000
MOST_LEVEL = 0.999  # beyond it the draws say nothing of the places


def board(fought: Fought, asked: Asked) -> Board:
    """Fits strengths and says what they rest on.

    Raises:
        Misuse: An unknown system, column or tie rule, or battles that the tie rule cannot take.
        Undecidable: No battle is decided.
    """
    _check(fought, asked)
    battles = fought.battles
    controlled = battles if not asked.control else _controlled(fought, asked.control)
    fitted = _fit(controlled, asked)
    matrix, names = win_matrix(battles), battles.systems
    whole = _standings("", battles, fitted, asked.level)
    pairs = next_pairs(fitted, matrix.counts, n=12, top=asked.top, seed=SEED)
    made = Board(
        fought,
        asked,
        whole,
        tuple(_slices(fought, asked)),
        None if not asked.control else _moved(battles, fitted, asked),
        cycles(np.nan_to_num(matrix.rates) * matrix.counts),
        matrix,
        None
        if asked.top is None
        else top_separated(fitted, asked.top, look=fought.looks, alpha=1 - asked.level),
        None if asked.gate is None else _gate(asked.gate, fitted),
        tuple((names[i], names[j]) for i, j in dict.fromkeys(pairs)),
        _constant(fought),
    )
    return replace(made, headline=headline(made), warnings=tuple(warnings(made)))


def _check(fought: Fought, asked: Asked) -> None:
    known = fought.battles.systems
    if asked.ties not in TIES:
        raise Misuse(f"--ties {asked.ties}", expected=", ".join(TIES), do="docs/rank.md says which")
    if asked.anchor is not None and asked.anchor not in known:
        raise Misuse(
            f"--anchor {asked.anchor}: no such system",
            expected=joined(known),
            do="name one of these",
        )
    if asked.top is not None and not 1 <= asked.top < len(known):
        most = len(known) - 1
        raise Misuse(f"--top {asked.top} of {len(known)} systems", expected=f"1 to {most}")
    if not 0.5 <= asked.level <= MOST_LEVEL:
        raise Misuse(f"--level {asked.level:g}", expected="0.5 to 0.999", do="--level 0.95")
    if asked.control and asked.ties != "half":
        raise Misuse(
            f"--control with --ties {asked.ties}",
            expected="--ties half: the other tie rules take no columns",
            do="leave one of them out",
        )


def _fit(battles: Battles, asked: Asked, level: float | None = None) -> Fitted:
    if not battles.usable.any():
        needed = " and has a number in every column that is controlled" if battles.names else ""
        raise Undecidable(
            f"none of {battles.a.size} battles is decided{needed}",
            expected="at least one, of a weight above 0",
            do="of a run, evenhand show RUN --undecided says why",
        )
    try:
        return TIES[asked.ties](battles, anchor=asked.anchor, level=level or asked.level)
    except ValueError as error:
        advice = "--ties ordinal takes graded wins" if "graded" in str(error) else ""
        raise Misuse(str(error), do=advice or "docs/rank.md says what a board needs") from error


def _controlled(fought: Fought, control: Sequence[str]) -> Battles:
    names = [one for name in control for one in (STYLE if name == "style" else (name,))]
    lengths = fought.sides("length")
    columns = []
    for name in dict.fromkeys(names):
        both = fought.sides(name)
        if both is None:
            told = sorted(fought.answers.numbers)
            raise Misuse(
                f"--control {'style' if name in STYLE else name}: no {name} was counted",
                expected=f"one of {joined(told)}" if told else f"columns {name}_a and {name}_b",
                do="a run knows length and style; a file needs the columns, or response_a/_b",
            )
        columns.append(set_off(name, both, lengths))
    table = np.column_stack(columns)
    return replace(fought.battles, covariates=table, names=tuple(dict.fromkeys(names)))


# ---- rows ----------------------------------------------------------------------------------------


def _standings(name: str, battles: Battles, fitted: Fitted, level: float) -> Standings:
    places = ranks(fitted, level=level, draws=DRAWS, seed=SEED)
    order = np.argsort(-np.nan_to_num(fitted.theta, nan=-np.inf), kind="stable")
    rows = []
    for at in order.tolist():
        system = fitted.systems[at]
        rate = win_rate(battles, system, level=level)
        if not rate.n_used and not rate.n_undecided:
            continue
        strength = fitted.interval(system, level=level)
        low, high = (int(x[at]) or None for x in (places.low, places.high))
        best = float(places.best[at]) if np.isfinite(places.best[at]) else None
        row = Standing(
            system, elo_interval(strength, centre=CENTRE), low, high, best, rate.raw, rate.n_used,
            rate.n_undecided,
        )  # fmt: skip
        rows.append(row)
    return Standings(name, tuple(rows), fitted, fitted.n_clusters)


def _slices(fought: Fought, asked: Asked) -> list[Standings]:
    """Boards of parts; their level is raised so that all of them hold together."""
    if fought.slices is None:
        return []
    names = sorted(set(fought.slices.tolist()))
    level = 1 - (1 - asked.level) / len(names)
    made = []
    for name in names:
        part = fought.slice(name)
        battles = part.battles if not asked.control else _controlled(part, asked.control)
        try:
            fitted = _fit(battles, asked, level)
        except (Misuse, Undecidable) as error:
            made.append(Standings(name, (), None, 0, error.happened))
            continue
        made.append(_standings(name, part.battles, fitted, level))
    return made


def _moved(battles: Battles, fitted: Fitted, asked: Asked) -> Control:
    plain = _fit(battles, asked)
    was, now = _places(plain.theta), _places(fitted.theta)
    moved = [
        (name, was[at], now[at])
        for at, name in enumerate(fitted.systems)
        if np.isfinite(fitted.theta[at]) and was[at] != now[at]
    ]
    return Control(
        fitted.effects, tuple(sorted(moved, key=lambda one: (-abs(one[2] - one[1]), one[2])))
    )


def _places(theta: Floats) -> list[int]:
    order = np.argsort(-np.nan_to_num(theta, nan=-np.inf), kind="stable")
    return [int(place) + 1 for place in np.argsort(order, kind="stable")]


def _gate(claim: str, fitted: Fitted) -> Gate:
    pieces = claim.split(">")
    for at in range(1, len(pieces)):
        one, other = (">".join(part).strip() for part in (pieces[:at], pieces[at:]))
        if one in fitted.systems and other in fitted.systems and one != other:
            chance = fitted.probability(one, other)
            result: Result = "INCONCLUSIVE"
            if chance.low is not None and chance.high is not None:
                result = "PASS" if chance.low > 0.5 else "FAIL" if chance.high < 0.5 else result
            return Gate(f"{one} > {other}", result, chance)
    raise Misuse(
        f"--gate {claim!r} names no two systems",
        expected=f"'B > A' of {joined(fitted.systems)}",
        do=f"--gate '{fitted.systems[-1]} > {fitted.systems[0]}'",
    )


def _constant(fought: Fought) -> tuple[str, ...]:
    """Systems that gave every prompt the same answer."""
    from evenhand.rank.constant import constant_systems

    answers, clusters = fought.answers, fought.battles.clusters
    names = {name: at for at, name in enumerate(fought.battles.systems)}
    codes: dict[Any, float] = {None: float("nan")}
    seen: dict[tuple[int, int], float] = {}
    for cluster, pair in zip(clusters.tolist(), fought.at.tolist(), strict=True):
        for at in pair:
            if at >= 0:
                value = codes.setdefault(answers.same[at], float(len(codes)))
                seen.setdefault((names[answers.systems[at]], cluster), value)
    if len(codes) < 3 and not any(isinstance(one, str) for one in codes):
        return ()  # one length for every system is no system's trick
    who = np.array([system for system, _ in seen], dtype=np.int64)
    found = constant_systems(who, np.array(list(seen.values())))
    return tuple(fought.battles.systems[at] for at in found)
