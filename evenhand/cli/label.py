"""The command that writes labelling sheets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from evenhand.cli.shared import DONE, RUN, AsJson, app, opt, say

_DISAGREE = "Label files: only where they disagree. Once each."
_BUDGET = "So many cases, likelier where the judge doubts."


@app.command()
def label(
    run: Annotated[Path, RUN],
    raters: Annotated[int, opt("N", "Sheets, one a person.", min=1)] = 2,
    sample: Annotated[int | None, opt("N", "So many cases, drawn by --seed.", min=1)] = None,
    seed: Annotated[int, opt("N", "For the draw and for every order.")] = 0,
    to: Annotated[Path | None, opt("FOLDER", "RUN/labels unless given.")] = None,
    cases: Annotated[Path | None, opt("FILE", "Only the cases with these ids.")] = None,
    adjudicate: Annotated[list[Path] | None, opt("LABELS", _DISAGREE)] = None,
    label_budget: Annotated[int | None, opt("N", _BUDGET, min=1)] = None,
    as_json: AsJson = False,
) -> int:
    """Write blind labelling sheets, a CSV file and a browser form for each rater."""
    from evenhand.report.labels import Choice, sheets_text, write_sheets

    choice = Choice(sample, cases, tuple(adjudicate or ()), label_budget)
    made = write_sheets(run, to, raters=raters, seed=seed, choice=choice)
    if as_json:
        say(made.json())
    else:
        print(sheets_text(made))
    return DONE
