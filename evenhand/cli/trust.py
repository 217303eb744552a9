"""The command that says whether a judge may be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from evenhand.cli.shared import (
    CANNOT_DECIDE,
    DONE,
    GATE_FAILED,
    RUN,
    AsJson,
    app,
    mapping,
    opt,
    show_,
)
from evenhand.errors import Misuse

_COLUMN = "'prompt', 'case', 'group' or a column of the data: what is independent."


@app.command()
def trust(
    run: Annotated[Path, RUN],
    labels: Annotated[list[Path], opt("FILE", "People's labels. Once each file.")],
    claim: Annotated[str, opt("CLAIM", "replace, level or compare.")] = "replace",
    policy: Annotated[Path | None, opt("FILE.toml", "Thresholds, fixed before the data.")] = None,
    cluster: Annotated[str | None, opt("FIELD", _COLUMN)] = None,
    by: Annotated[str | None, opt("FIELD", "Slices beside the rest: 'system', 'group', …")] = None,
    map_: Annotated[
        list[str] | None,
        opt("FIELD=COLUMN", "Of the label file: id, rater, label.", None, "--map"),
    ] = None,
    map_labels: Annotated[list[str] | None, opt("WRITTEN=LABEL", "For other scales.")] = None,
    html: Annotated[Path | None, opt("FILE", "Also writes the card as one HTML page.")] = None,
    as_json: AsJson = False,
) -> int:
    """May this judge be believed, for what? Exit code 1: a gate failed; 3: not known."""
    from evenhand.data.raters import mapping_of
    from evenhand.report.card import Asked, judge_card
    from evenhand.report.card_text import card_text
    from evenhand.report.certificate import CLAIMS
    from evenhand.report.progress import working

    if claim not in CLAIMS:
        raise Misuse(
            f"--claim {claim}", expected=", ".join(CLAIMS), do="docs/trust.md says which one"
        )
    columns = mapping(map_ or [])
    asked = Asked(claim, policy, cluster, by, columns, mapping_of(map_labels or ()))
    with working("comparing judge and people"):
        card = judge_card(run, labels, asked)
    if html is not None:
        from evenhand.report.card_page import card_page

        html.write_text(card_page(card), encoding="utf-8")
    show_(as_json, card.json, lambda: card_text(card))
    return {"PASS": DONE, "FAIL": GATE_FAILED}.get(card.certificate.result, CANNOT_DECIDE)
