"""Pairs of a run as rows that AlpacaEval and LMSYS read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from evenhand.data import Row
from evenhand.data.foreign import ROW
from evenhand.data.formats import alpacaeval, lmsys
from evenhand.errors import Misuse
from evenhand.records import Case, escape
from evenhand.report.source import rows_again
from evenhand.report.summary import winner
from evenhand.store import Signed, Store, read_signed

NAMES = ("alpacaeval", "lmsys")
SIDES = {"A": "model_a", "B": "model_b", "tie": "tie", None: None}
Say = Callable[[str], None]


def rows_as(store: Store, form: str, say: Say) -> Iterator[dict[str, Any]]:
    """Rows with the columns of a format; of what was imported from it, the very rows.

    Raises:
        Misuse: No such format; the run holds no pairs; AlpacaEval's texts are not there.
    """
    if form not in NAMES:
        raise Misuse(f"--as {form}", expected=", ".join(NAMES), do="give one of these")
    first = next(read_signed(store, "state != 'failed'"), None)
    if first is None or first.verdict is None or not first.verdict.scale.swaps:
        raise Misuse(
            f"{store.folder} holds no pairs",
            expected="a run of a pairwise judge",
            do="leave --as out: the plain export has one row a case",
        )
    judge = str(store.manifest.get("judge", {}).get("name"))
    make = _alpaca if form == "alpacaeval" else _battle
    for signed, row in _beside(store, form, say):
        yield _escaped(make(signed, row, judge))


def _escaped(value: Any) -> Any:
    """JSON with its lone surrogates as escapes, which a file in UTF-8 cannot hold."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {escape(str(name)): _escaped(one) for name, one in value.items()}
    return [_escaped(one) for one in value] if isinstance(value, list | tuple) else value


def _beside(store: Store, form: str, say: Say) -> Iterator[tuple[Signed, Row | None]]:
    """Verdicts with their cases read again, in the order of the data."""
    try:
        rows = rows_again(store, "pairwise", purpose=f"{form} rows")
        first = next(rows, None)
    except Misuse as gone:
        if form == "alpacaeval":
            raise
        say(f"conversations are left out: {gone.happened}")
        for signed in read_signed(store, "state != 'failed'"):
            yield signed, None
        return
    while first is not None:
        where = "case_id = ? and state != 'failed'"
        for signed in read_signed(store, where, (escape(first.case.id),)):
            yield signed, first
        first = next(rows, None)


def _imported(signed: Signed) -> Mapping[str, Any]:
    """What stood beside the verdict in the file that it was imported from."""
    return signed.verdict.marks.get(ROW, {}) if signed.verdict else {}


def _alpaca(signed: Signed, row: Row | None, judge: str) -> dict[str, Any]:
    assert row is not None
    assert signed.verdict is not None
    case, score = row.case, signed.verdict.score
    made = {
        "instruction": "\n\n".join(message.text for message in case.prompt),
        "output_1": case.responses[0].text,
        "generator_1": _system(case, 0),
        "output_2": case.responses[1].text,
        "generator_2": _system(case, 1),
        "annotator": judge,
        "preference": None if score is None else 1 + (1 - score),
    }
    known = _imported(signed)
    if "preference" not in known:
        return made
    whole = {**{key: made[key] for key in alpacaeval.TEXTS}, **known}
    first = [key for key in alpacaeval.ORDER if key in whole]
    return {key: whole[key] for key in [*first, *(key for key in whole if key not in first)]}


def _battle(signed: Signed, row: Row | None, judge: str) -> dict[str, Any]:
    known, case = _imported(signed), row.case if row else None
    if "winner" in known:
        notes = case.notes if case else {}
        return {**known, **{key: notes[key] for key in lmsys.TEXTS if key in notes}}
    verdict = signed.verdict
    names = [name or f"response {at}" for at, name in enumerate(signed.systems, 1)]
    made = {
        "question_id": signed.cluster,
        "model_a": names[0] if names else "response 1",
        "model_b": names[1] if names else "response 2",
        "winner": SIDES[winner(verdict) if verdict else None],
        "judge": judge,
        "turn": 1,
    }
    talks = [_talk(case, at) for at in range(2)] if case else []
    return {**made, **dict(zip(lmsys.TEXTS, talks, strict=False))}


def _talk(case: Case, at: int) -> list[dict[str, str]]:
    asked = [{"role": one.role, "content": escape(one.text)} for one in case.prompt]
    return [*asked, {"role": "assistant", "content": escape(case.responses[at].text)}]


def _system(case: Case, at: int) -> str:
    return case.responses[at].system or f"response {at + 1}"
