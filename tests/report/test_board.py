from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from evenhand.errors import Misuse, Undecidable
from evenhand.report.battles import read_battles
from evenhand.report.board import board
from evenhand.report.board_page import board_page
from evenhand.report.board_text import advice, board_text
from evenhand.report.standings import Asked, Board

ALPACA = Path(__file__).resolve().parents[2] / "../shared/data/alpacaeval"
HOSTILE = "<script>alert(1)</script>"
COLUMNS = ("model_a", "model_b", "winner", "question_id", "len_a", "len_b", "judge", "topic")


def file_of(folder: Path, rows: Iterable[Sequence[Any]], name: str = "battles.csv") -> Path:
    with (folder / name).open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(COLUMNS)
        out.writerows(rows)
    return folder / name


def league(
    strengths: dict[str, float], *, prompts: int = 60, seed: int = 1, ties: float = 0.0,
    long: float = 0.0,
) -> list[list[Any]]:  # fmt: skip
    """Every pair on every prompt; `long` is how much the judge likes the longer answer."""
    rng, rows, names = np.random.default_rng(seed), [], list(strengths)
    for prompt in range(prompts):
        lengths = {name: int(rng.integers(100, 900)) for name in names}
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
                x, y = lengths[a], lengths[b]
                gap = strengths[a] - strengths[b] + long * (x - y) / (x + y)
                won = "A" if rng.random() < 1 / (1 + np.exp(-gap)) else "B"
                won = "tie" if rng.random() < ties else won
                rows.append([a, b, won, f"q{prompt}", x, y, "judge-1", f"t{prompt % 2}"])
    return rows


def board_of(folder: Path, rows: Iterable[Sequence[Any]], **asked: Any) -> Board:
    read = {key: asked.pop(key) for key in ("by", "cluster") if key in asked}
    control = asked.get("control", ())
    fought = read_battles([file_of(folder, rows)], control=control, **read)
    return board(fought, Asked(**asked))


def words(made: Board) -> str:
    console = Console(width=80, color_system=None)
    with console.capture() as text:
        console.print(board_text(made))
    return text.get()


def warned(made: Board, part: str) -> bool:
    return any(part in text for text in made.warnings)


def test_two_systems_are_one_sentence(tmp_path: Path) -> None:
    made = board_of(tmp_path, league({"A": 0.0, "B": 1.2}, prompts=400))
    assert made.headline.startswith("B is better than A: 80 % [")
    assert made.headline.endswith("400 prompts")
    assert words(made).startswith(made.headline)


def test_two_systems_that_are_alike_are_never_called_better(tmp_path: Path) -> None:
    made = board_of(tmp_path, league({"A": 0.0, "B": 0.0}, prompts=50))
    assert "cannot be told from" in made.headline


def test_the_board_recovers_a_planted_order_with_intervals_around_it(tmp_path: Path) -> None:
    strengths = {"a": 1.5, "b": 0.5, "c": -0.5, "d": -1.5}
    made = board_of(tmp_path, league(strengths, prompts=300))
    assert [row.system for row in made.whole.rows] == list("abcd")
    for row in made.whole.rows:
        assert row.rating.low is not None
        assert row.rating.high is not None
        truth = 1000 + 400 / np.log(10) * strengths[row.system]
        assert row.rating.low - 60 < truth < row.rating.high + 60
        assert (row.rank_low, row.rank_high) == ("abcd".index(row.system) + 1,) * 2
    assert made.headline.startswith("a is first: better than b")


def test_ten_prompts_or_fewer_give_no_interval_and_say_so(tmp_path: Path) -> None:
    made = board_of(tmp_path, league({"a": 1.0, "b": 0.0}, prompts=6))
    row = made.json()["board"][0]
    assert row["low"] is None
    assert "6 clusters" in row["reason"]
    assert warned(made, "only 6 prompts")


