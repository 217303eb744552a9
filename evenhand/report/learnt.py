"""What a fit learnt: what every kind says of itself, as JSON and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.text import Text

from evenhand.errors import Undecidable
from evenhand.fits import Fit, made_from
from evenhand.intervals import Interval
from evenhand.report.people import Labelled, People, known_only
from evenhand.report.terminal import listed, shown

Kind = Literal["calibrate", "quantitative", "rocketeval", "rocketeval-trees"]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learnt, and what it is worth on cases that it was not learnt from.

    Attributes:
        chosen, why: The map, head or weights that were kept.
        loss: What `gain` and `losses` are in.
        gain: Loss of the judge as it is less that of the fit, on cases that neither the fit nor
            the choice has seen. Above 0: the fit helps.
        losses: By candidate, on cases that were not fitted.
        left_out: Why labelled cases were not used -> how many.
    """

    run: str
    kind: Kind
    fit: Fit
    chosen: str
    why: str
    loss: str
    gain: Interval
    losses: Mapping[str, Interval]
    raters: tuple[str, ...]
    left_out: Mapping[str, int]
    warnings: tuple[str, ...]

    def json(self, to: Path) -> dict[str, Any]:
        form = {name: getattr(self, name) for name in ("run", "kind", "chosen", "why", "loss")}
        return {
            **form,
            "to": str(to),
            "n": self.gain.n,
            "n_clusters": self.gain.n_clusters,
            "gain": known_only(asdict(self.gain)),
            "losses": {name: known_only(asdict(one)) for name, one in self.losses.items()},
            "raters": list(self.raters),
            "left_out": dict(self.left_out),
            "warnings": list(self.warnings),
        }


def fit_text(made: Fitted, to: Path) -> RenderableType:
    gain, cases = made.gain, f"{made.gain.n} cases, {made.gain.n_clusters} independent"
    rows = [
        ("fit", f"{made.kind} · {to}"),
        ("learnt from", f"{cases} · labels by {', '.join(made.raters)}"),
        ("chosen", made.chosen),
        ("because", made.why),
        ("gain", f"{interval_text(gain)} ({made.loss}, cross-validated; above 0 helps)"),
    ]
    if made.left_out:
        lost = " · ".join(f"{n} {why}" for why, n in made.left_out.items())
        rows.append(("left out", lost))
    title = f"{made.loss} on cases not fitted; lower is better"
    table = [(name, interval_text(one)) for name, one in made.losses.items()]
    parts: list[RenderableType] = [listed(rows), Text(), shown(title, "dim"), listed(table)]
    if made.warnings:
        parts += [Text(), listed((("!", one) for one in made.warnings), "yellow")]
    parts += [Text(), shown(f"use it on other cases: evenhand judge DATA … --fit {to}")]
    return Group(*parts)


def interval_text(one: Interval) -> str:
    if one.low is None or one.high is None:
        return f"{one.estimate:.4g} (no interval: {one.reason})"
    return f"{one.estimate:.4g} [{one.low:.4g}, {one.high:.4g}]"


# ---- shared by the kinds ---------------------------------------------------------------------


def too_little(why: str, found: People) -> Undecidable:
    lost = "; ".join(f"{n} {name}" for name, n in found.left_out.items())
    return Undecidable(
        f"nothing was fitted: {why}" + (f" (left out: {lost})" if lost else ""),
        expected="more labelled cases, with labels that differ",
        do=f"evenhand label {found.run}",
    )


def origin(found: People, rows: Sequence[Labelled]) -> dict[str, Any]:
    """What the fit remembers of the cases that it was learnt from."""
    judge = found.manifest["judge"].get("name")
    what = f"verdicts of {judge} and labels by {found.who}"
    return made_from(what, (row.signed.case for row in rows))


def clusters_of(rows: Sequence[Labelled]) -> list[str]:
    return [row.signed.cluster for row in rows]


def pooled(found: People, how: str) -> tuple[str, ...]:
    many = sum(len(row.said) > 1 for row in found.rows)
    return (f"{many} cases have labels by several raters: {how} was taken",) if many else ()


def doubt(gain: Interval) -> tuple[str, ...]:
    if gain.low is None:
        return (f"the gain has no interval: {gain.reason}",)
    return ("it is not shown that the fit is better than the judge as it is",) * (gain.low <= 0)
