import dataclasses

import pytest

from evenhand.records import (
    PAIR,
    PAIR_5,
    PAIR_NO_TIE,
    YES_NO,
    Case,
    Media,
    Scale,
    Verdict,
    escape,
    ints,
    line,
)


@pytest.mark.parametrize("scale", [PAIR, PAIR_NO_TIE, PAIR_5])
def test_trading_places_twice_changes_nothing_and_once_mirrors_the_number(scale):
    for label, number in scale.labels.items():
        assert scale.swapped(scale.swapped(label)) == label
        assert scale.number(scale.swapped(label)) == 1.0 - number


def test_only_pairs_have_ties():
    assert (PAIR.tie, PAIR_5.tie, PAIR_NO_TIE.tie, YES_NO.tie) == ("tie", "A=B", None, None)
    assert Scale("half", {"half": 0.5}).tie is None


@pytest.mark.parametrize(
    ("scale", "label", "there"),
    [
        (line("r", 1, 10), "7.5", True),
        (line("r", 1, 10), "10.01", False),
        (line("r", 1, 10), "nan", False),
        (line("r", 1, 10), "seven", False),
        (ints("r", 1, 5), "5", True),
        (ints("r", 1, 5), "5.0", False),
    ],
)
def test_scale_knows_its_labels(scale, label, there):
    assert scale.has(label) is there


def test_score_is_the_expectation_and_label_the_mode():
    verdict = Verdict(ints("s", 1, 5), {"4": 0.75, "5": 0.25})
    assert (verdict.score, verdict.label, verdict.scores) == (4.25, "4", (4.25,))
    assert Verdict(line("r", 0, 10), {"7.5": 1.0}).score == 7.5


def test_pair_scores_share_one_win():
    assert Verdict(PAIR, {"A": 0.7, "B": 0.3}).scores == pytest.approx((0.7, 0.3))
    assert Verdict(PAIR, {"tie": 1.0}).scores == (0.5, 0.5)


@pytest.mark.parametrize(
    ("order", "ranks"),
    [
        ("2>0=1", (0.25, 0.25, 1.0)),
        ("0>1>2", (1.0, 0.5, 0.0)),
        ("0=1=2", (0.5, 0.5, 0.5)),
        ("0", (1.0,)),
    ],
)
def test_list_scores_are_normalised_ranks(order, ranks):
    assert Verdict(Scale("order", orders=True), {order: 1.0}).scores == ranks


def test_undecided_has_no_number_and_says_why():
    verdict = Verdict(PAIR, reason="cut: the reply ends")
    assert (verdict.decided, verdict.code) == (False, "cut")
    assert (verdict.score, verdict.label, verdict.scores) == (None, None, None)


def test_records_are_frozen_and_cases_are_copied_when_changed():
    case = Case.of("q", "p", "a", "b", notes={"k": 1})
    with pytest.raises(dataclasses.FrozenInstanceError):
        case.id = "other"  # type: ignore[misc]
    assert [r.text for r in case.only(1, 0).responses] == ["b", "a"]
    assert case.having(x=2).notes == {"k": 1, "x": 2}
    assert case.notes == {"k": 1}


def test_media_stands_in_one_place():
    with pytest.raises(ValueError, match="exactly one"):
        Media("image")
    with pytest.raises(ValueError, match="exactly one"):
        Media("image", path="a", url="b")


def test_every_text_can_be_encoded_after_escape():
    assert escape("\ud800ü").encode() == "\\ud800ü".encode()
