import asyncio
import json
from dataclasses import replace

import pytest

from evenhand.errors import Misuse
from evenhand.identity import identity, plain
from evenhand.judges import Choice, GEval, Pairwise, Panel, Pointwise, Repeat, Seeded, Swap
from evenhand.judges.build import build, edited, find
from evenhand.models.scripted import Scripted
from evenhand.prompts import Prompt
from evenhand.records import Case, Decode, line

MODEL = Scripted("one", lambda request: "[[A]]")
OWN_FILE = """
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from evenhand.records import YES_NO, Case, Verdict, View


@dataclass(frozen=True, slots=True)
class Brevity:
    limit: int = 5
    of: Literal["words", "signs"] = "words"
    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        text = case.responses[0].text
        length = len(text.split() if self.of == "words" else text)
        return Verdict(YES_NO, {"yes" if length <= self.limit else "no": 1.0})


terse = Brevity(1)
not_a_judge = 3
"""


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(OWN_FILE)
    return str(file)


def models(name: str) -> Scripted:
    return Scripted(name, lambda request: "[[B]]")


def decide(judge, text: str):
    return asyncio.run(judge(Case.of("q", "p", text)))


# ---- names -----------------------------------------------------------------------------------


def test_published_forms_are_copies():
    form = find("mt-bench-pair")
    form["judge"]["is"] = "Other"
    assert find("mt-bench-pair")["judge"] == {"is": "Pairwise"}


def test_a_class_or_a_ready_judge_in_a_file_is_a_judge(own):
    form = find(f"{own}:Brevity")
    assert form == {"is": f"{own}:Brevity"}
    assert decide(build(form), "one two three").label == "yes"
    assert decide(build({**form, "limit": 2}), "one two three").label == "no"
    assert decide(build(find(f"{own}:terse")), "one two").label == "no"
    assert decide(build({"is": f"{own}:terse", "limit": 2}), "one two").label == "yes"
    written = plain(build(form))
    assert written["is"] == "Brevity"
    assert len(written["source"]) == 16
    assert build({**form, "source": written["source"]}) == build(form)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("mt-bench-pairs", "did you mean mt-bench-pair"),
        ("contain", "did you mean contains"),
        ("nothing.py:Judge", "does not exist"),
        ("nothing.toml", "cannot be read"),
        ("xyzzy", "evenhand judges"),
    ],
)
def test_unknown_names_are_refused_with_near_ones(name, told):
    with pytest.raises(Misuse) as error:
        find(name)
    assert told in str(error.value)


def test_files_without_the_judge_are_refused(own, tmp_path):
    with pytest.raises(Misuse, match="did you mean Brevity"):
        find(f"{own}:Brevety")
    with pytest.raises(Misuse, match="has no judge 'not_a_judge'"):
        find(f"{own}:not_a_judge")
    (tmp_path / "bad.py").write_text("1 / 0")
    with pytest.raises(Misuse, match="ZeroDivisionError"):
        find(f"{tmp_path / 'bad.py'}:Judge")
    (tmp_path / "bad.toml").write_text("is = ")
    with pytest.raises(Misuse, match="cannot be read"):
        find(str(tmp_path / "bad.toml"))


def test_a_toml_file_holds_a_plain_form_with_files_beside_it(own, tmp_path):
    (tmp_path / "ask.md").write_text('# user\n{{ case.responses[0] | fence("response") }}')
    (tmp_path / "judge.toml").write_text(
        'is = "Panel"\npool = "mean"\n'
        '[[judges]]\nis = "Pointwise"\nmodel = "two"\nprompt = "ask.md"\n'
        'scale = {name = "r", span = [0, 5]}\n'
        '[[judges]]\nis = "mine.py:Brevity"\nlimit = 3\n'
    )
    judge = build(find(str(tmp_path / "judge.toml")), resolve=models)
    assert isinstance(judge, Panel)
    first, second = judge.judges
    assert first.model.name == "two"
    assert (first.prompt.text[:6], first.scale) == ("# user", line("r", 0.0, 5.0))
    assert second.limit == 3


# ---- building --------------------------------------------------------------------------------


