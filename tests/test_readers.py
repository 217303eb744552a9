import math

import pytest

from evenhand.readers import (
    answered,
    label_probs,
    last_label,
    last_number,
    spoken,
    undecided,
    unreadable,
    whole_label,
)
from evenhand.records import PAIR, PAIR_NO_TIE, YES_NO, Completion, Scale, ints, line

LETTER = r"\[\[([A-Z]+)\]\]"
NUMBER = r"\[\[\s*(-?\d+(?:\.\d+)?)\s*\]\]"
STOPPED = ["refused", "rejected", "overflow"]


def read_label(text: str, **given):
    return last_label(Completion(text), PAIR, LETTER, rename={"C": "tie"}, **given)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("[[A]]", "A"),
        ("A is fine.\n\n[[B]]", "B"),
        ("[[A]] at first sight. On reflection [[B]]", "B"),
        ("[[C]]", "tie"),
        ("**[[A]]**", "A"),
        ("[[A]] [[A]]", "A"),
        ("Verdict: [[A]], that is [[A]].", "A"),
        ("Answer with [[A]], [[B]] or [[C]]. Mine is [[A]]", "A"),
        ("[[B]]\n" * 50, "B"),
        ("答案是[[A]]。", "A"),
        ("x" * 5000 + "[[A]]", "A"),
        ("[[A]] then [[B]] then [[A]]", "A"),
        ("[[B]]" + " " * 9000, "B"),
    ],
)
def test_last_marker_decides(text, label):
    assert read_label(text).label == label


@pytest.mark.parametrize(
    "text",
    [
        "A is better",
        "[A]",
        "[[a]]",
        "[[D]]",
        "[[A]] and finally [[D]]",
        "[[A]], [[B]] or [[C]]",
        "End with exactly one of [[A]], [[B]], [[C]]",
        '"[[A]]" / "[[B]]"',
        "[[A]]\n\n[[B]]",
        "[[A]] and [[B]]",
        "[[A]] [[A]] [[B]]",
        "[[A]]… or … [[C]]",
        "[[]]",
        "[A]]",
        "[[A]",
        "I cannot decide.",
    ],
)
def test_reply_without_a_clear_marker_is_unread(text):
    verdict = read_label(text)
    assert verdict.code == "unread"
    assert verdict.score is None
    assert verdict.calls[0].text == text


def test_off_scale_verdict_is_named():
    reason = read_label("[[D]]").reason
    assert reason == "unread: verdict D is not on the scale pair (A, tie, B)"


def test_of_several_patterns_the_first_that_occurs_is_read():
    both = (LETTER, r"\[([A-Z])\]")
    assert last_label(Completion("[[A]], see [B]"), PAIR, both).label == "A"
    assert last_label(Completion("[A], no: it is [B]"), PAIR, both).label == "B"


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("[[7]]", 7.0),
        ("Rating: [[7.5]] … [[3]]", 3.0),
        ("[[ 10 ]]", 10.0),
        ("[[1]]", 1.0),
        ("[[7.0]]", 7.0),
        ("[[3]] [[4]]", 4.0),
        ("[[0]]", None),
        ("[[11]]", None),
        ("[[-3]]", None),
        ("[[8/10]]", None),
        ("[[7,5]]", None),
        ("8", None),
        ("[[8]] but [[99]]", None),
        ("[[" + "9" * 400 + "]]", None),
        ("[[nan]]", None),
        ("[[number]]", None),
        ("[[٧]]", 7.0),
    ],
)
def test_last_number_on_the_line_decides(text, score):
    verdict = last_number(Completion(text), line("rating", 1, 10), NUMBER)
    assert verdict.score == score
    assert verdict.decided or verdict.code == "unread"


@pytest.mark.parametrize(
    ("text", "score"),
    [("[[7]]", 7), ("[[3]], no: [[7]]", 7), ("[[7]].\n**", 7), ("[[7]] because it is good", None)],
)
def test_a_marker_that_must_be_last_is_unread_when_words_follow(text, score):
    verdict = last_number(Completion(text), line("rating", 1, 10), NUMBER, end=True)
    assert verdict.score == score
    assert verdict.decided or verdict.reason.endswith("'because it is good' follows")
    letters = text.replace("3", "A").replace("7", "B")
    assert read_label(letters, end=True).label == ("B" if score else None)


@pytest.mark.parametrize(
    ("text", "label"), [("[[4]]", "4"), ("[[4.0]]", "4"), ("[[4.5]]", None), ("[[6]]", None)]
)
def test_a_scale_of_labels_takes_only_its_labels(text, label):
    assert last_number(Completion(text), ints("score", 1, 5), NUMBER).label == label


