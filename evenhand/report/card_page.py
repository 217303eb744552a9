"""The judge card as one HTML page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evenhand.intervals import Interval
from evenhand.report.card import Card
from evenhand.report.card_text import (
    SOURCES,
    TITLES,
    advice,
    answer,
    apart,
    gates_in_order,
    spread,
    sureness,
    tally,
    worse,
)
from evenhand.report.terminal import visible

PAGE = Path(__file__).with_name("card.html")
WIDE = 200  # of a drawn interval, in its own units


def card_page(card: Card) -> str:
    """Every text is escaped; there is no script and no address in it."""
    from jinja2 import Environment

    bounds = [one.low for one in card.agreement.values() if one.low is not None]
    axis = -1.0 if any(low < 0 for low in bounds) else 0.0
    page = Environment(autoescape=True).from_string(PAGE.read_text(encoding="utf-8"))
    shown: Mapping[str, Any] = {
        "result": card.certificate.result,
        "answer": visible(answer(card)),
        "tally": tally(card),
        "gates": gates_in_order(card),
        "titles": TITLES,
        "advice": [visible(text) for text in advice(card)],
        "axis": axis,
        "figures": [_drawn(name, one, axis) for name, one in card.agreement.items()],
        "estimates": [(visible(k), spread(one.interval)) for k, one in card.estimates.items()],
        "slices": [(visible(one.name), apart(one), worse(one)) for one in card.slices],
        "confidence": [(SOURCES[one.name], sureness(one)) for one in card.confidence],
        "worst": [{**one, "case": visible(one["case"])} for one in card.worst],
        "warnings": [visible(text) for text in card.warnings],
        "about": _about(card),
    }
    return page.render(shown) + "\n"


def _drawn(name: str, one: Interval, axis: float) -> dict[str, Any]:
    def place(value: float) -> float:
        return round(WIDE * (min(max(value, axis), 1.0) - axis) / (1.0 - axis), 1)

    drawn = {"name": name, "text": spread(one), "at": None}
    off = one.estimate > 1  # a ratio, which has no place on this axis
    if one.low is None or one.high is None or math.isnan(one.estimate) or off:
        return drawn
    return {**drawn, "low": place(one.low), "high": place(one.high), "at": place(one.estimate)}


def _about(card: Card) -> list[tuple[str, str]]:
    form = card.json()
    judge, labels, data = form["judge"], form["labels"], form["data"]
    models = ", ".join(str(model.get("name")) for model in form["models"])
    rows = [
        ("claim", form["claim"]),
        ("judge", f"{judge['name']} ({judge['identity']})"),
        ("model", models or "none"),
        ("run", form["run"]),
        ("data", f"{data.get('name') or 'in memory'}, sha256 {data.get('sha256')}"),
        (
            "labels",
            f"{labels['used']} of {labels['cases']} cases by {', '.join(labels['raters'])}; "
            f"{', '.join(labels['files'])}, sha256 {labels['sha256']}",
        ),
        ("policy", f"{form['policy']['file']}, sha256 {form['policy']['sha256']}"),
        ("versions", ", ".join(f"{name} {number}" for name, number in form["versions"].items())),
        ("seed", str(form["seed"])),
    ]
    return [(name, visible(str(text))) for name, text in rows]
