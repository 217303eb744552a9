"""Tiny benchmarks in the schemas of real ones, with content of our own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

SOURCES = ("livebench-math", "livebench-reasoning", "livecodebench", "mmlu-pro-law")


def judgebench(folder: Path, n: int = 24) -> Path:
    """Pairs whose right answer says so; it stands first in every third pair. Returns the folder."""
    inner = folder / "judgebench"
    inner.mkdir(parents=True)
    pairs = [
        {"pair_id": f"p{at}", "source": SOURCES[at % 4], "question": f"question {at}",
         "response_A": "right" if at % 3 == 0 else "wrong, but said at length",
         "response_B": "wrong" if at % 3 == 0 else "right",
         "label": "A>B" if at % 3 == 0 else "B>A"}
        for at in range(n)
    ]  # fmt: skip
    write(inner / "pairs_mine.jsonl", pairs)
    return folder


def judgments(folder: Path, judge: str, games: list[tuple[str | None, str | None]]) -> None:
    """Both games of each pair, as that judge wrote them: the second one shows them swapped."""
    rows = [
        {"pair_id": f"p{at}", "judgments": [{"decision": one} for one in both]}
        for at, both in enumerate(games)
    ]
    write(folder / "judgebench" / f"judgments_{judge}_on_mine.jsonl", rows)


def llmbar(folder: Path) -> Path:
    """Under the name whose hash is known, so that it counts as changed."""
    inner = folder / "llmbar"
    inner.mkdir(parents=True)
    rows = [
        {"subset": "Natural", "idx": at, "input": f"say {at}", "output_1": "right",
         "output_2": "wrong", "label": 1}
        for at in range(12)
    ]  # fmt: skip
    with gzip.open(inner / "datasets.jsonl.gz", "wt", encoding="utf-8") as handle:
        handle.writelines(json.dumps(row) + "\n" for row in rows)
    return folder


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