@pytest.mark.parametrize("read", [
    lambda reply: last_label(reply, PAIR, LETTER),
    lambda reply: last_number(reply, line("r", 1, 10), NUMBER),
    lambda reply: whole_label(reply, PAIR),
])  # fmt: skip
def test_stopped_cut_and_empty_replies_are_undecided_whatever_they_hold(read):
    for finish in STOPPED:
        assert read(Completion("[[A]] [[7]] A", finish=finish)).code == finish
    assert read(Completion("[[A]] [[7]] and so", finish="length")).code == "cut"
    assert read(Completion(" \n")).code == "empty"
    assert read(Completion("", finish="length")).code == "cut"


def test_unreadable_reply_is_quoted_up_to_200_characters():
    verdict = unreadable(Completion("z" * 5000, finish="length"), PAIR)
    assert verdict is not None
    assert verdict.reason.startswith("cut: ")
    assert verdict.reason.count("z") == 200
    assert unreadable(Completion("fine"), PAIR) is None


def test_decided_verdict_carries_reply_and_reason():
    reply = Completion("because. [[B]]")
    verdict = last_label(reply, PAIR, LETTER)
    assert (verdict.reason, verdict.calls) == (reply.text, (reply,))


def test_undecided_is_a_value_without_numbers():
    verdict = undecided(PAIR, "split", "they differ")
    assert (verdict.code, verdict.label, verdict.score, verdict.scores) == ("split", *[None] * 3)


# ---- probabilities ---------------------------------------------------------------------------


def tops(**mass: float) -> Completion:
    return Completion("x", tops=({token: math.log(p) for token, p in mass.items()},))