def test_missing_models_are_the_given_one_and_named_ones_are_looked_up():
    form = {"is": "Panel", "judges": [{"is": "Pairwise"}, {"is": "Pairwise", "model": "two"}]}
    judge = build(form, model=MODEL, resolve=models)
    assert [member.model.name for member in judge.judges] == ["one", "two"]
    with pytest.raises(Misuse, match="pass --model"):
        build(form, resolve=models)
    with pytest.raises(Misuse, match="names the model 'two'"):
        build(form, model=MODEL)


def test_plain_form_of_a_deep_judge_builds_the_same_judge():
    judge = Repeat(
        Swap(Pairwise(MODEL, Prompt("# user\nhi"), Decode(0.5, stop=("x",))), unread="tie"), 5
    )
    form = json.loads(json.dumps(plain(judge)))
    del form["judge"]["judge"]["model"]
    again = build(form, model=MODEL)
    assert again == judge
    assert identity(again) == identity(judge)


def test_scales_are_written_as_labels_or_tables():
    graded = build({"is": "Choice", "scale": ["bad", "ok", "good"]}, model=MODEL)
    assert graded.scale.labels == {"bad": 0.0, "ok": 1.0, "good": 2.0}
    assert build({"is": "Choice", "scale": [0, 5, 10]}, model=MODEL).scale.labels["10"] == 10.0
    table = {"name": "x", "labels": {"no": 0, "yes": 1}}
    assert build({"is": "Choice", "scale": table}, model=MODEL).scale.labels == {"no": 0, "yes": 1}


def test_derived_judges_are_built_with_their_writer():
    form = {
        "is": "Derived",
        "note": "plan",
        "judge": {"is": "Pairwise"},
        "by": {"prompt": "# user\nPlan.", "model": "two"},
    }
    judge = build(form, model=MODEL, resolve=models)
    assert (judge.by.model.name, judge.judge.model.name) == ("two", "one")


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"is": "Pairwize"}, "did you mean Pairwise"),
        ({}, "no judge class is called None"),
        ({"is": "Pairwise", "promt": "x"}, "did you mean prompt"),
        ({"is": "Exact", "model": "x"}, "has no field 'model'"),
        ({"is": "Swap", "judge": {"is": "Pairwise"}, "pool": "agrees"}, "did you mean agree"),
        ({"is": "Swap", "judge": {"is": "Pointwise"}}, "needs a pairwise judge"),
        ({"is": "Swap"}, "needs a value for 'judge'"),
        ({"is": "Swap", "judge": 3}, "judge.judge is 3"),
        ({"is": "Repeat", "judge": {"is": "Exact"}, "times": "three"}, "a value of type int"),
        ({"is": "Repeat", "judge": {"is": "Exact"}, "times": True}, "a value of type int"),
        ({"is": "Repeat", "judge": {"is": "Exact"}, "times": 0}, "between 1 and 10000"),
        ({"is": "Panel", "judges": []}, "same view"),
        ({"is": "Pairwise", "prompt": "nowhere.md"}, "nowhere.md cannot be read"),
        ({"is": "Pairwise", "decode": {"temprature": 1}}, "did you mean temperature"),
        ({"is": "Pairwise", "decode": {"temperature": "hot"}}, "judge.decode.temperature is 'hot'"),
        ({"is": "Choice", "scale": ["a", "a"]}, "different labels"),
        ({"is": "Written", "prompt": "# user\nx"}, "is no judge"),
    ],
)
def test_forms_that_make_no_judge_say_what_is_wrong(form, told):
    with pytest.raises(Misuse) as error:
        build(form, model=MODEL, resolve=models)
    assert told in str(error.value)


# ---- editing ---------------------------------------------------------------------------------


def changed(form, **edits):
    return build(edited(form, **edits), model=MODEL, resolve=models)


