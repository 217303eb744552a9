"""Battles as they are gathered: rows one by one, then the arrays that a board is made of."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.errors import Misuse
from evenhand.intervals import Floats, Ints
from evenhand.rank.battles import Battles


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Responses that battles were about.

    Attributes:
        systems: Shape (n_answers,), names.
        same: Shape (n_answers,), equal for equal answers; None where nothing tells.
        numbers: By name, shape (n_answers,), what was counted; NaN where it is not known.
    """

    systems: tuple[str, ...]
    same: tuple[Hashable, ...]
    numbers: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Fought:
    """Battles with where they come from.

    Attributes:
        battles: Without covariates.
        at: Shape (n, 2), numbers of A's and B's answer; -1 where it is not known.
        slices: One name a battle; None unless asked for.
        judges: {name, identity, models} each; identity is None outside runs.
        files: {name, sha256} each.
        view: 'pairwise', 'pointwise' or 'listwise'; 'file' for files of battles; several joined
            by ' and '.
        failed: Cases of the runs without an answer: no battle.
        looks: How often the runs were started: each start may have added battles.
        notices: What should be said once.
    """

    battles: Battles
    answers: Answers
    at: Ints
    slices: NDArray[np.object_] | None
    judges: tuple[Mapping[str, Any], ...]
    files: tuple[Mapping[str, Any], ...]
    view: str
    failed: int
    looks: int
    cluster: str
    notices: tuple[str, ...]

    def sides(self, name: str) -> Floats | None:
        """Shape (n, 2): a number of A's and of B's answer; None where nothing was counted so."""
        column = self.answers.numbers.get(name)
        if column is None:
            return None
        padded = np.append(column, np.nan)
        return np.asarray(padded[self.at])

    def slice(self, name: str) -> Fought:
        assert self.slices is not None
        kept = self.slices == name
        battles = self.battles.where(kept)
        return replace(self, battles=battles, at=self.at[kept], slices=self.slices[kept])


@dataclass(slots=True)
class Gathering:
    """Rows as they come; `fought` makes the arrays."""

    a: list[str] = field(default_factory=list)
    b: list[str] = field(default_factory=list)
    outcome: list[float] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    judged: list[str] = field(default_factory=list)
    slices: list[str] = field(default_factory=list)
    at: list[tuple[int, int]] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)
    same: list[Hashable] = field(default_factory=list)
    numbers: list[Mapping[str, float]] = field(default_factory=list)
    judges: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    files: list[Mapping[str, Any]] = field(default_factory=list)
    views: dict[str, None] = field(default_factory=dict)
    failed: int = 0
    looks: int = 0
    alone: int = 0
    notices: list[str] = field(default_factory=list)

    def answer(self, system: str, same: Hashable, numbers: Mapping[str, float]) -> int:
        self.systems.append(system)
        self.same.append(same)
        self.numbers.append(numbers)
        return len(self.systems) - 1

    def add(
        self,
        sides: tuple[str, str],
        share: float,
        cluster: str,
        *,
        judge: str = "",
        part: str = "",
        at: tuple[int, int] = (-1, -1),
        weight: float = 1.0,
    ) -> None:
        """One battle; a system against itself is none, and is counted."""
        if sides[0] == sides[1]:
            self.alone += 1
            return
        self.a.append(sides[0])
        self.b.append(sides[1])
        self.outcome.append(share)
        self.clusters.append(cluster)
        self.weights.append(weight)
        self.judged.append(judge)
        self.slices.append(part)
        self.at.append(at)

    def fought(self, *, by: str | None, cluster: str) -> Fought:
        """Raises: Misuse when no battle was found."""
        if not self.a:
            raise Misuse(
                "there is no battle: no two systems were judged on one prompt",
                expected="pairs, or grades of two systems on the same prompts",
                do="judge the responses of two systems or more",
            )
        if self.alone:
            one = "1 battle" if self.alone == 1 else f"{self.alone} battles"
            text = f"left out, for a system stood against itself: {one}"
            self.notices.append(text)
        battles = Battles.of(
            self.a, self.b, self.outcome, clusters=self.clusters, weights=self.weights,
            judges=self.judged,
        )  # fmt: skip
        names = dict.fromkeys(name for numbers in self.numbers for name in numbers)
        columns = {
            name: np.array([numbers.get(name, np.nan) for numbers in self.numbers])
            for name in names
        }
        answers = Answers(tuple(self.systems), tuple(self.same), columns)
        return Fought(
            battles, answers, np.array(self.at, dtype=np.int64).reshape(-1, 2),
            np.array(self.slices, dtype=object) if by else None,
            tuple(self.judges.values()), tuple(self.files),
            " and ".join(self.views), self.failed,
            max(1, self.looks), cluster, tuple(self.notices),
        )  # fmt: skip


def joined(names: Sequence[str], most: int = 12) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f", … ({more} more)" if more > 0 else "")
