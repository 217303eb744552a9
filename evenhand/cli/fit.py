"""Commands that learn from labels, and that say how many are needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evenhand.cli.shared import RUN, AsJson, app, mapping, opt, show_

if TYPE_CHECKING:
    from evenhand.report.people import LabelFiles

_KINDS = "calibrate, quantitative, rocketeval, rocketeval-trees."
_EMBEDDERS = "hashed, sentence-transformers:MODEL or FILE.py:FUNCTION."
_CLAIMS = "replace, level or compare."
_EFFECT = "Half-width, difference, or epsilon for replace."
_LABELS = "People's labels of the run's cases; once a file."
_WORDS = "What is written, as the judge's label."
Labels = Annotated[list[Path], opt("FILE", _LABELS)]
Columns = Annotated[
    list[str] | None, opt("F=C", "id, rater or label from a column.", None, "--map")
]
Words = Annotated[list[str] | None, opt("WRITTEN=LABEL", _WORDS)]


@app.command()
def fit(
    run: Annotated[Path, RUN],
    *,
    labels: Labels,
    kind: Annotated[str, opt("KIND", _KINDS)],
    to: Annotated[Path, opt("FIT.json", "The fit, for judge --fit.")],
    embedder: Annotated[str, opt("NAME", f"Of the judge's text: {_EMBEDDERS}")] = "hashed",
    map_: Columns = None,
    map_labels: Words = None,
    as_json: AsJson = False,
) -> int:
    """Learn from people's labels what a judge's verdicts are to mean."""
    from evenhand.report.fit import fitted
    from evenhand.report.learnt import fit_text

    made = fitted(run, _read(labels, map_, map_labels), kind, embedder=embedder)
    made.fit.write(to)
    return show_(as_json, lambda: made.json(to), lambda: fit_text(made, to))


@app.command()
def plan(
    claim: Annotated[str, typer.Argument(metavar="CLAIM", help=_CLAIMS)],
    *,
    pilot: Annotated[Path | None, opt("RUN", "A run with some labelled cases.")] = None,
    labels: Annotated[list[Path] | None, opt("FILE", _LABELS)] = None,
    effect: Annotated[float | None, opt("X", _EFFECT)] = None,
    map_: Columns = None,
    map_labels: Words = None,
    as_json: AsJson = False,
) -> int:
    """Labels and cases that a claim needs, and what fewer could show."""
    from evenhand.report.plan import plan_text, planned

    made = planned(claim, pilot, _read(labels or [], map_, map_labels), effect=effect)
    return show_(as_json, made.json, lambda: plan_text(made))


def _read(labels: list[Path], columns: list[str] | None, words: list[str] | None) -> LabelFiles:
    from evenhand.data.raters import mapping_of
    from evenhand.report.people import LabelFiles

    return LabelFiles(tuple(labels), mapping(columns or []), mapping_of(words or []))
