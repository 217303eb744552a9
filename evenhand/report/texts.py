"""What the responses of a run say to a judge that only counts: their lengths, their words."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evenhand.errors import Misuse
from evenhand.intervals import Floats
from evenhand.judges.overlap import rouge_l
from evenhand.records import Case, View, escape
from evenhand.report.source import rows_again
from evenhand.store import Signed, Store


@dataclass(frozen=True, slots=True)
class Again:
    """The data of a run, read again.

    Attributes:
        notes: Case -> its further columns.
        lengths, overlap: Shape (n_cases, n_responses), NaN where nobody labelled; None where a
            labelled case could not be read.
        lost: Why nothing could be read.
        why: What keeps texts from being counted, where they could.
    """

    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lengths: Floats | None = None
    overlap: Floats | None = None
    lost: Misuse | None = None
    why: str = "a labelled case is not in the data"

    @property
    def notices(self) -> list[str]:
        why = self.why if self.lost is None else self.lost.happened
        said = f"no baselines by length and by common words: {why}"
        return [said] if self.lengths is None else []


def read_again(store: Store, rows: Sequence[Signed], labelled: Collection[str]) -> Again:
    """Never raises for data that are gone or changed: `Again.lost` says so."""
    view: View = "pairwise" if any(len(one.systems) == 2 for one in rows) else "pointwise"
    n, notes = 2 if view == "pairwise" else 1, dict[str, Mapping[str, Any]]()
    counted = dict[str, tuple[list[float], list[float]]]()
    try:
        for row in rows_again(store, view, purpose="columns of the data and baselines"):
            ident = escape(row.case.id)
            notes[ident] = row.case.notes
            if ident in labelled:
                counted[ident] = _counted(row.case)
    except Misuse as lost:
        return Again(lost=lost)
    if not counted.keys() >= set(labelled):
        return Again(notes)
    if counted and not any(sum(lengths) for lengths, _ in counted.values()):
        return Again(notes, why="the data hold no texts")
    nothing = ([math.nan] * n, [math.nan] * n)
    found = np.array([counted.get(one.case, nothing) for one in rows])
    return Again(notes, found[:, 0], found[:, 1])


def _counted(case: Case) -> tuple[list[float], list[float]]:
    """Of each response, its characters and the words it shares.

    Words are shared as ROUGE-L counts them, with the best reference, or with the prompt where the
    case has none.
    """
    asked = "\n".join(message.text for message in case.prompt)
    known = [text for text in case.reference if text.strip()] or [asked]
    texts = [response.text for response in case.responses]
    shared = [max(rouge_l(text, other) for other in known) for text in texts]
    return [float(len(text)) for text in texts], shared
