"""Blind labelling sheets: what raters see, what they do not, and the way back."""

from __future__ import annotations

import base64
import csv
import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evenhand as library
from evenhand import Case, Misuse, Request
from evenhand.data.key import Item
from evenhand.data.raters import read_labels
from evenhand.models.scripted import Scripted
from evenhand.records import PAIR, PAIR_5, PAIR_NO_TIE, Scale, ints, line
from evenhand.report.labels import Choice, write_sheets
from evenhand.report.sheet import Answers, form, sheet, write_csv
from tests.commands import Command, answers, pairs, write_model, write_rows
from tests.commands import evenhand as evenhand  # a fixture

HOSTILE = "</script><script>document.title='owned'</script>\x1b[31m\u202e<img src=x>\x00"


def first_wins(_request: Request) -> str:
    return "[[A]]"


def run_of(
    folder: Path, rows: list[dict[str, Any]], judge: str = "mt-bench-pair", answer: Any = first_wins
) -> Path:
    data = folder / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return library.judge(data, judge, Scripted("judge-name", answer), out=folder / "run").folder


def read_sheet(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def fill(file: Path, label: Any) -> None:
    """Writes `label(row)` into every row, as a person does."""
    rows = [{**row, "label": label(row)} for row in read_sheet(file)]
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def form_data(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def key_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "key.json").read_text(encoding="utf-8")))


# ---- what raters see -------------------------------------------------------------------------


def test_systems_ids_and_the_judges_verdict_are_hidden(tmp_path: Path) -> None:
    rows = [{**row, "id": f"case-{i}", "model_a": "sysone", "model_b": "systwo"}
            for i, row in enumerate(pairs(6))]  # fmt: skip
    run = run_of(tmp_path, rows)
    write_sheets(run)
    for name in ("rater1.csv", "rater1.html", "rater2.csv", "rater2.html"):
        text = (run / "labels" / name).read_text(encoding="utf-8")
        assert "ask 3" in text
        for hidden in ("sysone", "systwo", "case-", "judge-name", "[[A]]", "model_a"):
            assert hidden not in text, (name, hidden)


def test_every_rater_has_an_order_of_its_own_and_the_seed_decides(tmp_path: Path) -> None:
    run = run_of(tmp_path, pairs(40))
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_sheets(run, tmp_path / folder, seed=seed)
    prompts = {
        (folder, rater): [row["prompt"] for row in read_sheet(tmp_path / folder / f"{rater}.csv")]
        for folder in "abc"
        for rater in ("rater1", "rater2")
    }
    assert prompts["a", "rater1"] == prompts["b", "rater1"]
    assert len({tuple(p) for p in prompts.values()}) == 4
    assert len({frozenset(p) for p in prompts.values()}) == 1
    items = key_of(tmp_path / "a")["items"].values()
    assert 20 < sum(item["swapped"] for item in items) < 60
    swaps = [{i["case"] for i in items if i["swapped"] and i["rater"] == r}
             for r in ("rater1", "rater2")]  # fmt: skip
    assert swaps[0] != swaps[1]


def test_the_form_holds_what_the_csv_holds(tmp_path: Path) -> None:
    run = run_of(tmp_path, pairs(5, rubric="be short", context="a document"))
    write_sheets(run, raters=1)
    data, rows = form_data(run / "labels/rater1.html"), read_sheet(run / "labels/rater1.csv")
    assert [one["item"] for one in data["items"]] == [row["item"] for row in rows]
    assert [one["responses"] for one in data["items"]] == [[r["first"], r["second"]] for r in rows]
    assert data["items"][0]["more"] == [["Context", "a document"], ["What to look for", "be short"]]
    assert rows[0]["Context"] == "a document"
    assert rows[0]["What to look for"] == "be short"


