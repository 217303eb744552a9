"""Benchmarks in the terminal, as Markdown and as JUnit XML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from xml.etree import ElementTree

from rich.console import Group, RenderableType
from rich.table import Table

from evenhand.data.bench import Card
from evenhand.intervals import Interval
from evenhand.report.bench import Scored
from evenhand.report.terminal import listed, shown, visible

FEW = 4  # judges whose subsets and differences are printed; `--json` has all
HEADS = ("bench", "judge", "value", "95 %", "n", "undecided", "trivial", "source")


def cards_text(cards: Sequence[Card]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("bench", "rows", "gold", "what is judged"):
        table.add_column(head, overflow="fold", justify="right" if head == "rows" else "left")
    for card in cards:
        mark = "" if card.status == "verified" else " (unverified)"
        rows = str(card.rows) if card.rows is not None else "?"
        table.add_row(shown(card.name), rows, card.gold, shown(card.about + mark))
    foot = "unverified: the adapter follows the published schema and has not read the real file"
    return Group(table, shown(""), shown(foot, style="dim"))


def card_json(card: Card) -> dict[str, Any]:
    return {
        "bench": card.name, "about": card.about, "source": card.source, "revision": card.revision,
        "licence": card.licence, "gold": card.gold, "view": card.view, "rows": card.rows,
        "metric": str(card.metric), "split": card.split, "paper": card.paper, "hub": card.hub,
        "files": [{"name": f.name, "sha256": f.sha256, "needed": f.needed} for f in card.files],
        "status": card.status, "notes": card.notes,
    }  # fmt: skip


def scored_text(found: Sequence[Scored]) -> RenderableType:
    """One block a benchmark: the metric named whole, a line a judge, what to beware of."""
    parts: list[RenderableType] = []
    for name in dict.fromkeys(one.card.name for one in found):
        mine = [one for one in found if one.card.name == name]
        parts += [_head(mine), _table(mine), *_below(mine), shown("")]
    return Group(*parts[:-1])


def _head(found: Sequence[Scored]) -> RenderableType:
    one, card = found[0], found[0].card
    metric = f"{card.metric}; undecided counts as wrong"
    if card.view is None:
        metric = "named in each line; the intervals take the systems as a sample"
    return listed(
        [
            ("bench", f"{card.name}: {card.about}"),
            ("metric", metric),
            ("data", f"{card.source} at {card.revision[:12]}, sha256 {one.sha256[:12]}"),
        ]
    )


def _table(found: Sequence[Scored]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    first = "figure" if found[0].card.view is None else "judge"
    for head in (first, "value", "95 % interval", "n", "undecided", "source"):
        table.add_column(head, overflow="fold", justify="left" if head == first else "right")
    for one in found:
        table.add_row(shown(one.judge), *_cells(one))
    for name, value in found[0].baselines.items():
        table.add_row(shown(f"({name})"), number(value), ends(value), str(value.n), "", "")
    return table


def _cells(one: Scored) -> tuple[str, ...]:
    printed = ""
    if one.expected is not None:
        printed = f"{one.expected.value:.{one.expected.digits}f}{one.expected.unit}"
    undecided = str(sum(one.undecided_by.values()))
    return number(one.value), ends(one.value), str(one.value.n), undecided, printed


def number(one: Interval) -> str:
    return "none" if one.estimate != one.estimate else f"{one.estimate:.3f}"


def ends(one: Interval) -> str:
    return "none" if one.low is None or one.high is None else f"[{one.low:.3f}, {one.high:.3f}]"


def _below(found: Sequence[Scored]) -> Iterable[RenderableType]:
    for one in found:
        known = {name: value for name, value in one.subsets.items() if value.n}
        if known and len(found) <= FEW:
            parts = ", ".join(f"{name} {number(value)}" for name, value in known.items())
            yield shown(f"{one.judge}:")
            yield listed([("", parts)])
        if one.further and len(found) <= FEW:
            parts = ", ".join(f"{name} {number(value)}" for name, value in one.further.items())
            yield listed([("", parts)])
        if one.over_first is not None and len(found) <= FEW:
            doubt = ends(one.over_first) if one.over_first.low is not None else "(no interval)"
            gap = f"{one.over_first.estimate:+.3f} {doubt}, paired"
            yield shown(f"{visible(one.judge)} less {visible(found[0].judge)}: {gap}")
    for warning in dict.fromkeys(text for one in found for text in one.warnings):
        yield shown(f"! {warning}", style="yellow")


# ---- files ---------------------------------------------------------------------------------------


def markdown(found: Sequence[Scored]) -> str:
    """One table over benchmarks."""
    lines = ["| " + " | ".join(HEADS) + " |", "| " + " | ".join("---" for _ in HEADS) + " |"]
    for one in found:
        best = max(one.baselines.items(), key=lambda b: b[1].estimate, default=None)
        trivial = "" if best is None else f"{number(best[1])} ({best[0]})"
        value, interval, n, undecided, printed = _cells(one)
        cells = (one.card.name, one.judge, value, interval, n, undecided, trivial, printed)
        lines.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    metrics = {one.card.name: str(one.card.metric) for one in found}
    lines += ["", *(f"- {name}: {metric}" for name, metric in metrics.items())]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return visible(text).replace("\n", " ").replace("|", "\\|")


def junit(found: Sequence[Scored]) -> str:
    """A suite a benchmark; a judge fails that is surely worse than a judge that reads nothing."""
    root = ElementTree.Element("testsuites", name="evenhand bench")
    for name in dict.fromkeys(one.card.name for one in found):
        mine = [one for one in found if one.card.name == name]
        failures = [_failure(one) for one in mine]
        suite = ElementTree.SubElement(root, "testsuite", name=name)
        suite.set("tests", str(len(mine)))
        suite.set("failures", str(sum(map(bool, failures))))
        for one, failure in zip(mine, failures, strict=True):
            case = ElementTree.SubElement(suite, "testcase", classname=name, name=_xml(one.judge))
            kept = ElementTree.SubElement(case, "properties")
            for key, text in (("metric", str(one.card.metric)), ("value", number(one.value)),
                              ("interval", ends(one.value))):  # fmt: skip
                ElementTree.SubElement(kept, "property", name=key, value=text)
            if failure:
                ElementTree.SubElement(case, "failure", message=failure)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return re.sub("[\ufffe\uffff]", lambda m: ascii(m.group())[1:-1], visible(text))


def _failure(one: Scored) -> str:
    for name, trivial in one.baselines.items():
        if one.value.high is not None and one.value.high < trivial.estimate:
            return f"{number(one.value)} {ends(one.value)} is below {name}, {number(trivial)}"
    return ""
