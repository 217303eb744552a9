import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pools import ORDER, POOLS, pool
from evenhand.readers import undecided
from evenhand.records import PAIR, PAIR_5, PAIR_NO_TIE, YES_NO, Completion, Scale, Verdict, line


def sure(scale: Scale, label: str) -> Verdict:
    return Verdict(scale, {label: 1.0}, calls=(Completion("x"),))


def pairs(*labels: str) -> list[Verdict]:
    return [sure(PAIR, label) for label in labels]


LOST = undecided(PAIR, "cut", "too long")


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("agree", "A A", "A"),
        ("agree", "A B", "tie"),
        ("agree", "A tie", "tie"),
        ("vote", "A A B", "A"),
        ("vote", "A B", "tie"),
        ("vote", "tie tie A B", "tie"),
        ("net", "A tie", "A"),
        ("net", "B tie", "B"),
        ("net", "A B", "tie"),
        ("net", "tie tie", "tie"),
        ("net", "A A B", "A"),
    ],
)
def test_pairwise_rules(name, labels, expected):
    verdict = pool(name, pairs(*labels.split()))
    assert verdict.probs == {expected: 1.0}
    assert len(verdict.parts) == len(labels.split())
    assert verdict.calls == ()


@pytest.mark.parametrize("name", ["agree", "vote", "net"])
def test_split_without_a_tie_is_undecided(name):
    verdict = pool(name, [sure(PAIR_NO_TIE, "A"), sure(PAIR_NO_TIE, "B")])
    assert verdict.code == "split"
    assert verdict.scores is None


def test_net_vote_gives_the_mildest_label_of_the_winning_side():
    assert pool("net", [sure(PAIR_5, "A>>B"), sure(PAIR_5, "A=B")]).label == "A>B"
    assert pool("net", [sure(PAIR_5, "B>>A"), sure(PAIR_5, "B>>A")]).label == "B>A"


def test_mean_averages_distributions_with_weights():
    parts = [Verdict(YES_NO, {"yes": 0.8, "no": 0.2}), sure(YES_NO, "no")]
    assert pool("mean", parts).score == pytest.approx(0.4)
    assert pool("mean", parts, weights=[3, 1]).score == pytest.approx(0.6)
    assert pool("vote", parts, weights=[3, 1]).label == "yes"


def test_both_battles_is_the_mean_and_counts_battles():
    verdict = pool("both_battles", pairs("A", "B"))
    assert (verdict.score, verdict.marks["battles"]) == (0.5, 2)
    dropped = pool("both_battles", [*pairs("A"), LOST], unread="drop")
    assert (dropped.score, dropped.marks["battles"]) == (1.0, 1)


def test_every_is_yes_only_if_all_are():
    yes, no = sure(YES_NO, "yes"), sure(YES_NO, "no")
    assert pool("every", [yes, yes]).label == "yes"
    assert pool("every", [yes, no]).label == "no"
    with pytest.raises(ValueError, match="yes and no"):
        pool("every", pairs("A"))


def test_rank_orders_responses_and_ties_share():
    rating = line("rating", 1, 10)
    verdict = pool("rank", [sure(rating, "3"), sure(rating, "3"), sure(rating, "9")])
    assert verdict.label == "2>0=1"
    assert verdict.scores == (0.25, 0.25, 1.0)
    assert [part.score for part in verdict.parts] == [3, 3, 9]
    with pytest.raises(ValueError, match="left out of an order"):
        pool("rank", [sure(rating, "3")], unread="drop")
    assert pool("rank", [sure(rating, "3"), undecided(rating, "cut", "x")]).scale == ORDER


NAMES = [name for name in POOLS if name not in ("every", "rank")]


@pytest.mark.parametrize("name", NAMES)
def test_undecided_part_stops_the_whole_and_its_code_stays(name):
    verdict = pool(name, [*pairs("A"), LOST, undecided(PAIR, "refused", "no")])
    assert verdict.reason == "cut: part 2 of 3: too long"
    assert (verdict.score, verdict.label) == (None, None)


@pytest.mark.parametrize("name", NAMES)
def test_undecided_part_is_dropped_or_counts_as_a_label_only_when_told(name):
    assert pool(name, [*pairs("A"), LOST], unread="drop").label == "A"
    assert pool(name, [LOST, LOST], unread="drop").code == "cut"
    as_tie = pool(name, [LOST, *pairs("tie")], unread="tie")
    assert as_tie.label == "tie"
    assert not as_tie.parts[0].decided
    with pytest.raises(ValueError, match="no label of the scale"):
        pool(name, [*pairs("A"), LOST], unread="draw")


@pytest.mark.parametrize("name", POOLS)
def test_parts_that_never_reached_a_scale_leave_the_whole_undecided(name):
    nowhere = undecided(Scale("none"), "empty", "nothing there")
    assert pool(name, [nowhere, nowhere]).code == "empty"
    assert pool(name, [nowhere, nowhere], unread="tie").code == "empty"


def test_mistakes_in_pooling_are_refused():
    for bad in (
        lambda: pool("vote", [sure(line("r", 0, 1), "0.5")]),
        lambda: pool("mean", []),
        lambda: pool("mean", [sure(PAIR, "A"), sure(YES_NO, "yes")]),
        lambda: pool("net", [sure(YES_NO, "yes")]),
        lambda: pool("median", pairs("A")),
        lambda: pool("agree", pairs("A"), weights=[1.0]),
        lambda: pool("mean", pairs("A"), weights=[0.0]),
        lambda: pool("mean", pairs("A"), weights=[1.0, 1.0]),
    ):
        with pytest.raises(ValueError):  # noqa: PT011
            bad()


@given(st.lists(st.sampled_from(["A", "tie", "B"]), min_size=1, max_size=9))
def test_every_rule_is_fair_to_both_sides(labels):
    other = [PAIR.swapped(label) for label in labels]
    for name in NAMES:
        one, two = pool(name, pairs(*labels)), pool(name, pairs(*other))
        assert one.score == pytest.approx(1.0 - two.score)
        assert sum(one.probs.values()) == pytest.approx(1.0)


@given(st.permutations(["A", "A", "A", "tie", "B"]))
def test_no_rule_depends_on_the_order_of_the_parts(labels):
    for name in NAMES:
        assert pool(name, pairs(*labels)).score == pytest.approx(
            pool(name, pairs("A", "A", "A", "tie", "B")).score
        )
