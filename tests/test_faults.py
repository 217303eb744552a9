"""A whole run against a server that misbehaves, checked against the server's own counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import evenhand
from evenhand.door import Run
from evenhand.records import Case
from tests.conftest import Mock
from tests.mock_server import score_of

N = 2_000
MIXED = {
    "p429": 0.05,
    "p500": 0.05,
    "pmalformed": 0.05,
    "pbadjson": 0.02,
    "preset": 0.02,
    "phang": 0.01,
}


def cases(n: int = N) -> list[Case]:
    return [Case.of(str(i), f"ITEM-{i} why?", f"because {i}") for i in range(n)]


def judged(mock: Mock, folder: Path, **options: Any) -> tuple[Run, dict[str, Any]]:
    run = evenhand.judge(cases(), "mt-bench-single", f"{mock.url}#stars", out=folder, **options)
    return run, run.manifest["invocations"][-1]


def assert_all_decided_and_right(run: Run) -> None:
    rows = run.table()
    assert [row["score"] for row in rows] == [score_of(i) for i in range(N)]


def assert_accounts_agree(last: dict[str, Any], server: dict[str, int]) -> None:
    """Every request is a call of ours or a retry; every call is an answer that the server gave."""
    assert server["requests"] == last["calls"] + last["retries"]
    assert last["calls"] == server["ok"] + server["malformed"]
    faults = ("429", "500", "badjson", "reset", "hang")
    assert last["retries"] == sum(server[name] for name in faults)
    assert last["reasked"] == server["malformed"]
    assert server["items_good_twice"] == 0


def test_mixed_faults_cost_no_verdict_and_every_request_is_accounted_for(
    mock: Mock, tmp_path: Path
) -> None:
    mock.reset(**MIXED, retry_after=0.05)
    run, last = judged(mock, tmp_path, reask=5, timeout=2)
    server = mock.stats()
    assert min(server[name] for name in ("429", "500", "malformed", "badjson", "hang")) > 0
    assert_all_decided_and_right(run)
    assert_accounts_agree(last, server)


@pytest.mark.slow
def test_mixed_faults_with_a_second_of_retry_after(mock: Mock, tmp_path: Path) -> None:
    mock.reset(**MIXED, retry_after=1, latency_ms=20)
    run, last = judged(mock, tmp_path, reask=5, timeout=2)
    assert_all_decided_and_right(run)
    assert_accounts_agree(last, mock.stats())


def test_half_of_all_requests_refused_cost_no_verdict(mock: Mock, tmp_path: Path) -> None:
    mock.reset(p429=0.5, retry_after=0.05)
    run, last = judged(mock, tmp_path, in_flight=256)
    server = mock.stats()
    assert server["429"] > N * 0.9
    assert_all_decided_and_right(run)
    assert_accounts_agree(last, server)


def test_items_that_are_never_readable_are_undecided_and_nothing_else(
    mock: Mock, tmp_path: Path
) -> None:
    mock.reset(pmalformed=0.05, sticky=1, seed=16)
    run, last = judged(mock, tmp_path)
    held = run.manifest["counts"]
    assert (held["decided"], held["undecided"], held["failed"]) == (1_900, 100, 0)
    assert held["undecided_by"] == {"unread": 100}
    assert last["stopped"] is None
    assert mock.stats()["requests"] == last["calls"] == N
    for row in run.table():
        expected = score_of(int(row["id"])) if row["state"] == "decided" else None
        assert row["score"] == expected


def test_unreadable_items_are_asked_again_exactly_so_often(mock: Mock, tmp_path: Path) -> None:
    mock.reset(pmalformed=0.05, sticky=1, seed=16)
    run, last = judged(mock, tmp_path, reask=2)
    assert run.manifest["counts"]["undecided"] == 100
    assert last["reasked"] == 200
    assert mock.stats()["requests"] == last["calls"] == N + 200
    assert {row["asked"] for row in run.table() if row["state"] == "undecided"} == {3}


def test_replies_that_are_cut_are_undecided(mock: Mock, tmp_path: Path) -> None:
    mock.reset(ptruncated=0.05, sticky=1, seed=16)
    run, _ = judged(mock, tmp_path)
    assert run.manifest["counts"]["undecided_by"] == {"cut": 100}


def test_a_server_that_never_answered_stops_the_run_within_ten_seconds(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:9/v1#stars"
    with pytest.raises(evenhand.ModelError, match="no answer from") as caught:
        evenhand.judge(cases(), "mt-bench-single", nobody, out=tmp_path)
    assert caught.value.saved == str(tmp_path)
    assert Run(tmp_path).manifest["invocations"][-1]["seconds"] < 10
