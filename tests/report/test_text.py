from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evenhand import Completion, ModelError, Request
from evenhand.intervals import Interval
from evenhand.report.terminal import printed
from evenhand.report.text import share, summary_text
from tests.report.made import Answer, better, case, rating, summary_of

SYSTEMS = ("a-rather-long-name-of-a-system/with-a-path-2025-04-14", "gpt-4o", "x")


@pytest.fixture(autouse=True)
def _usual_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def told(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    data: Any,
    judge: str,
    answer: Answer,
    **more: Any,
) -> str:
    printed(summary_text(summary_of(folder, data, judge, answer, **more)))
    return capsys.readouterr().out


def pairs(n: int) -> list[dict[str, Any]]:
    return [{"id": f"q{i}", "prompt": f"ask {i}", "responses": [str(i), "3", "4"],
             "systems": list(SYSTEMS)} for i in range(n)]  # fmt: skip


def test_a_summary_fits_into_80_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(request: Request) -> Completion:
        text = better(request) if "ask 1" in request.messages[-1].text else "no idea"
        return Completion(text, tokens_in=123456, tokens_out=9999, usd=0.5, served="served-" * 9)

    out = told(capsys, tmp_path, pairs(30), "mt-bench-pair", answer, name="gpt-4.1")
    assert max(map(len, out.splitlines())) <= 80
    for part in ("undecided by reason: unread", "of one family", "served as", "position"):
        assert part in " ".join(out.split())
    assert "gpt-4o" in out


def test_a_summary_says_what_it_rests_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [case(f"q{i}", "7", "6") for i in range(12)]
    out = told(capsys, tmp_path, data, "mt-bench-pair", better)
    assert "judge  mt-bench-pair (" in out
    assert "· own wording" in out
    assert "cases  12 · decided 12 · undecided 0 · failed 0" in out
    assert "response 1     1.000" in out
    assert "order consistency    100 %" in out
    assert "of 12 cases judged in both orders" in out
    assert "first-position rate  50 %" in out
    assert "of 24 single verdicts with a winner" in out


def test_agreement_is_told_twice_where_verdicts_are_undecided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [{"id": str(i), "prompt": "p", "output_1": str(i), "output_2": "2", "winner": "B"}
            for i in range(4)]  # fmt: skip

    def answer(request: Request) -> str:
        return better(request) if "\n3\n" not in request.messages[-1].text else "?"

    out = told(capsys, tmp_path, data, "mt-bench-pair", answer)
    assert "agreement with people  50 %" in out
    assert "of 4 labelled cases (undecided is wrong)" in out
    assert "of 3 decided ones" in out


def test_a_judge_without_a_model_has_no_wording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [{"id": "1", "prompt": "p", "response": "yes", "reference": "yes"}]
    out = told(capsys, tmp_path, data, "exact", rating)
    assert "own wording" not in out
    assert "\nmodel  none\n" in out


def test_a_model_that_was_never_reached_was_not_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = told(capsys, tmp_path, [case("q", "r")], "mt-bench-single", lambda _: ModelError("no"))
    assert "served as" not in out


def test_one_prompt_gives_no_interval_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    three = {"prompt": "p", "responses": ["1", "2", "2"], "systems": ["x", "x", "x"], "id": "q"}
    out = told(capsys, tmp_path, [three], "mt-bench-single", rating)
    assert "1.667           none" in out


def test_what_a_server_says_of_itself_is_not_obeyed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(request: Request) -> Completion:
        return Completion("[[7]]", served="m\x1b[2J\u202e", fallbacks=("no \x1b]0;x\x07",))

    out = told(capsys, tmp_path, [case("q", "r")], "mt-bench-single", answer)
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert r"m\x1b[2J\u202e" in out
    assert r"fallback  no \x1b]0;x\x07 (1 calls)" in out


def test_a_share_is_written_with_its_interval_and_n() -> None:
    assert share(Interval(0.61, 0.554, 0.668, 0.95, "", 412, 400)) == "61 % [55, 67] of 412"
    without = Interval(0.5, None, None, 0.95, "", 2, 1, "one cluster")
    assert share(without) == "50 % of 2 (no interval: one cluster)"
