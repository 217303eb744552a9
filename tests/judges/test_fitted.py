"""A fit from a file makes another judge of a judge, and the verdict as it came stays."""

import asyncio
import math
from dataclasses import dataclass

import pytest

from evenhand.checklists import checklist_key
from evenhand.embedders import Embedder
from evenhand.errors import Misuse
from evenhand.fits import Fit, made_from
from evenhand.identity import identity, plain
from evenhand.judges import Calibrated, Quantified, RocketEval
from evenhand.judges.build import build, edited, find
from evenhand.judges.quantified import base_of, said
from evenhand.models.scripted import Scripted
from evenhand.records import PAIR, YES_NO, Case, Completion, Scale, Verdict, View, ints, line

FROM = made_from("verdicts of three people", [f"case {i}" for i in range(40)])
CASE = Case.of("q", "2 + 2?", "Four.")
BOTH = Case.of("q", "2 + 2?", "Four.", "Five, I think.")
TEMPERATURE = {"map": "temperature", "a": 0.5, "b": 0.5, "c": 0.0}


@dataclass(frozen=True, slots=True)
class Says:
    """Gives the verdict in its fields, or one that follows the first response's length."""

    probs: dict[str, float] | None
    scale: Scale = PAIR
    view: View = "pairwise"
    text: str = "I prefer it."

    async def __call__(self, case: Case) -> Verdict:
        calls = (Completion(f"{self.text} {case.responses[0].text}"),)
        if self.probs is None:
            return Verdict(self.scale, {}, "unread: nothing", calls=calls)
        if not self.probs:
            return Verdict(
                self.scale, {str(min(len(case.responses[0].text), 10)): 1.0}, calls=calls
            )
        return Verdict(self.scale, self.probs, calls=calls)


def fit(kind: str, data: dict) -> Fit:
    return Fit(kind, data, FROM)


def ask(judge, case: Case = BOTH) -> Verdict:
    return asyncio.run(judge(case))


def head(name: str, **more) -> dict:
    usual = {"head": name, "labels": [], "span": None, "hashed": 0, "weights": [[1.0]]}
    return {**usual, "intercept": [0.0], **more}


# ---- probabilities ---------------------------------------------------------------------------


def test_a_temperature_tempers_the_label_and_the_raw_verdict_stays():
    judge = Calibrated(Says({"A": 0.9, "B": 0.1}), fit("calibrate", {**TEMPERATURE, "of": "mode"}))
    verdict = ask(judge)
    assert verdict.probs["A"] == pytest.approx(0.75)
    assert verdict.probs["B"] == pytest.approx(0.25)
    assert verdict.probs["tie"] == 0.0
    assert verdict.parts[0].probs == {"A": 0.9, "B": 0.1}
    assert verdict.parts[0].marks["stage"] == "raw"
    assert (verdict.calls, len(verdict.parts[0].calls)) == ((), 1)


def test_a_sure_judge_shares_what_is_left_among_the_other_labels():
    data = {"map": "histogram", "x": [0.5], "y": [0.4, 0.7], "of": "mode"}
    verdict = ask(Calibrated(Says({"A": 1.0}), fit("calibrate", data)))
    assert verdict.probs == pytest.approx({"A": 0.7, "tie": 0.15, "B": 0.15})


def test_an_event_may_be_one_label_and_then_the_decision_can_change():
    data = {"map": "platt", "a": 1.0, "b": 1.0, "c": -2.0, "of": "label:yes"}
    verdict = ask(Calibrated(Says({"yes": 0.7, "no": 0.3}, YES_NO), fit("calibrate", data)))
    assert verdict.label == "no"
    assert verdict.score == pytest.approx(1 / (1 + math.exp(2.0 - math.log(7 / 3))))


def test_a_temperature_for_all_labels_keeps_their_order_and_sums_to_one():
    data = {**TEMPERATURE, "of": "labels"}
    verdict = ask(Calibrated(Says({"A": 0.64, "tie": 0.32, "B": 0.04}), fit("calibrate", data)))
    assert sum(verdict.probs.values()) == pytest.approx(1.0)
    assert verdict.probs["A"] / verdict.probs["B"] == pytest.approx(4.0)


def test_isotonic_maps_run_through_their_knots():
    data = {"map": "isotonic", "x": [0.5, 1.0], "y": [0.4, 0.8], "of": "mode"}
    verdict = ask(Calibrated(Says({"A": 0.75, "B": 0.25}), fit("calibrate", data)))
    assert verdict.probs["A"] == pytest.approx(0.6)


def test_undecided_stays_undecided_with_its_code():
    judges = [
        Calibrated(Says(None), fit("calibrate", {**TEMPERATURE, "of": "mode"})),
        Quantified(Says(None), fit("quantitative", head("BTL"))),
        Quantified(Says(None, view="pointwise"), fit("quantitative", head("BTL2"))),
    ]
    for judge in judges:
        verdict = ask(judge)
        assert (verdict.code, verdict.score, verdict.parts[0].code) == ("unread", None, "unread")


