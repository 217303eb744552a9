"""The command for public judge benchmarks."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evenhand.cli.shared import DONE, GATE_FAILED, MODELS, AsJson, app, opt, show_
from evenhand.errors import Misuse

if TYPE_CHECKING:
    from evenhand.data.bench import Bench, Files
    from evenhand.manifest import Job
    from evenhand.report.bench import Scored

_NAMES = typer.Argument(metavar="[NAME]…", help="Benchmarks; none lists them all.")
_DATA = opt("DIR", "Folder with the benchmarks' folders, or a file; else the hub.")
_JUDGE = opt("NAME", "Judges, once each; none replays recorded ones.")
_OUT = opt("DIR", "For the run folders.")
_ALL = opt("DIR", "Every benchmark whose files lie there.")
_PARITY = opt(
    "DIR", "Published figures of the files there beside ours; exit code 1 if one differs."
)


@app.command()
def bench(
    names: Annotated[list[str] | None, _NAMES] = None,
    data: Annotated[Path | None, _DATA] = None,
    judge: Annotated[list[str] | None, _JUDGE] = None,
    model: Annotated[str | None, opt("MODEL", MODELS)] = None,
    order: Annotated[str | None, opt("RULE", "given, swap or seeded; else the metric's.")] = None,
    limit: Annotated[int | None, opt("N", "Cases at most.", min=1)] = None,
    in_flight: Annotated[int, opt("N", "Calls to one model at a time.", min=1)] = 64,
    cache: Annotated[Path | None, opt("FILE", "Calls shared between runs.")] = None,
    out: Annotated[Path, _OUT] = Path("runs"),
    all_local: Annotated[Path | None, _ALL] = None,
    markdown: Annotated[Path | None, opt("FILE.md", "Also one table.")] = None,
    junit: Annotated[Path | None, opt("FILE.xml", "Also for CI.")] = None,
    parity: Annotated[Path | None, _PARITY] = None,
    as_json: AsJson = False,
) -> int:
    """List public judge benchmarks, replay their recorded judges, or run a judge on them."""
    from evenhand.report.bench_text import junit as suites
    from evenhand.report.bench_text import markdown as tabled
    from evenhand.report.bench_text import scored_text

    if parity is not None:
        return _parity(names or [], parity, as_json)
    if not names and all_local is None:
        return _list(as_json)
    for file in (markdown, junit):
        if file is not None and not file.parent.is_dir():  # before anything is paid
            raise Misuse(f"there is no folder '{file.parent}'", do="make it, or mend the path")
    found: list[Scored] = []
    for one, files in _there(names or [], data, all_local):
        if judge and one.card.view is None and not names:
            continue  # it holds no cases to judge
        place = f"bench:{one.card.name}" + (f"@{data or all_local}" if data or all_local else "")
        asked = _Asked(place, model, order, limit, in_flight, cache, out)
        if not judge:
            found += _replayed(one, files, names or [])
        else:
            found += _run(one, files, judge, asked)
    if not found:
        raise Misuse(
            f"no benchmark of {all_local or data} holds recorded verdicts",
            expected="recorded verdicts, or a judge to run",
            do="add --judge NAME --model MODEL",
        )
    for file, text in ((markdown, tabled), (junit, suites)):
        if file is not None:
            file.write_text(text(found), encoding="utf-8")
    forms = [one.json() for one in found]
    return show_(
        as_json,
        lambda: forms[0] if len(forms) == 1 else {"results": forms},
        lambda: scored_text(found),
    )


def _list(as_json: bool) -> int:
    from evenhand.data.bench import bench, names
    from evenhand.report.bench_text import card_json, cards_text

    cards = [bench(name).card for name in names()]
    return show_(as_json, lambda: [card_json(card) for card in cards], lambda: cards_text(cards))


def _parity(names: list[str], folder: Path, as_json: bool) -> int:
    from evenhand.report.parity import parity, parity_json, summary

    rows = parity(folder, names)
    show_(as_json, lambda: parity_json(rows), lambda: summary(rows))
    return DONE if all(row.equal for row in rows) else GATE_FAILED


def _there(
    names: list[str], data: Path | None, everywhere: Path | None
) -> Iterator[tuple[Bench, Files]]:
    """The benchmarks named; with a folder of all, those whose files lie there."""
    from evenhand.data.bench import bench, find
    from evenhand.data.bench import names as known

    for name in names or known():
        one = bench(name)
        try:
            given = data if data is not None and data.is_file() else None
            files = find(one.card, given, everywhere or (None if given else data))
        except Misuse:
            if names:
                raise
            continue
        yield one, files


def _replayed(one: Bench, files: Files, named: list[str]) -> list[Scored]:
    from evenhand.report.bench import scored
    from evenhand.report.bench_boards import boards
    from evenhand.report.progress import working
    from evenhand.report.sample import contents

    with working(f"{one.card.name}: reading"):
        if found := boards(one, files):
            return found
        read = contents(one, files)
    if not read.judges and named:
        raise Misuse(
            f"{one.card.name} holds no recorded verdicts",
            expected="a judge to run",
            do=f"evenhand bench {one.card.name} --data DIR --judge NAME --model MODEL",
        )
    with working(f"{one.card.name}: {len(read.judges)} judges"):
        return scored(read, read.judges)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be run, and how."""

    place: str
    model: str | None
    order: str | None
    limit: int | None
    in_flight: int
    cache: Path | None
    out: Path

    def job(self, called: str, orders: int) -> Job:
        """A figure over both orders needs both, unless the command says otherwise."""
        from evenhand.cli.judge import Asked
        from evenhand.data import open_data
        from evenhand.manifest import Job
        from evenhand.run import Options

        order = self.order or ("swap" if orders == 2 else None)
        asked = Asked(called, self.model, order=order)
        cache = str(self.cache) if self.cache else None
        options = Options(self.limit, in_flight=self.in_flight, cache=cache)
        table = open_data(self.place, on_bad=lambda bad: None)
        command = shlex.join(["evenhand", *sys.argv[1:]])
        return Job(asked.judge(), asked.name, table, options, {}, command)


def _run(one: Bench, files: Files, judges: list[str], asked: _Asked) -> list[Scored]:
    from evenhand.cli.judge import run_folder
    from evenhand.door import start
    from evenhand.report.bench import scored, with_run
    from evenhand.report.progress import watched
    from evenhand.report.sample import contents

    if one.card.view is None:
        raise Misuse(
            f"{one.card.name} holds figures of systems and no cases to judge",
            do=f"evenhand bench {one.card.name} --data DIR",
        )
    if twice := {called for called in judges if judges.count(called) > 1}:
        raise Misuse(f"--judge {min(twice)} stands twice", do="give each judge once")
    read, names = contents(one, files, recorded=False), list[str]()
    folders = dict[str, Path]()
    jobs = {called: asked.job(called, one.card.metric.orders) for called in judges}
    for called, made in jobs.items():
        if made.judge.view != one.card.view:
            raise Misuse(
                f"--judge {called} is {made.judge.view}, and {one.card.name} is {one.card.view}",
                expected=f"a {one.card.view} judge",
                do="evenhand judges lists them by view",
            )
    for called, made in jobs.items():
        folder = asked.out / run_folder(f"bench-{one.card.name}", called, asked.model).name
        with watched(made, quiet=False) as job:
            start(job, folder)
        read, name = with_run(read, folder)
        names.append(name)
        folders[name] = folder
    return [replace(found, run=str(folders[found.judge])) for found in scored(read, names)]
