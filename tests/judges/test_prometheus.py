"""Prometheus: a rubric with described scores, and a result that ends the reply."""

import asyncio
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from evenhand.judges import Prometheus, PrometheusPair, Swap
from evenhand.judges.rubrics import levels_of
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Decode, Request

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/prometheus_rubric"
RUBRIC = {
    "criteria": "Is the tone right for a child?",
    **{f"score{n}_description": f"meaning-{n}" for n in range(1, 6)},
}
ONE = Case.of("q", "Why is the sky blue?", "meaning-4", rubric=RUBRIC)
TWO = Case.of("q", "Why is the sky blue?", "Light scatters.", "Because.", rubric=RUBRIC)


def ask(judge, case, reply):
    seen: list[Request] = []

    def answer(request):
        seen.append(request)
        return reply(request) if callable(reply) else reply

    return asyncio.run(judge(Scripted("s", answer))(case)), seen


def shown(judge, case) -> str:
    return ask(judge, case, "x")[1][0].messages[1].text


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Feedback: kind and clear. [RESULT] 4", 4),
        ("Kind. [RESULT]4", 4),
        ("Kind. [RESULT]: 4", 4),
        ("Kind. [SCORE] 3", 3),
        ("Kind. [result] (5)", 5),
        ("Kind. [RESULT] [2]", 2),
        ("Kind. **[RESULT]** **4**", 4),
        ("Kind. [RESULT] 4.", 4),
        ("Kind. [RESULT] 4/5", 4),
        ("Kind. Score: 4", 4),
        ("Kind. Score: 4 out of 5", 4),
        ("Kind. Result: 1", 1),
        ("So it deserves a score of 3", 3),
        ("So I give it 3/5", 3),
        ("A score of 2 at first. [RESULT] 5\n", 5),
        ("Kind. [RESULT] 4 because it is kind", None),
        ("Kind, 8 out of 5", None),
        ("Kind. [RESULT] 8 out of 5", None),
        ("Kind. [RESULT] 4/10", None),
        ("Kind. [RESULT] 0", None),
        ("Kind. [RESULT] 6", None),
        ("Kind. [RESULT] -3", None),
        ("Kind. [RESULT] 4.5", None),
        ("Kind. [RESULT] 3-4", None),
        ("Kind. [RESULT] four", None),
        ("Score 3 asks for more than this.", None),
        ("4", None),
        ("[RESULT] (a whole number from 1 to 5)", None),
        ("I like it.", None),
    ],
)
def test_score_is_the_marked_integer_that_ends_the_reply(text, score):
    verdict = ask(Prometheus, ONE, text)[0]
    assert verdict.score == score
    assert verdict.code == (None if score else "unread")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Both are kind. [RESULT] A", "A"),
        ("Both are kind. [RESULT] Response B", "B"),
        ("Both are kind. [RESULT: B]", "B"),
        ("Both are kind. [Response A]", "A"),
        ("Both are kind.\nResult: B", "B"),
        ('Both are kind. [RESULT] "A".', "A"),
        ("[RESULT] A at first. [RESULT] B", "B"),
        ("Both are kind. [RESULT] a", "A"),
        ("[RESULT] A or B", None),
        ("[RESULT] A, [RESULT] B", None),
        ("[RESULT] A is kinder", None),
        ("[RESULT] C", None),
        ("[RESULT] tie", None),
        ("[RESULT] a tie", None),
        ("As a result A", None),
        ("A", None),
    ],
)
def test_better_response_is_the_letter_that_ends_the_reply(text, label):
    verdict = ask(PrometheusPair, TWO, text)[0]
    assert verdict.label == label
    assert verdict.code == (None if label else "unread")


def test_golden_reply_gives_the_feedback_and_a_point_score():
    verdict, seen = ask(Prometheus, ONE, "Feedback: right for a child. [RESULT] 4")
    assert verdict.probs == {"4": 1.0}
    assert verdict.reason == "Feedback: right for a child. [RESULT] 4"
    assert seen[0].decode == Decode(temperature=1.0, top_p=0.9, max_tokens=1024)


def by_description(request: Request) -> str:
    """Scores by the description that the response is word for word."""
    text = request.messages[1].text
    said = text.partition("<response>\n")[2].partition("\n")[0]
    number = next(line for line in text.splitlines() if line.endswith(f": {said}"))
    return f"[RESULT] {number.removeprefix('Score ').partition(':')[0]}"


def test_score_follows_the_text_of_the_levels_and_not_their_order():
    assert ask(Prometheus, ONE, by_description)[0].score == 4
    turned = replace(ONE, rubric=dict(reversed(RUBRIC.items())))
    assert ask(Prometheus, turned, by_description)[1] == ask(Prometheus, ONE, "x")[1]
    moved = {**RUBRIC, "score4_description": "meaning-2", "score2_description": "meaning-4"}
    assert ask(Prometheus, replace(ONE, rubric=moved), by_description)[0].score == 2


def test_a_reference_is_spoken_of_only_where_there_is_one():
    for judge, case in ((Prometheus, ONE), (PrometheusPair, TWO)):
        bare = shown(judge, case)
        assert "eference" not in bare
        full = shown(judge, replace(case, reference=("REF",), context=("DOC",)))
        assert "<reference>\nREF\n</reference>" in full
        assert "<context>\nDOC\n</context>" in full
    assert "the score 5" in shown(Prometheus, replace(ONE, reference=("REF",)))


def test_absolute_shows_the_levels_and_relative_only_the_criterion():
    assert "Score 5: meaning-5" in shown(Prometheus, ONE)
    pair = shown(PrometheusPair, TWO)
    assert "<rubric>\nIs the tone right for a child?\n</rubric>" in pair
    assert "meaning" not in pair


@pytest.mark.parametrize("rubric", [None, "", {}, []])
def test_without_a_rubric_nothing_is_asked(rubric):
    for judge, case in ((Prometheus, ONE), (PrometheusPair, TWO)):
        verdict, seen = ask(judge, replace(case, rubric=rubric), "[RESULT] 4")
        assert (verdict.code, seen) == ("empty", [])


def test_swap_cancels_a_bias_for_the_first_response():
    first = Scripted("first", lambda request: "[RESULT] A")
    verdict = asyncio.run(Swap(PrometheusPair(first), pool="mean")(TWO))
    assert verdict.scores == (0.5, 0.5)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="needs ../shared/data/prometheus_rubric")
def test_rubrics_of_the_recorded_prompts_have_five_levels():
    with gzip.open(RECORDED / "vicuna_eval.jsonl.gz", "rt", encoding="utf-8") as lines:
        prompts = [json.loads(line)["instruction"] for line in lines]
    rubrics = [p.partition("###Score Rubrics:\n")[2].partition("\n\n###")[0] for p in prompts]
    found = [levels_of(rubric) for rubric in rubrics]
    assert len(found) == 320
    assert all([score for score, _ in one.meanings] == list("12345") for one in found)
    assert [one.text for one in found] == [rubric.strip() for rubric in rubrics]