def test_text_by_others_never_becomes_markup_or_a_formula(tmp_path: Path) -> None:
    odd = ["=cmd()", "+1", "-1", "@x", "\t=1", "＝1"]
    cases = [Case.of(f"q{i}", HOSTILE, text, "fine\r\nlines", rubric={"a": "<b>"})
             for i, text in enumerate(odd)]  # fmt: skip
    shown = sheet(cases, "rater1", 0, pairs=False)
    page = form("rater1", shown, Answers.on(ints("rating", 1, 5)))
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", page)
    assert "connect-src" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"https?://", page)
    write_csv(tmp_path / "s.csv", "rater1", shown)
    rows = read_sheet(tmp_path / "s.csv")
    assert sorted(row["first"] for row in rows) == sorted(f"'{text}" for text in odd)
    assert {row["second"] for row in rows} == {"fine\nlines"}
    assert not re.search("[\x00\x1b\u202e]", (tmp_path / "s.csv").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("scale", "keys"),
    [
        (PAIR, {"first": "1", "about equal": "0", "second": "2"}),
        (PAIR_5, {"first": "1", "about equal": "0", "second": "2"}),
        (PAIR_NO_TIE, {"first": "1", "second": "2"}),
        (Scale("s", {"yes": 1.0, "no": 0.0}), {"yes": "1", "no": "2"}),
        (ints("s", 0, 3), {"0": "0", "1": "1", "2": "2", "3": "3"}),
        (line("s", 1, 10), {**{str(i): str(i) for i in range(1, 10)}, "10": "0"}),
        (line("s", 0, 10), {str(i): str(i) for i in range(10)}),
        (line("s", 0, 1), {}),
        (line("s", 0, 100), {}),
    ],
)
def test_the_judges_scale_is_offered_with_keys(scale: Scale, keys: dict[str, str]) -> None:
    offered = Answers.on(scale)
    assert offered.keys() == keys
    assert set(keys) <= set(offered.buttons)


def test_the_question_is_that_of_the_scale() -> None:
    assert Answers.on(PAIR).question == "Which response is better?"
    assert Answers.on(line("s", 1, 10)).question == "Rate the response from 1 to 10"
    assert Answers.on(ints("s", 0, 3)).question == "Rate the response from 0 to 3"
    assert Answers.on(Scale("s", {"yes": 1.0})).question == "Which label fits the response?"


# ---- the way back ----------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    winners=st.dictionaries(st.text(min_size=1, max_size=6), st.sampled_from(["A", "tie", "B"]),
                            min_size=1, max_size=8),
    rater=st.sampled_from(["rater1", "rater2", "adjudicator"]),
    seed=st.integers(-3, 2**70),
)  # fmt: skip
def test_what_is_said_of_a_shown_response_comes_back_as_said_of_the_cases_own(
    winners: dict[str, str], rater: str, seed: int
) -> None:
    cases = [Case.of(name, f"ask {name}", "good one", "other one") for name in winners]
    shown = sheet(cases, rater, seed, pairs=True)
    assert sorted(one.key.case for one in shown) == sorted(winners)
    assert len({one.item for one in shown}) == len(winners)
    for one in shown:
        assert one.responses[one.key.swapped] == "good one"
        place = one.responses.index({"A": "good one", "B": "other one"}.get(
            winners[one.key.case], "good one"))  # fmt: skip
        word = "tie" if winners[one.key.case] == "tie" else "AB"[place]
        back = PAIR.swapped(word) if one.key.swapped else word
        assert back == winners[one.key.case]
    assert shown == sheet(list(reversed(cases)), rater, seed, pairs=True)


def test_no_sheet_fits_the_key_of_other_data_with_the_same_ids() -> None:
    one, other = (sheet([Case.of("q1", "ask", text, "b")], "r", 0, pairs=True) for text in "xy")
    assert one[0].item != other[0].item
    assert not one[0].item[0].isdigit()  # or a spreadsheet would round it
    assert one[0].key.case == other[0].key.case == "q1"
    assert isinstance(one[0].key, Item)


@pytest.mark.parametrize("rater", ["rater1", "rater2"])
def test_filled_sheets_give_the_planted_labels_for_both_orders(
    evenhand: Command, rater: str
) -> None:
    """A rater who looks at the texts alone: 'old' wins, except where the number is even."""
    data = write_rows("d.jsonl", pairs(30))
    model = write_model("'[[B]]'")
    words = ["judge", data, "--judge", "mt-bench-pair", "--order", "given", "--model", model]
    assert evenhand(*words, "--out", "r").code == 0
    ended = evenhand("label", "r", "--raters", 2, "--to", "sheets")
    assert (ended.code, ended.err) == (0, "")
    assert "30 cases on each sheet in sheets" in ended.out

    def label(row: dict[str, str]) -> str:
        number = int(row["prompt"].split()[1])
        if number % 5 == 0:
            return "cannot judge" if number else ""
        best = "new" if number % 2 == 0 else "old"
        return "first" if row["first"].startswith(best) else "second"

    assert len({row["first"].split()[0] for row in read_sheet(Path(f"sheets/{rater}.csv"))}) == 2
    fill(Path(f"sheets/{rater}.csv"), label)
    labels = read_labels(f"sheets/{rater}.csv")
    assert labels.raters == (rater,)
    found = {row.case: row.label or row.why for row in labels.rows}
    planted = {f"q{i}": "B" if i % 2 == 0 else "A" for i in range(30)}
    planted |= {f"q{i}": "refused" if i else "missing" for i in range(0, 30, 5)}
    assert found == planted


