"""Benchmarks by name: which files they need, where those are looked for, what is said when not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evenhand.data.bench import (
    FORMAT,
    Card,
    File,
    Files,
    Metric,
    bench,
    digest,
    find,
    formats,
    names,
    opened,
    placed,
)
from evenhand.errors import Misuse

WITHOUT_HUB = """
import json, sys
sys.modules["huggingface_hub"] = None
from evenhand.data.bench import Card, File, Metric, find
from evenhand.errors import Misuse
card = Card("mine", "x", "hf", "1", "none", "none", None, Metric("rows"),
            (File("data/a.jsonl"),), hub="org/mine")
try:
    find(card)
except Misuse as error:
    print(json.dumps([str(error), error.do]))
"""


def card(*files: File, folder: str = "", hub: str = "") -> Card:
    return Card(
        "my-set", "x", "github.com/me/it", "abc", "none", "none", None, Metric("rows"),
        files or (File("a.jsonl"),), folder=folder, hub=hub,
    )  # fmt: skip


def put(path: Path, text: str = "{}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_name_has_a_benchmark_with_a_card() -> None:
    found = names()
    assert found == sorted(found)
    for name in found:
        one = bench(name).card
        assert one.name == name
        assert one.licence
        assert one.files


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(Misuse, match="near: judgebench") as error:
        bench("judgebnch")
    assert error.value.do == "evenhand bench"


def test_formats_are_known_by_their_prefix_and_not_listed_as_benchmarks() -> None:
    assert bench(FORMAT + "alpacaeval").card.name == "alpacaeval"
    assert set(formats()) <= {name.removeprefix(FORMAT) for name in map(FORMAT.__add__, formats())}
    assert not any(name.startswith(FORMAT) for name in names())
    with pytest.raises(Misuse):
        bench(FORMAT + "nothing")


@pytest.mark.parametrize("place", ["my-set/a.jsonl", "my_set/a.jsonl", "a.jsonl", "other/a.jsonl"])
def test_files_lie_in_the_sets_folder_or_in_the_folder_given(tmp_path: Path, place: str) -> None:
    path = put(tmp_path / place)
    folder = "other" if place.startswith("other") else ""
    files = find(card(folder=folder), folder=tmp_path)
    assert files.path("a.jsonl") == path


def test_a_pattern_finds_every_file_in_order(tmp_path: Path) -> None:
    for name in ("b_2.jsonl", "b_1.jsonl", "c.jsonl"):
        put(tmp_path / "my-set" / name)
    files = find(card(File("b_*.jsonl")), folder=tmp_path)
    assert [path.name for path in files.paths["b_*.jsonl"]] == ["b_1.jsonl", "b_2.jsonl"]


def test_the_file_itself_may_be_given_whatever_its_name(tmp_path: Path) -> None:
    path = put(tmp_path / "mine.jsonl")
    assert find(card(), path).paths == {"a.jsonl": (path,)}


def test_a_file_that_is_not_there_is_named_with_revision_and_place(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"my-set needs the file 'a\.jsonl'") as error:
        find(card(folder="other"), folder=tmp_path)
    assert error.value.expected == "the files of github.com/me/it at abc"
    assert error.value.do == "evenhand bench my-set --data DIR, with DIR/other/a.jsonl"
    assert str(tmp_path) in str(error.value)


def test_one_file_where_two_are_needed_is_refused_with_the_other(tmp_path: Path) -> None:
    two = card(File("a.jsonl"), File("b.jsonl"))
    with pytest.raises(Misuse, match=r"needs the file 'b\.jsonl'"):
        find(two, put(tmp_path / "a.jsonl"))


def test_without_the_hubs_library_the_message_says_which_file_to_put_where() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_HUB], check=True, capture_output=True, text=True
    )
    text, do = json.loads(done.stdout)
    assert "huggingface_hub is not installed" in text
    assert "pip install 'evenhand[hub]'" in do
    assert "'data/a.jsonl'" in do


def test_without_a_folder_and_without_a_hub_the_file_is_asked_for() -> None:
    with pytest.raises(Misuse, match=r"needs the file 'a\.jsonl'"):
        find(card())


def test_a_changed_hash_is_announced_and_a_file_that_was_never_seen_is_not(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl")
    put(tmp_path / "b.jsonl")
    both = card(File("a.jsonl", sha256="0" * 64), File("b.jsonl"))
    assert find(both, folder=tmp_path).changed == ("a.jsonl",)
    same = card(File("a.jsonl", sha256=digest(path)), File("b.jsonl"))
    assert find(same, folder=tmp_path).changed == ()


def test_files_not_needed_may_lack(tmp_path: Path) -> None:
    put(tmp_path / "a.jsonl")
    files = find(card(File("a.jsonl"), File("r.jsonl", needed=False)), folder=tmp_path)
    assert not files.has("r.jsonl")
    with pytest.raises(Misuse, match=r"r\.jsonl"):
        files.path("r.jsonl")


def test_the_hash_is_of_what_is_needed_or_of_everything_where_nothing_is(tmp_path: Path) -> None:
    put(tmp_path / "a.jsonl")
    extra = put(tmp_path / "r.jsonl")
    some = card(File("a.jsonl"), File("r.jsonl", needed=False))
    none = card(File("a.jsonl", needed=False), File("r.jsonl", needed=False))
    before = [find(one, folder=tmp_path).sha256 for one in (some, none)]
    extra.write_text("changed")
    after = [find(one, folder=tmp_path).sha256 for one in (some, none)]
    assert before[0] == after[0]
    assert before[1] != after[1]


# ---- files given one by one ----------------------------------------------------------------------


def test_files_given_are_told_by_their_names_and_others_looked_for_beside(tmp_path: Path) -> None:
    cases, recorded = put(tmp_path / "a.jsonl"), put(tmp_path / "r_x.jsonl")
    one = card(File("a.jsonl"), File("r_*.jsonl", needed=False))
    assert placed(one, [recorded]).paths == {"a.jsonl": (cases,), "r_*.jsonl": (recorded,)}


def test_a_file_of_another_name_is_the_one_that_is_needed(tmp_path: Path) -> None:
    path = put(tmp_path / "mine.jsonl")
    assert placed(card(), [path]).paths == {"a.jsonl": (path,)}


def test_a_file_given_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="there is no file"):
        placed(card(), [tmp_path / "gone.jsonl"])


def opened_names(text: str) -> Iterator[str]:
    for paths in opened(text)[1].paths.values():
        yield from (path.name for path in paths)


def test_a_place_names_a_folder_a_file_or_several(tmp_path: Path) -> None:
    put(tmp_path / "judgebench" / "pairs_x.jsonl")
    files = [put(tmp_path / name) for name in ("pairs_y.jsonl", "judgments_z_on_y.jsonl")]
    assert list(opened_names(f"judgebench@{tmp_path}")) == ["pairs_x.jsonl"]
    assert list(opened_names(f"judgebench@{files[0]}")) == ["pairs_y.jsonl"]
    both = os.pathsep.join(map(str, files))
    assert list(opened_names(f"judgebench@{both}")) == [path.name for path in files]


def test_the_headline_is_named_with_its_rules() -> None:
    whole = Metric("f1", 2, "half", "subsets", {"positive": "yes"})
    assert str(whole) == "f1 (ties half, both orders, mean of subsets, positive yes)"
    assert str(Metric("rows")) == "rows"


def test_files_of_a_card_are_found_by_name_only() -> None:
    files = Files(card(), {"a.jsonl": ()})
    assert not files.has("a.jsonl")
    assert not files.has("b.jsonl")
