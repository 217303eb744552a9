"""A progress bar on standard error: cases, rate, cost so far, time left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from evenhand.manifest import Job
from evenhand.run import Tally


@contextlib.contextmanager
def watched(job: Job, *, quiet: bool) -> Iterator[Job]:
    """The job with its progress shown; as it is when quiet or when nobody is looking."""
    console = Console(stderr=True, highlight=False, markup=False)
    if quiet or not console.is_terminal:
        yield job
        return
    columns = (
        TextColumn("{task.fields[count]}"),
        BarColumn(20),
        TextColumn("{task.fields[what]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, refresh_per_second=5) as bar:
        task = bar.add_task("", total=None, count="", what="")

        def watch(tally: Tally) -> None:
            done = tally.done + tally.skipped
            # The total counts rows, and a row of many responses makes many cases.
            total = tally.total if tally.total and done <= tally.total else None
            count = str(done) if total is None else f"{done}/{total}"
            what = told(tally, bar.tasks[0].elapsed or 0.0)
            bar.update(task, total=total, completed=done, count=count, what=what)

        yield replace(job, options=replace(job.options, watch=watch))


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """A moving sign beside `what`, for work whose length is not known; silent in a pipe."""
    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield


def told(tally: Tally, seconds: float) -> str:
    """Such as '12.0/s · 0.034 USD · 2 undecided'."""
    usd = tally.spent()["usd"]
    words = [f"{tally.done / seconds if seconds > 0 else 0.0:.1f}/s"]
    words += [f"{usd:.3f} USD"] if usd else []
    words += [f"{tally.undecided} undecided"] if tally.undecided else []
    words += [f"{tally.failed} failed"] if tally.failed else []
    return " · ".join(words)
