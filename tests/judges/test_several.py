"""Protocols of several voices: panels, repetitions, cascades, and several models for one judge."""

import asyncio
import math

import pytest

from evenhand.errors import Misuse
from evenhand.identity import models_in
from evenhand.judges import Cascade, Pairwise, Panel, RocketEval
from evenhand.judges.build import build, edited, find, seated
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request

PAIR = Case.of("q", "2 + 2?", "It is four.", "It is five.")


def ask(judge, case: Case = PAIR):
    return asyncio.run(judge(case))


def resolve(name: str) -> Scripted:
    """A model that always says what stands after the colon of its name."""
    return Scripted(name, lambda request: f"[[{name.partition(':')[2] or 'A'}]]")


def named(judge) -> list[str]:
    return [model.name for model in models_in(judge)]


# ---- panels ----------------------------------------------------------------------------------


def test_a_poll_asks_every_model_and_lets_them_vote():
    def by_content(request: Request) -> str:
        text = request.messages[-1].text
        return "[[A]]" if text.index("four") < text.index("five") else "[[B]]"

    voices = {"gpt-4": by_content, "claude-3": by_content, "gemma": lambda request: "[[C]]"}
    poll = build(
        find("poll"), model="gpt-4,claude-3,gemma", resolve=lambda n: Scripted(n, voices[n])
    )
    verdict = ask(poll)
    assert (verdict.label, verdict.marks["votes"]) == ("A", {"A": 2.0, "tie": 1.0})
    assert [part.rater for part in verdict.parts] == ["gpt-4/Swap", "claude-3/Swap", "gemma/Swap"]


def test_an_even_poll_that_splits_is_a_tie_and_an_unread_member_stops_it():
    one, other = "[[A]]", "[[B]]"

    def fixed(sign: str):
        first = "four" if sign == one else "five"

        def answer(request: Request) -> str:
            text = request.messages[-1].text.split("Response A:")[1]
            return one if first in text.split("Response B:")[0] else other

        return answer

    voices = {"gpt-4": fixed(one), "claude-3": fixed(other), "mistral": lambda request: "no idea"}

    def polled(models: str, *sets: str):
        form = edited(find("poll"), sets=sets)
        return ask(build(form, model=models, resolve=lambda n: Scripted(n, voices[n])))

    assert polled("gpt-4,claude-3").label == "tie"
    assert polled("gpt-4,mistral").code == "unread"
    assert polled("gpt-4,mistral", ".unread=drop").label == "A"


def test_a_poll_of_ratings_is_their_mean():
    poll = build(find("poll-single"), model="gpt-4:7,claude-3:4", resolve=resolve)
    assert ask(poll, PAIR.only(0)).score == 5.5


@pytest.mark.parametrize("models", ["gpt-4,o3-mini", "x/llama-3,vicuna", "gloop,gloop"])
def test_members_of_one_family_are_refused_unless_they_are_allowed(models):
    with pytest.raises(Misuse, match="--set families=any"):
        build(find("poll"), model=models, resolve=resolve)
    allowed = edited(find("poll"), sets=["families=any"])
    assert named(build(allowed, model=models, resolve=resolve)) == models.split(",")


def test_models_of_unknown_family_count_as_different():
    assert named(build(find("poll"), model="gloop,glap", resolve=resolve)) == ["gloop", "glap"]


def test_a_panel_of_ones_own_may_be_of_one_model():
    judge = Pairwise(resolve("gpt-4"))
    assert Panel((judge, judge)).families == "any"


@pytest.mark.parametrize("n", [1, 2, 3])
def test_poll_calls_are_two_a_model_and_one_for_ratings(n):
    for name, calls, case in (("poll", 2, PAIR), ("poll-single", 1, PAIR.only(0))):
        asked: list[Request] = []

        def counting(model: str, asked: list[Request] = asked) -> Scripted:
            return Scripted(model, lambda request: asked.append(request) or "[[5]]")

        models = ",".join(["gpt-4", "claude-3", "gemma"][:n])
        ask(build(find(name), model=models, resolve=counting), case)
        assert len(asked) == calls * n


# ---- several models for one judge ------------------------------------------------------------


