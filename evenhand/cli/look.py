"""Commands that look: at methods, at a run, at two; and that write a run to a file."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from evenhand.cli.shared import DONE, RUN, AsJson, app, flag, opt, say, show_
from evenhand.errors import Misuse


@app.command()
def judges(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One, whole.")] = None,
    prompt: Annotated[bool, flag("--prompt", "NAME's prompt, ready for --template.")] = False,
    as_json: AsJson = False,
) -> int:
    """Every judging method: view, scale, calls a case, paper, status."""
    from evenhand.report.methods import methods, methods_text, prompts, prompts_text

    if prompt:
        asked = prompts(name)
        return show_(as_json, lambda: asked, lambda: prompts_text(asked))
    found = methods(name)
    whole = name is not None
    return show_(as_json, lambda: [m.json() for m in found], lambda: methods_text(found, whole))


@app.command()
def show(
    run: Annotated[Path, RUN],
    case: Annotated[str | None, opt("ID", "One verdict whole: prompts, replies, parts.")] = None,
    undecided: Annotated[bool, flag("--undecided", "Lists undecided and failed cases.")] = False,
    disagree: Annotated[bool, flag("--disagree", "Lists where a person says otherwise.")] = False,
    as_json: AsJson = False,
) -> int:
    """What a run says: counts, scores with intervals, order effects, cost, warnings."""
    from evenhand.report import cases
    from evenhand.report.summary import summarise
    from evenhand.report.text import summary_text
    from evenhand.store import Store

    if (case is not None) + undecided + disagree > 1:
        raise Misuse("--case, --undecided and --disagree exclude each other", do="give one")
    if case is None and not undecided and not disagree:
        summary = summarise(run)
        return show_(as_json, summary.json, lambda: summary_text(summary))
    with contextlib.closing(Store(run, read=True)) as store:
        if case is not None:
            one = cases.signed_case(store, case)
            return show_(
                as_json, lambda: cases.case_json(store, one), lambda: cases.case_text(store, one)
            )
        rows, nothing = cases.unsettled(store) if undecided else cases.disagreeing(store)
        return show_(
            as_json, lambda: cases.plain_rows(rows), lambda: cases.list_text(rows, run, nothing)
        )


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN…", help="Two or more runs.")],
    as_json: AsJson = False,
) -> int:
    """Judges on the same cases side by side: the first run against the others."""
    from evenhand.report.compare import compare, compare_text

    found = compare(runs)
    return show_(as_json, found.json, lambda: compare_text(found))


@app.command()
def export(
    run: Annotated[Path, RUN],
    to: Annotated[Path, opt("FILE", "Ends in .parquet, .csv or .jsonl.")],
    as_: Annotated[str | None, opt("FORMAT", "alpacaeval or lmsys rows.", None, "--as")] = None,
    calls: Annotated[bool, flag("--calls", "The recording that replay:FILE plays.")] = False,
    preferences: Annotated[bool, flag("--preferences", "Prompt, chosen, rejected.")] = False,
    as_json: AsJson = False,
) -> int:
    """Write verdicts, calls or preference rows to a file."""
    from evenhand.report.export import export as write

    told: list[str] = []
    rows = write(run, to, calls=calls, preferences=preferences, form=as_, say=told.append)
    if as_json:
        more = {"warnings": told} if told else {}
        say({"run": str(run), "to": str(to), "rows": rows, **more})
    else:
        print("\n".join([f"{rows} rows written to {to}", *(f"! {text}" for text in told)]))
    return DONE
