"""The command that says which system is better, and how sure that is."""

from __future__ import annotations

import contextlib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenhand.cli.judge import Asked as Described
from evenhand.cli.judge import parsed_budget
from evenhand.cli.shared import DONE, STOPPED, AsJson, app, mapping, opt, show_
from evenhand.errors import Misuse

if TYPE_CHECKING:
    from evenhand.manifest import Job

GATE_FAILED, CANNOT_DECIDE = 1, 3
_SOURCES = typer.Argument(metavar="RUN|BATTLES…", help="Run folders, or files of battles.")
_TIES = "half, davidson, rao-kupper or ordinal: how ties and graded wins count."
_CONTROL = "length, style or columns COL_a, COL_b: held equal. Commas between."
_CLUSTER = "What is independent: 'prompt', 'case', 'group' or a column."
_GATE = "Exit code 0: B is better; 1: A is; 3: not known."
_GO_ON = "Judges N more pairs, those that say most, with the run's judge."


@app.command()
def rank(
    sources: Annotated[list[Path], _SOURCES],
    by: Annotated[str | None, opt("FIELD", "A board a slice: 'group', or a column.")] = None,
    control: Annotated[str, opt("NAMES", _CONTROL)] = "",
    ties: Annotated[str, opt("RULE", _TIES)] = "half",
    anchor: Annotated[str | None, opt("SYSTEM", "Its rating is 1000; else the mean's.")] = None,
    top: Annotated[int | None, opt("K", "Are the first K settled?", min=1)] = None,
    level: Annotated[float, opt("SHARE", "Nominal coverage of the intervals.")] = 0.95,
    cluster: Annotated[str | None, opt("FIELD", _CLUSTER)] = None,
    gate: Annotated[str | None, opt("'B > A'", _GATE)] = None,
    go_on: Annotated[int | None, opt("N", _GO_ON, None, "--continue", min=1)] = None,
    html: Annotated[Path | None, opt("FILE", "Also writes the board as one HTML page.")] = None,
    csv: Annotated[Path | None, opt("FILE", "Also writes the rows of the board.")] = None,
    as_json: AsJson = False,
) -> int:
    """Which system is better, by how much, how sure? Ratings, rank intervals, and what to doubt."""
    from evenhand.report.battles import read_battles
    from evenhand.report.board import board
    from evenhand.report.board_text import board_text
    from evenhand.report.progress import working
    from evenhand.report.standings import Asked

    if go_on is not None:
        sources = _go_on(sources, go_on, top, quiet=as_json)
    names = tuple(name.strip() for name in control.split(",") if name.strip())
    with working("reading battles"):
        fought = read_battles(sources, by=by, cluster=cluster, control=names)
    with working("fitting strengths"):
        found = board(fought, Asked(names, ties, anchor, top, level, gate))
    if html is not None:
        from evenhand.report.board_page import board_page

        html.write_text(board_page(found), encoding="utf-8")
    if csv is not None:
        from evenhand.report.standings import write_rows

        write_rows(found, csv)
    show_(as_json, found.json, lambda: board_text(found))
    if found.gate is not None:
        return {"PASS": DONE, "FAIL": GATE_FAILED}.get(found.gate.result, CANNOT_DECIDE)
    return STOPPED if go_on is not None and fought.failed else DONE


# ---- going on ------------------------------------------------------------------------------------


def _go_on(sources: list[Path], n: int, top: int | None, *, quiet: bool) -> list[Path]:
    """Judges more pairs; the folders that then hold all of them."""
    from evenhand.door import start
    from evenhand.report.further import both, further
    from evenhand.report.progress import watched

    if len(sources) != 1 or not sources[0].is_dir():
        raise Misuse("--continue goes on with one run", expected="one RUN folder", do="give it")
    found = further(sources[0], _own_job(sources[0]), n, top=top)
    if found is None:
        return both(sources[0])
    job, target = found
    if not quiet:
        print(f"judging {job.options.limit} pairs into {target}", file=sys.stderr)
    with watched(job, quiet=quiet) as shown:
        start(shown, target)
    return both(sources[0])


def _own_job(folder: Path) -> Job:
    """What the run's own command says of judge, model and speed."""
    from evenhand.manifest import Job
    from evenhand.report.further import own_table
    from evenhand.run import Options

    given = _own_options(folder)
    order, cache, file = given["order"], given["cache"], _path(given["template"])
    template = file.read_text(encoding="utf-8") if file else None
    asked = Described(
        given["judge"], given["model"], tuple(given["sets"] or ()),
        getattr(order, "value", order), given["seed"], template,
        _path(given["shots"]), _path(given["fit"]), given["language"], given["overflow"],
    )  # fmt: skip
    options = Options(
        None, given["pairs"], given["in_flight"], given["reask"], given["timeout"],
        parsed_budget(given["budget"]), given["rpm"], given["tpm"],
        str(cache) if cache else None, durable=given["durable"],
    )  # fmt: skip
    command = shlex.join(["evenhand", *sys.argv[1:]])
    columns = mapping(given["maps"] or [])
    return Job(asked.judge(), asked.name, own_table(folder), options, columns, command)


def _path(text: Any) -> Path | None:
    return Path(text) if text else None


def _own_options(folder: Path) -> dict[str, Any]:
    """The options of the `evenhand judge` that made the run, with their defaults."""
    from evenhand.store import Store

    with contextlib.closing(Store(folder, read=True)) as store:
        started = store.manifest.get("invocations", [])
    words = shlex.split(started[0].get("command", "")) if started else []
    if words[1:2] != ["judge"]:
        raise Misuse(
            f"{folder} does not say which command made it",
            expected="a run of `evenhand judge` on the command line",
            do="judge more pairs as it was made, and rank both",
        )
    judge: Any = typer.main.get_command(app).commands["judge"]  # type: ignore[attr-defined]
    return dict(judge.make_context("judge", words[2:]).params)
