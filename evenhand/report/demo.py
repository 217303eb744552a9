"""The whole path on the shipped cases: judged in one order and in both, and what that shows."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console

from evenhand.door import judge
from evenhand.intervals import Interval
from evenhand.report.summary import Summary, summarise
from evenhand.report.terminal import printed
from evenhand.report.text import share, summary_text

CASES = Path(__file__).with_suffix(".jsonl")
_ONE = {"is": "ChoicePair"}
_BOTH = {"is": "Swap", "pool": "agree", "judge": _ONE}


def demo(model: str, out: Path, *, quiet: bool = False) -> dict[str, Any]:
    """Runs, or goes on with, both runs; returns their summaries and the conclusion.

    Args:
        out: Gets the folders `one-order` and `both-orders`. They share a cache, so the second
            run asks only for the swapped order.
    """
    console = Console(highlight=False, markup=False)
    runs = {}
    for name, form in (("one-order", _ONE), ("both-orders", _BOTH)):
        with _waiting(name, quiet):
            run = judge(CASES, form, model, out=out / name, cache=str(out / "calls.sqlite"))
        runs[name] = summarise(run.folder)
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
    "both-orders": "each pair also the other way round; orders that differ decide nothing",
}


def _waiting(name: str, quiet: bool) -> AbstractContextManager[Any]:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        if not quiet:
            print(f"judging {name}, about a minute …", file=sys.stderr)
        return nullcontext()
    return console.status(f"judging {name}, about a minute …")


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
        "So this small model's word is worth no more than a coin here: use it to try the tool, "
        "and a capable model to judge."
    )