def test_json_has_the_keys_that_stay_and_no_nan(tmp_path: Path) -> None:
    rows = [*league({"a": 1.0, "b": 0.0, "c": -1.0}), ["a", "d", "", "q0", 1, 1, "", "t0"]]
    form = json.loads(json.dumps(board_of(tmp_path, rows).json(), allow_nan=False))
    keys = {"system", "rating", "low", "high", "rank_low", "rank_high", "win_rate", "battles",
            "undecided"}  # fmt: skip
    assert keys <= set(form["board"][0])
    assert {"headline", "control", "warnings", "ties", "cycles", "matrix", "judges", "data", "seed",
            "versions"} <= set(form)  # fmt: skip
    unknown = next(row for row in form["board"] if row["system"] == "d")
    assert (unknown["rating"], unknown["battles"], unknown["undecided"]) == (None, 0, 1)
    assert unknown["reason"]
    assert form["data"][0]["sha256"]


def test_a_gate_passes_fails_or_is_undecided(tmp_path: Path) -> None:
    rows = league({"a > b": 2.0, "b": 0.0, "c": 0.0}, prompts=80)
    for claim, result in (
        ("a > b > b", "PASS"),
        ("b > a > b", "FAIL"),
        ("b > c", "INCONCLUSIVE"),
    ):
        made = board_of(tmp_path, rows, gate=claim)
        assert made.gate is not None
        assert (made.gate.claim, made.gate.result) == (claim, result)
    with pytest.raises(Misuse, match="names no two systems"):
        board_of(tmp_path, rows, gate="a > x")


def test_the_anchor_is_at_1000(tmp_path: Path) -> None:
    made = board_of(tmp_path, league({"a": 1.0, "b": 0.0, "c": -1.0}), anchor="c")
    last = made.whole.rows[-1]
    assert (last.system, round(last.rating.estimate, 6)) == ("c", 1000.0)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ({"ties": "thirds"}, "--ties thirds"),
        ({"anchor": "x"}, "--anchor x"),
        ({"top": 3}, "--top 3"),
        ({"level": 0.2}, "--level 0.2"),
        ({"control": ("length",), "ties": "davidson"}, "--control with --ties davidson"),
        ({"control": ("emoji",)}, "--control emoji"),
    ],
)
def test_wrong_use_says_what_was_expected(tmp_path: Path, asked: dict[str, Any], part: str) -> None:
    with pytest.raises(Misuse, match=part):
        board_of(tmp_path, league({"a": 1.0, "b": 0.0, "c": 0.0}, prompts=12), **asked)


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "ordinal"])
def test_ties_can_be_modelled(tmp_path: Path, ties: str) -> None:
    made = board_of(tmp_path, league({"a": 1.0, "b": 0.0}, prompts=150, ties=0.4), ties=ties)
    form = made.json()["ties"]
    assert 0.3 < form["rate"] < 0.5
    assert set(form) > {"model", "rate"}


def test_graded_wins_are_refused_where_a_tie_rule_has_no_place_for_them(tmp_path: Path) -> None:
    rows = [["a", "b", grade, f"q{i}", 1, 1, "", ""] for i, grade in enumerate(["A>>B", "B>A"] * 9)]
    with pytest.raises(Misuse, match="graded"):
        board_of(tmp_path, rows, ties="davidson")
    assert board_of(tmp_path, rows, ties="ordinal").fitted.ties == "ordinal"


