"""Adapters that were written from columns alone, on tiny files of those columns."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand.data.bench import Bench, Files, bench, find
from evenhand.data.benches.repa import ERRORS
from evenhand.data.reading import in_orders, said
from evenhand.data.rows import Bad, Row
from evenhand.errors import DataError
from evenhand.records import PAIR_5, Verdict, ints, line
from evenhand.report.bench_figures import figure
from evenhand.report.sample import Contents, contents, sample
from tests.data.benches.put import put

Raws = list[dict[str, Any]]


def opened(folder: Path, name: str) -> tuple[Bench, Files]:
    found = bench(name)
    return found, find(found.card, folder)


def read(folder: Path, name: str) -> Contents:
    return contents(*opened(folder, name))


def talk(*said_there: str) -> list[dict[str, str]]:
    roles = ("user", "assistant") * 2
    return [
        {"role": role, "content": one} for role, one in zip(roles, said_there, strict=False)
    ]  # fmt: skip


# ---- one table of all ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Set:
    """Attributes: broken is a column and a value that it cannot have; labels are of the rows."""

    name: str
    file: str
    rows: Raws
    broken: tuple[str, Any]
    labels: list[str | None]
    groups: list[str | None]
    renamed: str = ""
    chosen: bool = False

    def __str__(self) -> str:
        return self.name


def chosen(subset: str, ident: Any, **more: Any) -> dict[str, Any]:
    return {
        "prompt": f"How tall is tower {ident}?", "chosen": "Thirty metres.", "rejected": "Blue.",
        "chosen_model": "tall", "rejected_model": "short", "subset": subset, "id": ident, **more,
    }  # fmt: skip


def best(ident: str, subset: str, right: int = 1, wrong: int = 3) -> dict[str, Any]:
    return {
        "id": ident, "prompt": "Name a colour", "subset": subset,
        "chosen": [f"colour {n}" for n in range(right)],
        "rejected": [f"number {n}" for n in range(wrong)],
    }  # fmt: skip


def voted(ident: int, winner: str, **more: Any) -> dict[str, Any]:
    return {
        "question_id": ident, "model_a": "oak", "model_b": "elm", "winner": winner,
        "judge": "expert_1", "turn": 1, "language": "Danish",
        "conversation_a": talk("Why is ice slippery?", "A film of water."),
        "conversation_b": talk("Why is ice slippery?", "It is cold."), **more,
    }  # fmt: skip


def game(label: str | None) -> dict[str, Any]:
    return {"score": label, "judgment": {"answer": "…"}}


def judged(uid: str, first: str | None, second: str | None) -> dict[str, Any]:
    return {
        "uid": uid, "category": "hard_prompt", "judge": "owl", "model": "elm", "baseline": "oak",
        "games": [game(first), game(second)],
    }  # fmt: skip


def against(prompt: str, system: str, best_of_both: str, category: str = "Creation") -> Any:
    return {
        "prompt": prompt, "gold": {"category": category, "lan": "en", "r1_gt": best_of_both},
        "base_model_response": {"response": "plain", "model_name": "base"},
        "models_response": {"response": f"by {system}", "model_name": system},
    }  # fmt: skip


def code(**more: Any) -> dict[str, Any]:
    return {
        "question_id": "q1", "question_content": "Double a number.", "difficulty": "easy",
        "pos_response": "return 2 * n", "neg_response": "return n", **more,
    }  # fmt: skip


QUERY = "Judge.\n\n### Instruction: \nName the moon.\n\n### Response A: \na\n\n### Response B: \nb"
GRADING = (
    "Judge.\n###The instruction to evaluate:\nName the moon.\n\n###Response to evaluate:\nLuna\n\n"
    "###Reference Answer (Score 5):\nThe Moon\n\n###Score Rubrics:\n1 bad, 5 good\n\n###Feedback:"
)


def korean(winner: str) -> dict[str, Any]:
    return {
        "judge_query": QUERY, "chosen_response": "good", "rejected_response": "poor",
        "chosen_model": "oak", "rejected_model": "elm", "winner": winner,
    }  # fmt: skip


def russian(**more: Any) -> dict[str, Any]:
    return {
        "query": "Сколько?", "query_category": "open", "model_name_1": "oak",
        "model_name_2": "elm", "model_output_1": "Три", "model_output_2": "Синий",
        **dict.fromkeys(ERRORS, "both_good"), "overall": "bot_1", **more,
    }  # fmt: skip


def positive(question: str = "Who came?") -> dict[str, Any]:
    return {
        "question": question, "context": "Only Ada came.", "question_id": "s/1",
        "positive_response": "Ada.", "negative_response": "Ada and Bo.",
    }  # fmt: skip


def graded(text: str, ident: int = 1) -> dict[str, Any]:
    return {
        "question_id": ident, "question_body": "\nWhat floats?", "answer1_body": "Wood.",
        "answer2_body": "Lead.", "answer1_model_id": "oak", "answer2_model_id": "elm",
        "text": text, "score": [1.0, 2.0],
    }  # fmt: skip


def story(**more: Any) -> dict[str, Any]:
    return {
        "prompt": "Write of rain", "chosen_story": "It rained.", "rejected_story": "Rain.",
        "chosen_comment_id": "c1", "rejected_comment_id": "r1", **more,
    }  # fmt: skip


SETS = [
    Set("reward-bench", "data/filtered.jsonl",
        [chosen("hep-go", 1), chosen("donotanswer", 2)], ("chosen", None), [],
        ["hep-go", "donotanswer"], "rejected_model", chosen=True),
    Set("reward-bench-2", "data/test.jsonl", [best("1", "Focus"), best("tied:2", "Ties", 2, 1)],
        ("rejected", "one text"), ["1", "0", "0", "0", "1", "1", "0"],
        ["Focus"] * 4 + ["Ties"] * 3, "chosen"),
    Set("lmsys-arena", "train.jsonl",
        [voted(1, "model_a"), voted(2, "tie (bothbad)"), voted(3, "both_bad")],
        ("winner", "nobody"), ["A", "tie", "tie"], ["Danish"] * 3, "model_a"),
    Set("arena-hard", "model_judgment/owl/elm.jsonl", [judged("u1", "A>B", "A=B")],
        ("model", None), [None], ["hard_prompt"], "games"),
    Set("mt-bench-human", "data/human.jsonl",
        [voted(1, "model_b"), voted(2, "model_a"), voted(3, "tie")], ("winner", "model_c"),
        ["A", "B", "tie"], ["turn 1"] * 3, "conversation_b"),
    Set("auto-j-pairs", "data/test/testdata_pairwise.jsonl",
        [{"scenario": "rhymes", "label": label, "prompt": f"Rhyme {label}", "response 1": "Moon",
          "response 2": "Soon"} for label in (0, 1, 2)],
        ("label", 3), ["A", "B", "tie"], ["rhymes"] * 3, "response 2"),
    Set("judgelm-val", "judgelm_val_5k_gpt4.jsonl",
        [graded("2 8\nThe second.", 1), graded("8,2", 2), graded("7 7", 3),
         graded("I cannot", 4)], ("text", None), ["B", "A", "tie", None], [None] * 4, "text"),
    Set("judger-bench-v1", "judgerbench_A_en.json",
        [{**voted(1, one), "category": "maths"} for one in ("model_a", "model_b")],
        ("winner", "tie"), ["A", "B"], ["A_en"] * 2, "model_b"),
    Set("judger-bench-v2", "judgerbenchv2/Creation.json",
        [against("Write a line", "oak", "oak"), against("Write a line", "elm", "base")],
        ("gold", {"category": "Creation", "lan": "en", "r1_gt": "ash"}), [], ["Creation"] * 2,
        "models_response"),
    Set("contextual-judge-bench", "data/refusal_answerable.jsonl", [positive(), positive("Why?")],
        ("context", None), [], ["refusal_answerable"] * 2, "negative_response", chosen=True),
    Set("code-judge-bench", "codegen/ash.jsonl", [code()], ("pos_response", 3 * [1]), [],
        ["codegen/ash"], "difficulty", chosen=True),
    Set("lit-bench", "data/train.csv", [story(), story(chosen_comment_id="c2")],
        ("rejected_comment_id", ""), [], [None] * 2, "chosen_comment_id", chosen=True),
    Set("mm-eval", "data/test.jsonl",
        [chosen("chat", 1, language="en"), chosen("safety", 1, language="sw")],
        ("language", None), [], ["chat", "safety"], "language", chosen=True),
    Set("kudge", "data/k2-eval-pairwise.csv", [korean("A"), korean("B")], ("winner", "C"),
        ["A", "B"], ["pairwise"] * 2, "winner", chosen=True),
    Set("kudge-pointwise", "data/k2-eval-pointwise.csv",
        [{"judge_query": GRADING, "response": "Luna", "final_score": "4.0"}],
        ("final_score", "four"), ["4"], ["pointwise"], "final_score"),
    Set("repa", "repa_dataset.tsv", [russian()], ("fluency", "bot_3"), ["tie"] * 10 + ["A"],
        [*ERRORS, "overall"], "overall"),
]  # fmt: skip
every = pytest.mark.parametrize("one", SETS, ids=str)


@every
def test_rows_become_cases_and_the_one_that_cannot_names_file_row_and_column(
    one: Set, tmp_path: Path
) -> None:
    column, value = one.broken
    path = put(tmp_path, one.file, [*one.rows, {**one.rows[-1], column: value}])
    found, files = opened(tmp_path, one.name)
    cases = list(found.cases(files))
    good = [row for row in cases if isinstance(row, Row)]
    bad = [row for row in cases if isinstance(row, Bad)]
    assert [row.case.group for row in good] == one.groups
    assert not one.labels or [row.label for row in good] == one.labels
    assert [(row.file, row.row, row.field) for row in bad] == [
        (str(path), len(one.rows) + 1, column)
    ]
    assert found.card.revision in bad[0].expected
    assert len({row.case.id for row in good}) == len(good)


@every
def test_a_renamed_column_stops_with_file_row_column_and_the_known_revision(
    one: Set, tmp_path: Path
) -> None:
    new = f"{one.renamed}_v2"
    rows = [{new if k == one.renamed else k: v for k, v in row.items()} for row in one.rows]
    path = put(tmp_path, one.file, rows)
    found, files = opened(tmp_path, one.name)
    with pytest.raises(DataError) as error:
        list(found.cases(files))
    assert (error.value.file, error.value.row, error.value.field) == (str(path), 1, one.renamed)
    assert new in str(error.value)
    assert found.card.revision in str(error.value)


@every
def test_what_nobody_has_read_says_so(one: Set, tmp_path: Path) -> None:
    card = bench(one.name).card
    assert card.name == one.name
    assert (card.status == "unverified") == (one.name != "auto-j-pairs")
    assert card.paper.count("arXiv:") == 1
    assert card.notes


@pytest.mark.parametrize("one", [one for one in SETS if one.chosen], ids=str)
def test_the_label_points_at_the_better_response(one: Set, tmp_path: Path) -> None:
    put(tmp_path, one.file, one.rows)
    found, files = opened(tmp_path, one.name)
    better = {"Thirty metres.", "Ada.", "return 2 * n", "It rained.", "good"}
    for row in found.cases(files):
        assert isinstance(row, Row)
        assert row.case.responses["AB".index(str(row.label))].text in better


def test_the_chosen_response_does_not_always_stand_first(tmp_path: Path) -> None:
    put(tmp_path, "data/filtered.jsonl", [chosen("hep-go", at) for at in range(400)])
    whole = sample(read(tmp_path, "reward-bench"))
    assert figure("accuracy of the first", whole).estimate == pytest.approx(0.5, abs=0.1)


# ---- RewardBench ---------------------------------------------------------------------------------


def telling(read_in: Contents, right: dict[str, bool]) -> Contents:
    """With a judge 'told' that is right or wrong in each subset, and undecided in the others."""
    other = {"A": "B", "B": "A"}

    def label(fact: Any) -> str | None:
        return None if (known := right.get(fact.group)) is None else (
            fact.label if known else other[fact.label])  # fmt: skip

    return read_in.having("told", [said(one.id, "told", label(one)) for one in read_in.facts])


def section_mean(read_in: Contents, **changed: Any) -> float:
    options = {**read_in.bench.card.metric.options, "ties": "half", **changed}
    return figure("section_mean", sample(read_in, "told"), options).estimate


def test_reward_bench_weighs_subsets_in_sections_as_by_hand(tmp_path: Path) -> None:
    subsets = bench("reward-bench").card.metric.options["weights"]
    assert isinstance(subsets, dict)
    assert len(subsets) == 23
    put(tmp_path, "data/filtered.jsonl", [chosen(one, at) for at, one in enumerate(subsets)])
    known, right = read(tmp_path, "reward-bench"), dict.fromkeys(subsets, True)
    assert section_mean(telling(known, right)) == pytest.approx(1)
    maths_wrong = telling(known, {**right, "math-prm": False})
    assert section_mean(maths_wrong) == pytest.approx((3 + 984 / 1968) / 4)
    plain = {**subsets, "math-prm": 447}
    assert section_mean(maths_wrong, weights=plain) == pytest.approx((3 + 984 / 1431) / 4)
    unread = telling(known, {k: True for k in subsets if k != "donotanswer"})
    assert section_mean(unread) == pytest.approx((3 + 604 / 740) / 4)


def test_reward_bench_gives_an_interval_and_ties_count_half(tmp_path: Path) -> None:
    put(tmp_path, "data/filtered.jsonl", [chosen("hep-go", at) for at in range(40)])
    known = read(tmp_path, "reward-bench")
    labels = [one.label if at % 2 else "tie" for at, one in enumerate(known.facts)]
    told = [said(one.id, "told", label) for one, label in zip(known.facts, labels, strict=True)]
    options = {**known.bench.card.metric.options, "ties": "half"}
    found = figure("section_mean", sample(known.having("told", told), "told"), options)
    assert found.estimate == pytest.approx(0.75)
    assert found.low is not None
    assert found.high is not None
    error = np.std([0.5, 1.0] * 20, ddof=1) / np.sqrt(40)
    assert found.high - found.low == pytest.approx(2 * 2.0227 * error, rel=1e-3)
    assert found.method.startswith("mean of 1 of 4 sections")


def scoring(known: Contents, scores: dict[str, float | None]) -> float:
    scale = line("reward", -100, 100)
    told = [said(key, "rm", score, scale=scale) for key, score in scores.items()]
    options = known.bench.card.metric.options
    return figure("best_of", sample(known.having("rm", told), "rm"), options).estimate


def test_reward_bench_2_counts_the_best_of_four_and_shares_a_tie_for_it(tmp_path: Path) -> None:
    put(tmp_path, "data/test.jsonl", [best("1", "Focus"), best("2", "Focus"), best("3", "Math")])
    known = read(tmp_path, "reward-bench-2")
    won: dict[str, float | None] = {"1/0": 9.0, "1/1": 1.0, "1/2": 2.0, "1/3": 3.0}
    tied: dict[str, float | None] = {"2/0": 4.0, "2/1": 4.0, "2/2": 1.0, "2/3": 0.0}
    lost: dict[str, float | None] = {"3/0": 4.0, "3/1": 5.0, "3/2": 1.0, "3/3": 0.0}
    assert scoring(known, won) == 1
    assert scoring(known, won | tied) == pytest.approx(0.75)
    assert scoring(known, won | tied | lost) == pytest.approx(0.375)
    assert scoring(known, won | {"1/2": None}) == 0


def test_reward_bench_2_ties_want_all_right_answers_above_all_wrong_ones(tmp_path: Path) -> None:
    put(tmp_path, "data/test.jsonl", [best("ref:1", "Ties", 1, 2), best("tied:1", "Ties", 2, 2)])
    known = read(tmp_path, "reward-bench-2")
    ref: dict[str, float | None] = {"ref:1/0": 5.0, "ref:1/1": 2.0, "ref:1/2": 0.0}
    tied: dict[str, float | None] = {"tied:1/0": 6.0, "tied:1/1": 5.0, "tied:1/2": 1.0,
                                     "tied:1/3": 0.0}  # fmt: skip
    assert scoring(known, ref | tied) == pytest.approx(1 + 0.01 * np.tanh(3 / 1 - 1))
    narrow = ref | {"ref:1/1": 4.5}
    assert scoring(known, narrow | tied) == pytest.approx(0.8 + 0.01 * np.tanh(0.5 - 1))
    wrong = tied | {"tied:1/3": 5.5}
    assert scoring(known, ref | wrong) == pytest.approx(0.3 + 0.01 * np.tanh(-0.5 - 1))


# ---- votes and games -----------------------------------------------------------------------------


def test_arena_votes_are_read_from_the_55k_and_from_battles_without_texts(tmp_path: Path) -> None:
    wins = {"winner_model_a": 0, "winner_model_b": 1, "winner_tie": 0}
    texts = {
        "prompt": '["Hi", "And?"]',
        "response_a": '["Ho", null]',
        "response_b": '["Hey", "No"]',
    }
    pair = {"model_a": "oak", "model_b": "elm"}
    put(tmp_path, "train.csv", [{"id": 7, **pair, **texts, **wins},
                                {"id": 8, **pair, **texts, **wins, "winner_tie": 1},
                                {"id": 9, **pair, **texts, **wins, "prompt": "Hi"}])  # fmt: skip
    found = list(bench("lmsys-arena").cases(opened(tmp_path, "lmsys-arena")[1]))
    assert isinstance(found[0], Row)
    assert found[0].label == "B"
    assert found[0].case.id == "7"
    assert [one.text for one in found[0].case.responses] == ["Ho\n\n", "Hey\n\nNo"]
    assert [one.field for one in found[1:] if isinstance(one, Bad)] == ["winner_model_a", "prompt"]
    other = put(
        tmp_path / "b", "clean_battle.json", [{**pair, "winner": "tie", "judge": "arena_1"}]
    )
    known = contents(bench("lmsys-arena"), find(bench("lmsys-arena").card, other))
    assert known.facts[0].label == "tie"
    assert known.facts[0].systems == ("oak", "elm")
    assert [(one.rater, one.label) for one in known.people] == [("arena_1", "tie")]


def test_conversations_of_two_turns_are_shown_whole(tmp_path: Path) -> None:
    more = {"conversation_a": talk("One?", "1", "Two?", "2"), "turn": 2}
    put(tmp_path, "data/human.jsonl", [voted(1, "model_a", **more), voted(1, "model_a")])
    found = list(bench("mt-bench-human").cases(opened(tmp_path, "mt-bench-human")[1]))
    assert isinstance(found[0], Row)
    assert isinstance(found[1], Row)
    second = found[0].case.responses[1].text
    assert second == "Assistant: 1\n\nUser: Two?\n\nAssistant: 2"
    assert [one.text for one in found[1].case.responses] == ["It is cold.", "A film of water."]


def test_arena_hard_turns_the_second_game_back_and_null_is_undecided(tmp_path: Path) -> None:
    games = [("A>>B", "B>>A"), ("B>A", "A<B"), ("A=B", None), ("A>B", "A>B"), ("B<<A", "A<<B")]
    rows = [judged(f"u{at}", *pair) for at, pair in enumerate(games)]
    put(tmp_path, "model_judgment/owl/elm.jsonl", rows)
    old = [{k: v for k, v in rows[0].items() if k not in ("uid", "baseline", "judge")}]
    put(tmp_path, "model_judgment/jay/elm.jsonl", [{**old[0], "question_id": "u0"}])
    put(tmp_path, "question.jsonl", [{"uid": "u0", "prompt": "Prove it"}])
    put(
        tmp_path,
        "model_answer/elm.jsonl",
        [{"uid": "u0", "messages": [{"role": "assistant", "content": {"answer": "Done"}}]}],
    )
    known = read(tmp_path, "arena-hard")
    assert known.judges == ["jay", "owl"]
    assert len(known.facts) == 5
    given = [one.parts for one in known.verdicts["owl"].values()]
    assert [tuple(part.label for part in pair) for pair in given] == [
        ("A>>B", "A>>B"), ("B>A", "A>B"), ("A=B", None), ("A>B", "B>A"), ("A>>B", "A>>B")
    ]  # fmt: skip
    scores = [one.score for one in known.verdicts["owl"].values()]
    assert scores[0] == 1
    assert scores[1] == 0.5
    assert scores[2] is None
    assert known.verdicts["owl"]["elm/u0"].scale == PAIR_5
    shown = [row for row in known.bench.cases(known.files) if isinstance(row, Row)]
    assert shown[0].case.prompt[0].text == "Prove it"
    assert {one.case.responses[1].text for one in shown} == {"Done", ""}


def test_games_that_are_not_two_are_bad_rows_of_their_own_file(tmp_path: Path) -> None:
    put(tmp_path, "model_judgment/jay/elm.jsonl", [judged("u1", "A>B", "B>A")])
    path = put(tmp_path, "model_judgment/owl/elm.jsonl", [{**judged("u1", "A>B", "A>B"),
                                                           "games": ["A>B"]}])  # fmt: skip
    bad = read(tmp_path, "arena-hard").bad
    assert [(one.file, one.row, one.field) for one in bad] == [(str(path), 1, "games")]


def test_experts_votes_are_counted_whichever_way_round_the_models_stand(tmp_path: Path) -> None:
    turned = {"model_a": "elm", "model_b": "oak", "judge": "expert_2"}
    rows = [voted(1, "model_b"), voted(1, "model_a", **turned),
            voted(1, "model_a", judge="author_0"), voted(2, "model_a"),
            voted(2, "tie", judge="expert_2")]  # fmt: skip
    put(tmp_path, "data/human.jsonl", rows)
    put(tmp_path, "data/gpt4_pair.jsonl", [voted(1, "model_a", judge=["gpt-4", "pair-v2"])])
    known = read(tmp_path, "mt-bench-human")
    assert [one.label for one in known.facts] == ["A", None]
    assert known.facts[0].systems == ("elm", "oak")
    assert [one.label for one in known.people] == ["A", "A", "B", "B", "tie"]
    assert known.verdicts["gpt-4 pair-v2"]["1/elm/oak/turn 1"].label == "B"


def test_auto_j_outputs_of_the_exchanged_pairs_are_turned_back(tmp_path: Path) -> None:
    put(tmp_path, SETS[5].file, SETS[5].rows)
    put(tmp_path, "data/outputs/pairwise_example_output.jsonl", [{"output": n} for n in (0, 0, 2)])
    put(tmp_path, "data/outputs/pairwise_exchange_example_output.jsonl",
        [{"output": 1}, {"output": 0}, {"output": [2]}])  # fmt: skip
    whole = sample(read(tmp_path, "auto-j-pairs"), "Auto-J")
    assert whole.orders[0].tolist() == [1, 1]
    assert whole.orders[1].tolist() == [1, -1]
    assert whole.orders[2][0] == 0
    assert np.isnan(whole.orders[2][1])


def test_a_gold_that_gpt4_left_unreadable_is_no_label(tmp_path: Path) -> None:
    put(tmp_path, "judgelm_val_5k_gpt4.jsonl", [graded("-1 -1"), graded("8 / 2"), graded("8 2 1")])
    assert [one.label for one in read(tmp_path, "judgelm-val").facts] == [None] * 3


# ---- JudgerBench ---------------------------------------------------------------------------------


def test_judger_bench_v1_reads_each_protocols_own_mark(tmp_path: Path) -> None:
    def row(name: str, verdict: str, **others: Any) -> dict[str, Any]:
        return {"dataset_name": name, "question": "Which?", "prediction": "this",
                "others": {"ref": "that", "model": "oak", "swap": False, **others},
                "gpt4o_pred": verdict}  # fmt: skip

    rows = [
        row("wildbench", 'All good. "choice": "B++"'),
        row("alignment_bench_v1_1", "Assistant A is fine, but [[B]]"),
        row("alpaca_eval", "M"), row("alpaca_eval", "m", swap=True),
        row("arenahard", "first [[A>B]], no: [[B>>A]]"), row("arenahard", "A is better"),
        row("fofo_test_prompts", "'format_correctness': 1"), row("other", "A"),
    ]  # fmt: skip
    put(tmp_path, "judgerbench_B.json", rows)
    known = read(tmp_path, "judger-bench-v1")
    assert [one.label for one in known.facts] == ["B", "B", "B", "A", "B", None]
    assert known.facts[3].systems == (None, "oak")
    assert known.facts[0].systems == ("oak", None)
    assert [(one.row, one.field) for one in known.bad] == [(8, "dataset_name")]


def ranked(tmp_path: Path, wins: dict[str, int], prompts: int = 10) -> Contents:
    rows = [
        against(f"p{at}", system, system if at < won else "base", category)
        for category in ("Creation", "safe")
        for at in range(prompts)
        for system, won in wins.items()
    ]
    for name in ("Creation", "safe"):
        mine = [row for row in rows if row["gold"]["category"] == name]
        put(tmp_path, f"judgerbenchv2/{name}.json", mine)
    return read(tmp_path, "judger-bench-v2")


def composite(known: Contents, told: list[Verdict], judge: str = "j") -> Any:
    return figure("judger_bench_v2", sample(known.having(judge, told), judge))


def test_judger_bench_v2_gives_a_copy_of_the_gold_all_points(tmp_path: Path) -> None:
    known = ranked(tmp_path, {"oak": 9, "elm": 4, "ash": 0})
    found = composite(known, [said(one.id, "j", one.label) for one in known.facts])
    assert found.estimate == 1
    assert found.low == found.high == 1


def test_judger_bench_v2_is_as_by_hand_and_keeps_a_system_without_a_win(tmp_path: Path) -> None:
    known = ranked(tmp_path, {"oak": 9, "elm": 4})
    oak_loses = [
        said(one.id, "j", "AB"[one.systems.index("base")]
             if one.notes["system"] == "oak" else one.label)
        for one in known.facts
    ]  # fmt: skip
    found = composite(known, oak_loses)
    # right: 1 + 10 of 20; both move one rank of one; oak is off by all there is, elm by nothing
    assert found.estimate == pytest.approx((11 / 20 - (2 + 1) / 2 + 1) / 2)
    assert found.low is not None
    assert found.low < found.estimate < found.high


def test_judger_bench_v2_counts_unread_verdicts_as_wrong(tmp_path: Path) -> None:
    known = ranked(tmp_path, {"oak": 5})
    told = [said(one.id, "j", one.label if at % 2 else None) for at, one in enumerate(known.facts)]
    wins = [sum(one.label == "AB"[one.systems.index("oak")] for one in known.facts[at::2])
            for at in (0, 1)]  # fmt: skip
    assert sum(wins) == 10
    assert composite(known, told).estimate == pytest.approx((0.5 - 1 + 1) / 2)


# ---- pairs in a context, code, stories -----------------------------------------------------------


def test_a_judge_that_guesses_has_a_quarter_on_contextual_judge_bench(tmp_path: Path) -> None:
    put(tmp_path, "data/conciseness_qa-00000-of-00001.jsonl",
        [positive() | {"question_id": at} for at in range(600)])  # fmt: skip
    known, rng = read(tmp_path, "contextual-judge-bench"), np.random.default_rng(5)
    assert known.subsets == ["conciseness_qa"]
    told = [
        in_orders(*(said(one.id, "dice", "AB"[rng.integers(2)]) for _ in range(2)))
        for one in known.facts
    ]
    found = sample(known.having("dice", told), "dice")
    assert figure("consistent_accuracy", found).estimate == pytest.approx(0.25, abs=0.05)
    assert figure("mean_accuracy", found).estimate == pytest.approx(0.5, abs=0.05)


def test_a_file_of_another_split_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "data/refusal_quick.jsonl", [positive()])
    found, files = opened(tmp_path, "contextual-judge-bench")
    with pytest.raises(DataError, match=r"refusal_quick.*not known") as error:
        list(found.cases(files))
    assert error.value.file == str(path)
    assert "refusal_answerable" in str(error.value)


def test_code_that_is_the_same_twice_is_a_tie_and_counts_half(tmp_path: Path) -> None:
    same = code(neg_response="return 2 * n")
    put(tmp_path, "codegen/ash-00000-of-00001.jsonl", [same | {"question_id": n} for n in range(4)])
    known = read(tmp_path, "code-judge-bench")
    tie = [in_orders(said(one.id, "j", "tie"), said(one.id, "j", "tie")) for one in known.facts]
    found = figure("mean_accuracy", sample(known.having("j", tie), "j"), {"ties": "half"})
    assert found.estimate == 0.5


def test_repairs_show_the_wrong_code_and_tests_their_input(tmp_path: Path) -> None:
    meta = {"error_code": -2, "inputs": "3", "expected": "6", "error": None}
    put(tmp_path, "coderepair/ash.jsonl", [code(wrong_code="return n", wrong_meta=meta)])
    put(tmp_path, "testgen/ash.jsonl", [code(pos_input="2", neg_input="2", pos_response="4",
                                             neg_response="5")])  # fmt: skip
    found, files = opened(tmp_path, "code-judge-bench")
    repair, unit = (row.case for row in found.cases(files) if isinstance(row, Row))
    assert repair.group == "coderepair/ash"
    assert "expected: 6" in repair.prompt[0].text
    assert "return n" in repair.prompt[0].text
    assert "None" not in repair.prompt[0].text
    assert {one.text for one in unit.responses} == {"Input:\n2\n\nOutput:\n4",
                                                    "Input:\n2\n\nOutput:\n5"}  # fmt: skip


def test_stories_that_were_not_recovered_are_told_and_left_out(tmp_path: Path) -> None:
    ids = [{"chosen_comment_id": f"c{n}", "rejected_comment_id": f"r{n}"} for n in range(5)]
    put(tmp_path, "data/train.jsonl", ids)
    there = [f"{side}{n}" for n in range(3) for side in "cr"] + ["c3"]
    put(tmp_path, "stories.csv", [{"id": one, "story": f"Story {one}", "prompt": "Rain"}
                                  for one in there])  # fmt: skip
    known = read(tmp_path, "lit-bench")
    assert [one.id for one in known.facts] == ["c0/r0", "c1/r1", "c2/r2"]
    assert [(one.row, one.field) for one in known.bad] == [
        (4, "rejected_comment_id"), (5, "chosen_comment_id")
    ]  # fmt: skip
    assert known.bad[0].found == "no text of comment r3: 3 of 5 pairs have both texts"
    rest = known.having("j", [said(one.id, "j", one.label) for one in known.facts])
    assert figure("accuracy", sample(rest, "j")).n == 3


# ---- other languages -----------------------------------------------------------------------------


def test_a_judge_of_english_alone_shows_its_gap_and_the_core_mean(tmp_path: Path) -> None:
    groups = ("chat", "reasoning", "safety", "linguistics", "language_hallucination")
    rows = [chosen(group, n, language=language)
            for group in (*groups, "lang_resource") for n in range(3)
            for language in ("en", "sw", "ko")]  # fmt: skip
    put(tmp_path, "data/test.jsonl", rows)
    known, turned = read(tmp_path, "mm-eval"), {"A": "B", "B": "A"}

    def label(fact: Any) -> Any:
        english = fact.notes["language"] == "en" or fact.group == "lang_resource"
        return fact.label if english else turned[fact.label]

    known = known.having("told", [said(one.id, "told", label(one)) for one in known.facts])
    assert section_mean(known) == pytest.approx(1 / 3)
    whole, options = sample(known, "told"), {"ties": "half"}
    for language, value in (("en", 1.0), ("sw", 1 / 6)):
        mine = np.array([fact.notes["language"] == language for fact in whole.facts])
        assert figure("accuracy", whole.where(mine), options).estimate == pytest.approx(value)


def test_kudge_unread_is_wrong_and_false_statements_are_a_subset(tmp_path: Path) -> None:
    put(tmp_path, "data/k2-eval-pairwise.csv", [korean(one) for one in "ABAB"])
    false = {"instruction": "Name the moon.", "response_with_false_info": "poor",
             "original_response": "good", "judge_query": QUERY, "winner": "B"}  # fmt: skip
    put(tmp_path, "data/k2-eval-pairwise-falseinfo.csv", [false])
    folder = "results/owl/_pairwise_iteration_1"
    rows = [{"query": "q", "output": "o", "decision": one} for one in ("A", "", "B", "B")]
    put(tmp_path, f"{folder}.csv", rows)
    put(tmp_path, f"{folder}-false_info.csv", rows[2:3])
    put(tmp_path, f"{folder}-challenge.csv", rows)
    known = read(tmp_path, "kudge")
    assert known.judges == ["owl iteration 1"]
    assert not known.bad
    assert figure("accuracy", sample(known, known.judges[0], "pairwise")).estimate == 0.5
    assert figure("accuracy", sample(known, known.judges[0], "pairwise-falseinfo")).estimate == 1


def test_a_constant_grade_has_no_pearson_and_an_unread_one_is_undecided(tmp_path: Path) -> None:
    rows = [{"judge_query": GRADING, "response": f"Luna {n}", "final_score": str(1 + n % 5)}
            for n in range(20)]  # fmt: skip
    put(tmp_path, "data/k2-eval-pointwise.csv", rows)
    false = {"judge_query": GRADING, "response": "Mars", "original_human_score": "4.5"}
    put(tmp_path, "data/k2-eval-pointwise-falseinfo.csv", [false])
    put(
        tmp_path,
        "results/owl/_pointwise_iteration_1.csv",
        [{"query": "q", "output": "o", "decision": "3.0" if n else ""} for n in range(20)],
    )
    known = read(tmp_path, "kudge-pointwise")
    whole = sample(known, "owl iteration 1", "pointwise")
    found = figure("pearson", whole)
    assert np.isnan(found.estimate)
    assert found.reason
    assert figure("coverage", whole).estimate == pytest.approx(19 / 20)
    assert known.verdicts["owl iteration 1"]["pointwise/1"].scale == ints("grade", 1, 5)
    before = [one for one in known.facts if one.group == "pointwise-falseinfo"]
    assert [(one.label, one.notes) for one in before] == [(None, {"graded_before": "4.5"})]


def test_a_header_that_nobody_knows_is_refused_and_shown(tmp_path: Path) -> None:
    rows = [{"zapros": "Сколько?", "otvet_1": "Три", "otvet_2": "Два"}] * 3
    path = put(tmp_path, "repa_dataset.tsv", rows)
    found, files = opened(tmp_path, "repa")
    with pytest.raises(DataError, match="zapros, otvet_1, otvet_2") as error:
        list(found.cases(files))
    assert error.value.file == str(path)
    assert "query_category" in str(error.value)
