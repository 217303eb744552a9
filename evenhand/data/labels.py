"""A person's label beside a pair -> 'A', 'tie' or 'B'."""

from __future__ import annotations

from collections.abc import Sequence

from evenhand.data.texts import absent, as_text, shown
from evenhand.errors import DataError

STEMS = ("model", "system", "response", "answer", "assistant", "output", "generator")
FORMS = {
    **{f"{stem}_{end}": "A" for stem in STEMS for end in "a1"},
    **{f"{stem}_{end}": "B" for stem in STEMS for end in "b2"},
    **dict.fromkeys(("a", "1", "first", "chosen", "a>b", "a>>b", "[[a]]"), "A"),
    **dict.fromkeys(("b", "2", "second", "rejected", "b>a", "b>>a", "[[b]]"), "B"),
    **dict.fromkeys(("tie", "draw", "equal", "a=b", "[[c]]", "1.5"), "tie"),
    **dict.fromkeys(("tie (bothbad)", "tie_bothbad", "bothbad", "both_bad"), "tie"),
}
ACCEPTED = (
    "A, B or tie; 1 or 2 for the first or second response; model_a or model_b; a system's name"
)


def pair_label(
    value: object, column: str, systems: Sequence[str | None], *, file: str, row: int
) -> str | None:
    """None when there is no label.

    Raises:
        DataError: Also where bad rows are skipped: leaving out the rows whose label is written in
            another way would bend every figure that rests on the labels.
    """
    if absent(value):
        return None
    text = as_text(value).strip()
    plain = text.lower().removesuffix(".0")
    form = None if isinstance(value, bool) else FORMS.get(plain)
    named = [side for side, system in zip("AB", systems, strict=True) if system == text]
    meant = {*named, form} - {None}
    if len(meant) == 1:
        return meant.pop()
    why = "which names neither response"
    if plain == "0":
        why = "which means the first response in some files and a tie in others"
    elif meant:
        why = "which could mean either response"
    raise DataError(
        f"column '{column}' holds {shown(value)}, {why}",
        expected=ACCEPTED,
        do="recode the column, or pass --map label= to read no labels",
        file=file,
        row=row,
        field="label",
    )