def test_set_finds_the_one_judge_that_has_the_field():
    pair = find("mt-bench-pair")
    assert changed(pair, sets=["pool=mean"]).pool == "mean"
    assert changed(pair, sets=["decode.temperature=0.7"]).judge.decode == Decode(0.7, None, 2048)
    assert changed(pair, sets=["judge.decode.max_tokens=9"]).judge.decode.max_tokens == 9
    assert changed(pair, sets=["model=two"]).judge.model.name == "two"
    assert changed({"is": "GEval"}, sets=["criterion=Fluency: it reads well"]) == GEval(
        MODEL, "Fluency: it reads well"
    )
    graded = changed({"is": "Choice"}, sets=['scale=["no", "yes"]', "question=Is it?"])
    assert isinstance(graded, Choice)
    assert (list(graded.scale.labels), graded.question) == (["no", "yes"], "Is it?")
    assert pair == find("mt-bench-pair")


def test_set_of_a_field_that_several_have_asks_for_the_path():
    form = {"is": "Repeat", "judge": find("mt-bench-pair")}
    with pytest.raises(Misuse, match=r"could mean \.pool, judge\.pool"):
        edited(form, sets=["pool=mean"])
    assert changed(form, sets=[".pool=mean"]).pool == "mean"
    assert changed(form, sets=["judge.pool=mean"]).judge.pool == "mean"


def test_set_reaches_members_of_a_panel():
    form = {"is": "Panel", "judges": [{"is": "Pairwise"}, {"is": "Pairwise"}]}
    judge = changed(form, sets=["judges.1.decode.temperature=1"])
    assert [member.decode.temperature for member in judge.judges] == [0.0, 1.0]
    assert changed(form, sets=["judges.0.model=two"]).judges[0].model.name == "two"


@pytest.mark.parametrize(
    ("one", "told"),
    [
        ("pool", "FIELD=VALUE"),
        ("=3", "FIELD=VALUE"),
        ("poll=mean", "did you mean pool"),
        ("judge.decode.nothing.more=3", "nothing is called 'nothing'"),
        ("judge.model.name.first=3", "nothing is called"),
    ],
)
def test_set_of_nothing_is_refused(one, told):
    with pytest.raises(Misuse) as error:
        edited(find("mt-bench-pair"), sets=[one])
    assert told in str(error.value)


def test_order_is_taken_away_kept_added_or_drawn():
    pair, bare = find("mt-bench-pair"), {"is": "Pairwise"}
    assert edited(pair, order="given") == bare
    assert edited(pair, order="swap") == pair
    assert edited(bare, order="swap") == {"is": "Swap", "pool": "mean", "judge": bare}
    assert edited(pair, order="seeded", seed=4) == {"is": "Seeded", "seed": 4, "judge": bare}
    assert edited(bare, order="given") == bare
    seeded = edited(bare, order="seeded")
    assert edited(seeded, order="swap") == {"is": "Swap", "pool": "mean", "judge": bare}
    assert changed(pair, order="seeded", seed=4) == Seeded(Pairwise(MODEL), 4)


def test_order_reaches_into_repetitions_and_panels():
    pair = find("mt-bench-pair")
    repeated = {"is": "Repeat", "judge": pair}
    assert edited(repeated, order="swap") == repeated
    assert edited(repeated, order="given") == {"is": "Repeat", "judge": {"is": "Pairwise"}}
    panel = {"is": "Panel", "judges": [pair, {"is": "ChoicePair"}]}
    both = edited(panel, order="swap")["judges"]
    assert [(one["is"], one["pool"]) for one in both] == [("Swap", "agree"), ("Swap", "mean")]


@pytest.mark.parametrize("name", ["mt-bench-single", "g-eval", "exact"])
def test_order_of_one_response_is_refused(name):
    for order in ("swap", "seeded"):
        with pytest.raises(Misuse, match="is pointwise"):
            edited(find(name), order=order)
    assert edited(find(name), order="given") == find(name)


def test_template_goes_to_the_innermost_judges():
    text = "# user\nWhich? {{ case.id }}"
    assert changed(find("mt-bench-pair"), template=text).judge.prompt.text == text
    panel = {"is": "Panel", "pool": "mean", "judges": [{"is": "Pointwise"}, {"is": "Contains"}]}
    judge = changed(panel, template=text)
    assert judge.judges[0] == replace(Pointwise(MODEL), prompt=Prompt(text))
    with pytest.raises(Misuse, match="no prompt"):
        edited(find("exact"), template=text)
    with pytest.raises(Misuse, match="a template begins with"):
        edited(find("mt-bench-pair"), template="no role")
