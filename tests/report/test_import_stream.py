"""A large file is imported as a stream: memory does not grow with its size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

STATUS = Path("/proc/self/status")
pytestmark = pytest.mark.skipif(
    not STATUS.exists(), reason="only Linux tells the peak of a process without its parent's"
)
MEGABYTE = 1_000_000
IMPORT = """
import json, sys
from pathlib import Path
from evenhand.report.imported import imported
found = imported("alpacaeval", [Path(sys.argv[1])], Path(sys.argv[2]))
told = Path("/proc/self/status").read_text()
peak = float(told.split("VmHWM:")[1].split()[0]) / 1e3
print(json.dumps({"peak": peak, "cases": found[0].cases}))
"""


def written(path: Path, size: int) -> int:
    """About `size` bytes of annotations, and their number."""
    text, n = "an answer that goes on for a while. " * 26, 0
    with path.open("w", encoding="utf-8") as handle:
        while handle.tell() < size:
            row = {
                "instruction": f"question {n}: {text[:200]}", "output_1": text,
                "generator_1": "base", "output_2": f"{n} {text}", "generator_2": f"s{n % 7}",
                "annotator": "judge", "preference": 1 + n % 101 / 100,
            }  # fmt: skip
            handle.write(json.dumps(row) + "\n")
            n += 1
    return n


def peak(path: Path, out: Path) -> tuple[float, int]:
    """Megabytes at most, and cases, of a process of its own (ru_maxrss holds its parent's)."""
    command = [sys.executable, "-c", IMPORT, str(path), str(out)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found["peak"], found["cases"]


def test_memory_grows_by_a_fraction_of_the_file(tmp_path: Path) -> None:
    written(tmp_path / "small.jsonl", MEGABYTE // 10)
    n = written(tmp_path / "large.jsonl", 30 * MEGABYTE)
    least, _ = peak(tmp_path / "small.jsonl", tmp_path / "a")
    most, cases = peak(tmp_path / "large.jsonl", tmp_path / "b")
    assert cases == n
    assert most - least < 15, f"{least:.0f} MB became {most:.0f} MB for 30 MB more"


@pytest.mark.slow
def test_half_a_gigabyte_is_imported_in_less_than_300_mb(tmp_path: Path) -> None:
    n = written(tmp_path / "large.jsonl", 500 * MEGABYTE)
    most, cases = peak(tmp_path / "large.jsonl", tmp_path / "run")
    assert cases == n
    print(f"{most:.0f} MB for 500 MB")
    assert most < 300, f"{most:.0f} MB"
