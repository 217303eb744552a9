from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import evenhand
from evenhand import Completion, Misuse, ModelError, Request
from evenhand.models.scripted import Scripted
from evenhand.report.cases import (
    LONGEST_LIST,
    case_json,
    case_text,
    disagreeing,
    list_text,
    plain_rows,
    signed_case,
    unsettled,
)
from evenhand.report.terminal import printed
from evenhand.store import Store
from tests.report.made import Answer, better, case, said


@pytest.fixture(autouse=True)
def _usual_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@contextlib.contextmanager
def run_of(folder: Path, data: Any, judge: str, answer: Answer) -> Iterator[Store]:
    evenhand.judge(data, judge, Scripted("m", answer), out=folder)
    with contextlib.closing(Store(folder, read=True)) as store:
        yield store


def whole(store: Store, ident: str, capsys: pytest.CaptureFixture[str]) -> str:
    printed(case_text(store, signed_case(store, ident)))
    return capsys.readouterr().out


def test_a_case_is_shown_with_prompts_as_sent_replies_and_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [{"id": "q1", "prompt": "2 + 2?", "output_1": "4", "output_2": "5", "model_a": "old",
             "model_b": "new", "winner": "model_a"}]  # fmt: skip

    def answer(request: Request) -> Completion:
        return Completion(better(request), ({"[[": -0.1, "A": -3.0},), tokens_in=9, tokens_out=4)

    with run_of(tmp_path, data, "mt-bench-pair", answer) as store:
        out = whole(store, "q1", capsys)
        form = case_json(store, signed_case(store, "q1"))
    for part in ("case     q1 (row 1, cluster q1)", "systems  old, new", "person   A",
        "state    decided", "verdict  B · score 0 · B 1.000", "(order swapped, raw A)",
        "--- system", "--- user", "  Response A:", "--- reply (stop)\n  [[B]]",
        "--- reply (stop)\n  [[A]]", "first token: '[[' -0.10, 'A' -3.00",
        "tokens 9 in, 4 out"):  # fmt: skip
        assert part in out
    assert out.count("call 1 ·") == out.count("call 2 ·") == 1
    assert max(map(len, out.splitlines())) <= 80
    assert [call["completion"]["text"] for call in form["calls"]] == ["[[B]]", "[[A]]"]
    assert [part["marks"]["order"] for part in form["verdict"]["parts"]] == ["given", "swapped"]
    assert form["human_label"] == "A"
    json.dumps(form, allow_nan=False)


def test_escape_sequences_in_a_response_and_a_reply_are_shown_not_obeyed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = "\x1b[2J\x1b]0;owned\x07\u202egnorw\u2066 [[7]]"
    with run_of(tmp_path, [case("q", "r\x1b[31m\u200f")], "mt-bench-single", lambda r: answer) as s:
        out = whole(s, "q", capsys)
    assert r"\x1b[2J\x1b]0;owned\x07\u202egnorw\u2066 [[7]]" in out
    assert r"r\x1b[31m\u200f" in out
    assert all(char.isprintable() or char == "\n" for char in out)


def test_a_reply_of_5_mb_is_shown_whole_and_quickly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = "word " * 1_000_000 + "[[7]]"
    with run_of(tmp_path, [case("q", "r")], "mt-bench-single", lambda r: reply) as store:
        began = time.process_time()
        out = whole(store, "q", capsys)
    assert reply in out
    assert time.process_time() - began < 5


def test_an_undecided_case_shows_its_reason_and_a_failed_one_its_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(request: Request) -> str | Exception:
        return ModelError("the line is dead") if said(request, "response") == "b" else "hm"

    with run_of(tmp_path, [case("a", "a"), case("b", "b")], "mt-bench-single", answer) as store:
        assert "verdict  unread: no number marked in 'hm'" in whole(store, "a", capsys)
        assert "state  failed: the line is dead" in whole(store, "b", capsys)
        assert case_json(store, signed_case(store, "b"))["verdict"] is None
        rows, nothing = unsettled(store)
        printed(list_text(rows, tmp_path, nothing))
        listed = capsys.readouterr().out
        assert "undecided" in listed
        assert "failed" in listed
        assert [row["state"] for row in plain_rows(unsettled(store)[0])] == ["undecided", "failed"]


def test_an_unknown_case_is_told_with_near_ids(tmp_path: Path) -> None:
    data = [case(f"question-{i}", "1") for i in range(20)]
    with run_of(tmp_path, data, "mt-bench-single", lambda r: "[[7]]") as store:
        with pytest.raises(Misuse, match="no case 'qestion-17'") as raised:
            signed_case(store, "qestion-17")
        assert "'question-17'" in raised.value.expected


def labelled(n: int, label: str) -> list[dict[str, Any]]:
    return [{"id": f"q{i}", "prompt": f"p{i}", "output_1": "1", "output_2": "2", "winner": label}
            for i in range(n)]  # fmt: skip


@pytest.mark.parametrize(("label", "listed"), [("A", 3), ("B", 0)])
def test_cases_are_listed_where_a_person_says_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], label: str, listed: int
) -> None:
    with run_of(tmp_path, labelled(3, label), "mt-bench-pair", better) as store:
        rows, nothing = disagreeing(store)
        assert len(list(rows)) == listed
        printed(list_text(disagreeing(store)[0], tmp_path, nothing))
    out = capsys.readouterr().out
    assert out.count("\nq") == listed
    assert (nothing in out) == (not listed)
    assert "(3 cases have one)" in nothing


def test_long_lists_are_cut_and_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = [case(f"c{i}", str(i)) for i in range(LONGEST_LIST + 3)]
    with run_of(tmp_path, data, "mt-bench-single", lambda r: "hm " * 99) as store:
        printed(list_text(unsettled(store)[0], tmp_path, ""))
    out = capsys.readouterr().out
    assert "3 more · one whole: evenhand show" in out
    assert "\nc0    undecided          unread: no number marked in 'hm hm" in out
    assert max(map(len, out.splitlines()[:-2])) <= 80


def test_without_undecided_cases_the_list_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_of(tmp_path, [case("q", "1")], "mt-bench-single", lambda r: "[[7]]") as store:
        rows, nothing = unsettled(store)
        printed(list_text(rows, tmp_path, nothing))
    assert capsys.readouterr().out == "no case is undecided or failed\n"
