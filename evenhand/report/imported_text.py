"""Imports in the terminal: which formats there are, and what came of one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from evenhand.data.bench import FORMAT, Card, bench, formats, names
from evenhand.report.imported import REJECTED, Imported
from evenhand.report.terminal import shown


@dataclass(frozen=True, slots=True)
class Known:
    """Something that can be imported."""

    name: str
    card: Card
    kind: str

    def json(self) -> dict[str, Any]:
        card = self.card
        told = {"about": card.about, "source": card.source, "revision": card.revision}
        return {"format": self.name, "kind": self.kind, **told, "status": card.status}


def known() -> list[Known]:
    """Formats of other tools, and benchmarks whose files hold verdicts."""
    found = [Known(name, bench(FORMAT + name).card, "format") for name in formats()]
    sets = [(name, bench(name)) for name in names() if name not in formats()]
    return found + [Known(name, one.card, "benchmark") for name, one in sets if one.recorded]


def known_text(cards: Sequence[Known]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("format", "what is read"):
        table.add_column(head, overflow="fold")
    for one in cards:
        mark = "" if one.card.status == "verified" else " (unverified)"
        table.add_row(shown(one.name), shown(one.card.about + mark))
    foot = "unverified: follows the published schema; the real file has not been read"
    return Group(table, shown(""), shown(foot, style="dim"))


def imported_text(found: Sequence[Imported]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("judge", "cases", "undecided", "run"):
        right = "right" if head in ("cases", "undecided") else "left"
        table.add_column(head, overflow="fold", justify=right)  # type: ignore[arg-type]
    for one in found:
        cells = str(one.cases), str(one.undecided), shown(str(one.run))
        table.add_row(shown(one.judge), *cells)
    first = found[0]
    run = shlex.quote(str(first.run))
    parts: list[RenderableType] = [table, shown("")]
    if first.skipped:
        beside = first.run if len(found) == 1 else first.run.parent
        text = f"{first.skipped} rows could not be used: {beside / REJECTED}"
        parts.append(shown(f"! {text}", style="yellow"))
    parts += [shown(f"! {text}", style="yellow") for text in first.notices]
    parts.append(shown(f"Next: evenhand show {run}", style="dim"))
    if first.labels_file is not None:
        labels = shlex.quote(str(first.labels_file))
        parts.append(shown(f"      evenhand trust {run} --labels {labels}", style="dim"))
    return Group(*parts)
