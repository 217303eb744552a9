"""What a board says of systems, as frozen values and as JSON."""

from __future__ import annotations

import csv
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evenhand.intervals import Interval
from evenhand.rank.active import Top
from evenhand.rank.fitted import Fitted
from evenhand.rank.graph import Cycles
from evenhand.rank.win_rate import WinMatrix
from evenhand.report.fought import Fought
from evenhand.report.people import known_only

SEED = 0
Result = Literal["PASS", "FAIL", "INCONCLUSIVE"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a board is asked for; `by` and `cluster` were said to `read_battles`.

    Attributes:
        control: 'length', 'style' (headers, lists, bold), or columns COL_a and COL_b by 'COL'.
        ties: half, davidson, rao-kupper or ordinal.
        anchor: The system whose rating is 1000; None puts the mean there.
        top: Says whether the first so many systems are settled.
        gate: 'B > A'.
    """

    control: tuple[str, ...] = ()
    ties: str = "half"
    anchor: str | None = None
    top: int | None = None
    level: float = 0.95
    gate: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One system.

    Attributes:
        rating: In Elo points.
        rank_low, rank_high: Best and worst place, simultaneous for all systems; None without them.
        best: Probability that it is the first; None without one.
        battles: Decided ones.
    """

    system: str
    rating: Interval
    rank_low: int | None
    rank_high: int | None
    best: float | None
    win_rate: Interval
    battles: int
    undecided: int

    def json(self) -> dict[str, Any]:
        """Flat, as the command's machine output has it."""
        whys = {"reason": self.rating.reason, "win_rate_reason": self.win_rate.reason}
        return {
            "system": self.system,
            "rating": self.rating.estimate, "low": self.rating.low, "high": self.rating.high,
            "rank_low": self.rank_low, "rank_high": self.rank_high, "best": self.best,
            "win_rate": self.win_rate.estimate, "win_rate_low": self.win_rate.low,
            "win_rate_high": self.win_rate.high,
            "battles": self.battles, "undecided": self.undecided,
            **{name: why for name, why in whys.items() if why},
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """A board of some battles. Attributes: name is the slice's, "" for all; fitted None where
    nothing can be fitted, for `reason`."""

    name: str
    rows: tuple[Standing, ...]
    fitted: Fitted | None
    n_clusters: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """Attributes: effects in log odds a root mean square of each column; moved are (system, place
    without, place with) where they differ."""

    effects: Mapping[str, Interval]
    moved: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Gate:
    claim: str
    result: Result
    probability: Interval


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """Attributes: next are pairs that would say most; constant are systems with one answer."""

    fought: Fought
    asked: Asked
    whole: Standings
    slices: tuple[Standings, ...]
    control: Control | None
    cycles: Cycles
    matrix: WinMatrix
    top: Top | None
    gate: Gate | None
    next: tuple[tuple[str, str], ...]
    constant: tuple[str, ...]
    headline: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def fitted(self) -> Fitted:
        assert self.whole.fitted is not None
        return self.whole.fitted

    @property
    def undecided(self) -> int:
        battles = self.fought.battles
        return int(np.count_nonzero(np.isnan(battles.outcome) & (battles.weights > 0)))

    @property
    def uncounted(self) -> int:
        """Decided battles left out, for a column that is controlled is not known of them."""
        return self.fitted.n_undecided - self.undecided

    @property
    def tie_rate(self) -> float:
        counts = float(self.matrix.counts.sum())
        return float(self.matrix.ties.sum()) / counts if counts else float("nan")

    def json(self) -> dict[str, Any]:
        fit, k = self.fitted, range(len(self.matrix.systems))
        met = [(i, j) for i in k for j in k if i < j and self.matrix.counts[i, j] > 0]
        names = self.matrix.systems
        whole: dict[str, Any] = known_only({
            "headline": self.headline,
            "board": [row.json() for row in self.whole.rows],
            "slices": {one.name: {"board": [row.json() for row in one.rows],
                                  "reason": one.reason or None} for one in self.slices},
            "control": _control_json(self.control),
            "gate": _gate_json(self.gate),
            "top": None if self.top is None else {"systems": list(self.top.systems),
                "separated": self.top.separated, "open": [list(p) for p in self.top.open],
                "look": self.top.look},
            "ties": {"model": self.asked.ties, "rate": self.tie_rate,
                     **{name: asdict(one) for name, one in fit.shape.items()}},
            "cycles": {"triads": self.cycles.triads, "cyclic": self.cycles.cyclic,
                       "examples": [[names[i] for i in three] for three in self.cycles.examples]},
            "matrix": [{"a": names[i], "b": names[j], "win_rate": float(self.matrix.rates[i, j]),
                        "battles": float(self.matrix.counts[i, j]),
                        "ties": float(self.matrix.ties[i, j])} for i, j in met],
            "next": [list(pair) for pair in self.next],
            "constant": list(self.constant),
            "warnings": list(self.warnings),
            "notices": list(self.fought.notices),
            "method": fit.method, "level": self.asked.level, "anchor": self.asked.anchor,
            "components": [list(group) for group in fit.components],
            "n": fit.n_used, "undecided": self.undecided, "uncounted": self.uncounted,
            "failed": self.fought.failed,
            "n_clusters": fit.n_clusters, "cluster": self.fought.cluster,
            "judges": list(self.fought.judges), "data": list(self.fought.files),
            "versions": {name: version(name) for name in ("evenhand", "numpy", "scipy")}
            | {"python": platform.python_version()},
            "seed": SEED,
        })  # fmt: skip
        return whole


def _control_json(control: Control | None) -> dict[str, Any]:
    if control is None:
        return {}
    return {
        "effects": {name: asdict(one) for name, one in control.effects.items()},
        "moved": [
            {"system": name, "plain": was, "controlled": now} for name, was, now in control.moved
        ],
    }


def _gate_json(gate: Gate | None) -> dict[str, Any] | None:
    if gate is None:
        return None
    return {"claim": gate.claim, "result": gate.result, "probability": asdict(gate.probability)}


def write_rows(board: Board, file: Path) -> None:
    """One row a system, of all battles and then of each slice, as CSV."""
    every = [(one.name, row.json()) for one in (board.whole, *board.slices) for row in one.rows]
    names = [*dict.fromkeys(name for _, row in every for name in row)]
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.DictWriter(stream, ["slice", *names], restval="")
        out.writeheader()
        for part, row in every:
            out.writerow({"slice": part} | known_only(row))
