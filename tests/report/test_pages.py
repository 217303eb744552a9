from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from evenhand.judges import PUBLISHED
from evenhand.report.examples import block, worked
from evenhand.report.methods import methods
from evenhand.report.pages import COMMAND, MADE, pages, stale, write

DOCS = Path(__file__).parents[2] / "docs"
PATHS = [
    *(f"judges/{name}.md" for name in PUBLISHED),
    "judges/README.md",
    "papers.md",
    "coverage.md",
]


@cache
def made() -> dict[str, str]:
    return pages()


def test_there_is_a_page_for_every_judge_a_table_and_the_papers():
    assert sorted(made()) == sorted(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_on_disk_is_the_one_that_the_code_makes(path):
    file = DOCS / path
    there = file.read_text(encoding="utf-8") if file.exists() else "nothing"
    assert there == made()[path], f"docs/{path} is out of date; make it again: {COMMAND}"


def test_no_page_is_left_of_a_judge_that_is_gone():
    assert stale(DOCS) == [], f"take it away: {COMMAND}"


def test_every_published_judge_has_a_row():
    table = made()["judges/README.md"]
    for name in PUBLISHED:
        assert f"| [{name}]({name}.md) |" in table


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_page_says_what_was_promised(name):
    page, method = made()[f"judges/{name}.md"], methods(name)[0]
    assert page.startswith(f"{MADE}\n# {name}\n\n{method.summary}\n")
    for row in ("view", "scale", "calls a case", "needs", "status"):
        assert re.search(rf"^\| {row} \| .+ \|$", page, re.MULTILINE), row
    assert ("Own wording" in page) == (method.calls != "0")
    assert ("could not be checked" in page) == (method.status == "reconstructed")
    assert ("## BibTeX" in page) == (method.status != "own")
    toml = re.search(r"^```toml\n(.*?)\n```$", page, re.DOTALL | re.MULTILINE)
    assert tomllib.loads(toml[1]) == PUBLISHED[name].form
    assert "/home/" not in page
    assert "0x" not in page


def test_a_page_shows_every_prompt_whole_and_its_languages():
    page = made()["judges/g-eval.md"]
    folder = Path(sys.modules["evenhand.judges"].__file__).parent
    for file in ("geval.md", "geval.steps.md"):
        assert (folder / file).read_text(encoding="utf-8").strip() in page
    assert page.count("Also in Arabic (`ar`), Chinese (`zh`), French (`fr`), German (`de`)") == 2


def test_a_page_says_each_setting_with_its_value_and_meaning():
    page = made()["judges/mt-bench-pair.md"]
    assert "### Swap\n" in page
    assert "| `pool` | `\"agree\"` | 'agree': the common label" in page
    assert "| `decode` | temperature 0.0, max_tokens 2048 |" in page
    assert '| `pool` | `"mean"` (else `"agree"`) |' in made()["judges/choice-pair.md"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_example_is_read_to_a_verdict_and_none_given_is_none_shown(name):
    found, known = worked(name), PUBLISHED[name]
    assert ("## A worked example" in made()[f"judges/{name}.md"]) == (found is not None)
    if found is None:
        assert not known.example
        return
    assert found.verdict.decided, found.verdict.reason
    assert bool(found.calls) == (known.calls != "0")
    if known.calls.isdecimal():
        assert len(found.calls) == int(known.calls)


def test_an_example_shows_messages_reply_and_the_verdict_read_from_it():
    page = made()["judges/mt-bench-pair.md"].partition("## A worked example")[2]
    assert "# system\nYou are an impartial judge." in page
    assert "<response_b>\nIce floats because it is cold.\n</response_b>" in page
    assert "Call 2 has the wording of call 1" in page
    assert "- label `A`, scores 1, 0" in page
    assert "(order swapped; raw B)" in page


def test_a_code_block_is_longer_than_the_ticks_inside():
    assert block("say ````").startswith("`````text\n")


def test_papers_link_the_modules_that_follow_them():
    line = next(x for x in made()["papers.md"].splitlines() if "2306.05685" in x)
    assert line.startswith("- Zheng et al. 2023, *Judging LLM-as-a-Judge with MT-Bench")
    for path in re.findall(r"\]\(\.\./(evenhand/[^)]+)\)", made()["papers.md"]):
        assert (DOCS.parent / path).is_file()
    assert "(../evenhand/judges/pairwise.py) (section 3.1)" in line


def test_the_command_writes_all_pages_and_takes_old_ones_away(tmp_path):
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "gone.md").write_text(f"{MADE}\n# gone\n", encoding="utf-8")
    (tmp_path / "judges" / "mine.md").write_text("# mine\n", encoding="utf-8")
    assert write(tmp_path) == len(made())
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")}
    assert left == {*made(), "judges/mine.md"}


def test_the_command_asks_for_one_folder():
    run = subprocess.run(
        [sys.executable, "-m", "evenhand.report.pages"], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 1
    assert run.stderr.strip() == f"one folder is expected: {COMMAND}"
