"""What real judges wrote, read by our readers and by the rules of the sources.

Where both differ, the differences are counted and named: a source's rule is written here only, as
a description of what it does, and never used by a judge.
"""

import asyncio
import gzip
import json
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

from evenhand.judges import AlpacaEval, ArenaHard, Pairwise, Pointwise
from evenhand.judges.alpaca_eval import LETTERS
from evenhand.models.scripted import Scripted
from evenhand.readers import label_probs, last_label, last_number
from evenhand.records import PAIR_NO_TIE, Case, Completion, ints

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
recorded = pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data beside the checkout")
PAIR = Case.of("q", "p", "one", "other")


@lru_cache(maxsize=8)
def rows(name: str) -> list[dict]:
    opened = gzip.open if name.endswith(".gz") else open
    with opened(DATA / name, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def read_by(cls, reply, case: Case = PAIR):
    return asyncio.run(cls(Scripted("recorded", lambda request: reply))(case))


# ---- Arena-Hard, MT-Bench, AlpacaEval --------------------------------------------------------

O1_MINI = "judgebench/judgments_arena_hard_o1-mini-2024-09-12_on_gpt-4o-2024-05-13.jsonl.gz"


@recorded
def test_o1_mini_verdicts_are_read_as_recorded_700_of_700():
    games = [game for row in rows(O1_MINI) for game in row["judgments"]]
    read = [str(read_by(ArenaHard, game["response"]).label) for game in games]
    same = sum(r.replace(">>", ">") == g["decision"] for r, g in zip(read, games, strict=True))
    assert (same, len(games)) == (700, 700)


@recorded
def test_gpt_4_ratings_are_read_as_recorded_320_of_320():
    single = rows("mtbench_gpt4_single/gpt4_single_claude3.jsonl")
    read = [read_by(Pointwise, row["judgment"], PAIR.only(0)).score for row in single]
    same = sum(score == row["score"] for score, row in zip(read, single, strict=True))
    assert (same, len(single)) == (320, 320)


@recorded
def test_alpaca_eval_preferences_follow_from_the_log_probabilities_7221_of_7221():
    given, lacking, same = 0, 0, 0
    for row in rows("alpacaeval/raw_logprobs_weighted_gpt4_turbo.jsonl.gz"):
        if row["top_logprobs"] is None:
            lacking += 1
            continue
        given += 1
        reply = Completion(row["text"], (dict(row["top_logprobs"]),), finish="length")
        second = read_by(AlpacaEval, reply).probs["B"]
        # Which of the two orders was shown is not recorded; one of the two must fit.
        same += min(abs(1 + p - row["preference"]) for p in (second, 1 - second)) <= 1e-4
    assert (same, given, lacking) == (7221, 7221, 20)


@recorded
def test_an_absent_letter_counts_as_probability_zero():
    found = 0
    for row in rows("alpacaeval/raw_logprobs_weighted_gpt4_turbo.jsonl.gz"):
        top = dict(row["top_logprobs"] or ())
        if len(top.keys() & {"m", "M"}) == 1:
            found += 1
            assert row["preference"] in (1.0, 2.0)
            verdict = read_by(AlpacaEval, Completion(row["text"], (top,), finish="length"))
            assert set(verdict.probs.values()) == {0.0, 1.0}
    assert found > 0


def test_a_reader_that_folds_case_cannot_tell_m_from_M():  # noqa: N802
    reply = Completion("m", ({"m": -0.1, "M": -2.4},))
    with pytest.raises(ValueError, match="read the same"):
        label_probs(reply, PAIR_NO_TIE, forms=LETTERS)
    assert label_probs(reply, PAIR_NO_TIE, forms=LETTERS, fold=False).label == "A"


# ---- LLMBar: 28,332 texts and 5,866 verdicts from ratings ------------------------------------

JUDGES = ("GPT-4", "ChatGPT", "LLaMA2")
FINISH = {"length": "length", "content management policy": "refused"}
BETTER = r"Output \(([ab])\) is better"
OPENS = r"\A\W*Output \(([ab])\)"


def judgements() -> list[dict]:
    return [row for judge in JUDGES for row in rows(f"llmbar/judgements_{judge}.jsonl.gz")]


def explains(row: dict) -> bool:
    """Whether the last reply was asked for an explanation before its verdict."""
    return "CoT" in row["strategy"] or (row["strategy"] == "Swap" and len(row["results"]) == 1)


def texts() -> list[tuple[dict, str, str, str | None]]:
    """(row, reply, finish, recorded winner as the judge saw the pair)."""
    found = []
    for row in judgements():
        for swap in () if row["strategy"].startswith("Rating") else (False, True):
            one = row["results"][-1][f"swap = {swap}"]
            winner = one["winner"]
            shown = {"1": "2", "2": "1"}.get(winner) if swap else winner
            found.append((row, *one["completion"], shown))
    return found


def sources_winner(row: dict, text: str) -> str | None:
    """The first output is looked for in the whole text before the second is."""
    forms = (r"Output \({}\) is better.", r"(?:^|\n) ?Output \({}\)")
    form = forms[0] if explains(row) else forms[1]
    for winner, letter in (("1", "a"), ("2", "b")):
        if re.search(form.format(letter), text.strip()):
            return winner
    return None


def our_verdict(row: dict, text: str, finish: str):
    """The last verdict of an explanation; what a bare verdict opens with."""
    reply = Completion(text, finish=FINISH.get(finish, "stop"))
    pattern = BETTER if explains(row) else OPENS
    return last_label(reply, PAIR_NO_TIE, pattern, rename={"a": "A", "b": "B"})


def ratings() -> list[tuple[dict, list[str]]]:
    both = ("score_1", "score_2")
    return [
        (row, [row["results"][-1][score][0] for score in both])
        for row in judgements()
        if row["strategy"].startswith("Rating")
    ]


@recorded
def test_the_rule_of_the_source_gives_the_recorded_winner_28332_of_28332():
    found = texts()
    same = sum(sources_winner(row, text) == winner for row, text, _, winner in found)
    assert (same, len(found)) == (28_332, 28_332)


@recorded
def test_our_reader_differs_in_114_texts_and_in_no_other():
    """By strategy, and why.

    Swap_CoT: the explanation takes up the opposite verdict first and then turns it down; the source
    finds '(a) is better' wherever it stands, the last verdict is (b).
    Vanilla with examples: the reply opens with (b), and a later line begins with 'Output (a)'.
    cut: the reply ends at the token limit, so that its verdict may not be the last one.
    """
    parted: Counter[tuple[str, str]] = Counter()
    for row, text, finish, winner in texts():
        verdict = our_verdict(row, text, finish)
        if {"A": "1", "B": "2"}.get(str(verdict.label)) != winner:
            why = verdict.code or f"{winner}, not {'12'['AB'.index(str(verdict.label))]}"
            parted[row["strategy"], why] += 1
    assert parted == {
        ("Swap_CoT", "1, not 2"): 38,
        ("Vanilla_1shot", "1, not 2"): 28,
        ("Vanilla_2shot", "1, not 2"): 42,
        ("CoT", "cut"): 1,
        ("Swap", "cut"): 1,
        ("Swap_CoT", "cut"): 4,
    }
    assert parted.total() == 114


@recorded
def test_ten_verdicts_from_empty_ratings_are_undecided_where_the_source_lets_the_order_decide():
    undecided = 0
    for row, pair in ratings():
        scores = [last_number(Completion(t), ints("r", 0, 10), r"\A\s*(\d+)\s*\Z") for t in pair]
        last = row["results"][-1]
        winners = [last[f"swap = {swap}"]["winner"] for swap in (False, True)]
        if not all(score.decided for score in scores):
            undecided += 2
            assert "" in pair
            assert {score.code for score in scores if not score.decided} == {"empty"}
            assert winners == ["1", "2"]  # whichever was shown first
    assert undecided == 10


@recorded
def test_equal_ratings_are_no_tie_in_the_source_the_output_shown_second_wins():
    equal, gaps = 0, 0
    for row, pair in ratings():
        if "" in pair:
            continue
        one, other = map(int, pair)
        winners = [row["results"][-1][f"swap = {swap}"]["winner"] for swap in (False, True)]
        if one == other:
            equal += 1
            assert winners == ["2", "1"]
        else:
            gaps += 1
            assert winners == ["1" if one > other else "2"] * 2
    assert (equal, gaps) == (714, 2214)


@recorded
def test_recorded_winners_reproduce_every_published_cell():
    cells: dict[str, list[dict]] = {}
    for row in judgements():
        cells.setdefault(f"{row['subset']}|{row['judge']}|{row['strategy']}", []).append(row)
    expected = json.loads((DATA / "llmbar/expected_statistics.json").read_text(encoding="utf-8"))
    assert len(expected) == 197
    for cell, known in expected.items():
        label = [str(row["label"]) for row in cells[cell]]
        plain, turned = (
            [row["results"][-1][f"swap = {swap}"]["winner"] for row in cells[cell]]
            for swap in (False, True)
        )
        both = list(zip(plain, turned, label, strict=True))
        right = [p == true for p, _, true in both], [t == true for _, t, true in both]
        counts = {
            "correct_False": sum(right[0]),
            "correct_True": sum(right[1]),
            "correct_both": sum(p == t == true for p, t, true in both),
            "equal": sum(p == t for p, t, _ in both),
        }
        n = len(both)
        assert {key: known[key] for key in counts} == {
            key: f"{count} / {n} = {count / n * 100}%" for key, count in counts.items()
        }
        assert known["correct_average"] == f"{(sum(right[0]) + sum(right[1])) / 2 / n * 100}%"


# ---- where a source reads otherwise: hand-written replies ------------------------------------


@pytest.mark.parametrize(
    ("text", "source", "ours"),
    [
        ("[[A]] would be too kind; the second is right: [[B]]", "A", "B"),
        ("I choose among [[A]] and [[B]] with care. [[C]]", "A", "tie"),
        ("The verdict: [[B]]", "B", "B"),
    ],
)
def test_fastchat_looks_for_a_before_b_and_ours_takes_the_last_verdict(text, source, ours):
    names = {"A": "A", "B": "B", "C": "tie"}
    assert next(names[letter] for letter in "ABC" if f"[[{letter}]]" in text) == source
    assert read_by(Pairwise, text).label == ours


@pytest.mark.parametrize(
    ("text", "source", "ours"),
    [
        ("At first [[9]], but the date is wrong: [[4]]", 9, 4),
        ("Rating: [[7.5]]", 7.5, 7.5),
    ],
)
def test_fastchat_takes_the_first_rating_and_ours_the_last(text, source, ours):
    found = re.search(r"\[\[(\d+\.?\d*)\]\]", text)
    assert found is not None
    assert float(found[1]) == source
    assert read_by(Pointwise, text, PAIR.only(0)).score == ours


def test_arena_hard_at_first_gave_up_on_two_labels_and_ours_takes_the_last():
    text = "At first [[A>B]]. On a second look the proof has a gap, so [[B>A]]."
    assert len(set(re.findall(r"\[\[([AB<>=]+)\]\]", text))) == 2
    assert read_by(ArenaHard, text).label == "B>A"
