"""Commands about a model, and the demonstration."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from evenhand.cli.shared import DONE, MODELS, STOPPED, AsJson, app, opt, say, show_


@app.command()
def doctor(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=MODELS)],
    timeout: Annotated[float, opt("S", "Seconds a request may take.", min=0)] = 60.0,
    as_json: AsJson = False,
) -> int:
    """Key, reach, log-probabilities, schema, images, price: before anything is paid."""
    from evenhand import models
    from evenhand.report.doctor import doctor as examine
    from evenhand.report.doctor import findings_text

    findings = examine(models.find(model, timeout=timeout))
    form = {"model": model, "findings": [asdict(finding) for finding in findings]}
    show_(as_json, lambda: form, lambda: findings_text(findings))
    return DONE if findings[0].result == "ok" else STOPPED


@app.command()
def demo(
    model: Annotated[str, opt("MODEL", "The judge's model.")] = "local/gemma3-270m",
    out: Annotated[Path, opt("FOLDER", "Where the two runs go.")] = Path("runs/demo"),
    as_json: AsJson = False,
) -> int:
    """Judge the shipped cases with the small local model, in one order and in both."""
    from evenhand.report.demo import demo as shown

    result = shown(model, out, quiet=as_json)
    if as_json:
        say(result)
    return DONE
