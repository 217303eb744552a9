from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evenhand.cli.judge import parsed_budget
from evenhand.errors import Misuse
from evenhand.judges import PUBLISHED
from tests.commands import Command, answers, evenhand, pairs, write_model, write_rows
from tests.conftest import Mock
from tests.loopback import HANG, chat, serve

__all__ = ["evenhand"]  # the fixture
COMMANDS = ["judge", "judges", "show", "compare", "label", "export", "doctor", "demo"]
SEVEN = 'Completion("[[7]]", tokens_in=10, tokens_out=2, usd=0.01)'


def run_json(folder: str) -> dict[str, Any]:
    return json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))


# ---- help and versions -----------------------------------------------------------------------


def test_alone_it_shows_what_there_is_and_ends_with_2(evenhand: Command) -> None:
    ended = evenhand()
    assert ended.code == 2
    assert all(command in ended.out + ended.err for command in COMMANDS)


@pytest.mark.parametrize("command", [*COMMANDS, ""])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_fits_into_80_columns(evenhand: Command, command: str, flag: str) -> None:
    ended = evenhand(*command.split(), flag)
    assert (ended.code, ended.err) == (0, "")
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "--no-" not in ended.out


def test_the_version_is_told(evenhand: Command) -> None:
    assert evenhand("--version").out.startswith("evenhand 0.")


@pytest.mark.parametrize(
    ("words", "message", "do"),
    [
        (["nope"], "No such command 'nope'", "evenhand --help"),
        (["judge"], "Missing argument 'DATA'", "evenhand judge --help"),
        (["judge", "x.jsonl"], "Missing option '--judge'", "evenhand judge --help"),
        (["show", "r", "--nope"], "No such option: --nope", "evenhand show --help"),
        (["judge", "x", "--judge", "exact", "--limit", "0"], "--limit", "evenhand judge --help"),
        (["judge", "x", "--judge", "exact", "--order", "up"], "--order", "evenhand judge --help"),
    ],
)
def test_words_that_no_command_takes_end_with_2(
    evenhand: Command, words: list[str], message: str, do: str
) -> None:
    ended = evenhand(*words)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert f"Next: {do}" in ended.err
    as_json = evenhand(*words, "--json")
    assert as_json.code == 2
    assert message in as_json.error["message"]
    assert as_json.error["next"] == do


# ---- looking ---------------------------------------------------------------------------------


def test_judges_are_listed_and_one_is_shown_whole(evenhand: Command) -> None:
    table = evenhand("judges")
    assert table.code == 0
    assert all(name in table.out for name in PUBLISHED)
    assert "scale    1 to 10" in evenhand("judges", "mt-bench-single").out
    assert [one["name"] for one in evenhand("judges", "--json").json] == list(PUBLISHED)
    (one,) = evenhand("judges", "exact", "--json").json
    assert one["scale"] == "yes, no"


def test_show_lists_exclude_each_other(evenhand: Command) -> None:
    ended = evenhand("show", "r", "--undecided", "--disagree")
    assert ended.code == 2
    assert "exclude each other" in ended.err