def test_fits_that_do_not_fit_the_judge_are_refused():
    wrong = fit("calibrate", {**TEMPERATURE, "of": "label:perhaps"})
    with pytest.raises(Misuse, match="about the label 'perhaps'"):
        ask(Calibrated(Says({"A": 1.0}), wrong))
    rated = Says({"7.5": 1.0}, line("rating", 1, 10), "pointwise")
    with pytest.raises(Misuse, match="line of numbers"):
        ask(Calibrated(rated, fit("calibrate", {**TEMPERATURE, "of": "mode"})), CASE)
    with pytest.raises(ValueError, match="needs a fit of kind 'calibrate'"):
        Calibrated(Says({"A": 1.0}), fit("quantitative", head("BTL")))
    with pytest.raises(ValueError, match="needs a fit of kind 'quantitative'"):
        Quantified(Says({"A": 1.0}), wrong)
    with pytest.raises(ValueError, match="orders have none"):
        Calibrated(Says({"0>1": 1.0}, view="listwise"), wrong)
    with pytest.raises(ValueError, match="the head LS needs a pointwise judge"):
        Quantified(Says({"A": 1.0}), fit("quantitative", head("LS", span=[1, 5])))


# ---- predicted verdicts ----------------------------------------------------------------------


def test_a_rating_is_a_line_in_the_score_kept_on_its_span():
    data = head("LS", span=[1, 5], weights=[[0.5]], intercept=[2.0])
    for given, score in (("4", 4.0), ("10", 5.0)):
        judge = Quantified(
            Says({given: 1.0}, ints("r", 1, 10), "pointwise"), fit("quantitative", data)
        )
        verdict = ask(judge, CASE)
        assert verdict.score == score
        assert verdict.scale.span == (1.0, 5.0)
        assert verdict.parts[0].score == float(given)


def test_grades_get_probabilities_and_the_text_counts():
    weights = [[0.0] + [0.0] * 8, [0.0] + [3.0] * 8]
    data = head("MN", labels=["1", "2"], hashed=8, weights=weights, intercept=[0.0, 0.0])
    found = [
        ask(
            Quantified(
                Says({"3": 1.0}, ints("r", 1, 5), "pointwise", text), fit("quantitative", data)
            ),
            CASE,
        )
        for text in ("Clear and right.", "Vague, wrong, too long.")
    ]
    assert sum(found[0].probs.values()) == pytest.approx(1.0)
    assert set(found[0].probs) == {"1", "2"}
    assert found[0].probs != found[1].probs
    assert 1.0 <= found[0].score <= 2.0


def test_a_preference_is_tempered_by_its_head():
    data = head("BTL", weights=[[0.5]], intercept=[0.1])
    verdict = ask(Quantified(Says({"A": 0.9, "B": 0.1}), fit("quantitative", data)))
    assert verdict.score == pytest.approx(1 / (1 + math.exp(-0.1 - 0.5 * math.log(9))))
    assert base_of("BTL", 1.0) == pytest.approx(math.log(999))
    assert base_of("LS", 7.0) == 7.0


@pytest.mark.parametrize("texts", [("Four.", "Five, I think."), ("a", "b"), ("x" * 9, "y")])
def test_two_heads_make_a_pair_of_two_ratings_and_mirror_exactly(texts):
    weights = [[0.37, *[0.9, -1.3, 0.2, 0.7]]]
    data = head("BTL2", hashed=4, weights=weights)
    judge = Quantified(Says({}, ints("r", 0, 10), "pointwise"), fit("quantitative", data))
    case = Case.of("q", "?", *texts)
    one, other = ask(judge, case), ask(judge, case.only(1, 0))
    assert judge.view == "pairwise"
    assert one.probs["A"] + other.probs["A"] == 1.0
    assert one.probs["A"] == other.probs["B"]
    assert [part.marks["item"] for part in one.parts] == [0, 1]
    with pytest.raises(ValueError, match="a pair has 2"):
        ask(judge, CASE)


def test_what_a_judge_said_is_without_thoughts_and_with_its_parts():
    inner = Verdict(PAIR, {"A": 1.0}, calls=(Completion("Inner."),))
    outer = Verdict(
        PAIR, {"A": 1.0}, parts=(inner,), calls=(Completion("<think>hm</think>Outer."),)
    )
    assert said(outer) == "Outer.\nInner."


