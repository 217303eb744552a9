"""Which cases of a run people should label next, and the chance with which each was drawn."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from evenhand.errors import Misuse
from evenhand.store import Store, read_signed
from evenhand.trust.sampling import label_plan

PLAN = "plan.csv"


def drawn(store: Store, budget: int, seed: int) -> tuple[dict[str, float], list[str]]:
    """Case -> chance of being drawn, for the cases drawn, sorted; and what to say of them.

    The chances follow the judge's own doubt: 1 less the probability of its label. An undecided
    case is as likely as the likeliest; a case that failed has no verdict, and is never drawn.

    Raises:
        Misuse: No case has a verdict.
    """
    found = {
        one.case: (one.cluster, one.verdict)
        for one in read_signed(store)
        if one.verdict is not None
    }
    rows = [(case, *found[case]) for case in sorted(found)]
    if not rows:
        raise Misuse(
            f"no case of {store.folder} has a verdict",
            expected="verdicts, whose doubt says which labels are worth most",
            do=f"evenhand show {store.folder} --undecided says why",
        )
    sure = np.array([max(v.probs.values()) if v.decided else math.nan for _, _, v in rows])
    known = sure[np.isfinite(sure)]
    told = []
    if not known.size or np.ptp(known) == 0:
        told.append(
            "the judge is equally sure of every case, so all are equally likely to be drawn"
        )
    answers = np.where(np.isnan(sure), math.nan, 0.0)
    plan = label_plan(
        answers,
        np.minimum(sure, 1.0),
        clusters=[cluster for _, cluster, _ in rows],
        budget=budget,
        rng=np.random.default_rng(seed),
    )
    chances = {
        rows[at][0]: chance for at, chance in zip(plan.cases, plan.probabilities, strict=True)
    }
    return chances, [*told, *plan.warnings]


def write_plan(file: Path, chances: Mapping[str, float]) -> None:
    with file.open("w", encoding="utf-8", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["case", "probability"])
        rows.writerows((case, repr(chance)) for case, chance in chances.items())