def test_a_run_is_judged_shown_and_exported(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", pairs(3, winner="model_a")), write_model('"[[A]]"')
    judged = evenhand("judge", data, "--judge", "mt-bench-pair", "--model", model, "--out", "r")
    assert judged.code == 0
    assert judged.err == (
        "read d.jsonl: id from id, prompt from prompt, responses from output_1, output_2, "
        "systems from model_a, model_b, label from winner\n"
    )
    assert "cases  3 · decided 3" in judged.out
    assert judged.out.endswith("all of it: evenhand show r\n")
    shown = evenhand("show", "r")
    assert shown.code == 0
    assert shown.out.strip() in judged.out
    assert "--- reply (stop)\n  [[A]]" in evenhand("show", "r", "--case", "q1").out
    assert evenhand("show", "r", "--undecided").out == "no case is undecided or failed\n"
    assert evenhand("show", "r", "--disagree").out.count("tie") == 3
    exported = evenhand("export", "r", "--to", "rows.csv")
    assert (exported.code, exported.out) == (0, "3 rows written to rows.csv\n")
    assert "calls.jsonl" in evenhand("export", "r", "--to", "calls.jsonl", "--calls").out
    assert "rows written" in evenhand("export", "r", "--to", "p.jsonl", "--preferences").out


def test_every_command_prints_one_json_value(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", pairs(3, winner="tie")), write_model('"[[A]]"')
    command = ["judge", data, "--judge", "mt-bench-pair", "--model", model, "--out", "r", "--json"]
    foreseen = evenhand(*command, "--dry-run")
    assert foreseen.json["calls"] == 6
    assert not Path("r").exists()
    judged = evenhand(*command)
    assert (judged.code, judged.err) == (0, "")
    assert judged.json["calls"] == 6
    assert evenhand("show", "r", "--json").json["cases"] == 3
    case = evenhand("show", "r", "--case", "q0", "--json").json
    assert len(case["calls"]) == 2
    assert evenhand("show", "r", "--undecided", "--json").json == []
    assert evenhand("show", "r", "--disagree", "--json").json == []
    written = evenhand("export", "r", "--to", "x.jsonl", "--json").json
    assert written == {"run": "r", "to": "x.jsonl", "rows": 3}
    found = evenhand("doctor", model, "--json").json
    assert found["findings"][0] == {**found["findings"][0], "check": "key and address"}
    told = evenhand("demo", "--model", model, "--out", "demo", "--json").json
    assert told["runs"]["both-orders"]["consistency"]["estimate"] == 0
    assert told["conclusion"]


def test_doctor_ends_with_4_when_the_model_is_not_reached(evenhand: Command) -> None:
    with serve(lambda asked: chat()) as server:
        address = f"{server.url}/v1#m"
        assert evenhand("doctor", address).code == 0
    ended = evenhand("doctor", address)
    assert ended.code == 4
    assert "Cannot reach" in ended.out


@pytest.mark.parametrize("words", [["show", "r"], ["export", "r", "--to", "x.csv"]])
def test_a_folder_that_is_no_run_is_told(evenhand: Command, words: list[str]) -> None:
    ended = evenhand(*words, "--json")
    assert ended.code == 2
    assert ended.error["kind"] == "Misuse"
    assert "r is not a run" in ended.error["message"]


# ---- going on --------------------------------------------------------------------------------


def test_the_same_command_again_makes_no_call(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", answers(5)), write_model(SEVEN)
    command = ["judge", data, "--judge", "mt-bench-single", "--model", model, "--json"]
    first = evenhand(*command, "--limit", 2).json
    assert (first["cases"], first["calls"], first["usd"]) == (2, 2, pytest.approx(0.02))
    second = evenhand(*command).json
    assert (second["cases"], second["calls"], second["skipped"]) == (5, 3, 2)
    third = evenhand(*command).json
    assert (third["cases"], third["calls"], third["skipped"]) == (5, 0, 5)
    shown = evenhand("show", third["run"], "--json").json
    assert (shown["calls"], shown["usd"]) == (5, pytest.approx(0.05))
    (_, _, last) = run_json(third["run"])["invocations"]
    assert last["command"].startswith("evenhand judge d.jsonl --judge mt-bench-single")


@pytest.mark.parametrize(
    ("judge", "model", "folder"),
    [
        ("mt-bench-single", "m.py:it", "runs/data.v2-mt-bench-single-m.py-it"),
        ("mine.py:Odd", None, "runs/data.v2-mine-Odd"),
        ("my.toml", "m.py:it", "runs/data.v2-my-m.py-it"),
    ],
)
def test_the_default_folder_is_named_after_data_judge_and_model(
    evenhand: Command, judge: str, model: str | None, folder: str
) -> None:
    write_rows("data.v2.jsonl", answers(1))
    write_model(SEVEN)
    write_outside_judge("Odd")
    Path("my.toml").write_text('is = "Pointwise"\n')
    with_model = ["--model", model] if model else []
    found = evenhand("judge", "data.v2.jsonl", "--judge", judge, *with_model, "--json").json
    assert found["run"] == folder
    assert Path(folder, "run.sqlite").exists()


def test_a_folder_of_another_judge_or_other_data_is_refused_and_left_alone(
    evenhand: Command,
) -> None:
    data, other = write_rows("d.jsonl", pairs(2)), write_rows("e.jsonl", pairs(3))
    model = write_model('"[[A]]"')
    words = ["--judge", "mt-bench-pair", "--model", model, "--out", "r"]
    assert evenhand("judge", data, *words).code == 0
    before = run_json("r")
    for refused in (["judge", data, *words, "--order", "given"], ["judge", other, *words]):
        ended = evenhand(*refused)
        assert (ended.code, ended.out) == (2, "")
        assert "r was made" in ended.err
        assert "Next: give another --out" in ended.err
        assert evenhand(*refused, "--json").error["kind"] == "Misuse"
    assert run_json("r") == before


def test_failed_cases_end_with_4_and_are_tried_again(evenhand: Command) -> None:
    data = write_rows("d.jsonl", answers(3))
    reply = 'ModelError("down") if "answer 1" in request.messages[-1].text else "[[7]]"'
    words = ["judge", data, "--judge", "mt-bench-single", "--model", write_model(reply)]
    ended = evenhand(*words, "--out", "r")
    assert ended.code == 4
    assert "1 of 3 cases failed; the same command tries them again" in ended.out
    assert "failed" in evenhand("show", "r", "--undecided").out
    write_model("'[[7]]'")
    again = in_another_process(*words, "--out", "r", "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["calls"] == 1


def in_another_process(*words: object, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evenhand", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **more)


def test_undecided_is_an_answer_and_ends_with_0(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", answers(3)), write_model('"hm"')
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model, "--out", "r"]
    ended = evenhand(*words)
    assert ended.code == 0
    assert "undecided by reason: unread 3" in ended.out
    assert evenhand(*words, "--json").json["calls"] == 0


# ---- options of judge ------------------------------------------------------------------------


def test_set_changes_a_field_and_the_name_says_so(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", answers(1)), write_model(SEVEN)
    words = ["--judge", "mt-bench-single", "--model", model, "--out", "r"]
    ended = evenhand("judge", data, *words, "--set", "decode.temperature=0.7")
    assert "judge  mt-bench-single --set decode.temperature=0.7 (" in ended.out
    assert run_json("r")["judge"]["plain"]["decode"]["temperature"] == 0.7
    wrong = evenhand("judge", data, *words, "--set", "tempreature=1")
    assert wrong.code == 2
    assert "no judge here has a field 'tempreature'" in wrong.err


def test_a_template_takes_the_place_of_the_prompt(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", answers(1)), write_model(SEVEN)
    Path("mine.md").write_text("# user\nRate {{ case.responses[0] | fence }} now.\n")
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model, "--out", "r"]
    ended = evenhand(*words, "--template", "mine.md")
    assert "mt-bench-single --template (" in ended.out
    assert "own wording" not in ended.out
    assert (
        "--- user\n  Rate <text>\n  answer 0\n  </text> now."
        in evenhand("show", "r", "--case", "q0").out
    )
    lost = evenhand(*words, "--template", "lost.md", "--json")
    assert lost.code == 2
    assert "lost.md cannot be read: No such file" in lost.error["message"]


@pytest.mark.parametrize(
    ("order", "orders"),
    [
        (["given"], [None]),
        (["swap"], ["given", "swapped"]),
        (["seeded", "--seed", "1"], ["given"]),
        (["seeded", "--seed", "3"], ["swapped"]),
    ],
)
def test_the_order_rule_can_be_overridden(
    evenhand: Command, order: list[str], orders: list[str | None]
) -> None:
    data, model = write_rows("d.jsonl", pairs(1)), write_model('"[[A]]"')
    words = ["--judge", "mt-bench-pair", "--model", model, "--out", "r"]
    assert evenhand("judge", data, *words, "--order", *order).code == 0
    verdict = evenhand("show", "r", "--case", "q0", "--json").json["verdict"]
    found = [part["marks"]["order"] for part in verdict["parts"]]
    assert (found or [verdict["marks"].get("order")]) == orders


def test_columns_are_mapped(evenhand: Command) -> None:
    rows = [{"set": "a", "idx": 1, "ask": "p", "said": "r"}]
    data, model = write_rows("d.jsonl", rows), write_model(SEVEN)
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model, "--out", "r"]
    maps = ["--map", "prompt=ask", "--map", "response=said", "--map", "id=set+idx"]
    ended = evenhand(*words, *maps)
    assert ended.code == 0
    assert "id from set/idx, prompt from ask, responses from said" in ended.err
    assert evenhand("show", "r", "--case", "a/1").code == 0
    wrong = evenhand(*words, "--map", "prompt")
    assert (wrong.code, wrong.out) == (2, "")
    assert "--map prompt\nExpected: FIELD=COLUMN" in wrong.err


def test_pairs_against_a_baseline(evenhand: Command) -> None:
    three = {"id": "q", "prompt": "p", "responses": ["1", "2", "3"], "systems": ["x", "y", "z"]}
    data, model = write_rows("d.jsonl", [three]), write_model('"[[A]]"')
    words = ["judge", data, "--judge", "mt-bench-pair", "--model", model, "--json"]
    assert evenhand(*words, "--out", "a").json["cases"] == 3
    assert evenhand(*words, "--out", "b", "--pairs", "baseline:y").json["cases"] == 2
    assert evenhand("show", "b", "--case", "q/y-vs-z").code == 0
    assert evenhand(*words, "--out", "c", "--pairs", "some").code == 2


def test_reask_and_retry_undecided_take_new_draws(evenhand: Command) -> None:
    data = write_rows("d.jsonl", answers(2))
    model = write_model('"[[7]]" if request.draw else "hm"')
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model, "--json"]
    asked = evenhand(*words, "--out", "a", "--reask", 2).json
    assert (asked["decided"], asked["calls"], asked["reasked"]) == (2, 4, 2)
    assert evenhand(*words, "--out", "b").json["undecided"] == 2
    again = evenhand(*words, "--out", "b", "--retry-undecided").json
    assert (again["decided"], again["calls"]) == (2, 2)


def test_bad_rows_are_skipped_counted_and_kept(evenhand: Command) -> None:
    data = write_rows("d.jsonl", [*answers(2), {"id": "bad", "prompt": "p", "response": 7}])
    words = ["judge", data, "--judge", "mt-bench-single", "--model", write_model(SEVEN)]
    ended = evenhand(*words, "--out", "r")
    assert ended.code == 2
    assert "d.jsonl:3 field 'response': a number where text is due: 7" in ended.err
    assert evenhand(*words, "--out", "r", "--skip-bad", "--dry-run").code == 0
    assert not Path("r", "rejected.jsonl").exists()
    for _ in range(2):
        assert evenhand(*words, "--out", "r", "--skip-bad", "--json").json["cases"] == 2
    (line,) = Path("r", "rejected.jsonl").read_text().splitlines()
    assert (json.loads(line)["row"], json.loads(line)["field"]) == (3, "response")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5usd", ("usd", 5.0)),
        ("$5", ("usd", 5.0)),
        ("0.50 USD", ("usd", 0.5)),
        ("200ktok", ("tokens", 200_000.0)),
        ("1.5Mtokens", ("tokens", 1_500_000.0)),
        ("1000calls", ("calls", 1000.0)),
        ("1call", ("calls", 1.0)),
        (None, None),
    ],
)
def test_budgets_are_read(text: str | None, expected: tuple[str, float] | None) -> None:
    assert parsed_budget(text) == expected


@pytest.mark.parametrize("text", ["5", "", "usd", "-3usd", "5 euros", "many calls", "1e3calls"])
def test_budgets_without_sense_are_refused(text: str) -> None:
    with pytest.raises(Misuse) as raised:
        parsed_budget(text)
    assert raised.value.expected == "5usd, 200ktok or 1000calls"


def test_a_spent_budget_stops_with_4_and_a_larger_one_goes_on(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", answers(5)), write_model(SEVEN)
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model, "--out", "r"]
    ended = evenhand(*words, "--budget", "3calls")
    assert ended.code == 4
    assert "cases  3 · decided 3" in ended.out
    assert "3 of 3 calls are spent" in ended.err
    assert "larger --budget" in ended.err
    spent = evenhand(*words, "--budget", "3calls", "--json")
    assert (spent.code, spent.error["kind"]) == (4, "BudgetSpent")
    assert evenhand(*words, "--budget", "5calls", "--json").json["calls"] == 2


def test_a_cache_is_shared_between_runs(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", answers(3)), write_model(SEVEN)
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model, "--cache", "c.sqlite"]
    assert evenhand(*words, "--out", "a", "--json").json["calls"] == 3
    second = evenhand(*words, "--out", "b", "--json").json
    assert (second["calls"], second["cached"], second["usd"]) == (0, 3, 0)


def test_a_request_that_takes_too_long_is_given_up_and_tried_again(evenhand: Command) -> None:
    late = iter([HANG])
    data = write_rows("d.jsonl", answers(1))
    with serve(lambda asked: next(late, chat("[[7]]"))) as server:
        found = evenhand("judge", data, "--judge", "mt-bench-single", "--timeout", 0.2,
            "--model", f"{server.url}/v1#name", "--out", "r", "--json").json  # fmt: skip
    assert (found["decided"], found["calls"], found["retries"]) == (1, 1, 1)
    assert run_json("r")["invocations"][0]["options"]["timeout"] == 0.2


def test_a_server_is_a_model_by_its_address(evenhand: Command) -> None:
    data = write_rows("d.jsonl", answers(2))
    with serve(lambda asked: chat("[[7]]")) as server:
        words = ["--judge", "mt-bench-single", "--model", f"{server.url}/v1#a-name"]
        found = evenhand("judge", data, *words, "--json").json
        assert [body["model"] for body in server.posted] == ["a-name"] * 2
        assert {sent.path for sent in server.seen} == {"/v1/chat/completions"}
    assert (found["usd"], found["tokens"]) == (0, {"in": 22, "out": 6})
    assert found["served"] == ["served-1"]
    assert f"{server.port}-v1-a-name" in found["run"]


def test_a_dry_run_asks_and_writes_nothing(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", answers(3)), write_model("1 / 0")
    ended = evenhand("judge", data, "--judge", "mt-bench-single", "--model", model, "--dry-run")
    assert ended.code == 0
    assert "=== prompt 2" in ended.out
    assert "calls   about 3" in ended.out
    assert not Path("runs").exists()


# ---- a judge of one's own --------------------------------------------------------------------


def write_outside_judge(name: str = "Brevity", half: int = 1) -> str:
    """A judge from outside the package, in one file of under 25 lines."""
    text = f'''"""Shorter is better: 1 at no words, one half at so many, 0 at infinity. Own."""

from dataclasses import dataclass
from typing import ClassVar

from evenhand import Case, Verdict, line

SCALE = line("brevity", 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class {name}:
    half: int = {half}
    view: ClassVar = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        words = len(case.responses[0].text.split())
        return Verdict(SCALE, {{str(self.half / (self.half + words)): 1.0}}, f"{{words}} words")
'''
    assert len(text.splitlines()) < 25
    Path("mine.py").write_text(text)
    return f"mine.py:{name}"


def test_a_judge_of_ones_own_in_one_file_works_and_is_resumed(evenhand: Command) -> None:
    data, judge = write_rows("d.jsonl", answers(4)), write_outside_judge()
    words = ["judge", data, "--judge", judge, "--out", "r"]
    assert evenhand(*words, "--limit", 1).code == 0
    ended = evenhand(*words)
    assert ended.code == 0
    assert "judge  mine.py:Brevity (" in ended.out
    assert "model  none" in ended.out
    assert "all responses       0.333" in ended.out
    found = evenhand(*words, "--json").json
    assert (found["cases"], found["decided"], found["skipped"]) == (4, 4, 4)
    assert "verdict  0.3333333333333333" in evenhand("show", "r", "--case", "q0").out


def test_a_changed_judge_is_refused_without_reread(evenhand: Command) -> None:
    """A file is imported once a process, so that every command here is a process of its own."""
    data, judge = write_rows("d.jsonl", answers(2)), write_outside_judge()
    words = ["judge", data, "--judge", judge, "--out", "r", "--json"]
    assert in_another_process(*words).returncode == 0
    Path("mine.py").write_text(
        Path("mine.py").read_text().replace("words = len", "words = 1 + len")
    )
    refused = in_another_process(*words)
    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert "source:" in error["message"]
    assert "--reread" in error["next"]
    reread = in_another_process(*words, "--reread")
    assert reread.returncode == 0
    assert json.loads(reread.stdout)["scores"]["all responses"]["estimate"] == 0.25
    assert len(run_json("r")["judge"]["earlier"]) == 1


# ---- as a process of its own -----------------------------------------------------------------


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv[1:] = ['--help']\n"
        "from evenhand.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'aiohttp', 'jinja2', 'msgspec'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert ended.stderr.strip() == "[]"


def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "evenhand", "judges"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
    assert (process.returncode, told) == (0, "")


def test_a_terminal_that_knows_few_signs_gets_escapes(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = in_another_process("judges", "mt-bench-pair", cwd=tmp_path, env=env)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(os.name == "nt", reason="signals of a terminal")
@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_control_c_says_how_to_go_on_and_the_same_command_finishes(
    evenhand: Command, mock: Mock, as_json: list[str]
) -> None:
    data = write_rows("d.jsonl", answers(60))
    mock.reset(latency_ms=100)
    words = ["judge", data, "--judge", "mt-bench-single", "--model", f"{mock.url}#stars",
             "--in-flight", "2", "--out", "r"]  # fmt: skip
    command = [sys.executable, "-m", "evenhand", *words, *as_json]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        began = time.monotonic()
        while mock.stats()["ok"] < 8 and time.monotonic() - began < 30:
            time.sleep(0.02)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=30)
    assert p.returncode == 4
    told = json.loads(out)["error"]["next"] if as_json else err
    assert (err, out)[not as_json] == ""
    assert "Traceback" not in told
    assert "everything so far is saved; the same command goes on:" in told
    assert f"evenhand judge {data} --judge mt-bench-single" in told
    done = evenhand("show", "r", "--json").json["cases"]
    assert 0 < done < 60
    mock.reset()
    again = evenhand(*words, "--json")
    assert again.code == 0
    assert (again.json["cases"], again.json["skipped"]) == (60, done)
    assert again.json["calls"] + done <= 60


@pytest.mark.skipif(os.name == "nt", reason="there is no pty")
def test_progress_is_shown_to_a_terminal_and_to_nobody_else(evenhand: Command, mock: Mock) -> None:
    import pty

    data = write_rows("d.jsonl", answers(6))
    mock.reset(latency_ms=100)
    words = ["judge", data, "--judge", "mt-bench-single", "--model", f"{mock.url}#stars",
             "--in-flight", 2]  # fmt: skip
    assert len(evenhand(*words, "--out", "a").err.splitlines()) == 1
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "evenhand", *map(str, words), "--out", "b"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        try:
            while more := os.read(ours, 4096):
                seen += more
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0
    assert b"/6" in seen
    assert b"/s" in seen
