from __future__ import annotations

import math
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from evenhand import Completion, ModelError, Request
from evenhand.errors import Rejected
from evenhand.report.summary import Summary
from tests.report.made import Answer, better, case, rating, said, summary_of

SYSTEMS = ("x", "y", "z")
T_11 = 2.200985  # 97.5 % quantile of Student's t with 11 degrees of freedom, from a printed table


def always_first(request: Request) -> str:
    return "The first. [[A]]"


def first_token(**probs: float) -> Answer:
    tops = {label: math.log(p) for label, p in probs.items()}
    return lambda request: Completion("A", (tops,), usd=0.0)


def planted(n: int = 12) -> list[tuple[float, ...]]:
    """Qualities of three systems, one row a prompt."""
    draw = random.Random(7)
    return [tuple(float(draw.randint(1, 10)) for _ in SYSTEMS) for _ in range(n)]


def rows(qualities: list[tuple[float, ...]]) -> list[Any]:
    cases = enumerate(qualities)
    return [case(f"q{i}", *(f"{q:g}" for q in row), systems=SYSTEMS) for i, row in cases]


def clustered(values: list[tuple[float, str]]) -> tuple[float, float, float]:
    """Mean and interval by hand: residual sums a cluster, squared, G / (G - 1), over n squared."""
    n, mean = len(values), sum(v for v, _ in values) / len(values)
    sums: dict[str, float] = defaultdict(float)
    for value, cluster in values:
        sums[cluster] += value - mean
    assert len(sums) == 12
    half = T_11 * math.sqrt(12 / 11 * sum(s * s for s in sums.values())) / n
    return mean, mean - half, mean + half


def assert_same(interval: Any, values: list[tuple[float, str]]) -> None:
    found = (interval.estimate, interval.low, interval.high)
    assert found == pytest.approx(clustered(values), rel=1e-5)
    assert (interval.n, interval.n_clusters) == (len(values), 12)


def test_win_rates_and_their_clustered_intervals_equal_a_computation_by_hand(
    tmp_path: Path,
) -> None:
    qualities = planted()
    summary = summary_of(tmp_path, rows(qualities), "mt-bench-pair", better)
    expected: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for i, row in enumerate(qualities):
        for a in range(3):
            for b in range(3):
                if a != b:
                    share = 0.5 if row[a] == row[b] else float(row[a] > row[b])
                    expected[SYSTEMS[a]].append((share, f"q{i}"))
    assert set(summary.win_rates) == set(SYSTEMS)
    for name, values in expected.items():
        assert_same(summary.win_rates[name], values)


def test_mean_scores_by_system_equal_a_computation_by_hand(tmp_path: Path) -> None:
    qualities = planted()
    summary = summary_of(tmp_path, rows(qualities), "mt-bench-single", rating)
    for s, name in enumerate(SYSTEMS):
        assert_same(summary.scores[name], [(row[s], f"q{i}") for i, row in enumerate(qualities)])
    assert not summary.win_rates


def test_responses_without_a_system_are_named_by_their_place(tmp_path: Path) -> None:
    pair = summary_of(tmp_path / "a", [case("q", "2", "1")], "mt-bench-pair", better)
    one = summary_of(tmp_path / "b", [case("q", "2")], "mt-bench-single", rating)
    assert list(pair.win_rates) == ["response 1", "response 2"]
    assert list(one.scores) == ["all responses"]


# ---- order -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("judge", "answer"),
    [("mt-bench-pair", always_first), ("choice-pair", first_token(A=0.9, B=0.1))],
)
def test_a_judge_that_always_takes_the_first_is_never_consistent(
    tmp_path: Path, judge: str, answer: Answer
) -> None:
    summary = summary_of(tmp_path, rows(planted()), judge, answer)
    assert summary.consistency is not None
    assert summary.first_position_rate is not None
    assert (summary.consistency.estimate, summary.consistency.n) == (0.0, 36)
    assert (summary.first_position_rate.estimate, summary.first_position_rate.n) == (1.0, 72)
    assert any("position bias" in warning for warning in summary.warnings)
    assert {i.estimate for i in summary.win_rates.values()} == {0.5}


def test_a_judge_of_content_is_consistent_and_takes_the_first_half_of_the_time(
    tmp_path: Path,
) -> None:
    summary = summary_of(tmp_path, rows(planted()), "mt-bench-pair", better)
    assert summary.consistency is not None
    assert summary.first_position_rate is not None
    assert summary.consistency.estimate == 1.0
    assert summary.first_position_rate.estimate == 0.5
    ties = sum(row[a] == row[b] for row in planted() for a, b in ((0, 1), (0, 2), (1, 2)))
    assert ties > 0
    assert summary.first_position_rate.n == 72 - 2 * ties
    assert not any("position bias" in warning for warning in summary.warnings)


