"""Adapters on the real files beside the repository: counts, hashes, trivial judges."""

import contextlib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from evenhand.data.bench import bench, find, names
from evenhand.errors import Misuse
from evenhand.report.bench_figures import figure
from evenhand.report.sample import Contents, contents, sample

DATA = (Path(__file__).resolve().parents[3] / "../shared/data").resolve()
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="needs ../shared/data beside the checkout"
)

JUDGES = {
    "alpaca-eval": 1, "alt-test": 6, "devai": 1, "ice-score": 4, "ice-score-conala": 1,
    "judgebench": 3, "llm-rubric": 1, "llmbar": 37, "llmjudge": 17, "mt-bench-single": 1,
    "pandalm": 2, "policy-value": 1, "prometheus-vicuna": 1, "reason-eval": 12,
    "relevance-checklist": 4, "xsum-factuality": 5,
}  # fmt: skip
PEOPLE = {
    "agent-reward-bench": 5632, "alt-test": 26_863, "fineweb-c": 2372, "ice-score-conala": 22_066,
    "judge-bench": 48_090, "llm-rubric": 8694, "pandalm": 2997, "xsum-factuality": 5597,
}  # fmt: skip
ROWS = {"alpaca-eval": 46_680, "llm-rubric": 4257}  # where the card has no number
BALANCE = {
    "judgebench": {"A": 193, "B": 157},
    "pandalm": {"A": 422, "B": 472, "tie": 105},
    "evalbiasbench": {"A": 80},
    "reason-eval": {"correct": 76, "wrong": 83},
}
AT_HAND = sorted({*JUDGES, *PEOPLE, "bigbench-mistake", "evalbiasbench", "who-and-when"})


@cache
def read(name: str) -> Contents:
    one = bench(name)
    return contents(one, find(one.card, folder=DATA))


@pytest.mark.parametrize("name", AT_HAND)
def test_every_row_is_read_and_the_file_is_the_known_one(name):
    found, card = read(name), bench(name).card
    assert found.bad == ()
    assert found.files.changed == ()
    assert len(found.facts) == (card.rows or ROWS[name])
    assert len({fact.id for fact in found.facts}) == len(found.facts)
    assert len(found.verdicts) == JUDGES.get(name, 0)
    assert len(found.people) == PEOPLE.get(name, 0)
    assert card.status == "verified"


@pytest.mark.parametrize("name", AT_HAND)
def test_every_recorded_verdict_and_label_is_of_a_case(name):
    found = read(name)
    known = {fact.id for fact in found.facts}
    for judge, verdicts in found.verdicts.items():
        inside = len(known & verdicts.keys())
        assert inside > 0, judge
        if name not in ("llm-rubric", "alt-test"):  # whose judges were asked of more items
            assert inside == len(verdicts), judge
    assert {one.case for one in found.people} <= known


@pytest.mark.parametrize("name", BALANCE)
def test_the_gold_is_balanced_as_counted(name):
    assert Counter(fact.label for fact in read(name).facts) == BALANCE[name]


def test_what_is_here_is_verified_and_nothing_else_is_found_by_accident():
    there = set()
    for name in names():
        one = bench(name)
        with contextlib.suppress(Misuse):
            find(one.card, folder=DATA)
            there.add(name)
    assert there == {*AT_HAND, "arena-meta", "alpaca-eval-arena"}
    assert there <= {name for name in names() if bench(name).card.status == "verified"}


# ---- judges that read nothing, in hundredths -----------------------------------------------------

# name, subset, longer, first
TRIVIAL = [
    ("judgebench", "", 46.0, 55.1),
    ("llmbar", "LLMBar/Natural", 56.0, 42.0),
    ("llmbar", "LLMBar/Adversarial/Neighbor", 11.9, 56.0),
    ("llmbar", "LLMBar/Adversarial/GPTInst", 13.0, 48.9),
    ("llmbar", "LLMBar/Adversarial/GPTOut", 44.7, 46.8),
    ("llmbar", "LLMBar/Adversarial/Manual", 17.4, 47.8),
    ("llmbar", "Processed/FairEval", 59.1, 62.1),
    ("llmbar", "Processed/MT-Bench", 68.0, 50.5),
]


@pytest.mark.parametrize(("name", "subset", "longer", "first"), TRIVIAL)
def test_trivial_judges_are_as_good_as_known(name, subset, longer, first):
    whole = sample(read(name), "", subset)
    found = [100 * figure(f"accuracy of the {one}", whole).estimate for one in ("longer", "first")]
    assert found == pytest.approx([longer, first], abs=0.05)


def test_equal_lengths_are_counted_and_not_given_to_the_second_output():
    """With them it would be 69.5."""
    whole = sample(read("llmbar"), "", "Processed/MT-Bench")
    equal = [fact for fact in whole.facts if len(set(fact.lengths)) == 1]
    assert Counter(fact.label for fact in equal) == {"A": 2, "B": 3}
    assert 100 * (136 + 3) / whole.n == 69.5


def test_biases_punish_the_longer_response_and_always_put_the_better_one_first():
    found = read("evalbiasbench")
    sizes = Counter(fact.group for fact in found.facts)
    longer = {
        name: round(100 * figure("accuracy of the longer", sample(found, "", name)).estimate)
        for name in sizes
    }
    assert sorted(zip(longer.values(), sizes.values(), strict=True)) == [
        (0, 17), (25, 12), (29, 14), (33, 12), (33, 12), (46, 13)]  # fmt: skip
    for name in sizes:
        assert figure("accuracy of the first", sample(found, "", name)).estimate == 1.0
