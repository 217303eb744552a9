"""A run and its label files, brought together as the arrays that a card is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evenhand.data.raters import Labels, merged, read_labels
from evenhand.door import modes
from evenhand.errors import Misuse
from evenhand.records import Scale, Verdict, View, escape
from evenhand.report.evidence import Evidence, Kind
from evenhand.report.source import rows_again
from evenhand.report.summary import bounds, walk, winner
from evenhand.store import Signed, Store, read_signed
from evenhand.trust.ratings import Gap

SHARES = {"A": 1.0, "tie": 0.5, "B": 0.0}


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Attributes: unknown are the labelled cases that the run lacks; slices one name a case."""

    evidence: Evidence
    ids: tuple[str, ...]
    labels: Labels
    files: list[str]
    manifest: Mapping[str, Any]
    unknown: tuple[str, ...]
    slices: tuple[str, ...] | None
    notices: tuple[str, ...]

    @property
    def n_labels(self) -> int:
        return int((~np.isnan(self.evidence.labels)).sum())

    @property
    def labelled_ids(self) -> list[str]:
        there = np.asarray((~np.isnan(self.evidence.labels)).any(axis=1)).tolist()
        return [one for one, labelled in zip(self.ids, there, strict=True) if labelled]

    @property
    def n_labelled(self) -> int:
        return len(self.labelled_ids)


def gather(
    store: Store,
    files: Sequence[Path],
    *,
    columns: Mapping[str, str],
    scale: Mapping[str, str],
    cluster: str | None,
    by: str | None,
) -> Gathered:
    """Raises: as `judge_card`."""
    every = list(read_signed(store))
    rows = [one for one in every if one.verdict is not None]
    on = _scale(rows, store.folder)
    systems = {one.case: one.systems for one in every} if on.swaps else {}
    read = {str(f): read_labels(f, columns=columns, scale=scale, systems=systems) for f in files}
    labels = merged(read)
    place = {one.case: at for at, one in enumerate(rows)}
    every_id = {one.case for one in every}
    unknown = tuple(dict.fromkeys(r.case for r in labels.rows if r.case not in every_id))
    if not any(row.case in place and row.label is not None for row in labels.rows):
        raise _none_known(labels, unknown, rows, store.folder)
    values, why = _table(labels, place, on)
    failed = len(every) - len(rows)
    notices = [*labels.notices, *_said_of(unknown, failed, len(every))]
    clusters = _field(store, rows, cluster or "prompt")
    seen = _evidence(rows, on, values, why, np.unique(clusters, return_inverse=True)[1].ravel())
    slices = None if by is None else tuple(_field(store, rows, by))
    ids = tuple(one.case for one in rows)
    names = [Path(file).name for file in read]
    return Gathered(seen, ids, labels, names, store.manifest, unknown, slices, tuple(notices))


def _said_of(unknown: Sequence[str], failed: int, n: int) -> list[str]:
    told = []
    if unknown:
        near = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
        told.append(f"{len(unknown)} labelled cases are not in the run: {near}")
    if failed:
        told.append(f"{failed} of {n} cases failed: no answer came, and the card leaves them out")
    return told


def _none_known(
    labels: Labels, unknown: Sequence[str], rows: Sequence[Signed], folder: Path
) -> Misuse:
    if not unknown:
        said = f"none of the {len(labels.rows)} rows holds a label of a case with a verdict"
        return Misuse(said, expected="at least one label", do=f"evenhand show {folder}")
    near, ours = ", ".join(unknown[:3]), ", ".join(one.case for one in rows[:3])
    return Misuse(
        f"no labelled case is in {folder}: {len(unknown)} unknown ones, {near}",
        expected=f"ids such as {ours}",
        do="say which column holds the id: --map id=COLUMN",
    )


def _scale(rows: Sequence[Signed], folder: Path) -> Scale:
    decided = [one.verdict for one in rows if one.verdict and one.verdict.decided]
    every = decided or [one.verdict for one in rows if one.verdict]
    found = {one.scale.name: one.scale for one in every}
    if len(found) == 1 and not (one := next(iter(found.values()))).orders:
        return one
    what = "are orders of several responses" if len(found) == 1 else f"use {len(found)} scales"
    raise Misuse(
        f"the verdicts of {folder} {what}",
        expected="verdicts on one scale of grades, labels or pairs",
        do="judge single responses or pairs, and give that run",
    )


# ---- labels --------------------------------------------------------------------------------------


def _table(labels: Labels, place: Mapping[str, int], on: Scale) -> tuple[np.ndarray, np.ndarray]:
    column = {rater: at for at, rater in enumerate(labels.raters)}
    values = np.full((len(place), len(column)), np.nan)
    why = np.full(values.shape, int(Gap.MISSING), dtype=np.int8)
    alien = dict[str, int]()
    for row in labels.rows:
        if row.case not in place:
            continue
        spot = place[row.case], column[row.rater]
        if row.label is None:
            why[spot] = Gap.REFUSED if row.why == "refused" else Gap.MISSING
            continue
        number = _number(on, row.label)
        if number is None:
            alien[row.label] = alien.get(row.label, 0) + 1
            continue
        values[spot], why[spot] = number, Gap.USED
    if alien:
        raise _off_scale(alien, on)
    return values, why