def test_one_order_says_nothing_about_order(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, [case("q", "2", "1")], {"is": "Pairwise"}, better)
    found = summary.json()
    assert found["consistency"] is None
    assert found["consistency_reason"] == "no case was judged in both orders"
    assert found["first_position_rate"] is None
    assert found["first_position_rate_reason"] == "order was not varied"


def test_a_judge_that_cannot_tell_has_no_first_position_and_is_consistent(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, rows(planted(2)), "choice-pair", first_token(A=0.5, B=0.5))
    assert summary.first_position_rate is None
    assert summary.consistency is not None
    assert summary.consistency.estimate == 1.0


# ---- labels ----------------------------------------------------------------------------------


def labelled(n: int, label: str = "A") -> list[dict[str, str]]:
    return [{"id": f"q{i}", "prompt": f"ask {i}", "output_1": str(i), "output_2": "x",
             "winner": label} for i in range(n)]  # fmt: skip


def test_agreement_counts_undecided_as_wrong_and_apart(tmp_path: Path) -> None:
    def judge(request: Request) -> str:
        number = int(said(request, "response_a"))
        return "[[A]]" if number < 6 else "[[B]]" if number < 8 else "I cannot say."

    summary = summary_of(tmp_path, labelled(10), {"is": "Pairwise"}, judge)
    assert summary.agreement is not None
    assert summary.agreement["strict"]["estimate"] == pytest.approx(0.6)
    assert summary.agreement["answered"]["estimate"] == pytest.approx(0.75)
    assert summary.agreement["coverage"] == pytest.approx(0.8)
    assert "tie" in summary.agreement["rule"]


def test_a_judge_that_only_knows_places_agrees_with_no_label(tmp_path: Path) -> None:
    answer = first_token(A=0.9, B=0.1)
    summary = summary_of(tmp_path, labelled(10), "choice-pair", answer)
    assert summary.agreement is not None
    assert summary.agreement["strict"]["estimate"] == 0.0


def test_numbers_and_words_of_people_are_compared_as_what_they_mean(tmp_path: Path) -> None:
    data = [{"id": "1", "prompt": "p", "response": "4", "label": "4.0"},
            {"id": "2", "prompt": "p", "response": "5", "label": 5}]  # fmt: skip
    rated = summary_of(tmp_path / "a", data, "mt-bench-single", rating)
    told = [{"prompt": "p", "response": "yes it is", "reference": "yes", "label": "Yes"}]
    found = summary_of(tmp_path / "b", told, "contains", rating, name="unused")
    for summary in (rated, found):
        assert summary.agreement is not None
        assert summary.agreement["strict"]["estimate"] == 1.0


def test_labels_that_the_scale_does_not_have_are_not_compared(tmp_path: Path) -> None:
    data = [{"id": "1", "prompt": "p", "response": "4", "label": "fine"},
            {"id": "2", "prompt": "p", "response": "5", "label": "5"}]  # fmt: skip
    summary = summary_of(tmp_path, data, "mt-bench-single", rating)
    assert summary.agreement is not None
    assert summary.agreement["strict"]["n"] == 1
    assert any("1 labels by people are not on the judge's scale" in w for w in summary.warnings)


def test_without_labels_agreement_is_null_with_a_reason(tmp_path: Path) -> None:
    found = summary_of(tmp_path, [case("q", "2", "1")], "mt-bench-pair", better).json()
    assert found["agreement"] is None
    assert found["agreement_reason"] == "the data hold no labels by people"


# ---- counts ----------------------------------------------------------------------------------

REPLIES: dict[str, str | Completion | Exception] = {
    "unread": "I would rather not.",
    "empty": "",
    "cut": Completion("It is [[7]] bec", finish="length"),
    "refused": Completion("No.", finish="refused"),
    "rejected": Rejected("no such thing"),
    "overflow": Rejected("too long", code="overflow"),
}


def test_undecided_cases_are_counted_by_reason_and_failed_ones_apart(tmp_path: Path) -> None:
    def answer(request: Request) -> str | Completion | Exception:
        word = said(request, "response")
        return ModelError("down") if word == "down" else REPLIES.get(word, "[[7]]")

    words = [*REPLIES, "fine", "down"]
    summary = summary_of(tmp_path, [case(w, w) for w in words], "mt-bench-single", answer)
    found = summary.json()
    assert found["undecided_by"] == dict.fromkeys(REPLIES, 1)
    states = {name: found[name] for name in ("cases", "decided", "undecided", "failed")}
    assert states == {"cases": 8, "decided": 1, "undecided": 6, "failed": 1}
    assert found["scores"]["all responses"]["n"] == 1
    assert any("1 of 8 cases failed" in warning for warning in summary.warnings)
    assert any("6 of 8 cases are undecided" in warning for warning in summary.warnings)


def paid(request: Request) -> Completion:
    return Completion("[[7]]", tokens_in=10, tokens_out=2, usd=0.01)


