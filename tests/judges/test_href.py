"""HREF: the category chooses how two responses are compared."""

import asyncio
from dataclasses import replace

import pytest

from evenhand.errors import DataError, Misuse
from evenhand.fits import Fit
from evenhand.identity import identity, plain
from evenhand.judges import HREF, Seeded
from evenhand.judges.build import build, edited, find
from evenhand.judges.href import RELEASED, f1
from evenhand.models.scripted import Scripted
from evenhand.records import Case, Completion, Request

HUMAN = ("Paris is the capital of France.",)
PAIR = Case.of("q", "Capital of France?", "It is Paris.", "The capital of France is Paris.")
OURS = {"what": "forty verdicts", "hash": "ab12", "n": 40}
PROMPTED = "reference", "no-reference"


def case_of(group: str | None, **fields) -> Case:
    return replace(PAIR, **{"group": group, "reference": HUMAN, **fields})


def ask(reply, case: Case, **settings):
    seen: list[Request] = []

    def answer(request: Request):
        seen.append(request)
        return reply

    return asyncio.run(HREF(Scripted("s", answer), **settings)(case)), seen


def test_the_released_table_sends_every_category_its_way():
    way = RELEASED.data
    assert len(way) == 11
    assert {c for c in way if way[c] == "no-reference"} == {"Brainstorm", "Summarize"}
    assert {c for c in way if way[c] == "similarity"} == {
        "Open QA", "Fact Checking or Attributed QA",
    }  # fmt: skip


@pytest.mark.parametrize("category", RELEASED.data)
def test_the_human_response_is_shown_where_the_table_says_so(category):
    verdict, seen = ask("[[A]]", case_of(category))
    way = RELEASED.data[category]
    assert verdict.marks["way"] == way
    assert len(seen) == (way in PROMPTED)
    if seen:
        assert ("<reference>" in seen[0].messages[1].text) == (way == "reference")
        assert seen[0].decode.max_tokens == 100


@pytest.mark.parametrize(
    ("text", "label"),
    [("[[A]]", "A"), ("[[B]]", "B"), ("[[tie]]", "tie"), ("[[Tie]]", "tie"), ("A", None),
     ("[[C]]", None), ("[[A]], [[B]], [[tie]]", None)],
)  # fmt: skip
def test_verdict_is_a_letter_or_tie_in_double_brackets(text, label):
    verdict, _ = ask(text, case_of("Extract"))
    assert verdict.label == label
    assert label or verdict.code == "unread"
    assert ask(Completion("[[A]]", finish="length"), case_of("Extract"))[0].code == "cut"


@pytest.mark.parametrize(
    ("one", "other", "label"),
    [
        ("It is Paris.", "The capital of France is Paris.", "B"),
        ("PARIS, the capital of France!", "Lyon", "A"),
        ("Lyon", "Nice", "tie"),
        ("", "Paris", "B"),
        ("", "", "tie"),
    ],
)
def test_similarity_asks_nobody_and_prefers_the_response_nearer_to_the_reference(one, other, label):
    case = Case.of("q", "Capital?", one, other, group="Open QA", reference=HUMAN)
    verdict, seen = ask(ZeroDivisionError("asked"), case)
    assert (verdict.label, seen, verdict.calls) == (label, [], ())
    turned, _ = ask("", case.only(1, 0))
    assert turned.marks["similarity"] == verdict.marks["similarity"][::-1]


def test_f1_counts_shared_words_as_often_as_both_have_them():
    assert f1("cat cat", "cat dog") == 0.5
    assert f1("cat", "dog") == 0.0
    assert f1("A cat!", "the Cat") == 1.0
    assert f1("", "") == 0.0


def test_the_nearest_of_several_references_counts_and_a_margin_makes_ties():
    case = case_of("Open QA", reference=("Nothing alike.", *HUMAN))
    plain_verdict, _ = ask("", case)
    assert plain_verdict.label == "B"
    gap = abs(plain_verdict.marks["similarity"][0] - plain_verdict.marks["similarity"][1])
    assert ask("", case, margin=gap)[0].label == "tie"
    assert ask("", case, margin=gap - 0.01)[0].label == "B"


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (case_of("Poetry"), "no way is known for group 'Poetry'"),
        (case_of(None), "no way is known for group None"),
        (case_of("Extract", reference=()), "needs a human response"),
        (case_of("Open QA", reference=(" ",)), "needs a human response"),
    ],
)
def test_a_case_that_cannot_be_routed_is_undecided_and_nobody_is_asked(case, told):
    verdict, seen = ask("[[A]]", case)
    assert (verdict.code, seen) == ("empty", [])
    assert told in verdict.reason


def test_published_protocol_draws_one_order():
    judge = build(find("href"), model=Scripted("s", lambda request: "[[A]]"))
    assert isinstance(judge, Seeded)
    labels = {asyncio.run(judge(case_of("Extract", id=f"q{i}"))).label for i in range(20)}
    assert labels == {"A", "B"}


# ---- a table of one's own --------------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "routes.json"
    Fit("routing", {"Poetry": "no-reference"}, OURS).write(path)
    return path


def test_a_fit_from_a_file_takes_the_place_of_the_released_table(own):
    model = Scripted("s", lambda request: "[[A]]")
    form = edited(find("href"), fit=own)
    judge = build(form, model=model)
    assert judge.judge.fit == Fit.read(own)
    assert asyncio.run(judge(case_of("Poetry"))).decided
    assert asyncio.run(judge(case_of("Extract"))).code == "empty"
    assert identity(judge) != identity(build(find("href"), model=model))
    assert find("href")["judge"] == {"is": "HREF"}


def test_what_the_file_holds_is_the_identity_and_not_its_path(own, tmp_path):
    model = Scripted("s", lambda request: "[[A]]")
    twin = tmp_path / "twin.json"
    twin.write_bytes(own.read_bytes())
    one, other = (build(edited(find("href"), fit=str(path)), model=model) for path in (own, twin))
    assert one == other
    assert str(tmp_path) not in repr(plain(one))
    by_path = build({"is": "HREF", "fit": str(own)}, model=model)
    assert by_path == one.judge


def test_every_judge_inside_that_takes_a_fit_gets_it(own):
    panel = {"is": "Panel", "judges": [{"is": "HREF"}, find("href"), {"is": "Pairwise"}]}
    members = edited(panel, fit=own)["judges"]
    assert members[0]["fit"] == members[1]["judge"]["fit"] == plain(Fit.read(own))
    assert "fit" not in members[2]


def test_fits_that_do_not_fit_are_refused(own, tmp_path):
    with pytest.raises(Misuse, match="takes no fit"):
        edited(find("mt-bench-pair"), fit=own)
    with pytest.raises(Misuse, match="cannot be read"):
        edited(find("href"), fit=tmp_path / "nothing.json")
    own.write_text('{"fit": 1}', encoding="utf-8")
    with pytest.raises(DataError, match="kind is missing"):
        edited(find("href"), fit=own)
    with pytest.raises(DataError, match="field 'kind'"):
        build({"is": "HREF", "fit": {"kind": "x", "data": {}, "made_from": {}}}, model=None)
