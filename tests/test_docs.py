"""The guides: their examples run, and their links lead somewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
         if page.is_file()]  # fmt: skip
BLOCK = re.compile(r"^(<!-- not run -->\n)?```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def heading_anchors(text: str) -> set[str]:
    """As GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


def blocks(page: Path) -> list[str]:
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [block[2] for block in found if not block[1]]


@pytest.mark.skipif(not PAGES, reason="the guides are not packed with the tests")
def test_there_are_examples() -> None:
    assert sum(len(blocks(page)) for page in PAGES) >= 8


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda page: page.name)
def test_the_examples_of_a_page_run_in_order(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a module with a file, since dataclasses look for the one and identity for the other."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "examples.py"
    code = "\n".join(blocks(page))
    file.write_text(code, encoding="utf-8")
    module = ModuleType("examples")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "examples", module)
    exec(compile(code, str(file), "exec"), module.__dict__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor and target.suffix == ".md":
            known = heading_anchors(target.read_text(encoding="utf-8"))
            assert anchor in known, f"{page.name}: {link}: {sorted(known)}"
