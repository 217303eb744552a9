"""Trivial judges on the same pairs: what a judge's accuracy must be read beside."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from evenhand.intervals import Floats, cluster_index, clustered_t, enough, undefined
from evenhand.trust.pairwise import Ties, hits, mean_of_hits
from evenhand.trust.ratings import Bools, Figure, Gap, Ratings, figure


@dataclass(frozen=True, slots=True)
class Baselines:
    """A judge and the trivial judges, on the same pairs under the same tie rule.

    Attributes:
        judge: Its refused and unread verdicts are wrong.
        longer: The longer response wins; equal lengths tie. None without lengths.
        first: The first response always wins.
        majority: Always the most frequent label, which was counted on these very pairs.
        lexical: A word-matching rule's verdicts; None when none were given.
        over_best: The judge less the best of them, on the pairs that both are scored on.
    """

    judge: Figure
    longer: Figure | None
    first: Figure
    majority: Figure
    lexical: Figure | None
    over_best: Figure


def baselines(
    ratings: Ratings,
    *,
    ties: Ties,
    lengths: ArrayLike | None = None,
    lexical: ArrayLike | None = None,
    level: float = 0.95,
) -> Baselines:
    """The judge beside length, order, the commonest label and a lexical rule.

    Args:
        ratings: Two raters, label and judge: 1 the first response, 0 a tie, -1 the second.
        lengths: Shape (n_items, 2), of the two responses, in any unit.
        lexical: Shape (n_items,), verdicts as above.
    """
    if ratings.n_raters != 2:
        raise ValueError("baselines take two raters, label and judge")
    label, said = ratings.values.T
    asked = (ratings.why[:, 0] == Gap.USED) & (ratings.why[:, 1] != Gap.MISSING)
    verdicts = {"judge": said, "always first": np.ones(label.size)}
    verdicts["majority label"] = np.full(label.size, _commonest(label[asked]))
    if lengths is not None:
        sizes = np.asarray(lengths, dtype=float)
        verdicts["longer wins"] = np.sign(sizes[:, 0] - sizes[:, 1])
    if lexical is not None:
        verdicts["lexical"] = np.asarray(lexical, dtype=float)
    scores = {name: hits(given, label, ties) for name, given in verdicts.items()}
    told = {
        name: mean_of_hits(name, given, ratings, ties=ties, level=level, asked=asked)
        for name, given in scores.items()
    }
    rest = [name for name in scores if name != "judge" and np.isfinite(told[name].estimate)]
    best = max(rest, key=lambda name: told[name].estimate, default="")
    return Baselines(
        told["judge"],
        told.get("longer wins"),
        told["always first"],
        told["majority label"],
        told.get("lexical"),
        _difference(scores, best, ratings, asked, level),
    )


def _commonest(labels: Floats) -> float:
    if labels.size == 0:
        return 0.0
    values, counts = np.unique(labels, return_counts=True)
    return float(values[np.argmax(counts)])


def _difference(
    scores: dict[str, Floats], best: str, ratings: Ratings, asked: Bools, level: float
) -> Figure:
    name = f"judge over {best or 'a baseline'}"
    gained = scores["judge"] - scores[best] if best else np.full(asked.size, np.nan)
    kept = asked & np.isfinite(gained)
    if not kept.any():
        nothing = undefined("no pair can be scored", "clustered t", level=level)
        return figure(name, nothing, ratings, n_used=0)
    clusters = None if ratings.clusters is None else ratings.clusters[kept]
    index, groups = cluster_index(clusters, int(kept.sum()))
    if np.ptp(gained[kept]) == 0:
        found = clustered_t(gained[kept], index, level=level, span=(-1.0, 1.0))
    else:
        found = clustered_t(gained[kept], index, level=level)
    found = replace(enough(found), n_clusters=groups)
    return figure(name, found, ratings, n_used=int(np.count_nonzero(ratings.why[kept] == Gap.USED)))