def test_ratings_come_back_with_the_ids_of_single_responses(evenhand: Command) -> None:
    rows = [{"id": "q", "prompt": "ask", "responses": ["one", "two", "three"],
             "systems": ["x", "y", "z"]}]  # fmt: skip
    data, model = write_rows("d.jsonl", rows), write_model("'[[7]]'")
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model, "--out", "r"]
    assert evenhand(*words).code == 0
    made = evenhand("label", "r", "--raters", 1, "--json").json
    assert made["sheets"] == [{"rater": "rater1", "csv": "rater1.csv", "html": "rater1.html"}]
    assert (made["cases"], made["of"], made["key"]) == (3, 3, "key.json")
    points = {"one": "3", "two": "7.5", "three": "10"}
    fill(Path("r/labels/rater1.csv"), lambda row: points[row["response"]])
    found = read_labels("r/labels/rater1.csv").rows
    assert {row.case: row.label for row in found} == {"q/x": "3", "q/y": "7.5", "q/z": "10"}


# ---- which cases -----------------------------------------------------------------------------


def test_a_sample_is_the_same_for_every_rater(tmp_path: Path) -> None:
    run = run_of(tmp_path, pairs(20))
    made = write_sheets(run, raters=3, seed=4, choice=Choice(sample=5))
    assert (made.cases, made.of) == (5, 20)
    asked = {frozenset(row["prompt"] for row in read_sheet(run / f"labels/rater{n}.csv"))
             for n in (1, 2, 3)}  # fmt: skip
    assert len(asked) == 1
    write_sheets(run, tmp_path / "other", seed=5, choice=Choice(sample=5))
    other = {row["prompt"] for row in read_sheet(tmp_path / "other/rater1.csv")}
    assert other not in asked
    more = write_sheets(run, tmp_path / "more", choice=Choice(sample=50))
    assert (more.cases, more.notices) == (20, ("--sample 50: the run has 20 cases",))


def test_cases_that_a_file_names_are_labelled(tmp_path: Path) -> None:
    run = run_of(tmp_path, pairs(5))
    (tmp_path / "ids.txt").write_text("q3\nq1\n", encoding="utf-8")
    assert write_sheets(run, choice=Choice(cases=tmp_path / "ids.txt")).cases == 2
    asked = {row["prompt"] for row in read_sheet(run / "labels/rater1.csv")}
    assert asked == {"ask 1", "ask 3"}
    (tmp_path / "ids.txt").write_text("q3\nq77\nq78\n", encoding="utf-8")
    with pytest.raises(Misuse, match=r"2 cases of .* are not in .*'q77', 'q78'"):
        write_sheets(run, tmp_path / "more", choice=Choice(cases=tmp_path / "ids.txt"))