def test_a_cascade_and_a_writer_take_two_models():
    cascade = build(find("cascade"), model="small, large", resolve=resolve)
    assert isinstance(cascade, Cascade)
    assert (named(cascade.first), named(cascade.then)) == (["small"], ["large"])
    rocket = build(find("rocketeval"), model="small,large", resolve=resolve)
    assert isinstance(rocket, RocketEval)
    assert (rocket.model.name, rocket.writer.name) == ("small", "large")
    derived = {"is": "Derived", "note": "plan", "by": {"prompt": "# user\nPlan."}}
    plan = build({**derived, "judge": {"is": "Pairwise"}}, model="a,b", resolve=resolve)
    assert (plan.judge.model.name, plan.by.model.name) == ("a", "b")


def test_one_name_sits_everywhere_and_a_model_may_be_given_whole():
    rocket = build(find("rocketeval"), model="one", resolve=resolve)
    assert rocket.model == rocket.writer == resolve("one")
    assert build(find("rocketeval"), model=resolve("one")) == rocket


def test_a_wrapper_around_the_model_is_kept():
    form = {"is": "Panel", "judges": [find("stts")]}
    judge = build(form, model="a,b", resolve=resolve)
    assert [model.times for model in models_in(judge)] == [2, 2]
    assert [model.model.name for model in models_in(judge)] == ["a", "b"]


def test_members_that_name_their_model_are_asked_once():
    members = [{"is": "Pairwise", "model": "own"}, {"is": "Pairwise"}]
    form = {"is": "Panel", "judges": members}
    assert named(build(form, model="a,b", resolve=resolve)) == ["own", "a", "b"]
    assert members[1] == {"is": "Pairwise"}


@pytest.mark.parametrize(
    ("name", "models"), [("mt-bench-pair", "a,b"), ("cascade", "a,b,c"), ("rocketeval", "a,b,c")]
)
def test_more_models_than_places_are_refused(name, models):
    with pytest.raises(Misuse, match="has no places for"):
        build(find(name), model=models, resolve=resolve)
    with pytest.raises(Misuse, match="has no places for"):
        seated(find(name), models.split(","))


def test_a_model_in_a_form_is_a_name_or_a_wrapper():
    with pytest.raises(Misuse, match="a model's name, or"):
        build({"is": "Pairwise", "model": {"is": "OpenAI", "name": "x"}}, resolve=resolve)
    wrapped = {"is": "Pairwise", "model": {"is": "Continued", "model": "inner", "times": 3}}
    model = build(wrapped, resolve=resolve).model
    assert (model.times, model.model.name) == (3, "inner")


# ---- repetitions and cascades ----------------------------------------------------------------


def test_self_consistency_votes_in_each_order_over_draws_at_a_temperature():
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        text = request.messages[-1].text
        right = "[[A]]" if text.index("four") < text.index("five") else "[[B]]"
        wrong = "[[B]]" if right == "[[A]]" else "[[A]]"
        return wrong if request.draw in (1, 3) else right

    verdict = ask(build(find("self-consistency"), model=Scripted("mostly", answer)))
    assert (verdict.label, len(seen)) == ("A", 10)
    assert {request.decode.temperature for request in seen} == {0.7}
    assert sorted(request.draw for request in seen) == sorted([*range(5), *range(5)])
    assert [part.parts[0].marks["draw"] for part in verdict.parts] == [0, 0]


@pytest.mark.parametrize(("sure", "stages"), [(0.95, ["first"]), (0.6, ["first", "then"])])
def test_the_large_model_is_asked_only_where_the_small_one_is_unsure(sure, stages):
    asked: list[str] = []

    def model(name: str) -> Scripted:
        def answer(request: Request) -> Completion:
            asked.append(name)
            text = request.messages[0].text
            first = "A" if text.index("four") < text.index("five") else "B"
            other = "B" if first == "A" else "A"
            p = sure if name == "small" else 0.99
            return Completion(first, ({first: math.log(p), other: math.log(1 - p)},))

        return Scripted(name, answer)

    verdict = ask(build(find("cascade"), model="small,large", resolve=model))
    assert [part.marks["stage"] for part in verdict.parts] == stages
    assert verdict.label == "A"
    assert len(asked) == 2 * len(stages)  # 2, or 4 where the first is unsure
    assert verdict.score == pytest.approx(sure if len(stages) == 1 else 0.99)


def test_a_cascade_whose_models_cannot_be_read_is_undecided():
    silent = Scripted("silent", lambda request: "neither")
    assert ask(build(find("cascade"), model=silent)).code == "unread"
