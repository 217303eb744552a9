"""A run and its label files, brought together as the arrays that a card is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evenhand.data.raters import Labels
from evenhand.errors import Misuse
from evenhand.intervals import Floats
from evenhand.records import Scale
from evenhand.report.figures import Evidence
from evenhand.report.people import LabelFiles, labels_of
from evenhand.report.spoken import SHARES, evidence_of, places, same_number
from evenhand.report.texts import Again, read_again
from evenhand.store import Signed, Store, read_signed
from evenhand.trust.ratings import Gap


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


def gather(store: Store, files: LabelFiles, *, cluster: str | None, by: str | None) -> Gathered:
    """Raises: as `judge_card`."""
    every = list(read_signed(store))
    rows = [one for one in every if one.verdict is not None]
    on = _scale(rows, store.folder)
    labels, unknown = labels_of(store, files, pairs=bool(on.swaps))
    values, why = _table(labels, {one.case: at for at, one in enumerate(rows)}, on)
    if np.isnan(values).all():
        raise Misuse(
            "all labels are of cases that failed",
            expected="labels of cases with a verdict",
            do=f"evenhand show {store.folder}",
        )
    notices = list(labels.notices)
    failed = len(every) - len(rows)
    if failed:
        notices.append(
            f"{failed} of {len(every)} cases failed: no answer came, and the card leaves them out"
        )
    labelled = {one.case for one, said in zip(rows, ~np.isnan(values), strict=True) if said.any()}
    again = read_again(store, rows, labelled)
    notices += again.notices
    clusters = _field(store, rows, cluster or "prompt", again)
    index = np.unique(clusters, return_inverse=True)[1].ravel()
    seen = evidence_of([one.verdict for one in rows if one.verdict is not None], on)
    seen = replace(
        seen, labels=values, why=why, clusters=index.astype(np.int64), systems=_systems(rows, on),
        chances=_chances(labels, rows), lengths=again.lengths, overlap=again.overlap,
    )  # fmt: skip
    slices = None if by is None else tuple(_field(store, rows, by, again))
    ids = tuple(one.case for one in rows)
    names = [Path(file).name for file in files.files]
    return Gathered(seen, ids, labels, names, store.manifest, unknown, slices, tuple(notices))


def _systems(rows: Sequence[Signed], on: Scale) -> np.ndarray:
    n = 2 if on.swaps else 1
    names = [[str(name or "") for name in one.systems] for one in rows]
    found = np.array([(*row, "", "")[:n] for row in names]).reshape(-1, n)
    return found if on.swaps else found[:, 0]


def _chances(labels: Labels, rows: Sequence[Signed]) -> Floats | None:
    if not labels.chances:
        return None
    return np.array([labels.chances.get(one.case, math.nan) for one in rows])


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
    for name, number in places(on).items():
        with_number = not math.isnan(value) and same_number(name, value)
        if name.casefold() == label.casefold() or with_number:
            return number
    return None


# ---- fields --------------------------------------------------------------------------------------


def _field(store: Store, rows: Sequence[Signed], name: str, again: Again) -> list[str]:
    """One text a case: of the run, or of a column of its data."""
    if name in ("prompt", "cluster"):
        return [one.cluster for one in rows]
    if name in ("case", "id"):
        return [one.case for one in rows]
    if name == "group":
        return [one.group or "(none)" for one in rows]
    if name in ("system", "systems"):
        return [" | ".join(str(system or "?") for system in one.systems) for one in rows]
    if again.lost is not None:
        raise again.lost
    notes = again.notes
    known = sorted({str(key) for values in notes.values() for key in values})
    if name not in known:
        raise Misuse(
            f"the data of {store.folder} have no column {name!r}",
            expected=", ".join(["prompt", "case", "group", "system", *known[:12]]),
            do="name one of these",
        )
    return [str(notes.get(one.case, {}).get(name, "(none)")) for one in rows]
