"""Every published figure comes out of the files of its source."""

import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from evenhand.data.bench import Published, bench, find
from evenhand.errors import Misuse
from evenhand.intervals import Interval
from evenhand.report.parity import (
    COMMAND,
    COMPACT,
    MADE,
    READ,
    Parity,
    compared,
    counts,
    equal,
    page,
    parity,
    parity_json,
    summary,
    told,
)
from tests.commands import evenhand as evenhand  # a fixture

ROOT = Path(__file__).resolve().parents[2]
DATA = (ROOT / "../shared/data").resolve()
recorded = pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data beside the checkout")


@cache
def rows() -> tuple[Parity, ...]:
    return parity(DATA)


def at(value: float) -> Interval:
    return Interval(value, None, None, 0.95, "none", 1, 1)


# ---- on the files of the sources -----------------------------------------------------------------


@recorded
def test_every_published_figure_comes_out_to_the_digits_printed():
    assert [row for row in rows() if not row.equal] == []


@recorded
def test_there_are_over_900_figures_and_over_320_outside_llmbar():
    backed = [row for row in rows() if row.standing != "computed"]
    others = [row for row in backed if row.bench != COMPACT]
    assert len(backed) >= 900
    assert len(others) >= 320


@recorded
def test_readers_give_the_verdicts_that_were_recorded():
    found = {row.bench: (row.ours, row.published) for row in rows() if row.figure == READ}
    assert found == {
        "judgebench": (700, 700),
        "mt-bench-single": (320, 320),
        "alpaca-eval": (7221, 7221),
        "llmbar": (28_332, 28_332),
    }


@recorded
def test_where_our_own_reader_departs_from_a_source_is_said():
    row = next(row for row in rows() if row.bench == "llmbar" and row.figure == READ)
    assert "differs in 114 of these replies" in row.why
    assert "10 verdicts from empty ratings undecided" in row.why


@recorded
def test_the_page_on_disk_is_the_one_that_the_command_writes():
    there = (ROOT / "docs/parity.md").read_text(encoding="utf-8")
    assert there == page(rows()), f"docs/parity.md is out of date: {COMMAND}"


@recorded
def test_the_page_shows_domains_apart_and_stays_readable():
    made = page(rows())
    for title in ("Natural (in domain)", "Adversarial (out of domain)", "Processed (from other"):
        assert f"### {title}" in made
    assert "### Real conversations (out of domain)" in made
    assert len(made.encode()) < 120_000
    assert max(map(len, made.splitlines())) < 500


@recorded
@pytest.mark.parametrize("name", ["arena-meta", "alpaca-eval-arena"])
def test_boards_are_printed_beside_the_figures_of_the_source(evenhand, name):
    done = evenhand("bench", name, "--data", DATA)
    assert done.code == 0, done.err
    assert "source" in done.out
    printed = {"arena-meta": "87.89%", "alpaca-eval-arena": "0.931"}
    assert printed[name] in done.out


@recorded
def test_the_command_counts_each_benchmark_and_ends_well(evenhand):
    done = evenhand("bench", "arena-meta", "devai", "--parity", DATA)
    assert done.code == 0, done.err
    assert "arena-meta: 15 of 15 equal" in done.out
    assert "all: 21 of 21 equal" in done.out


@recorded
def test_a_wrong_file_makes_the_command_end_with_1(evenhand, tmp_path):
    source = find(bench("bigbench-mistake").card, folder=DATA).paths["*.jsonl*"]
    folder = tmp_path / "bigbench_mistake"
    folder.mkdir()
    for path in source:
        (folder / path.name).write_bytes(path.read_bytes())
    short = folder / "multistep_arithmetic.jsonl"
    lines = short.read_text(encoding="utf-8").splitlines(keepends=True)
    short.write_text("".join(lines[:200]), encoding="utf-8")
    done = evenhand("bench", "--parity", tmp_path)
    assert done.code == 1, done.out + done.err
    assert "bigbench-mistake: 2 of 3 equal" in done.out
    assert "different: bigbench-mistake, multistep_arithmetic: label_count" in done.out


# ---- by hand -------------------------------------------------------------------------------------


def test_a_planted_wrong_figure_is_reported_as_different():
    told_by = Published("judge", "accuracy", 82.8, 1, "hard", "%")
    right = compared("x", told_by, lambda _: at(0.8284))
    wrong = compared("x", replace(told_by, value=82.7), lambda _: at(0.8284))
    assert (right.equal, right.why) == (True, "")
    assert (wrong.equal, wrong.why) == (False, "ours is 82.8400")
    assert "different: x, judge, hard: accuracy 82.7%, ours is 82.8400" in summary([right, wrong])
    form = parity_json([right, wrong])
    assert (form["equal"], form["figures"], len(form["different"])) == (1, 2, 1)
    assert counts([right, wrong])[0].equal == 1


def test_a_figure_that_cannot_be_computed_is_different_with_its_reason():
    def none(_: Published) -> Interval:
        raise Misuse("no figure is called 'charm'")

    found = compared("x", Published("judge", "charm", 1.0, 1), none)
    assert (found.equal, found.why) == (False, "no figure is called 'charm'")
    assert parity_json([found])["different"][0]["ours"] is None


@pytest.mark.parametrize(
    ("ours", "published", "digits", "same"),
    [
        (0.9345, 0.93, 2, True),
        (0.935, 0.93, 2, True),  # half a unit, either way
        (0.9351, 0.93, 2, False),
        (0.925, 0.93, 2, True),
        (0.9249, 0.93, 2, False),
        (104.0, 105, 0, False),
        (float("nan"), 1.0, 0, False),
    ],
)
def test_equal_is_to_the_digits_printed(ours, published, digits, same):
    assert equal(ours, published, digits) is same


def test_options_are_told_in_words():
    assert told({"within": True, "gold": "mean", "absolute": False}) == " (within, gold mean)"
    assert told({"cut": [["0"], ["1", "2"]]}) == " (cut 0 against 1, 2)"
    assert told({"unread": "same"}) == ""


def test_a_page_marks_what_differs_in_both_kinds_of_tables():
    one = compared("devai", Published("j", "accuracy", 0.5, 1), lambda _: at(0.7))
    many = replace(one, bench=COMPACT, subset="LLMBar/Natural")
    made = page([one, many])
    assert made.startswith(MADE)
    assert "| j | accuracy |  | 0.5 | 0.7 | reproduced | **no**: ours is 0.7000 |" in made
    assert "| j | Natural | 0.5 **≠ 0.7** |" in made


def test_a_folder_without_files_is_wrong_use(evenhand, tmp_path):
    done = evenhand("bench", "--parity", tmp_path)
    assert done.code == 2
    assert "no benchmark's files lie in" in done.err


def test_the_page_command_asks_for_a_folder_and_a_file():
    run = subprocess.run(
        [sys.executable, "-m", "evenhand.report.parity"], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 2
    assert COMMAND in run.stderr