def test_a_judge_embeds_by_the_function_that_its_fit_names(tmp_path):
    path = tmp_path / "e.py"
    path.write_text("def embed(texts):\n    return [[float(len(t))] for t in texts]\n")
    used, _ = Embedder.named(f"{path}:embed").learnt(["a"])
    data = head("LS", span=[0, 100], weights=[[0.0, 2.0]]) | used.form()
    del data["hashed"]
    inner = Says({"3": 1.0}, ints("r", 1, 5), "pointwise", "Ten chars.")
    judge = Quantified(inner, fit("quantitative", data))
    assert ask(judge, CASE).score == 2.0 * len("Ten chars. Four.")
    assert plain(judge)["fit"]["data"]["embedder"] == {
        "name": f"{path}:embed", "size": 1, "sha256": used.sha256
    }  # fmt: skip
    other = {**data, "embedder": {**data["embedder"], "name": "other.py:embed"}}
    assert identity(judge.fit) != identity(fit("quantitative", other))
    wide = {**data, "embedder": {**data["embedder"], "size": 2}, "weights": [[0.0, 2.0, 1.0]]}
    with pytest.raises(Misuse, match="returned 1 numbers a text"):
        ask(Quantified(inner, fit("quantitative", wide)), CASE)
    path.write_text("def embed(texts):\n    return [[0.0] for t in texts]\n")
    with pytest.raises(Misuse, match="is not the file that the fit was made with"):
        Quantified(inner, fit("quantitative", data))


# ---- from a file, through the command's edits ------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    def save(kind: str, data: dict) -> str:
        path = tmp_path / f"{kind}.json"
        fit(kind, data).write(path)
        return str(path)

    return save


def test_fit_wraps_a_form_in_the_judge_of_its_kind_and_a_second_one_replaces_it(saved):
    model = Scripted("s", lambda request: "[[A]]")
    path = saved("calibrate", {**TEMPERATURE, "of": "mode"})
    form = edited(find("mt-bench-pair"), fit=path, order="swap")
    assert (form["is"], form["judge"]["is"]) == ("Calibrated", "Swap")
    judge = build(form, model=model)
    verdict = ask(judge)
    assert verdict.parts[0].parts[0].marks["order"] == "given"
    again = edited(form, fit=saved("calibrate", {**TEMPERATURE, "of": "labels"}))
    assert again["judge"] == form["judge"]
    assert again["fit"]["data"]["of"] == "labels"
    assert identity(judge) != identity(build(again, model=model))
    bare = plain(judge)
    assert str(path) not in repr(bare)
    assert find("mt-bench-pair")["is"] == "Swap"


def test_a_plain_form_of_a_fitted_judge_builds_it_again(saved):
    model = Scripted("s", lambda request: "Rating: [[7]]")
    data = head("LS", span=[1, 5], weights=[[0.5]], intercept=[1.0])
    judge = build(edited(find("mt-bench-single"), fit=saved("quantitative", data)), model=model)
    assert isinstance(judge, Quantified)
    assert ask(judge, CASE).score == 4.5
    by_path = {"is": "Quantified", "fit": saved("quantitative", data), "judge": {"is": "Pointwise"}}
    assert build(by_path, model=model).fit == judge.fit


def test_a_fit_with_fields_of_its_own_goes_to_the_judge_that_has_the_field(saved):
    path = saved("rocketeval", {"ab": {"intercept": 1.0, "weights": [9.0]}})
    assert edited(find("rocketeval"), fit=path)["fit"]["kind"] == "rocketeval"
    with pytest.raises(Misuse, match="takes no fit of kind rocketeval"):
        edited(find("mt-bench-pair"), fit=path)
    wrapped = edited(find("href"), fit=saved("calibrate", {**TEMPERATURE, "of": "mode"}))
    assert wrapped["is"] == "Calibrated"
    with pytest.raises(Misuse, match="HREF needs a fit of kind 'routing'"):
        build(edited(find("href"), fit=path), model=Scripted("s", lambda request: "x"))


# ---- RocketEval ------------------------------------------------------------------------------

CHECKLIST = "1. Is it four?\n2. Is it short?\n3. Is it kind?"
ITEMS = ["Is it four?", "Is it short?", "Is it kind?"]


def rocket(
    weights: list[float], intercept: float, key: str | None = None, **settings
) -> RocketEval:
    answers = {"four": "Yes", "short": "No", "kind": "Perhaps"}

    def answer(request):
        return next(v for k, v in answers.items() if k in request.question.text)

    data = {key or checklist_key(ITEMS): {"intercept": intercept, "weights": weights}}
    small, writer = Scripted("small", answer), Scripted("large", lambda request: CHECKLIST)
    return RocketEval(small, writer, fit=fit("rocketeval", data), **settings)


def test_learnt_weights_score_the_checklist_that_they_were_learnt_for():
    assert ask(rocket([4.0, 3.0, 0.0], 2.0), CASE).score == 6.0
    assert ask(rocket([4.0, 3.0, 2.0], 2.0), CASE).score == 7.0
    assert ask(rocket([4.0, 3.0, 2.0], 2.0, unread="yes"), CASE).score == 8.0
    assert ask(rocket([4.0, 3.0, 2.0], 2.0, unread="stop"), CASE).code == "unread"
    assert ask(rocket([40.0, 3.0, 2.0], 2.0), CASE).score == 10.0


def test_a_checklist_that_the_fit_does_not_know_is_scored_plainly():
    assert ask(rocket([4.0, 3.0, 0.0], 2.0, "ab"), CASE).score == 5.5
    with pytest.raises(ValueError, match="needs a fit of kind 'rocketeval'"):
        RocketEval(Scripted("a", None), Scripted("b", None), fit=fit("quantitative", head("BTL")))