def test_planted_masses_come_back_renormalised_and_the_rest_is_reported():
    reply = Completion("x", ({" 4": math.log(0.5), "5": math.log(0.25), "The": math.log(0.2)},))
    verdict = label_probs(reply, ints("score", 1, 5))
    assert verdict.score == pytest.approx((4 * 0.5 + 5 * 0.25) / 0.75)
    assert verdict.marks == {"mass": 0.75}
    assert sum(verdict.probs.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "token",
    ["A", " A", "a", "A.", "**A", "[[A", '"A"', "(A)", "A:", "`A`", "\u2581A", "\u0120A",
     "A\n", "A)", "'A", "\tA", "[A]", "*A*", "“A”", "A,"],
)  # fmt: skip
def test_surface_forms_fold_to_their_label(token):
    verdict = label_probs(tops(**{token: 0.6, "B": 0.3, "the": 0.1}), PAIR_NO_TIE)
    assert verdict.probs["A"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("token", ["AA", "Assistant", "A B", "the", "", " ", "1", "Ab"])
def test_other_tokens_are_no_label(token):
    assert label_probs(tops(**{token: 0.9, "B": 0.1}), PAIR_NO_TIE).probs["B"] == 1.0


def test_sum_adds_forms_and_max_takes_the_likeliest():
    reply = tops(yes=0.3, Yes=0.3, no=0.4)
    assert label_probs(reply, YES_NO).probs["yes"] == pytest.approx(0.6)
    assert label_probs(reply, YES_NO, take="max").probs["yes"] == pytest.approx(0.3 / 0.7)


def test_forms_rename_and_missing_labels_may_stop():
    reply = tops(oui=0.9, no=0.1)
    assert label_probs(reply, YES_NO, forms={"yes": ("oui",)}).score == pytest.approx(0.9)
    assert label_probs(reply, YES_NO).probs == {"yes": 0.0, "no": 1.0}
    assert label_probs(reply, YES_NO, missing="stop").code == "unread"


def test_no_label_among_the_candidates_is_unread_and_names_them():
    verdict = label_probs(tops(The=0.9, It=0.1), YES_NO)
    assert verdict.reason == "unread: none of yes, no among the first tokens ('The', 'It')"
    assert label_probs(Completion("yes"), YES_NO).code == "unread"
    assert label_probs(tops(yes=0.9), YES_NO, at=3).code == "unread"


def test_probabilities_ignore_the_token_limit_but_not_a_refusal():
    top = ({"yes": 0.0},)
    assert label_probs(Completion("yes", top, finish="length"), YES_NO).score == 1.0
    assert label_probs(Completion("yes", top, finish="refused"), YES_NO).code == "refused"


@pytest.mark.parametrize("bad", [-math.inf, math.nan])
def test_no_mass_is_unread(bad):
    assert label_probs(Completion("yes", ({"yes": bad},)), YES_NO).code == "unread"


def test_without_a_place_the_first_token_that_is_a_label_counts():
    words = [{"Score": -0.1, "3": -4.0}, {":": -0.1}, {" 4": math.log(0.75), "5": math.log(0.25)},
             {"/": 0.0}, {"5": 0.0}]  # fmt: skip
    verdict = label_probs(Completion("Score: 4/5", tuple(words)), ints("s", 1, 5), at=None)
    assert verdict.score == pytest.approx(4.25)
    assert label_probs(Completion("so", ({"so": 0.0},)), YES_NO, at=None).code == "unread"


def test_labels_that_read_the_same_are_refused():
    with pytest.raises(ValueError, match="read the same"):
        label_probs(tops(a=1.0), Scale("s", {"A": 1.0, "a": 0.0}))


def test_labels_that_only_their_case_tells_apart_are_read_without_folding():
    scale = Scale("s", {"m": 1.0, "M": 0.0})
    top = {"m": math.log(0.5), " M": math.log(0.25), "The": math.log(0.25)}
    verdict = label_probs(Completion("m", (top,)), scale, fold=False)
    assert verdict.probs == pytest.approx({"m": 2 / 3, "M": 1 / 3})
    first = label_probs(Completion("so M", ({"so": 0.0}, {"M": 0.0})), scale, at=None, fold=False)
    assert first.label == "M"
    assert whole_label(Completion(" M."), scale, fold=False).label == "M"
    assert whole_label(Completion("YES"), YES_NO, fold=False).code == "unread"


def test_typed_answer_is_the_verdict_and_mass_off_the_scale_is_reported():
    verdict = answered(Completion("", answer={"no": 0.2, "yes": 0.6, "maybe": 0.2}), YES_NO)
    assert verdict.probs == {"yes": pytest.approx(0.75), "no": pytest.approx(0.25)}
    assert verdict.marks == {"mass": 0.8}


@pytest.mark.parametrize(
    "answer", [None, {}, {"maybe": 1.0}, {"yes": 0.0}, {"yes": -1.0, "no": 2.0}]
)
def test_typed_answer_without_a_label_is_unread(answer):
    assert answered(Completion("", answer=answer), YES_NO).code == "unread"
    assert answered(Completion("", answer=answer, finish="refused"), YES_NO).code == "refused"


@pytest.mark.parametrize(
    ("text", "finish", "found"),
    [
        ("4", "length", "4"),
        (" 4.", "stop", "4"),
        ("**4**", "stop", "4"),
        ("1", "stop", "1"),
        ("1", "length", "cut"),
        ("10", "length", "10"),
        ("4 or 5", "stop", "unread"),
        ("four", "length", "cut"),
        ("good", "stop", "unread"),
    ],
)
def test_a_whole_reply_may_be_one_label_even_if_cut(text, finish, found):
    verdict = whole_label(Completion(text, finish=finish), ints("s", 1, 10))
    assert (verdict.label or verdict.code) == found


def test_ten_that_a_tokeniser_splits_is_undecided_not_one():
    ten = ints("out-of-ten", 1, 10)
    split = tops(**{"1": 0.9, "2": 0.05})
    verdict = label_probs(split, ten)
    assert verdict.code == "unread"
    assert "10" in verdict.reason
    whole = label_probs(tops(**{"1": 0.6, "10": 0.3, "2": 0.1}), ten)
    assert whole.probs["10"] == pytest.approx(0.3)


# ---- reasoning -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain [[A]]", "plain [[A]]"),
        ("<think>[[A]]</think>[[B]]", "[[B]]"),
        ("  <think>\n[[A]]\n</think>\n[[B]]", "\n[[B]]"),
        ("[[A]] of a template that opens it</think>[[B]]", "[[B]]"),
        ("<think>x</think>one\n<think>y</think>two", "one\ntwo"),
        ("<think>x\n<think>y</think>[[B]]", "[[B]]"),
        ("<think>[[A]]", ""),
        ("[[A]]\n<think>[[B]]", "[[A]]\n"),
        ("A shows its <think> block. [[B]]", "A shows its <think> block. [[B]]"),
        ("A writes <think>x</think> first. [[B]]", " first. [[B]]"),
        ("<THINK>[[A]]</THINK>[[B]]", "[[B]]"),
        ("<thinking> aloud [[A]]", "<thinking> aloud [[A]]"),
    ],
)
def test_only_what_is_said_outside_of_the_reasoning_counts(text, said):
    assert spoken(text) == said


def test_no_reader_looks_into_the_reasoning():
    assert read_label("<think>[[A]]</think>Now [[B]]").label == "B"
    assert read_label("<think>[[A]]</think>Nothing.").code == "unread"
    assert read_label("<think>[[A]]</think>").reason == "empty: the reply is nothing but reasoning"
    rating = line("rating", 1, 10)
    assert last_number(Completion("<think>[[3]]</think>[[7]]"), rating, NUMBER).score == 7
    assert last_number(Completion("<think>[[3]]</think>no"), rating, NUMBER).code == "unread"
    assert whole_label(Completion("<think>no</think>\nYes."), YES_NO).label == "yes"


def test_a_reply_of_many_tags_is_read_in_linear_time():
    assert spoken("<think>\n" * 200_000) == ""
    assert spoken("</think>" * 200_000 + "[[A]]") == "[[A]]"
