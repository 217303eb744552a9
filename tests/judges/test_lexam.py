"""LEXam: a share of the reference, in double brackets."""

import asyncio
import re
from dataclasses import replace

import pytest

from evenhand.judges import Lexam
from evenhand.models.scripted import Scripted
from evenhand.records import Case

CASE = Case.of(
    "q", "May A claim damages?", "Yes, Art. 41 OR.", reference=("Art. 41 Abs. 1 OR (+)",)
)


def mark(reply: str, case: Case = CASE):
    return asyncio.run(Lexam(Scripted("s", lambda request: reply))(case))


def their_rule(text: str) -> float:
    """The authors' reading: three characters, the first match, 0 for everything else."""
    found = re.search(r"\[\[(\d.\d)\]\]", text)
    score = float(found[1]) if found else 0.0
    return score if score <= 1 else 0.0


@pytest.mark.parametrize(
    ("text", "score", "theirs"),
    [
        ("It agrees. The correctness score: [[0.7]]", 0.7, 0.7),
        ("[[1.0]]", 1.0, 1.0),
        ("[[0.0]]", 0.0, 0.0),
        ("[[1]]", 1.0, 0.0),
        ("[[0]]", 0.0, 0.0),
        ("[[0.85]]", 0.85, 0.0),
        ("[[ 0.5 ]]", 0.5, 0.0),
        ("[[.5]]", 0.5, 0.0),
        ("Not [[0.3]], but [[0.6]]", 0.6, 0.3),
        ("[[1.5]]", None, 0.0),
        ("[[-0.5]]", None, 0.0),
        ("[[70]]", None, 0.0),
        ("[[70%]]", None, 0.0),
        ("[[7/10]]", None, 0.0),
        ("[[nan]]", None, 0.0),
        ("[0.7]", None, 0.0),
        ("[[score]]", None, 0.0),
        ("0.7", None, 0.0),
    ],
)
def test_any_number_from_0_to_1_in_double_brackets_is_read(text, score, theirs):
    verdict = mark(text)
    assert verdict.score == score
    assert verdict.code == (None if score is not None else "unread")
    assert their_rule(text) == theirs


@pytest.mark.parametrize("reference", [(), ("",), (" ",)])
def test_without_a_reference_nothing_is_asked(reference):
    verdict = mark("[[1]]", replace(CASE, reference=reference))
    assert (verdict.code, verdict.calls) == ("empty", ())
