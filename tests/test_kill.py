"""`kill -9` at any moment: nothing committed is lost, nothing committed is paid twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from evenhand.door import Run
from tests.conftest import Mock
from tests.mock_server import score_of

IN_FLIGHT = 64
LATENCY_MS = 20
# In flight, and 50 ms of work; at this latency no more than this can be done in 50 ms.
AGAIN = IN_FLIGHT + 0.05 * IN_FLIGHT / (LATENCY_MS / 1000)

SCRIPT = """
import sys
import evenhand, evenhand.door, evenhand.models.openai
url, out, n, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
cases = [evenhand.Case.of(str(i), f"ITEM-{i} why?", f"because {i}") for i in range(n)]
print("begins", flush=True)
evenhand.judge(cases, "mt-bench-single", url, out=out, in_flight=in_flight)
"""


def killed(command: list[str], after: float) -> bool:
    """Whether the run was still going on."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        time.sleep(after)
        process.kill()
        return process.wait() != 0


def kill_and_resume(mock: Mock, folder: Path, *, n: int, kills: int, longest: float) -> None:
    mock.reset(latency_ms=LATENCY_MS)
    arguments = [f"{mock.url}#stars", str(folder), str(n), str(IN_FLIGHT)]
    command = [sys.executable, "-c", SCRIPT, *arguments]
    moments = random.Random(n)
    hit = sum(killed(command, moments.uniform(0.0, longest)) for _ in range(kills))
    subprocess.run(command, check=True, capture_output=True)
    rows = Run(folder).table()
    assert [row["id"] for row in rows] == [str(i) for i in range(n)]
    assert [row["score"] for row in rows] == [score_of(i) for i in range(n)]
    again = mock.stats()["good_total"] - n
    print(f"{hit} of {kills} kills hit the run; {again} calls paid again, {AGAIN:g} a kill allowed")
    assert hit
    assert again <= AGAIN * hit


def test_ten_kills_lose_nothing_and_repeat_only_what_was_in_flight(
    mock: Mock, tmp_path: Path
) -> None:
    kill_and_resume(mock, tmp_path, n=5_000, kills=10, longest=0.4)
