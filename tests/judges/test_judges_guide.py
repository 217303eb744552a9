import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "judges.md"


def test_examples_of_the_guide_run(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    if not blocks:
        pytest.fail(f"{GUIDE} has no examples")
    file = tmp_path / "guide.py"
    file.write_text("\n".join(blocks), encoding="utf-8")
    names = {"__name__": "guide"}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    assert names["judge"].view == "pairwise"
