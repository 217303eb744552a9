"""What bad input gets: a message with what, where, expected and next, or a verdict that says so."""

from __future__ import annotations

import csv
import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

import evenhand as package
from evenhand.errors import DataError
from evenhand.models.scripted import Scripted
from tests.commands import Command, Ended, answers, evenhand, pairs, write_model, write_rows
from tests.loopback import chat, error, serve

__all__ = ["evenhand"]  # the fixture
PNG = b"\x89PNG\r\n\x1a\n"  # enough to be taken for an image


def judged(evenhand: Command, data: str, *more: object, judge: str = "mt-bench-single") -> Ended:
    """With a scripted model, unless another is given."""
    model = () if "--model" in more else ("--model", write_model('"[[7]]"'))
    return evenhand("judge", data, "--judge", judge, *model, "--out", "r", *more)


def assert_told(
    evenhand: Command,
    data: str,
    *,
    what: str,
    where: str,
    expected: str,
    do: str,
    code: int = 2,
    **more: Any,
) -> None:
    """On standard error for people, and as JSON for programs."""
    words = [word for pair in more.get("words", ()) for word in pair]
    told = judged(evenhand, data, *words, judge=more.get("judge", "mt-bench-single"))
    assert (told.code, told.out) == (code, "")
    assert told.err.startswith("error: ") or "\nerror: " in told.err
    assert "Traceback" not in told.err
    for part in (what, where, f"Expected: {expected}", f"Next: {do}"):
        assert part in told.err
    error = judged(
        evenhand, data, *words, "--json", judge=more.get("judge", "mt-bench-single")
    ).error
    assert what in error["message"]
    assert f"\nExpected: {expected}" in error["message"]
    assert error["next"].startswith(do)


def verdict(evenhand: Command, case: str) -> dict[str, Any]:
    return evenhand("show", "r", "--case", case, "--json").json


# ---- rows ------------------------------------------------------------------------------------


def test_a_row_with_neither_prompt_nor_response(evenhand: Command) -> None:
    write_rows("d.jsonl", [{"id": "1", "colour": "red"}])
    assert_told(
        evenhand, "d.jsonl", what="neither a prompt nor a response; columns: id, colour",
        where="d.jsonl:1 field 'prompt'",
        expected="a column of a known name, or --map prompt=COLUMN",
        do="mend the row, or pass --skip-bad",
    )  # fmt: skip


def test_a_row_with_a_prompt_alone(evenhand: Command) -> None:
    write_rows("d.jsonl", [{"id": "1", "prompt": "why?"}])
    assert_told(
        evenhand, "d.jsonl", what="no response", where="d.jsonl:1 field 'responses'",
        expected="pointwise judges take one response", do="name the column",
    )  # fmt: skip


def test_a_number_where_text_is_due(evenhand: Command) -> None:
    write_rows("d.jsonl", [*answers(1), {"id": "x", "prompt": "p", "response": 6}])
    assert_told(
        evenhand, "d.jsonl", what="a number where text is due: 6",
        where="d.jsonl:2 field 'response'", expected="text", do="mend the row, or pass --skip-bad",
    )  # fmt: skip


def test_duplicate_ids(evenhand: Command) -> None:
    write_rows("d.jsonl", [*answers(2), *answers(1)])
    assert_told(
        evenhand, "d.jsonl", what="q0", where="d.jsonl:3 field 'id'", expected="", do="",
    )  # fmt: skip
    assert not Path("r", "run.sqlite").exists()


def test_the_python_door_says_the_same() -> None:
    rows = [{"id": "1", "prompt": "p", "response": 6}]
    with pytest.raises(DataError) as raised:
        package.judge(rows, "mt-bench-single", Scripted("m", lambda request: "[[7]]"))
    told = raised.value
    assert (told.row, told.field) == (1, "response")
    assert told.happened == "a number where text is due: 6"
    assert told.expected
    assert told.do


@pytest.mark.filterwarnings("ignore:Sending a large body")  # aiohttp's advice
def test_a_response_of_5_mb_is_judged(evenhand: Command) -> None:
    write_rows("d.jsonl", [{"id": "big", "prompt": "p", "response": "word " * 1_000_000}])
    with serve(lambda asked: chat("[[7]]")) as server:
        ended = judged(evenhand, "d.jsonl", "--model", f"{server.url}/v1#m")
        assert len(server.seen[0].raw) > 5_000_000
    assert ended.code == 0
    assert "decided 1" in ended.out
    assert evenhand("show", "r", "--case", "big").out.count("word") == 1_000_000