def test_control_for_length_undoes_a_judge_that_counts_words(tmp_path: Path) -> None:
    rows = league({"a": 0.6, "b": 0.0, "c": -0.6}, prompts=150)
    for row in rows:  # c writes four times as much, and the judge likes that
        row[5] = 4 * row[5] if row[1] == "c" else row[5]
    rng = np.random.default_rng(5)
    for row in rows:
        gap = {"a": 0.6, "b": 0.0, "c": -0.6}
        pull = gap[row[0]] - gap[row[1]] + 4 * (row[4] - row[5]) / (row[4] + row[5])
        row[2] = "A" if rng.random() < 1 / (1 + np.exp(-pull)) else "B"
    plain = board_of(tmp_path, rows)
    held = board_of(tmp_path, rows, control=("length",))
    assert plain.whole.rows[0].system == "c"
    assert held.whole.rows[0].system == "a"
    assert held.control is not None
    assert held.control.effects["length"].low is not None
    assert held.control.effects["length"].low > 0
    assert warned(held, "control changes the order")
    assert held.json()["control"]["moved"]


def test_slices_are_boards_of_their_own_at_a_level_for_their_number(tmp_path: Path) -> None:
    made = board_of(tmp_path, league({"a": 1.0, "b": 0.0}, prompts=60), by="topic")
    assert [one.name for one in made.slices] == ["t0", "t1"]
    assert all(one.n_clusters == 30 for one in made.slices)
    assert made.slices[0].rows[0].rating.level == pytest.approx(0.975)


# ---- warnings ------------------------------------------------------------------------------------


def test_a_judge_of_a_contestant_s_family_is_named(tmp_path: Path) -> None:
    rows = league({"gpt-4o": 0.5, "claude-3": 0.0}, prompts=20)
    for row in rows:
        row[6] = "gpt-4.1"
    made = board_of(tmp_path, rows)
    assert warned(made, "judge gpt-4.1 is of one family (OpenAI GPT) with gpt-4o")


def test_a_constant_answer_is_flagged_without_being_told(tmp_path: Path) -> None:
    rows = league({"fooler": 2.0, "b": 0.0, "c": 0.0}, prompts=40)
    for row in rows:
        row[4] = 1234 if row[0] == "fooler" else row[4]
    made = board_of(tmp_path, rows)
    assert made.constant == ("fooler",)
    assert warned(made, "fooler gave answers of one length to every prompt and ranks above 2")
    assert made.headline.endswith("But it gave answers of one length to every prompt: see below")


def test_battles_against_one_opponent_are_a_win_rate_said_otherwise(tmp_path: Path) -> None:
    rows = [row for row in league({"base": 0.0, "a": 1.0, "b": 0.5}) if row[0] == "base"]
    assert warned(board_of(tmp_path, rows), "all battles are against base")
    assert not warned(board_of(tmp_path, league({"a": 1, "b": 0.5, "c": 0})), "all battles are")


def test_circles_are_counted_and_shown(tmp_path: Path) -> None:
    rows = [[a, b, "A", f"q{i}", 1, 1, "", ""]
            for i in range(20) for a, b in (("x", "y"), ("y", "z"), ("z", "x"))]  # fmt: skip
    made = board_of(tmp_path, rows)
    assert (made.cycles.triads, made.cycles.cyclic) == (1, 1)
    assert warned(made, "go round in a circle")


def test_many_ties_and_many_undecided_are_said(tmp_path: Path) -> None:
    assert warned(board_of(tmp_path, league({"a": 1, "b": 0}, ties=0.6)), "of battles are ties")
    rows = league({"a": 1, "b": 0})
    for row in rows[:20]:
        row[2] = ""
    assert warned(board_of(tmp_path, rows), "20 of 60 battles are undecided")


def test_groups_that_never_met_have_no_order(tmp_path: Path) -> None:
    rows = [*league({"a": 1, "b": 0}), *league({"c": 1, "d": 0})]
    made = board_of(tmp_path, rows)
    assert made.headline.startswith("No order of all")
    assert made.next
    assert any({"a", "b"} & set(pair) and {"c", "d"} & set(pair) for pair in made.next)


def test_battles_that_nobody_decided_are_no_board(tmp_path: Path) -> None:
    with pytest.raises(Undecidable, match="none of 2 battles is decided"):
        board_of(tmp_path, [["a", "b", "", f"q{i}", 1, 1, "", ""] for i in range(2)])


