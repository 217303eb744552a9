"""The whole path on the shipped cases: judged in one order and in both, and what that shows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from evenhand.data import open_data
from evenhand.door import made_judge, start
from evenhand.intervals import Interval
from evenhand.manifest import Job
from evenhand.report.progress import watched
from evenhand.report.summary import Summary, summarise
from evenhand.report.terminal import printed
from evenhand.report.text import share, summary_text
from evenhand.run import Options

CASES = Path(__file__).with_suffix(".jsonl")
_ONE: dict[str, Any] = {"is": "ChoicePair"}
_RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "one-order": ("choice-pair --order given", _ONE),
    "both-orders": (
        "choice-pair --order swap, agree",
        {"is": "Swap", "pool": "agree", "judge": _ONE},
    ),
}


def demo(model: str, out: Path, *, quiet: bool = False) -> dict[str, Any]:
    """Runs, or goes on with, both runs; returns their summaries and the conclusion.

    Args:
        out: Gets the folders `one-order` and `both-orders`. They share a cache, so the second
            run asks only for the swapped order.
    """
    console = Console(highlight=False, markup=False)
    runs = {}
    options = Options(cache=str(out / "calls.sqlite"))
    for name, (called, form) in _RUNS.items():
        job = Job(made_judge(form, model), called, open_data(CASES), options, {})
        if not quiet:
            print(f"judging {name}, half a minute or so …", file=sys.stderr)
        with watched(job, quiet=quiet) as seen:
            runs[name] = summarise(start(seen, out / name).folder)
        if not quiet:
            console.rule(f"{name}: {_TITLES[name]}", align="left", characters="-")
            printed(summary_text(runs[name]))
            print()
    said = conclusion(runs["one-order"], runs["both-orders"])
    if not quiet:
        console.rule("what this judge is worth", align="left", characters="-")
        for line in said:
            console.print(line, soft_wrap=False)
        print(f"\none verdict whole: evenhand show {out}/both-orders --case en-arithmetic-1")
    return {"runs": {name: s.json() for name, s in runs.items()}, "conclusion": said}


_TITLES = {
    "one-order": "each pair as it stands in the file",
    "both-orders": "also the other way round; a split decides nothing",
}


def conclusion(one: Summary, both: Summary) -> list[str]:
    """Plain sentences; each carries its interval and n."""
    lines = []
    first, steady = both.first_position_rate, both.consistency
    if first is not None:
        lines.append(f"It chose the response shown first in {share(first)} verdicts.")
    if steady is not None:
        lines.append(f"Both orders gave the same winner in {share(steady)} cases.")
    alone = _agreement(one, "answered")
    pairs = _agreement(both, "answered")
    if alone is not None:
        lines.append(f"In one order it agrees with our labels in {share(alone)} cases.")
    if pairs is not None and both.agreement is not None:
        cover = both.agreement["coverage"]
        lines.append(
            f"Where both orders agree ({cover:.0%} of cases) it agrees with our labels in "
            f"{share(pairs)} cases."
        )
    lines.append(_worth(alone, steady))
    return lines


def _agreement(summary: Summary, kind: str) -> Interval | None:
    found = (summary.agreement or {}).get(kind)
    return Interval(**found) if found else None


def _worth(alone: Interval | None, steady: Interval | None) -> str:
    if alone is None or alone.low is None:
        return "That is too little to say what this judge is worth."
    if alone.low > 0.5 and steady is not None and steady.estimate > 0.5:
        return (
            "It is better than a coin on these cases; whether that is enough for yours, only "
            "labels on your own cases can say."
        )
    return (
        "So this model's word cannot be told from a coin's here: use it to try the tool, and a "
        "capable model to judge."
    )
