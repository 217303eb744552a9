"""The command that takes what other tools recorded."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from evenhand.cli.shared import AsJson, app, opt, show_
from evenhand.errors import Misuse

_FORMAT = typer.Argument(metavar="[FORMAT]", help="A format or a benchmark; none lists them.")
_FILES = typer.Argument(metavar="FILE…", help="Files, or a benchmark's folder.")
_OUT = opt("RUN", "Run folder, of several judges one for each; else runs/FORMAT-FILE.")


@app.command("import")
def import_(
    format: Annotated[str | None, _FORMAT] = None,
    files: Annotated[list[Path] | None, _FILES] = None,
    *,
    out: Annotated[Path | None, _OUT] = None,
    as_json: AsJson = False,
) -> int:
    """Take what another tool recorded: run folders, without asking again."""
    from evenhand.report.imported import imported
    from evenhand.report.imported_text import imported_text, known, known_text
    from evenhand.report.progress import working

    if format is None:
        cards = known()
        return show_(as_json, lambda: [card.json() for card in cards], lambda: known_text(cards))
    if not files:
        raise Misuse(f"no file of {format!r} is given", do=f"evenhand import {format} FILE")
    folder = out or _folder(format, files)
    command = shlex.join(["evenhand", *sys.argv[1:]])
    with working(f"importing {format}"):
        found = imported(format, files, folder, command=command)
    forms: list[dict[str, Any]] = [one.json() for one in found]
    return show_(as_json, lambda: {"runs": forms}, lambda: imported_text(found))


def _folder(format: str, files: list[Path]) -> Path:
    stem = re.sub(r"[^A-Za-z0-9.]+", "-", files[0].absolute().name.partition(".")[0])
    return Path("runs") / f"{format}-{stem.strip('-') or 'import'}"