def test_lone_surrogates_are_carried_as_escapes_and_the_case_is_marked(evenhand: Command) -> None:
    text = '{"id": "q\\ud800", "prompt": "p \\udc00", "response": "half \\ud83d."}\n'
    Path("d.jsonl").write_text(text)
    with serve(lambda asked: chat("fine \ud83d [[7]]")) as server:
        words = ("--model", f"{server.url}/v1#m")
        ended = judged(evenhand, "d.jsonl", *words)
        assert ended.code == 0
        assert r"half \\ud83d." in server.seen[0].raw.decode()
        assert judged(evenhand, "d.jsonl", *words, "--json").json["calls"] == 0
    found = verdict(evenhand, r"q\ud800")
    assert found["score"] == 7
    assert found["verdict"]["marks"]["surrogates"] == "lone surrogates were escaped"
    assert r"fine \ud83d" in found["calls"][0]["completion"]["text"]
    assert r"half \ud83d." in evenhand("show", "r", "--case", r"q\ud800").out
    assert evenhand("export", "r", "--to", "x.csv").code == 0


# ---- files -----------------------------------------------------------------------------------


def test_an_empty_file(evenhand: Command) -> None:
    Path("d.jsonl").touch()
    assert_told(
        evenhand, "d.jsonl", what="the file is empty", where="d.jsonl",
        expected="at least one row", do="give a file with rows",
    )  # fmt: skip


