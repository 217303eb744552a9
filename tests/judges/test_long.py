"""Cases that are longer than a limit."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.judges import Choice, Long
from evenhand.models.scripted import Scripted
from evenhand.records import Case, texts

SHORT = Case.of("q", "What?", "a response")


def judged(judge: Long, case: Case):
    return asyncio.run(judge(case))


def noting(seen: list[str]) -> Scripted:
    def answer(request):
        seen.append(request.messages[0].text)
        return "4"

    return Scripted("noting", answer)


def test_a_case_within_the_limit_is_judged_as_it_is():
    verdict = judged(Long(Choice(noting([])), limit=1000), SHORT)
    assert verdict.label == "4"
    assert "truncated" not in verdict.marks


@pytest.mark.parametrize("policy", ["refuse", "chunk"])
def test_a_case_that_cannot_fit_is_undecided_with_overflow_and_asks_nobody(policy):
    seen: list[str] = []
    case = Case.of("q", "What?", "x" * 500)
    verdict = judged(Long(Choice(noting(seen)), policy, limit=100), case)
    assert verdict.code == "overflow"
    assert "505 characters, and 100 are allowed" in verdict.reason
    assert seen == []


def test_truncation_is_announced_to_the_judge_and_marked():
    seen: list[str] = []
    case = Case.of("q", "What?", "begin " + "x" * 5000 + " end")
    verdict = judged(Long(Choice(noting(seen)), "truncate", limit=1000), case)
    assert "characters left out here" in seen[0]
    assert "begin " in seen[0]
    assert " end\n" in seen[0]
    assert verdict.marks["truncated"] == 5015 - 1000


@given(st.lists(st.integers(0, 400), min_size=1, max_size=6), st.integers(20, 600))
def test_what_is_left_of_the_texts_fits_the_limit(sizes, limit):
    seen: list[str] = []
    case = Case.of("q", "", *[], context=tuple("y" * size for size in sizes))
    total = sum(sizes)
    long = Long(Choice(noting(seen)), "truncate", limit=limit)
    verdict = judged(long, case.__class__("q", responses=SHORT.responses, context=case.context))
    shown = seen[0].count("y")
    if total + len("a response") > limit:
        assert shown <= limit
        assert verdict.marks["truncated"] == total + 10 - sum(
            min(size, _cap([*sizes, 10], limit)) for size in [*sizes, 10]
        )


def _cap(sizes: list[int], limit: int) -> int:
    """The largest cap at which all sizes fit, found by trying every one."""
    return max(cap for cap in range(limit + 1) if sum(min(s, cap) for s in sizes) <= limit)


def test_documents_are_judged_in_pieces_that_lose_nothing():
    seen: list[str] = []
    documents = tuple(f"document {n}: " + "word " * 40 for n in range(6))
    case = Case("q", SHORT.prompt, SHORT.responses, context=documents)
    verdict = judged(Long(Choice(noting(seen)), "chunk", limit=400), case)
    assert len(verdict.parts) == len(seen) > 3
    assert [part.marks["chunk"] for part in verdict.parts] == list(range(1, len(seen) + 1))
    assert sum(text.count("word") for text in seen) == 240
    assert all(f"document {n}:" in "".join(seen) for n in range(6))
    assert sum(map(len, texts(SHORT))) < 400
