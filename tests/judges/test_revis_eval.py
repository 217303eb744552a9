import asyncio
from dataclasses import dataclass
from typing import ClassVar

import pytest

from evenhand.judges import ListRank, Overlap, RevisEval, Rotate
from evenhand.judges.build import build, find
from evenhand.judges.overlap import rouge_l
from evenhand.models.scripted import Scripted
from evenhand.records import PAIR, Case, Completion, Request, Verdict

CASE = Case.of("q", "Name a bird.", "a robin is a bird", "a shark, I think")


@dataclass(frozen=True, slots=True)
class Nearer:
    """Prefers the response that shares more words with the reference."""

    view: ClassVar[str] = "pairwise"

    async def __call__(self, case: Case) -> Verdict:
        one, other = (rouge_l(response.text, case.reference[0]) for response in case.responses)
        return Verdict(PAIR, {"A" if one > other else "B" if other > one else "tie": 1.0})


def identity(request: Request) -> str:
    """Writes back the response that it is to edit."""
    return request.messages[-1].text.split("<response>\n")[1].split("\n</response>")[0]


def ask(judge, case: Case = CASE) -> Verdict:
    return asyncio.run(judge(case))


def revised(writer, judge=None, **settings) -> RevisEval:
    return RevisEval(judge or Nearer(), Scripted("writer", writer), **settings)


@pytest.mark.parametrize(("revise", "label"), [("first", "A"), ("second", "B"), ("both", "tie")])
def test_a_lexical_judge_prefers_the_response_that_the_reference_was_made_from(revise, label):
    verdict = ask(revised(identity, revise=revise))
    assert verdict.label == label
    for part in verdict.parts or (verdict,):
        assert part.marks["unchanged"] is True


def test_the_judge_gets_a_text_that_is_neither_response():
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        if "The response to edit" in request.messages[-1].text:
            return "<think>birds</think> " + identity(request).replace("shark, I think", "robin.")
        text = request.messages[-1].text.split("Response A:")[1]
        first = text.index("a robin is") < text.index("a shark")
        return "[[A]]" if first else "[[B]]"

    verdict = ask(build(find("revis-eval"), model=Scripted("both", answer)))
    assert (verdict.label, len(seen)) == ("A", 6)
    assert [part.marks["revised"] for part in verdict.parts] == ["first", "second"]
    assert "unchanged" not in verdict.parts[1].marks
    shown = [r.messages[-1].text.split("<reference>\n")[1].split("\n")[0] for r in seen[2:]]
    assert shown.count("a robin.") == 2
    assert not any("birds" in text for text in shown)


def test_the_other_response_is_shown_as_an_aid_only():
    seen: list[Request] = []
    ask(revised(lambda request: seen.append(request) or "a bird"))
    for request, own, other in zip(seen, ("robin", "shark"), ("shark", "robin"), strict=True):
        assert own in identity(request)
        assert other in request.messages[-1].text.split("need not be better")[1]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Completion("a", finish="length"), "cut"),
        ("", "empty"),
        (Completion("no", finish="refused"), "refused"),
    ],
)
def test_a_revision_that_never_came_whole_leaves_the_case_undecided(reply, code):
    assert ask(revised(lambda request: reply)).code == code
    assert ask(revised(lambda request: reply, revise="first")).code == code


def test_an_unreadable_verdict_is_undecided_not_a_tie():
    verdict = ask(build(find("revis-eval"), model=Scripted("vague", lambda request: "a bird")))
    assert (verdict.code, verdict.label, verdict.scale.name) == ("unread", None, "pair")


def test_a_metric_measures_how_much_of_the_revision_is_there_already():
    seen: list[Request] = []

    def writer(request: Request) -> str:
        seen.append(request)
        return "a robin is a red bird"

    one = build(find("revis-metric"), model=Scripted("writer", writer))
    verdict = ask(one, CASE.only(0))
    assert verdict.score == pytest.approx(rouge_l("a robin is a bird", "a robin is a red bird"))
    assert (one.judge, one.view, len(seen), len(verdict.calls)) == (Overlap(), "pointwise", 1, 1)
    assert "need not be better" not in seen[0].messages[-1].text
    assert ask(one, CASE.only(1)).score < verdict.score


def test_a_list_is_not_revised():
    with pytest.raises(ValueError, match="needs a judge of one or two"):
        revised(identity, Rotate(ListRank(Scripted("x", identity))))