def test_an_adjudicator_gets_what_the_raters_disagree_on(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", pairs(6)), write_model("'[[A]]'")
    words = ["judge", data, "--judge", "mt-bench-pair", "--model", model, "--out", "r"]
    assert evenhand(*words).code == 0
    assert evenhand("label", "r").code == 0

    def first_says(row: dict[str, str]) -> str:
        return "first" if row["first"].startswith("old") else "second"

    def other_says(row: dict[str, str]) -> str:
        number = int(row["prompt"].split()[1])
        if number < 2:
            return "cannot judge" if number else ""
        return first_says(row) if number < 4 else "about equal"

    fill(Path("r/labels/rater1.csv"), first_says)
    fill(Path("r/labels/rater2.csv"), other_says)
    given = ["--adjudicate", "r/labels/rater1.csv", "--adjudicate", "r/labels/rater2.csv"]
    ended = evenhand("label", "r", *given)
    assert ended.code == 0, ended.err
    assert "2 of 6 cases on each sheet in r/adjudication" in ended.out
    assert sorted(row["prompt"] for row in read_sheet(Path("r/adjudication/adjudicator.csv"))) == [
        "ask 4", "ask 5"]  # fmt: skip
    fill(Path("r/adjudication/adjudicator.csv"), first_says)
    found = read_labels("r/adjudication/adjudicator.csv")
    assert {(row.case, row.rater, row.label) for row in found.rows} == {
        ("q4", "adjudicator", "A"), ("q5", "adjudicator", "A")}  # fmt: skip


def test_files_of_other_tools_are_adjudicated_too(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", pairs(3)), write_model("'[[A]]'")
    words = ["judge", data, "--judge", "mt-bench-pair", "--model", model, "--out", "r"]
    assert evenhand(*words).code == 0
    rows = [("q0", "a", "model_a"), ("q0", "b", "old"), ("q1", "a", "new"), ("q1", "b", "tie"),
            ("zz", "a", "1"), ("zz", "b", "2")]  # fmt: skip
    own = write_rows("l.jsonl", [{"id": i, "rater": r, "winner": w} for i, r, w in rows])
    made = evenhand("label", "r", "--adjudicate", own, "--json").json
    assert (made["cases"], made["raters"]) == (1, ["adjudicator"])
    assert made["notices"] == ["1 labelled cases are not in the run: zz"]
    alone = write_rows("one.jsonl", [{"id": "q0", "rater": "a", "winner": "A"}])
    ended = evenhand("label", "r", "--adjudicate", alone, "--to", "x")
    assert ended.code == 2
    assert "disagree on no case of r" in ended.err


# ---- what is refused -------------------------------------------------------------------------


def test_data_that_changed_since_the_run_are_refused(tmp_path: Path) -> None:
    run = run_of(tmp_path, pairs(3))
    (tmp_path / "data.jsonl").write_text('{"prompt": "p"}\n', encoding="utf-8")
    with pytest.raises(Misuse, match="is not the file that") as raised:
        write_sheets(run)
    assert "labelling sheets" in raised.value.do
    (tmp_path / "data.jsonl").unlink()
    with pytest.raises(Misuse, match="are not at"):
        write_sheets(run)
    assert not (run / "labels").exists()


def test_sheets_are_never_written_over(tmp_path: Path) -> None:
    run = run_of(tmp_path, pairs(3))
    write_sheets(run)
    fill(run / "labels/rater1.csv", lambda row: "first")
    before = (run / "labels/rater1.csv").read_bytes()
    with pytest.raises(Misuse, match=r"holds key\.json, rater1\.csv"):
        write_sheets(run, seed=1)
    assert (run / "labels/rater1.csv").read_bytes() == before


def test_orders_of_many_responses_are_no_labels_of_a_sheet(tmp_path: Path) -> None:
    rows = [{"id": "q", "prompt": "ask", "responses": ["one", "two", "three"]}]
    run = run_of(tmp_path, rows, "list-rank", lambda _request: "[1] > [2] > [3]")
    with pytest.raises(Misuse, match="scale 'order' cannot be collected"):
        write_sheets(run)


def test_undecided_cases_are_labelled_too(tmp_path: Path) -> None:
    run = run_of(tmp_path, pairs(2), answer=lambda _request: "no idea")
    made = write_sheets(run)
    assert (made.cases, made.words) == (2, ("first", "about equal", "second"))


def test_a_run_without_a_verdict_has_no_labels_to_offer(evenhand: Command) -> None:
    data, model = write_rows("d.jsonl", pairs(1)), write_model("ModelError('gone')")
    evenhand("judge", data, "--judge", "mt-bench-pair", "--model", model, "--out", "r")
    ended = evenhand("label", "r")
    assert ended.code == 2
    assert "has verdicts on 0 scales" in ended.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sample", "3", "--cases", "d.jsonl"], "--sample and --cases exclude each other"),
        (["--raters", "0"], "--raters"),
        (["--cases", "none.csv"], "there is no file 'none.csv'"),
        (["--adjudicate", "none.csv"], "there is no file 'none.csv'"),
    ],
)
def test_words_that_cannot_be_used_end_with_2(
    evenhand: Command, words: list[str], message: str
) -> None:
    data, model = write_rows("d.jsonl", answers(2)), write_model("'[[7]]'")
    judged = ["judge", data, "--judge", "mt-bench-single", "--model", model, "--out", "r"]
    assert evenhand(*judged).code == 0
    ended = evenhand("label", "r", *words)
    assert ended.code == 2
    assert message in ended.err
    assert evenhand("label", "nowhere").code == 2