def test_a_truncated_gzip(evenhand: Command) -> None:
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in answers(5000)).encode())
    Path("d.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    assert_told(
        evenhand, "d.jsonl.gz", what="the file cannot be read further than row",
        where="d.jsonl.gz:", expected="a whole file", do="copy it again",
    )  # fmt: skip


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_a_table_with_another_delimiter_is_read(evenhand: Command, delimiter: str) -> None:
    with Path("d.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["id", "prompt", "response"], delimiter=delimiter)
        table.writeheader()
        table.writerows([*answers(2), {"id": "x", "prompt": "a,b;c", "response": "d|e\tf"}])
    ended = judged(evenhand, "d.csv", "--json")
    assert ended.json["decided"] == 3


def test_a_file_that_is_not_there_is_told_with_near_ones(evenhand: Command) -> None:
    write_rows("answers.jsonl", answers(1))
    assert_told(
        evenhand, "anwsers.jsonl", what="there is no file 'anwsers.jsonl'", where="answers.jsonl",
        expected="a JSONL, CSV, JSON or Parquet file", do="mend the path",
    )  # fmt: skip


# ---- names -----------------------------------------------------------------------------------


def test_a_template_with_an_undefined_name(evenhand: Command) -> None:
    write_rows("d.jsonl", answers(2))
    Path("mine.md").write_text("# user\nRate {{ case.respones[0] | fence }} and {{ mood }}.\n")
    assert_told(
        evenhand, "d.jsonl", what="a template uses a name that it is not given", where="respones",
        expected="one of case", do="mend the name", words=[("--template", "mine.md")],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("judge", "near"), [("mt-bench-pear", "mt-bench-pair"), ("geval", "g-eval")]
)
def test_an_unknown_judge_is_told_with_near_names(evenhand: Command, judge: str, near: str) -> None:
    write_rows("d.jsonl", answers(1))
    told = judged(evenhand, "d.jsonl", judge=judge)
    assert told.code == 2
    assert f"no judge is called {judge!r}" in told.err
    assert "Expected: one of" in told.err
    assert near in told.err.partition("Next: did you mean")[2]


@pytest.mark.parametrize(
    ("model", "what", "near"),
    [
        ("opnai/gpt-4.1", "There is no model 'opnai/gpt-4.1'", "did you mean openai/…?"),
        ("gpt-4.1", "'gpt-4.1' names no provider", "provider/NAME"),
        ("http://127.0.0.1:8000/v1", "lacks the model's name", "a #, and the name"),
        (
            "replay:none.jsonl",
            "Cannot read the recording none.jsonl",
            "evenhand export RUN --calls",
        ),
    ],
)
def test_an_unknown_model_is_told_with_near_names(
    evenhand: Command, model: str, what: str, near: str
) -> None:
    write_rows("d.jsonl", answers(1))
    told = judged(evenhand, "d.jsonl", "--model", model)
    assert told.code == 2
    assert what in told.err
    assert "Expected: " in told.err
    assert near in told.err.partition("Next: ")[2]


# ---- servers ---------------------------------------------------------------------------------


def test_an_unreachable_server_stops_the_run_within_10_s(evenhand: Command) -> None:
    write_rows("d.jsonl", answers(20))
    with serve(lambda asked: None) as server:
        url = server.url
    began = time.monotonic()
    told = judged(evenhand, "d.jsonl", "--model", f"{url}/v1#m")
    assert time.monotonic() - began < 10
    assert (told.code, told.out) == (4, "")
    assert f"Cannot reach {url}/v1" in told.err
    assert "Expected: a server that listens at that address" in told.err
    assert "Next: start it, or check the address: evenhand doctor MODEL" in told.err


def test_a_wrong_key_ends_the_run_at_once_with_everything_saved(
    evenhand: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENHAND_API_KEY", "sk-very-secret")
    write_rows("d.jsonl", answers(20))
    good = iter([chat("[[7]]"), chat("[[8]]")])
    refusal = error(401, "Incorrect API key provided: sk-very-secret", code="invalid_api_key")
    began = time.monotonic()
    with serve(lambda asked: next(good, refusal)) as server:
        words = ("--model", f"{server.url}/v1#m", "--in-flight", "1")
        told = judged(evenhand, "d.jsonl", *words)
        assert len(server.posted) == 3
        assert judged(evenhand, "d.jsonl", *words, "--json").error["kind"] == "Misconfigured"
    assert time.monotonic() - began < 5
    assert told.code == 4
    assert "cases  2 · decided 2" in told.out
    assert "refuses the key in EVENHAND_API_KEY (HTTP 401)" in told.err
    assert "Expected: EVENHAND_API_KEY with a key that is valid there" in told.err
    assert "Next: set EVENHAND_API_KEY" in told.err
    assert "secret" not in told.out + told.err + Path("r", "run.json").read_text()
    assert evenhand("show", "r", "--json").json["decided"] == 2


def test_a_server_that_answers_html(evenhand: Command) -> None:
    write_rows("d.jsonl", answers(5))
    page = (200, {"Content-Type": "text/html"}, "<!doctype html><title>Welcome</title>")
    with serve(lambda asked: page) as server:
        told = judged(evenhand, "d.jsonl", "--model", f"{server.url}#m", "--in-flight", "1")
        assert len(server.posted) == 1
    assert (told.code, told.out) == (4, "")
    assert f"{server.url} answers HTML, not JSON" in told.err
    assert "Expected: an API that answers JSON" in told.err
    assert "Next: is the base URL right? it usually ends in /v1" in told.err


def undecided(
    evenhand: Command, row: dict[str, Any], program: Any, judge: str = "mt-bench-single"
) -> tuple[dict[str, Any], int]:
    """The one case of a run that ends well, and how often the server was asked."""
    write_rows("d.jsonl", [row])
    with serve(program) as server:
        ended = judged(evenhand, "d.jsonl", "--model", f"{server.url}/v1#m", judge=judge)
        posted = len(server.posted)
    assert ended.code == 0
    assert "undecided 1" in ended.out
    assert "undecided" in evenhand("show", "r", "--undecided").out
    found = verdict(evenhand, row["id"])
    assert (found["state"], found["label"], found["score"]) == ("undecided", None, None)
    assert not evenhand("show", "r", "--json").json["scores"]
    return found, posted


def test_a_reply_cut_by_max_tokens_is_undecided_whatever_it_holds(evenhand: Command) -> None:
    (row,) = answers(1)
    found, _ = undecided(
        evenhand, row, lambda asked: chat("It could be [[7]], but", finish_reason="length")
    )
    assert found["code"] == "cut"
    assert "the reply ends at the token limit" in found["reason"]


def test_a_context_overflow_is_undecided_and_never_a_zero(evenhand: Command) -> None:
    body = error(
        400, "the request exceeds the available context size, try increasing it",
        type="exceed_context_size_error", code=400, n_prompt_tokens=9000, n_ctx=4096,
    )  # fmt: skip
    (row,) = answers(1)
    found, posted = undecided(evenhand, row, lambda asked: body)
    assert (found["code"], posted) == ("overflow", 1)
    assert "exceeds the available context size" in found["reason"]


def test_an_image_for_a_server_that_cannot_see_is_undecided_and_not_retried(
    evenhand: Command,
) -> None:
    Path("dot.png").write_bytes(PNG)
    row = {"id": "q0", "prompt": "what is this?", "response": "a dot", "image": "dot.png"}
    text = "image input is not supported - hint: if this is unexpected, you may need to provide"
    refusal = error(500, f"{text} the mmproj", code=500, type="server_error")
    found, posted = undecided(evenhand, row, lambda asked: refusal)
    assert (found["code"], posted) == ("rejected", 1)
    assert "takes no such media" in found["reason"]
    assert "image input is not supported" in found["reason"]


@pytest.mark.parametrize("reply", ["[[A]], [[B]], [[C]]", "I answer [[A]] or [[B]].", "[[A]][[B]]"])
def test_a_reply_that_only_repeats_the_answer_format_is_undecided(
    evenhand: Command, reply: str
) -> None:
    (row,) = pairs(1)
    found, _ = undecided(evenhand, row, lambda asked: chat(reply), "mt-bench-pair")
    assert found["code"] == "unread"
    assert "side by side" in found["reason"]


def test_a_server_without_the_decision_wire_ends_the_run_at_once(evenhand: Command) -> None:
    write_rows("d.jsonl", answers(20))
    body = error(501, "This server does not support this endpoint.", type="not_supported_error")
    with serve(lambda asked: body) as server:
        model = f"systemone:{server.url}#judge-7b"
        words = ("--model", model, "--in-flight", "1")
        told = judged(evenhand, "d.jsonl", *words, judge="choice")
        assert [sent.path for sent in server.seen] == ["/v1/systemone"]
        again = judged(evenhand, "d.jsonl", *words, "--json", judge="choice").error
    assert (told.code, told.out) == (4, "")
    assert "does not take such requests (HTTP 501)" in told.err
    assert f"Next: for an ordinary chat server use {server.url}/v1#judge-7b" in told.err
    assert again["kind"] == "Misconfigured"
    assert f"{server.url}/v1#judge-7b" in again["next"]
