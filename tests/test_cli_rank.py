from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from tests.commands import Command, evenhand, write_model, write_rows

__all__ = ["evenhand"]
HOSTILE = "<b>bold</b>\x1b[31m"
REPLY = (
    "'[[A]]' if float(request.messages[-1].text.split('VALUE ')[1].split()[0]) > "
    "float(request.messages[-1].text.split('VALUE ')[2].split()[0]) else '[[B]]'"
)


def battles(name: str = "battles.csv", *, n: int = 60, share: float = 0.75) -> str:
    """`new` beats `old` in that share, HOSTILE loses to both."""
    with Path(name).open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(("model_a", "model_b", "winner", "question_id", "topic"))
        for i in range(n):
            out.writerow(("old", "new", "B" if i < share * n else "A", f"q{i}", f"t{i % 2}"))
            out.writerow(("old", HOSTILE, "B" if i % 8 == 0 else "A", f"q{i}", f"t{i % 2}"))
            out.writerow((HOSTILE, "new", "A" if i % 9 == 0 else "B", f"q{i}", f"t{i % 2}"))
    return name


def data(n: int = 40, *, best: float = 2.0) -> str:
    """Three responses a prompt; a's numbers are the highest, then b's."""
    rng = random.Random(2)
    return write_rows(
        "data.jsonl",
        [
            {
                "id": f"q{i}",
                "prompt": f"ask {i}",
                "systems": ["a", "b", "c"],
                "responses": [f"VALUE {mean + rng.gauss(0, 1):.3f} it is" for mean in (best, 1, 0)],
            }
            for i in range(n)
        ],
    )


def judged(command: Command, *words: object, best: float = 2.0) -> None:
    file, model = data(best=best), write_model(REPLY)
    ended = command("judge", file, "--judge", "mt-bench-pair", "--model", model, "--out", "run",
        *words)  # fmt: skip
    assert ended.code == 0, ended.err


def test_the_first_line_is_the_answer_and_80_columns_hold_the_rest(evenhand: Command) -> None:
    ended = evenhand("rank", battles())
    assert ended.code == 0, ended.err
    assert ended.out.startswith("new is first: better than old, 7")
    assert max(map(len, ended.out.splitlines())) <= 80
    assert "\x1b" not in ended.out
    assert r"\x1b" in ended.out


def test_json_is_one_value(evenhand: Command) -> None:
    form = evenhand("rank", battles(), "--json", "--by", "topic", "--top", "1").json
    assert [row["system"] for row in form["board"]] == ["new", "old", HOSTILE]
    assert set(form["slices"]) == {"t0", "t1"}
    assert form["top"]["systems"] == ["new"]


@pytest.mark.parametrize(
    ("claim", "share", "code"),
    [("new > old", 0.75, 0), ("old > new", 0.75, 1), ("new > old", 0.5, 3)],
)
def test_the_gate_decides_the_exit_code(
    evenhand: Command, claim: str, share: float, code: int
) -> None:
    ended = evenhand("rank", battles(share=share), "--gate", claim)
    assert ended.code == code
    assert {0: "PASS", 1: "FAIL", 3: "INCONCLUSIVE"}[code] in ended.out


def test_page_and_table_are_written_beside_the_board(evenhand: Command) -> None:
    ended = evenhand("rank", battles(), "--html", "b.html", "--csv", "b.csv", "--json")
    assert ended.json["board"]
    page = Path("b.html").read_text(encoding="utf-8")
    assert "<b>bold" not in page
    assert "&lt;b&gt;bold" in page
    with Path("b.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["system"] for row in rows] == ["new", "old", HOSTILE]
    assert float(rows[0]["rating"]) > float(rows[1]["rating"])


def test_options_go_to_the_fit(evenhand: Command) -> None:
    ended = evenhand("rank", battles(), "--anchor", "old", "--level", "0.9", "--json")
    by_name = {row["system"]: row for row in ended.json["board"]}
    assert by_name["old"]["rating"] == pytest.approx(1000)
    assert ended.json["level"] == 0.9


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--ties", "thirds"), "--ties thirds"),
        (("--gate", "new"), "names no two systems"),
        (("--anchor", "x"), "--anchor x"),
        (("--by", "colour"), "no column 'colour'"),
        (("--control", "length"), "--control length"),
        (("--continue", "5"), "--continue"),
        (("--top", "9"), "--top 9 of 3"),
    ],
)
def test_wrong_use_is_a_plain_message(evenhand: Command, words: tuple[str, ...], part: str) -> None:
    ended = evenhand("rank", battles(), *words, "--json")
    assert ended.code == 2
    assert part in ended.error["message"]


