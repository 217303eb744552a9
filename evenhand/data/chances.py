"""With which probability each labelled case was drawn, where a plan drew them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from evenhand.data.label_columns import Fields
from evenhand.data.texts import absent, shown
from evenhand.errors import DataError

Places = Mapping[str, int]  # a labelled case -> its row in the file


def chances_of(
    found: Iterable[tuple[int, Mapping[str, Any]]], fields: Fields, labelled: Places
) -> dict[str, float]:
    """Case -> probability, from the file's own column; empty without one.

    Raises:
        DataError: No probability, two for one case, or a labelled case that has none.
    """
    chances: dict[str, float] = {}
    for at, row in found if fields.probability else ():
        if absent(value := row.get(fields.probability)):
            continue
        chance, case = _probability(value, fields, at), fields.case(row, at)
        if chances.setdefault(case, chance) != chance:
            raise _differs(case, chance, f"{chances[case]!r} before", (fields.file, at))
    bare = [(case, at) for case, at in labelled.items() if case not in chances]
    if chances and bare:
        raise _without(*bare[0], fields.file)
    return chances


def one_plan(
    chances: Mapping[str, Mapping[str, float]], labelled: Mapping[str, Places]
) -> dict[str, float]:
    """Of several files, by name, as one.

    A case drawn by either of two plans was not drawn with the probability of one of them, so only
    files of one plan come together: the cases of one file are all in the other.

    Raises:
        DataError: Probabilities that differ, cases of different plans, or labelled cases that no
            plan drew.
    """
    whole = max(chances, key=lambda name: len(chances[name]))
    plan = chances[whole]
    for name, own in chances.items() if plan else ():
        for case, chance in own.items():
            at = (name, labelled[name].get(case, 0))
            if case not in plan:
                raise _other_plan(case, whole, at)
            if chance != plan[case]:
                raise _differs(case, chance, f"{plan[case]!r} in {whole}", at)
        for case, row in labelled[name].items():
            if case not in plan:
                raise _without(case, row, name)
    return dict(plan)


def _probability(value: Any, fields: Fields, at: int) -> float:
    try:
        chance = float(value)
    except (TypeError, ValueError):
        chance = 0.0
    if isinstance(value, bool) or not 0 < chance <= 1:
        raise DataError(
            f"{shown(value)} is no probability with which a case was drawn",
            expected="a number above 0 and at most 1",
            do="mend the row; where the column means something else, give it another name",
            file=fields.file,
            row=at,
            field=fields.probability,
        )
    return chance


def _differs(case: str, chance: float, other: str, place: tuple[str, int]) -> DataError:
    return DataError(
        f"case {shown(case)} has the probability {chance!r}, and {other}",
        expected="one probability a case, with which the plan drew it",
        do="leave the labels of one plan only",
        file=place[0],
        row=place[1],
        field="probability",
    )


def _other_plan(case: str, whole: str, place: tuple[str, int]) -> DataError:
    return DataError(
        f"case {shown(case)} has a probability, and is not in the plan of {whole}",
        expected="files of one plan: what two plans drew has the probabilities of neither",
        do="give the labels of one plan; those of one plan in several parts go into one file",
        file=place[0],
        row=place[1],
        field="probability",
    )


def _without(case: str, row: int, file: str) -> DataError:
    return DataError(
        f"case {shown(case)} has a label and no probability, and other cases have one",
        expected="labels of cases that the plan drew, or labels without any probability",
        do="leave out the labels of cases that were not drawn by the plan",
        file=file,
        row=row,
        field="probability",
    )
