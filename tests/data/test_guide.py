"""The guide's examples run."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs/data.md"


@pytest.mark.skipif(not GUIDE.is_file(), reason="the guide is not packed with the tests")
def test_the_examples_of_the_guide_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    assert len(blocks) == 6
    assert "field 'response': a number where text is due: 6" in capsys.readouterr().out