def _off_scale(alien: Mapping[str, int], on: Scale) -> Misuse:
    low, high = on.span or (0.0, 0.0)
    words = ", ".join(on.labels) if on.labels else f"numbers from {low:g} to {high:g}"
    first = next(iter(alien))
    near = ", ".join(repr(one) for one in list(alien)[:3])
    to = next(iter(on.labels), f"{high:g}")
    return Misuse(
        f"{sum(alien.values())} labels are not on the judge's scale: {near}",
        expected=words,
        do=f"say what they mean: --map-labels '{first}={to}'",
    )


def _number(on: Scale, label: str) -> float | None:
    """The label's number on the scale, however it is written; None off the scale."""
    if on.swaps:
        return SHARES.get(label)
    try:
        value = float(label)
    except ValueError:
        value = math.nan
    if on.span is not None:
        return value if on.span[0] <= value <= on.span[1] else None
    for name, number in _places(on).items():
        with_number = not math.isnan(value) and _same(name, value)
        if name.casefold() == label.casefold() or with_number:
            return number
    return None


def _same(name: str, value: float) -> bool:
    try:
        return float(name) == value
    except ValueError:
        return False


def _places(on: Scale) -> dict[str, float]:
    """The labels' numbers; their places, where two labels share a number."""
    if len(set(on.labels.values())) == len(on.labels):
        return dict(on.labels)
    return {name: float(at) for at, name in enumerate(on.labels)}


def _kind(on: Scale) -> Kind:
    if on.swaps:
        return "pairs"
    if on.span is not None or not on.labels:
        return "line"
    numbers = all(any(_same(name, number) for number in on.labels.values()) for name in on.labels)
    return "grades" if numbers and len(on.labels) > 2 else "words"


# ---- verdicts ------------------------------------------------------------------------------------


def _evidence(
    rows: Sequence[Signed], on: Scale, labels: np.ndarray, why: np.ndarray, clusters: np.ndarray
) -> Evidence:
    kind, places = _kind(on), _places(on)
    verdicts = [one.verdict for one in rows if one.verdict is not None]
    said = np.array([_said(verdict, kind, places) for verdict in verdicts])
    judged = np.array([math.nan if v.score is None else v.score for v in verdicts])
    if places != dict(on.labels) and on.labels:
        judged = said
    span = (0.0, 1.0) if kind == "pairs" else bounds(on)
    if kind == "words":
        span = (min(places.values()), max(places.values()))
    grades = {"pairs": (0.0, 0.5, 1.0), "line": ()}.get(kind, tuple(sorted(places.values())))
    same, first = np.array([_orders(verdict) for verdict in verdicts]).reshape(-1, 2).T
    names = [[str(name or "") for name in one.systems] for one in rows]
    n = 2 if kind == "pairs" else 1
    systems = np.array([(*row, "", "")[:n] for row in names]).reshape(-1, n)
    return Evidence(
        judged, said, labels, why, clusters.astype(np.int64),
        systems if kind == "pairs" else systems[:, 0], kind, grades, span, same, first,
    )  # fmt: skip


def _said(verdict: Verdict, kind: Kind, places: Mapping[str, float]) -> float:
    if not verdict.decided:
        return math.nan
    if kind == "pairs":
        return SHARES[winner(verdict) or "tie"]
    label = verdict.label
    if kind == "line" or label is None or label not in places:
        return math.nan if verdict.score is None else verdict.score
    return places[label]


def _orders(verdict: Verdict) -> tuple[float, float]:
    """Whether both orders agree, and the share of wins of the first position."""
    same, firsts = list[float](), list[float]()
    for part in walk(verdict):
        orders = {one.marks.get("order"): one for one in part.parts}
        given, swapped = orders.get("given"), orders.get("swapped")
        if given is not None and swapped is not None and given.decided and swapped.decided:
            same.append(float(modes(given) == modes(swapped)))
        order = part.marks.get("order")
        if order in ("given", "swapped") and part.decided and part.scale.swaps:
            best = winner(part)
            if best != "tie":
                firsts.append(float((best == "A") == (order == "given")))
    return _mean(same), _mean(firsts)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan


# ---- fields --------------------------------------------------------------------------------------


def _field(store: Store, rows: Sequence[Signed], name: str) -> list[str]:
    """One text a case: of the run, or of a column of its data."""
    if name in ("prompt", "cluster"):
        return [one.cluster for one in rows]
    if name in ("case", "id"):
        return [one.case for one in rows]
    if name == "group":
        return [one.group or "(none)" for one in rows]
    if name in ("system", "systems"):
        return [" | ".join(str(system or "?") for system in one.systems) for one in rows]
    view: View = "pairwise" if any(len(one.systems) == 2 for one in rows) else "pointwise"
    notes = {
        escape(row.case.id): row.case.notes
        for row in rows_again(store, view, purpose=f"the values of {name!r}")
    }
    known = sorted({str(key) for values in notes.values() for key in values})
    if name not in known:
        raise Misuse(
            f"the data of {store.folder} have no column {name!r}",
            expected=", ".join(["prompt", "case", "group", "system", *known[:12]]),
            do="name one of these",
        )
    return [str(notes.get(one.case, {}).get(name, "(none)")) for one in rows]
