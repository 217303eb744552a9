"""What ratings of responses teach about the checklists of RocketEval: weights, or small trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.checklists import checklist_key
from evenhand.errors import Misuse
from evenhand.fits import Fit
from evenhand.intervals import Interval, clustered_t
from evenhand.report.learnt import Fitted, Kind, clusters_of, doubt, origin, pooled, too_little
from evenhand.report.people import Labelled, People
from evenhand.trust.calibrate import LEAST, folds
from evenhand.trust.checklist import (
    ChecklistTrees,
    ChecklistWeights,
    checklist_trees,
    checklist_weights,
)

Floats = NDArray[np.float64]
Clusters = NDArray[np.intp]
Learnt = ChecklistWeights | ChecklistTrees


def checklists_weighed(found: People) -> Fitted:
    """One weight a question, where that is clearly better."""
    tables = _tables(found)

    def make(chances: Floats, ratings: Floats, clusters: Clusters) -> ChecklistWeights:
        return checklist_weights(chances, ratings, clusters=clusters)

    learnt = {
        key: make(table.chances, table.ratings, table.within) for key, table in tables.items()
    }
    kept = {key: one for key, one in learnt.items() if one.mixing > 0}
    if not kept:
        raise too_little(_taught_nothing(tables), found)
    several = len(kept) > 1
    losses = {
        f"{key} {name}" if several else name: interval
        for key, one in kept.items()
        for name, interval in one.losses.items()
    }
    told = (
        "one weight a question",
        "there they beat the plain score and the mean rating by more than one standard error",
    )
    return _fitted(found, "rocketeval", tables, kept, told, _losses(tables, make), losses)


def checklists_grown(found: People) -> Fitted:
    """The paper's ten trees, for every checklist with four rated responses or more."""
    tables = _tables(found)

    def make(chances: Floats, ratings: Floats, _: Clusters) -> ChecklistTrees:
        return checklist_trees(chances, ratings)

    learnt = {
        key: make(table.chances, table.ratings, table.within) for key, table in tables.items()
    }
    kept = {key: one for key, one in learnt.items() if one.mixing > 0}
    if not kept:
        reasons = dict.fromkeys(one.reason for one in learnt.values())
        raise too_little(f"no checklist's ratings teach trees: {'; '.join(reasons)}", found)
    held = _losses(tables, make)
    losses = {
        "as it is": _mean(held.plain, held.groups),
        "trees": _mean(held.learnt, held.groups),
    }
    told = ("ten trees", "as in the paper: they count the more, the more the ratings differ")
    return _fitted(found, "rocketeval-trees", tables, kept, told, held, losses)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Rated responses with one checklist; `within`: what is independent given the checklist."""

    rows: list[Labelled]
    chances: Floats
    ratings: Floats
    within: Clusters


@dataclass(frozen=True, slots=True, eq=False)
class _Losses:
    """Squared errors on cases that were not fitted, one a case; `groups`: what is independent."""

    plain: Floats
    learnt: Floats
    groups: Sequence[object]


def _fitted(
    found: People,
    kind: Kind,
    tables: Mapping[str, _Table],
    kept: Mapping[str, Learnt],
    told: tuple[str, str],
    held: _Losses,
    losses: Mapping[str, Interval],
) -> Fitted:
    used = [row for key in kept for row in tables[key].rows]
    fit = Fit(kind, {key: one.fit_data() for key, one in kept.items()}, origin(found, used))
    gain = _mean(held.plain - held.learnt, held.groups)
    chosen = f"{told[0]} for {len(kept)} of {len(tables)} checklists"
    about = (chosen, told[1], "squared error in points of 1 to 10", gain, losses)
    warned = (*found.notices, *pooled(found, "the mean"), *doubt(gain))
    return Fitted(found.run, kind, fit, *about, found.raters, found.left_out, warned)


def _tables(found: People) -> dict[str, _Table]:
    form = found.manifest["judge"]["plain"]
    if form.get("is") != "RocketEval":
        raise Misuse(
            f"{found.run} was judged by {form.get('is')}",
            expected="a run of the judge rocketeval, whose verdicts answer checklists",
            do="--kind calibrate or --kind quantitative",
        )
    same: dict[str, list[Labelled]] = {}
    for row in found.decided:
        items = [str(part.marks["item"]) for part in row.verdict.parts]
        same.setdefault(checklist_key(items), []).append(row)
    unread = str(form.get("unread", "drop"))
    return {
        key: _Table(
            rows,
            _chances(rows, unread),
            np.array([_rating(found.mean(row)) for row in rows]),
            _within(rows),
        )
        for key, rows in same.items()
    }


def _chances(rows: Sequence[Labelled], unread: str) -> Floats:
    """As the judge counts a question without an answer; NaN takes the mean of the others."""
    left = {"yes": 1.0, "no": 0.0}.get(unread, float("nan"))
    scores = [[part.score for part in row.verdict.parts] for row in rows]
    return np.array([[left if one is None else one for one in row] for row in scores])


def _rating(value: float) -> float:
    if not 1.0 <= value <= 10.0:
        raise Misuse(
            f"the label {value:g} is no rating",
            expected="1 to 10, the scale of the judge rocketeval",
            do="say what labels mean: --map-labels 'good=10 bad=1'",
        )
    return value


def _within(rows: Sequence[Labelled]) -> Clusters:
    """Responses to one prompt are independent given its checklist; prompts that share one are
    not divided."""
    names = clusters_of(rows)
    if len(set(names)) == 1:
        return np.arange(len(rows))
    return np.unique(names, return_inverse=True)[1].ravel()


def _losses(
    tables: Mapping[str, _Table], make: Callable[[Floats, Floats, Clusters], Learnt]
) -> _Losses:
    plain, learnt, groups = list[Floats](), list[Floats](), list[str]()
    for table in tables.values():
        answers = np.isfinite(table.chances)
        mean = np.nansum(table.chances, axis=1) / np.maximum(answers.sum(axis=1), 1)
        held, part = 1.0 + 9.0 * mean, folds(table.within, 1)
        plain.append((held - table.ratings) ** 2)
        for k in range(part.max() + 1):
            train, test = part != k, part == k
            if train.any():
                one = make(table.chances[train], table.ratings[train], table.within[train])
                held[test] = one.predict(table.chances[test])
        learnt.append((held - table.ratings) ** 2)
        groups += clusters_of(table.rows)
    alone = len(set(groups)) == 1  # of one prompt, responses are what is drawn
    drawn: Sequence[object] = range(len(groups)) if alone else groups
    return _Losses(np.concatenate(plain), np.concatenate(learnt), drawn)


def _mean(values: Floats, groups: Sequence[object]) -> Interval:
    return clustered_t(values, np.asarray(groups))


def _taught_nothing(tables: Mapping[str, _Table]) -> str:
    most = max(len(table.rows) for table in tables.values())
    return (
        f"no checklist's ratings teach weights that do better on cases not fitted"
        f" ({len(tables)} checklists, at most {most} rated responses each;"
        f" {LEAST} and more are advised)"
    )
