"""Rows -> rows with as many responses as a judge looks at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import combinations

from evenhand.data.rows import Bad, Row
from evenhand.errors import DataError, Misuse
from evenhand.records import PAIR, View

BASELINE = "baseline:"


def fit(
    rows: Iterable[Row],
    view: View,
    *,
    pairs: str = "all",
    on_bad: Callable[[Bad], None] | None = None,
) -> Iterator[Row]:
    """Split n responses for pointwise and pairwise judges; ids tell who is in view.

    A person's label stays where it is about what is in view: a pair's label is dropped for a
    pointwise judge.

    Args:
        pairs: Of more than two responses: 'all', or 'baseline:NAME' for each other system against
            that one, which is then given first, in rows of two responses as well.
        on_bad: Gets each row that does not fit, which is then left out.

    Raises:
        Misuse: `pairs` is neither.
        DataError: A row has too few responses, or lacks the baseline, and there is no `on_bad`.
    """
    split = _splitter(view, pairs)
    return (fitted for row in rows for fitted in _fitted(row, split, on_bad))


def _splitter(view: View, pairs: str) -> Callable[[Row], Iterable[Row]]:
    if view == "pointwise":
        return _single
    if view == "listwise":
        return lambda row: (_at_least_two(row, "listwise judges order"),)
    if pairs == "all":
        return _all_pairs
    name = pairs.removeprefix(BASELINE)
    if not name or name == pairs:
        raise Misuse(
            f"--pairs {pairs}", expected="all, or baseline:NAME", do="name a system of the data"
        )
    return lambda row: _against(row, name)


def _fitted(
    row: Row, split: Callable[[Row], Iterable[Row]], on_bad: Callable[[Bad], None] | None
) -> Iterable[Row]:
    if on_bad is None:
        return split(row)
    try:
        return list(split(row))
    except DataError as error:
        on_bad(Bad(error.file, error.row, error.field, error.happened, error.expected))
        return ()


def names(row: Row) -> list[str]:
    """One name a response, all different: its system, else its place."""
    systems = [r.system or str(i) for i, r in enumerate(row.case.responses, 1)]
    many, seen = Counter(systems), Counter[str]()
    found = []
    for system in systems:
        seen[system] += 1
        found.append(system if many[system] == 1 else f"{system}#{seen[system]}")
    return found


def _single(row: Row) -> Iterator[Row]:
    n = len(row.case.responses)
    if n == 1:
        yield row
        return
    if n == 0:
        raise _too_few(row, "pointwise judges take one response")
    for i, name in enumerate(names(row)):
        yield _part(row, f"{row.case.id}/{name}", i)


def _all_pairs(row: Row) -> Iterator[Row]:
    _at_least_two(row, "pairwise judges compare")
    if len(row.case.responses) == 2:
        yield row
        return
    called = names(row)
    for i, j in combinations(range(len(called)), 2):
        yield _part(row, f"{row.case.id}/{called[i]}-vs-{called[j]}", i, j)


def _against(row: Row, name: str) -> Iterator[Row]:
    _at_least_two(row, "pairwise judges compare")
    called = names(row)
    if name not in called:
        raise DataError(
            f"no response of the baseline '{name}'",
            expected="one of " + ", ".join(called),
            do="name one of these, or leave out --pairs",
            file=row.file,
            row=row.row,
        )
    first = called.index(name)
    others = [i for i in range(len(called)) if i != first]
    if len(called) == 2:
        yield row if first == 0 else _swapped(row)
        return
    for i in others:
        yield _part(row, f"{row.case.id}/{name}-vs-{called[i]}", first, i)


def _swapped(row: Row) -> Row:
    label = None if row.label is None else PAIR.swapped(row.label)
    return replace(row, case=row.case.only(1, 0), label=label)


def _part(row: Row, ident: str, *index: int) -> Row:
    return replace(row, case=replace(row.case.only(*index), id=ident), label=None)


def _at_least_two(row: Row, what: str) -> Row:
    if len(row.case.responses) < 2:
        raise _too_few(row, f"{what} two or more responses")
    return row


def _too_few(row: Row, expected: str) -> DataError:
    n = len(row.case.responses)
    return DataError(
        "one response" if n else "no response",
        expected=expected,
        do="choose a pointwise judge: they take one response"
        if n
        else "name the column: --map response=COLUMN, or responses=COLUMN+COLUMN",
        file=row.file,
        row=row.row,
        field="responses",
    )