def test_ties_alone_are_no_difference_and_no_false_certainty(tmp_path: Path) -> None:
    made = board_of(tmp_path, [["a", "b", "tie", f"q{i}", 1, 1, "", ""] for i in range(30)])
    assert "cannot be told from" in made.headline
    assert made.tie_rate == 1
    assert {(row.rank_low, row.rank_high) for row in made.whole.rows} == {(1, 2)}


def test_a_system_without_a_decided_battle_stands_last_without_a_rating(tmp_path: Path) -> None:
    rows = [*league({"a": 1, "b": 0}), ["a", "z", "", "q0", 1, 1, "", ""]]
    made = board_of(tmp_path, rows)
    assert made.headline.startswith("a is first: better than b")
    assert made.whole.rows[-1].system == "z"
    assert "none" in words(made)


def test_a_system_that_always_wins_is_first_and_its_rating_is_doubted(tmp_path: Path) -> None:
    """evalica calls the three alike and says nothing."""
    rows = [[a, b, "A", f"q{i}", 1, 1, "", ""]
            for i in range(30) for a, b in (("x", "y"), ("y", "z"), ("x", "z"))]  # fmt: skip
    made = board_of(tmp_path, rows)
    assert [row.system for row in made.whole.rows] == ["x", "y", "z"]
    assert warned(made, "no bound")


def test_the_top_is_settled_or_says_what_is_open(tmp_path: Path) -> None:
    clear = board_of(tmp_path, league({"a": 2.0, "b": 0.0, "c": -0.1}, prompts=150), top=1)
    assert clear.top is not None
    assert clear.top.separated
    assert "settled: a" in words(clear)
    open_ = board_of(tmp_path, league({"a": 2.0, "b": 0.0, "c": -0.1}, prompts=50), top=2)
    assert open_.top is not None
    assert not open_.top.separated
    assert "not settled" in words(open_)


# ---- terminal and page ---------------------------------------------------------------------------


def test_hostile_names_stay_text_in_80_columns(tmp_path: Path) -> None:
    long = "a-very-long-name-of-a-system-" * 4
    rows = league({HOSTILE: 1.0, "\x1b[31mred": 0.0, long: -1.0, "=cmd|' /C calc'!A0": -2.0})
    made = board_of(tmp_path, rows, by="topic")
    text = words(made)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    page = board_page(made)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page


def test_the_page_needs_no_network_and_no_script(tmp_path: Path) -> None:
    page = board_page(board_of(tmp_path, league({"a": 1.0, "b": 0.0, "c": 0.0})))
    for word in ("http:", "https:", "src=", "@import", "url(", "<script", "onload"):
        assert word not in page
    assert "default-src 'none'" in page
    assert page.count("<svg") == 3


@pytest.mark.parametrize(("k", "drawn"), [(4, "<table>"), (18, 'class="square"')])
def test_the_matrix_has_numbers_for_few_systems_and_colours_for_many(
    tmp_path: Path, k: int, drawn: str
) -> None:
    strengths = {f"s{at:02}": at / 4 for at in range(k)}
    page = board_page(board_of(tmp_path, league(strengths, prompts=12)))
    assert drawn in page


def test_equal_battles_give_an_equal_board(tmp_path: Path) -> None:
    rows = league({"a": 1.0, "b": 0.0, "c": 0.0})
    assert board_of(tmp_path, rows).json() == board_of(tmp_path, rows).json()