def test_help_fits_into_80_columns(evenhand: Command) -> None:
    ended = evenhand("label", "--help")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80


def test_media_are_named_and_counted(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG")
    run = run_of(tmp_path, pairs(2, image="x.png"))
    made = write_sheets(run, raters=1)
    assert made.notices == ("2 cases hold images or sound, which a sheet only names",)
    assert "[image]" in read_sheet(run / "labels/rater1.csv")[0]["prompt"]


# ---- in a browser ----------------------------------------------------------------------------

CHROMIUM = shutil.which("chromium")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
NO_STORAGE = "<script>Object.defineProperty(window,'localStorage',{get(){throw 1}})</script>"
ACT = """<script>
const key = k => document.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true}));
%s
const seen = {csv: table(), title: document.title, count: by("count").textContent,
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth};
const text = unescape(encodeURIComponent(JSON.stringify(seen)));
document.body.append(make("pre", "SEEN" + btoa(text)));
</script>"""


def browsed(page: str, acts: Iterable[str], folder: Path) -> dict[str, Any]:
    """What the form says after these steps, in a window of 390 pixels."""
    file = folder / "acted.html"
    page = page.replace("</body>", ACT % "\n".join(acts) + "</body>")
    file.write_text(page, encoding="utf-8")
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={folder / 'profile'}",
               "--window-size=390,844", "--dump-dom", file.as_uri()]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.search(r"SEEN([\w+/=]+)</pre>", told)
    assert found, told[-2000:]
    return dict(json.loads(base64.b64decode(found[1])))


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path")
@pytest.mark.parametrize("storage", [True, False])
def test_the_form_is_filled_by_keys_and_saves_what_read_labels_reads(
    tmp_path: Path, storage: bool
) -> None:
    rows = pairs(4)
    rows[0] |= {"prompt": HOSTILE, "output_1": "endless" * 200}
    run = run_of(tmp_path, rows)
    write_sheets(run, raters=1)
    folder = run / "labels"
    page = (folder / "rater1.html").read_text(encoding="utf-8")
    if not storage:
        page = page.replace("<body>", "<body>" + NO_STORAGE)
    steps = ['key("1"); key("ArrowRight"); key("2"); key("n"); key("0");',
             'by("note").value = "=1, \\"odd\\""; by("note").dispatchEvent(new Event("input"));',
             'key("n"); key("1"); key("x");']  # fmt: skip
    seen = browsed(page, steps, tmp_path)
    assert seen["wide"] <= 0
    assert seen["title"] == "Which response is better? · rater1"
    assert seen["count"].startswith("4 of 4 · 4 labelled")
    assert ("not kept" in seen["count"]) is not storage
    (folder / "rater1.csv").write_text(seen["csv"], encoding="utf-8", newline="")
    found = read_labels(folder / "rater1.csv")
    items = key_of(folder)["items"]
    order = [one["item"] for one in form_data(folder / "rater1.html")["items"]]
    said = ["B" if items[order[0]]["swapped"] else "A", "A" if items[order[1]]["swapped"] else "B",
            "tie", None]  # fmt: skip
    assert [row.label for row in found.rows] == said
    assert [row.why for row in found.rows] == ["", "", "", "refused"]
    assert [row.case for row in found.rows] == [items[name]["case"] for name in order]
    assert found.rows[2].note == '\'=1, "odd"'


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path")
def test_numbers_on_a_line_are_written_and_checked(tmp_path: Path) -> None:
    cases = [Case.of(f"q{i}", "ask", "answer") for i in range(3)]
    shown = sheet(cases, "rater1", 0, pairs=False)
    page = form("rater1", shown, Answers.on(line("points", 0, 100)))
    write = 'by("number").value = "%s"; by("number").dispatchEvent(new Event("input"));'
    seen = browsed(page, [write % "72,5", "go(1);", write % "101", "go(1);", 'key("x");'], tmp_path)
    labels = [
        row["label"] for row in csv.DictReader(seen["csv"].removeprefix("\ufeff").splitlines())
    ]
    assert labels == ["72.5", "", "cannot judge"]
