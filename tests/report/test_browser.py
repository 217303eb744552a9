"""Pages as a browser lays them out: nothing may stick out, on a phone or on a desk."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import evenhand
from evenhand.models.scripted import Scripted
from evenhand.report.battles import read_battles
from evenhand.report.board import Asked as BoardAsked
from evenhand.report.board import board
from evenhand.report.board_page import board_page
from evenhand.report.card import Asked, judge_card
from evenhand.report.card_page import card_page
from evenhand.report.labels import write_sheets
from tests.report.test_card import by_three, grade_run, pair_run, write

WIDTHS = (390, 1280)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FRAMES = """<!doctype html><body>%s<script>
onload = () => setTimeout(() => {
  const wide = [...document.querySelectorAll('iframe')].map(one => [
    one.dataset.page, one.clientWidth, one.contentDocument.documentElement.scrollWidth,
    one.contentDocument.body.innerText.length]);
  document.body.textContent = '<<' + JSON.stringify(wide) + '>>';
}, 200);
</script></body>"""
OFF = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def pages(folder: Path) -> None:
    """A good judge, a bad one, one with 12 labels, a board of 58 systems, a labelling form."""
    truth = pair_run(folder / "pairs")
    labels = by_three(truth, folder / "good.csv")
    few = by_three(truth, folder / "few.csv", n=4)
    grades = grade_run(folder / "grades")
    wrong = [(f"p{i // 2}-{i % 2}", "anna", 10 - t) for i, t in enumerate(grades)]
    bad = write(folder / "bad.csv", wrong)
    for name, run, file, claim in (
        ("good", "pairs", labels, "replace"),
        ("few", "pairs", few, "replace"),
        ("bad", "grades", bad, "level"),
    ):
        card = judge_card(folder / run, [file], Asked(claim))  # type: ignore[arg-type]
        (folder / f"{name}.html").write_text(card_page(card), encoding="utf-8")
    with (folder / "battles.csv").open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(("model_a", "model_b", "winner", "question_id"))
        for prompt in range(12):
            for at in range(57):
                won = "A" if (prompt * 7 + at) % 58 < at else "B"
                out.writerow(("baseline", f"a-system-with-a-long-name-{at}-instruct", won, prompt))
    made = board(read_battles([folder / "battles.csv"]), BoardAsked())
    (folder / "board.html").write_text(board_page(made), encoding="utf-8")
    rows = [
        {"id": f"q{i}", "prompt": "word " * 60, "response_a": f"{i}", "response_b": "x" * 300}
        for i in range(5)
    ]
    data = folder / "data.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    evenhand.judge(data, "mt-bench-pair", Scripted("m", lambda _: "[[A]]"), out=folder / "few5")
    write_sheets(folder / "few5", folder / "sheets", raters=1)
    shutil.copy(folder / "sheets" / "rater1.html", folder / "form.html")


def laid_out(folder: Path, browser: str) -> list[tuple[str, int, int, int]]:
    """Page, width of its frame, width of what is in it, characters to be read."""
    names = ("good", "few", "bad", "board", "form")
    frame = '<iframe data-page="{0}" src="{0}.html" style="border:0;width:{1}px;height:900px">'
    frames = "".join(frame.format(name, width) + "</iframe>" for name in names for width in WIDTHS)
    (folder / "frames.html").write_text(FRAMES % frames, encoding="utf-8")
    command = [browser, *OFF, "--allow-file-access-from-files", "--virtual-time-budget=8000",
               f"--user-data-dir={folder / 'profile'}", "--window-size=1400,1000", "--dump-dom",
               (folder / "frames.html").as_uri()]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout
    found = re.search(r"<<(\[.*\])>>", html.unescape(told))
    assert found, told[-2000:]
    return [tuple(row) for row in json.loads(found[1])]


def test_no_page_sticks_out_on_a_phone_or_on_a_desk(tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium here: the layout of pages is looked at where there is one")
    pages(tmp_path)
    found = laid_out(tmp_path, browser)
    assert len(found) == 10
    assert {width for _, width, _, _ in found} == set(WIDTHS)
    out = [(page, width, inside) for page, width, inside, _ in found if inside > width]
    assert not out, "page, width, width of its content"
    assert min(read for _, _, _, read in found) > 300
