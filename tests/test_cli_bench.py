"""`evenhand bench`: listed, replayed, run, and refused."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests import benches_by_hand as made
from tests.commands import Command, evenhand

__all__ = ["evenhand"]
SHARED = Path(__file__).resolve().parents[1] / "../shared/data"
JUDGES = Path(__file__).with_name("judges_by_hand.py")


def judge(name: str) -> str:
    return f"{JUDGES}:{name}"


def test_the_list_marks_what_has_never_read_a_real_file(evenhand: Command) -> None:
    ended = evenhand("bench")
    assert ended.code == 0
    assert "judgebench" in ended.out
    assert "(unverified)" in ended.out
    assert "unverified: the adapter follows the published schema" in ended.out


def test_the_list_is_one_json_value(evenhand: Command) -> None:
    cards = {card["bench"]: card for card in evenhand("bench", "--json").json}
    card = cards["judgebench"]
    assert card["status"] == "verified"
    assert card["rows"] == 350
    assert card["metric"] == "net_vote_accuracy (ties wrong, both orders)"
    assert card["files"][0]["needed"] is True


def test_recorded_judges_are_replayed(evenhand: Command, tmp_path: Path) -> None:
    made.judgebench(tmp_path / "data")
    made.judgments(tmp_path / "data", "one", [("A>B", "A>B")] * 24)
    form = evenhand("bench", "judgebench", "--data", "data", "--json").json
    assert (form["judge"]["name"], form["value"], form["run"]) == ("one", 0.0, None)
    assert form["further"]["mean_accuracy"]["estimate"] == 0.5


def test_judges_of_places_and_one_that_knows_land_where_theory_says(
    evenhand: Command, tmp_path: Path
) -> None:
    made.judgebench(tmp_path / "data")
    names = ("Knows", "First", "Last", "Silent")
    words = [word for name in names for word in ("--judge", judge(name))]
    ended = evenhand("bench", "judgebench", "--data", "data", *words, "--json")
    assert ended.code == 0
    found = dict(zip(names, ended.json["results"], strict=True))
    assert found["Knows"]["value"] == 1.0
    for name in ("First", "Last"):
        further = found[name]["further"]
        assert further["mean_accuracy"]["estimate"] == 0.5
        assert further["consistent_accuracy"]["estimate"] == 0.0
        assert found[name]["over_first"]["estimate"] == -1.0
    assert found["Silent"]["undecided_by"] == {"unread": 24}
    assert (tmp_path / found["Knows"]["run"] / "run.sqlite").exists()
    assert evenhand("show", found["First"]["run"], "--json").json["cases"] == 24


def test_a_run_goes_on_where_it_stopped_and_prints_the_pairs(
    evenhand: Command, tmp_path: Path
) -> None:
    made.judgebench(tmp_path / "data")
    words = ("bench", "judgebench", "--data", "data", "--judge", judge("Knows"))
    some = evenhand(*words, "--limit", "12", "--json").json
    assert some["interval"]["n"] == 12
    assert "12 of 24 cases have no verdict and are left out" in some["warnings"]
    assert evenhand(*words, "--json").json["interval"]["n"] == 24
    text = evenhand(*words, "--judge", judge("First")).out
    assert "paired" in text


def test_an_order_of_the_command_is_not_swapped(evenhand: Command, tmp_path: Path) -> None:
    made.judgebench(tmp_path / "data")
    words = ("bench", "judgebench", "--data", "data", "--judge", judge("Knows"))
    form = evenhand(*words, "--order", "given", "--json").json
    assert "further" not in form or not form["further"]


def test_tables_for_people_and_for_ci_are_written(evenhand: Command, tmp_path: Path) -> None:
    made.judgebench(tmp_path / "data")
    words = ("--judge", judge("Knows"), "--judge", judge("First"))
    files = ("--markdown", "b.md", "--junit", "b.xml")
    assert evenhand("bench", "judgebench", "--data", "data", *words, *files).code == 0
    assert (tmp_path / "b.md").read_text().count("| judgebench |") == 2
    tree = ElementTree.parse(tmp_path / "b.xml")
    assert [suite.get("failures") for suite in tree.iter("testsuite")] == ["1"]


def test_a_changed_file_is_announced(evenhand: Command, tmp_path: Path) -> None:
    made.llmbar(tmp_path / "data")
    ended = evenhand("bench", "llmbar", "--data", "data", "--judge", judge("First"))
    assert ended.code == 0
    assert "datasets.jsonl.gz is not the known file" in ended.out


def test_only_benchmarks_whose_files_are_there_are_replayed(
    evenhand: Command, tmp_path: Path
) -> None:
    made.judgebench(tmp_path / "data")
    made.judgments(tmp_path / "data", "one", [("A>B", "B>A")] * 24)
    ended = evenhand("bench", "judgebench", "llmbar", "--data", "data", "--json")
    assert ended.code == 2
    assert "llmbar needs the file" in ended.error["message"]


@pytest.mark.parametrize(
    ("words", "told", "next_"),
    [
        (("judgebnch",), "near: judgebench", "evenhand bench"),
        (("judgebench", "--data", "nowhere"), "needs the file 'pairs_*.jsonl*'", "--data DIR"),
        (("llmbar", "--data", "data"), "which is not there in data", "DIR/llmbar/datasets"),
        (("judgebench", "--data", "data"), "holds no recorded verdicts", "--judge NAME"),
        (
            ("judgebench", "--data", "data", "--judge", judge("First"), "--judge", judge("First")),
            "stands twice", "once",
        ),
    ],
)  # fmt: skip
def test_wrong_use_says_what_to_do(
    evenhand: Command, tmp_path: Path, words: tuple[str, ...], told: str, next_: str
) -> None:
    made.judgebench(tmp_path / "data")
    ended = evenhand("bench", *words, "--json")
    assert ended.code == 2
    assert told in ended.error["message"]
    assert next_ in ended.error["next"]


def test_a_format_of_another_tool_can_be_replayed_too(evenhand: Command, tmp_path: Path) -> None:
    from tests.data import foreign_files

    foreign_files.value(tmp_path / "a.json", foreign_files.ALPACA)
    form = evenhand("bench", "format/alpacaeval", "--data", "a.json", "--json").json
    assert form["judge"]["name"] == "gpt"
    assert form["coverage"]["estimate"] == 0.75


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is not there")
def test_the_real_judgebench_is_replayed_with_its_published_figures(evenhand: Command) -> None:
    found = evenhand("bench", "judgebench", "--data", SHARED, "--json").json["results"]
    assert len(found) == 3
    for one in found:
        assert round(100 * one["value"], 2) == one["expected"]["value"]
        assert one["data_sha256"]