def test_show_sums_every_invocation_and_judge_tells_its_own(tmp_path: Path) -> None:
    data = [case(str(i), str(i)) for i in range(8)]
    for limit, made in ((3, 3), (8, 5), (8, 0)):
        summary = summary_of(tmp_path, data, "mt-bench-single", paid, limit=limit)
        last = summary.json(last=True)
        assert last["calls"] == made
        assert last["usd"] == pytest.approx(0.01 * made)
        assert last["tokens"] == {"in": 10 * made, "out": 2 * made}
    whole = summary.json()
    assert (whole["calls"], whole["tokens"]) == (8, {"in": 80, "out": 16})
    assert whole["usd"] == pytest.approx(0.08)
    assert last["skipped"] == 8


def test_reasked_replies_are_counted(tmp_path: Path) -> None:
    def answer(request: Request) -> str:
        return "hm" if not request.draw else "[[7]]"

    summary = summary_of(tmp_path, [case("q", "r")], "mt-bench-single", answer, reask=3)
    assert (summary.json()["reasked"], summary.json()["calls"]) == (1, 2)


def test_an_unknown_price_is_null_with_a_reason(tmp_path: Path) -> None:
    def answer(request: Request) -> Completion:
        return Completion("[[7]]", tokens_in=1, tokens_out=1)

    found = summary_of(tmp_path, [case("q", "r")], "mt-bench-single", answer).json()
    assert found["usd"] is None
    assert "unknown" in found["usd_reason"]


# Keys of `show --json` and of an interval, from the table of machine output in the design.
KEYS = """run judge models cases decided undecided failed skipped undecided_by calls retries reasked
    cached tokens usd seconds scores win_rates consistency first_position_rate warnings"""
INTERVAL = "estimate low high level method n n_clusters"


@pytest.mark.parametrize("last", [False, True])
def test_machine_output_has_the_promised_keys(tmp_path: Path, last: bool) -> None:
    found = summary_of(tmp_path, rows(planted(3)), "mt-bench-pair", better).json(last=last)
    assert set(KEYS.split()) <= set(found)
    assert set(found["judge"]) == {"name", "identity"}
    assert {"name", "identity", "address"} <= set(found["models"][0])
    assert set(found["tokens"]) == {"in", "out"}
    for interval in (*found["win_rates"].values(), found["consistency"]):
        assert set(INTERVAL.split()) <= set(interval)


# ---- warnings --------------------------------------------------------------------------------


def family_warnings(folder: Path, judge: str, system: str) -> list[str]:
    data = [case("q", "2", "1", systems=(system, "somebody"))]
    summary = summary_of(folder, data, "mt-bench-pair", better, name=judge)
    return [warning for warning in summary.warnings if "family" in warning]


@pytest.mark.parametrize(
    ("judge", "system"),
    [
        ("gpt-4.1-mini", "gpt-4o"),
        ("o3", "gpt-4o"),
        ("claude-sonnet-4", "anthropic/claude-3-haiku"),
        ("gemini-2.5-flash", "gemma-3-4b"),
    ],
)
def test_a_judge_of_a_judged_family_is_warned_of(tmp_path: Path, judge: str, system: str) -> None:
    (warning,) = family_warnings(tmp_path, judge, system)
    assert judge in warning
    assert system in warning


@pytest.mark.parametrize(("judge", "system"), [("gpt-4.1", "gloop"), ("gpt-4.1", "claude-3")])
def test_other_families_are_not_warned_of(tmp_path: Path, judge: str, system: str) -> None:
    assert not family_warnings(tmp_path, judge, system)


def test_a_model_served_under_another_name_counts_too(tmp_path: Path) -> None:
    def answer(request: Request) -> Completion:
        return Completion(better(request), served="qwen3-8b", usd=0.0)

    data = [case("q", "2", "1", systems=("Qwen2.5-72B", "somebody"))]
    summary = summary_of(tmp_path, data, "mt-bench-pair", answer, name="house-model")
    assert any("Qwen2.5-72B" in warning for warning in summary.warnings)


def mass_warnings(summary: Summary) -> list[str]:
    return [warning for warning in summary.warnings if "probability" in warning]


def test_little_probability_on_the_labels_is_warned_of(tmp_path: Path) -> None:
    data = [case("q", "2", "1")]
    low = summary_of(tmp_path / "low", data, "choice-pair", first_token(A=0.1, B=0.1, C=0.8))
    high = summary_of(tmp_path / "high", data, "choice-pair", first_token(A=0.6, B=0.3))
    assert low.mass == pytest.approx(0.2)
    assert "20%" in mass_warnings(low)[0]
    assert not mass_warnings(high)


def test_few_prompts_are_warned_of(tmp_path: Path) -> None:
    few = summary_of(tmp_path / "few", rows(planted(3)), "mt-bench-pair", better)
    enough = summary_of(tmp_path / "enough", rows(planted(10)), "mt-bench-pair", better)
    assert any("only 3 prompts" in warning for warning in few.warnings)
    assert not any("prompts" in warning for warning in enough.warnings)