@pytest.mark.skipif(not ALPACA.is_dir(), reason="shared/data/alpacaeval is not beside the checkout")
def test_the_null_model_of_alpaca_eval_and_no_other_is_flagged(tmp_path: Path) -> None:
    base, rows = "gpt4_1106_preview", []
    source = ALPACA / "preferences_weighted_gpt4_turbo.csv.gz"
    with gzip.open(source, "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            share = row["preference"] and f"{2 - float(row['preference']):.10f}"
            if row["model"] != base:
                rows.append([base, row["model"], share, row["instruction_idx"],
                             row["len_output_1"], row["len_output_2"]])  # fmt: skip
    file = tmp_path / "alpaca.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(("model_a", "model_b", "share", "question_id", "len_a", "len_b"))
        out.writerows(rows)
    made = board(read_battles([file]), Asked())
    assert made.constant == ("NullModel",)
    assert len(made.whole.rows) == 58
    with (ALPACA / "leaderboard_weighted_gpt4_turbo.csv").open(encoding="utf-8") as stream:
        published = {row[""]: float(row["win_rate"]) for row in csv.DictReader(stream)}
    rates = {row.system: 100 * row.win_rate.estimate for row in made.whole.rows}
    common = sorted(set(rates) & set(published) - {base})
    assert len(common) >= 55
    assert max(abs(rates[name] - published[name]) for name in common) < 1e-7
    assert warned(made, f"all battles are against {base}")


def test_a_level_that_the_draws_cannot_show_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"--level 0\.9999"):
        board_of(tmp_path, league({"a": 1.0, "b": 0.0}), level=0.9999)


def test_places_of_systems_that_never_met_count_within_their_own_group(tmp_path: Path) -> None:
    strong = {"a": 3.0, "b": 0.0}
    apart = [["c", "d", *row[2:]] for row in league(strong, seed=2)]
    made = board_of(tmp_path, league(strong) + apart)
    assert {row.rank_low for row in made.whole.rows} == {1, 2}
    assert [line.split()[0] for line in words(made).splitlines()[3:7]] == ["1", "1", "2", "2"]


def test_a_battle_without_the_number_that_is_controlled_is_not_called_undecided(
    tmp_path: Path,
) -> None:
    rows = league({"a": 1.0, "b": 0.0})
    rows[3][4] = ""
    made = board_of(tmp_path, rows, control=("length",))
    assert (made.undecided, made.uncounted) == (0, 1)
    assert "1 battle left out" in words(made)
    assert made.json()["undecided"] == 0


def test_a_name_of_a_megabyte_is_cut_in_the_table_and_whole_in_the_rows(tmp_path: Path) -> None:
    long = "first " + "x" * 100_000 + " last"
    made = board_of(tmp_path, league({long: 1.0, "b": 0.0}))
    assert len(words(made)) < 10_000
    assert len(board_page(made)) < 60_000
    assert made.json()["board"][0]["system"] == long


def test_one_length_for_all_systems_is_no_trick_of_one(tmp_path: Path) -> None:
    rows = [[*row[:4], 100, 100, *row[6:]] for row in league({"a": 1.0, "b": 0.0})]
    assert board_of(tmp_path, rows).constant == ()


def test_ties_that_are_modelled_are_not_advised_to_be(tmp_path: Path) -> None:
    rows = league({"a": 1.0, "b": 0.0}, ties=0.6)
    assert any("--ties davidson" in text for text in board_of(tmp_path, rows).warnings)
    modelled = board_of(tmp_path, rows, ties="davidson")
    assert not any("--ties davidson" in text for text in modelled.warnings)


def test_a_file_given_twice_is_told(tmp_path: Path) -> None:
    file = file_of(tmp_path, league({"a": 1.0, "b": 0.0}))
    assert any("given twice" in text for text in read_battles([file, file]).notices)


def test_recorded_judgements_are_not_said_to_go_on(tmp_path: Path) -> None:
    made = board_of(tmp_path, league({"a": 0.1, "b": 0.0}, prompts=12))
    named = {"identity": "0", "models": []}
    for name, goes_on in (("mt-bench-pair", True), ("imported: gpt4", False)):
        fought = replace(made.fought, view="pairwise", judges=({"name": name, **named},))
        assert any("--continue" in one for one in advice(replace(made, fought=fought))) is goes_on
