"""What raters said, as arrays, and the figure that every function here answers with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenhand.errors import DataError
from evenhand.intervals import (
    Floats,
    Interval,
    cluster_index,
    clustered_t,
    enough,
    undefined,
    wilson,
)

Bools = NDArray[np.bool_]
Label = str | float | int | None


class Gap(IntEnum):
    """Why a rating holds no value; three reasons that are never taken for one another."""

    USED = 0
    MISSING = 1
    REFUSED = 2
    UNREAD = 3


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """What n_raters said about n_items.

    Attributes:
        values: Shape (n_items, n_raters), NaN where there is no value; a word counts as its place
            in `names`. Kept column by column, which makes counting five times faster.
        why: Shape (n_items, n_raters), a `Gap` each.
        clusters: Shape (n_items,); equal entries are not independent. None: every item for itself.
        scale: The grades allowed, rising, unused ones included; None takes those that occur.
        names: The words of a scale of words, one a grade; empty for numbers.
    """

    values: Floats
    why: NDArray[np.int8]
    clusters: NDArray[np.int64] | None = None
    scale: tuple[float, ...] | None = None
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.why.shape != self.values.shape:
            raise ValueError("values and why are both of shape (n_items, n_raters)")
        if self.clusters is not None and self.clusters.shape != self.values.shape[:1]:
            raise ValueError("clusters has one entry an item")
        if not np.array_equal(np.isnan(self.values), self.why != Gap.USED):
            raise ValueError("a value is NaN exactly where why gives a reason")

    @classmethod
    def from_values(
        cls,
        values: ArrayLike,
        *,
        why: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
        scale: Sequence[float] | None = None,
    ) -> Ratings:
        """From numbers; NaN is missing unless `why` says otherwise."""
        array = np.array(values, dtype=float, order="F", ndmin=2)
        gaps = np.isnan(array).astype(np.int8) if why is None else np.asarray(why, dtype=np.int8)
        if np.isinf(array).any():
            raise DataError("a rating is inf", expected="numbers, or NaN for none")
        if why is not None:
            array[gaps != Gap.USED] = np.nan
        groups = None if clusters is None else cluster_index(clusters, len(array))[0]
        grades = None if scale is None else tuple(sorted(float(grade) for grade in scale))
        if grades is not None:
            _on_scale(array, grades)
        return cls(array, gaps, groups, grades)

    @classmethod
    def from_labels(
        cls,
        rows: Sequence[Sequence[Label | Gap]],
        *,
        clusters: ArrayLike | None = None,
        scale: Sequence[str] | Sequence[float] | None = None,
    ) -> Ratings:
        """From one list of labels an item, one label a rater.

        None and NaN are missing, `Gap.REFUSED` and `Gap.UNREAD` are themselves. Without a scale
        words are put in alphabetical order, which weighted coefficients should not be given.

        Raises:
            DataError: A label outside the scale, words and numbers side by side, or rows of
                different lengths.

        Example:
            >>> ratings = Ratings.from_labels([["yes", "no"], ["yes", Gap.UNREAD]])
            >>> ratings.values.tolist(), ratings.counts()
            ([[1.0, 0.0], [1.0, nan]], (3, 0, 0, 1))
        """
        _even(rows)
        gaps = np.array([[_gap(label) for label in row] for row in rows], dtype=np.int8)
        said = [x for row in rows for x in row if _gap(x) == Gap.USED]
        words = {str(x) for x in said if isinstance(x, str)}
        if words and len(words) < len({*said}):
            raise DataError(f"labels mix words and numbers: {said[:5]}", expected="one kind")
        if not words and not any(isinstance(grade, str) for grade in scale or ()):
            numbers = [[math.nan if _gap(x) else float(x) for x in row] for row in rows]  # type: ignore[arg-type]
            grades = None if scale is None else [float(grade) for grade in scale]
            return cls.from_values(numbers, why=gaps, clusters=clusters, scale=grades)
        names = tuple(sorted(words)) if scale is None else tuple(str(grade) for grade in scale)
        place: dict[object, float] = {name: float(n) for n, name in enumerate(names)}
        if alien := [x for x in said if x not in place]:
            raise DataError(f"label {alien[0]!r} is not on the scale", expected=", ".join(names))
        coded = [[place.get(x, math.nan) for x in row] for row in rows]
        ratings = cls.from_values(coded, why=gaps, clusters=clusters, scale=range(len(names)))
        return replace(ratings, names=names)

    @property
    def n_items(self) -> int:
        return int(self.values.shape[0])

    @property
    def n_raters(self) -> int:
        return int(self.values.shape[1])

    def pick(self, *raters: int) -> Ratings:
        """The same items by these raters only, in this order."""
        columns = list(raters)
        values, why = np.asfortranarray(self.values[:, columns]), self.why[:, columns]
        return replace(self, values=values, why=why)

    def where(self, items: Bools) -> Ratings:
        """These items only; cluster numbers stay."""
        groups = None if self.clusters is None else self.clusters[items]
        values = np.asfortranarray(self.values[items])
        return replace(self, values=values, why=self.why[items], clusters=groups)

    def grades(self) -> Floats:
        """The scale, or the values that occur, rising."""
        if self.scale is not None:
            return np.array(self.scale)
        if not (self.why == Gap.USED).any():
            return np.empty(0)
        low, high = np.fmin.reduce(self.values, axis=None), np.fmax.reduce(self.values, axis=None)
        if high - low < 64 and low == np.rint(low):  # whole numbers need no sort
            tried = np.arange(low, high + 1)
            seen = np.array([np.count_nonzero(self.values == grade) for grade in tried])
            if seen.sum() == np.count_nonzero(self.why == Gap.USED):
                return np.asarray(tried[seen > 0])
        found = np.unique(self.values)
        return np.asarray(found[np.isfinite(found)])

    def counts(self) -> tuple[int, int, int, int]:
        """Ratings used, missing, refused and unread."""
        used, missing, refused, unread = np.bincount(self.why.ravel(order="K"), minlength=4)[
            :4
        ].tolist()
        return used, missing, refused, unread


def _even(rows: Sequence[Sequence[Label | Gap]]) -> None:
    for place, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            text = f"item {place} has {len(row)} labels, the first {len(rows[0])}"
            do = "write None where a rater said nothing"
            raise DataError(text, expected="one place a rater", do=do, row=place)


def _on_scale(values: Floats, grades: tuple[float, ...]) -> None:
    off = np.isfinite(values) & ~np.isin(values, grades)
    if off.any():
        item, rater = (int(place[0]) for place in np.nonzero(off))
        shown = ", ".join(f"{grade:g}" for grade in grades)
        raise DataError(
            f"rating {values[item, rater]:g} of rater {rater} is not on the scale",
            expected=shown,
            do="give the scale that was used, or map the labels to this one",
            row=item + 1,
        )


def _gap(label: Label | Gap) -> Gap:
    if isinstance(label, Gap):
        return label
    empty = label is None or (isinstance(label, float) and math.isnan(label))
    return Gap.MISSING if empty else Gap.USED


@dataclass(frozen=True, slots=True)
class Figure:
    """A named number with its doubt and what it rests on.

    Attributes:
        interval: A NaN estimate has its reason here; so have bounds that are None.
        n_used: Ratings that entered; the interval's n counts items.
        n_missing, n_refused, n_unread: Ratings without a value, by reason.
    """

    name: str
    interval: Interval
    n_used: int
    n_missing: int
    n_refused: int
    n_unread: int
    warnings: tuple[str, ...] = ()

    @property
    def estimate(self) -> float:
        return self.interval.estimate


def figure(
    name: str,
    interval: Interval,
    ratings: Ratings,
    *,
    n_used: int | None = None,
    warnings: Sequence[str] = (),
) -> Figure:
    """A figure with the counts of the ratings that it was asked about."""
    used, missing, refused, unread = ratings.counts()
    said = tuple(dict.fromkeys([*warnings, *([interval.reason] if interval.reason else [])]))
    entered = used if n_used is None else n_used
    return Figure(name, interval, entered, missing, refused, unread, said)


def share(values: Floats, clusters: NDArray[np.int64] | None, *, level: float = 0.95) -> Interval:
    """The mean of hits in [0, 1]: Wilson for whole hits of items that stand alone, else a t."""
    if values.size == 0:
        return undefined("no item can be scored", "Wilson", level=level)
    index, groups = cluster_index(clusters, values.size)
    if groups == values.size and np.isin(values, (0.0, 1.0)).all():
        return wilson(float(values.sum()), values.size, level=level)
    return enough(clustered_t(values, index, level=level, span=(0.0, 1.0)))