def test_a_file_or_a_run_that_is_not_there_is_a_plain_message(evenhand: Command) -> None:
    assert "nowhere.csv" in evenhand("rank", "nowhere.csv", "--json").error["message"]
    Path("empty").mkdir()
    assert "is not a run" in evenhand("rank", "empty", "--json").error["message"]


def test_a_bad_row_is_named(evenhand: Command) -> None:
    Path("b.csv").write_text("model_a,model_b,winner\nx,y,A\nx,y,maybe\n", encoding="utf-8")
    ended = evenhand("rank", "b.csv", "--json")
    assert (ended.code, ended.error["kind"]) == (2, "DataError")
    assert "maybe" in ended.error["message"]


def test_a_run_is_ranked_and_controlled(evenhand: Command) -> None:
    judged(evenhand)
    ended = evenhand("rank", "run", "--control", "length,style", "--json")
    assert ended.code == 0, ended.err
    assert [row["system"] for row in ended.json["board"]] == ["a", "b", "c"]
    assert set(ended.json["control"]["effects"]) == {"length", "header", "list", "bold"}


def test_a_limited_run_goes_on_in_its_own_folder_with_the_pairs_that_say_most(
    evenhand: Command,
) -> None:
    judged(evenhand, "--limit", 60)
    before = evenhand("rank", "run", "--json").json
    after = evenhand("rank", "run", "--continue", 15, "--json").json
    assert (before["n"], after["n"]) == (60, 75)
    assert not Path("run-continued").exists()
    calls = evenhand("show", "run", "--json").json
    assert (calls["cases"], calls["calls"]) == (75, 150)
    again = evenhand("rank", "run", "--continue", 15, "--json").json
    assert again["n"] == 90


def test_the_first_command_still_goes_on_afterwards_and_pays_nothing_twice(
    evenhand: Command,
) -> None:
    judged(evenhand, "--limit", 60)
    evenhand("rank", "run", "--continue", 15)
    judged(evenhand)
    shown = evenhand("show", "run", "--json").json
    assert (shown["cases"], shown["calls"]) == (120, 240)


def test_a_run_against_a_baseline_goes_on_beside_it(evenhand: Command) -> None:
    judged(evenhand, "--pairs", "baseline:c")
    assert "all battles are against c" in " ".join(evenhand("rank", "run").out.split())
    form = evenhand("rank", "run", "--continue", 10, "--json").json
    assert form["n"] == 90
    pairs = {(one["a"], one["b"]): one["battles"] for one in form["matrix"]}
    assert pairs[("a", "b")] == 10
    assert evenhand("show", "run", "--json").json["cases"] == 80
    assert evenhand("show", "run-continued", "--json").json["cases"] == 10
    assert evenhand("rank", "run", "run-continued", "--json").json["n"] == 90


def test_when_every_pair_is_judged_there_is_nothing_to_go_on_with(evenhand: Command) -> None:
    judged(evenhand)
    ended = evenhand("rank", "run", "--continue", 5, "--json")
    assert ended.code == 2
    assert "judged already" in ended.error["message"]


def test_a_settled_top_asks_for_no_more(evenhand: Command) -> None:
    judged(evenhand, "--limit", 90, best=5.0)
    ns = []
    for _ in range(3):
        form = evenhand("rank", "run", "--continue", 5, "--top", 1, "--json").json
        ns.append((form["top"]["systems"], form["top"]["separated"], form["n"]))
    assert ns[-1] == (["a"], True, ns[-2][2])


def test_another_model_may_not_go_on(evenhand: Command) -> None:
    judged(evenhand, "--limit", 30)
    write_model("'[[A]]'", "m.py")
    text = Path("m.py").read_text(encoding="utf-8").replace("'m.py'", "'other'")
    Path("m.py").write_text(text, encoding="utf-8")
    ended = evenhand("rank", "run", "--continue", 5, "--json")
    assert ended.code == 2
    assert "no longer what it was" in ended.error["message"]


def test_a_run_of_grades_has_no_pairs_to_go_on_with(evenhand: Command) -> None:
    model = write_model("'[[5]]'")
    evenhand("judge", data(), "--judge", "mt-bench-single", "--model", model, "--out", "run")
    assert "drawn from grades" in " ".join(evenhand("rank", "run").out.split())
    ended = evenhand("rank", "run", "--continue", 5, "--json")
    assert "pointwise" in ended.error["message"]


def test_a_gate_without_a_decided_battle_is_undecidable(evenhand: Command) -> None:
    rows = "".join(f"a,b,,q{i}\n" for i in range(12))
    Path("open.csv").write_text("model_a,model_b,winner,question_id\n" + rows)
    assert evenhand("rank", "open.csv", "--gate", "a > b").code == 3
