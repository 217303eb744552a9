"""Pools turn several verdicts into one; the raw ones stay in `parts`.

Every pool says what an undecided part means: `unread="stop"` (the whole is undecided, with the
code of its first undecided part), `"drop"` (it is left out), or a label that it counts as.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from evenhand.readers import undecided
from evenhand.records import Scale, Verdict

PoolName = Literal["mean", "vote", "agree", "net", "both_battles", "every", "rank"]
ORDER = Scale("order", orders=True)


def mean(
    verdicts: Sequence[Verdict], *, unread: str = "stop", weights: Sequence[float] | None = None
) -> Verdict:
    """The average of the distributions, on one common scale.

    Example:
        >>> from evenhand.records import YES_NO
        >>> mean([Verdict(YES_NO, {"yes": 1.0}), Verdict(YES_NO, {"no": 1.0})]).score
        0.5
    """
    scale, kept, whole = _settled(verdicts, unread, weights)
    return whole or Verdict(scale, _mixed(kept), parts=tuple(verdicts))


def vote(
    verdicts: Sequence[Verdict], *, unread: str = "stop", weights: Sequence[float] | None = None
) -> Verdict:
    """The label that most verdicts give; a draw is the scale's tie, or undecided (split).

    Raises:
        ValueError: On a line of numbers, where no two votes need be equal.
    """
    scale, kept, whole = _settled(verdicts, unread, weights)
    if scale.span:
        raise ValueError(f"votes cannot be counted on the number line {scale.name}: use mean")
    if whole:
        return whole
    counts: dict[str, float] = {}
    for verdict, weight in kept:
        label = str(verdict.label)
        counts[label] = counts.get(label, 0.0) + weight
    most = max(counts.values())
    best = [label for label, count in counts.items() if most - count <= 1e-12 * most]
    told = ", ".join(f"{count:g} {label}" for label, count in counts.items())
    done = _whole(scale, best[0], verdicts) if len(best) == 1 else _split(scale, told, verdicts)
    return done.marked(votes=counts)


def agree(verdicts: Sequence[Verdict], *, unread: str = "stop") -> Verdict:
    """The common label; if they differ, the scale's tie, or undecided (split)."""
    scale, kept, whole = _settled(verdicts, unread)
    if whole:
        return whole
    labels = [str(verdict.label) for verdict, _ in kept]
    if len(set(labels)) == 1:
        return _whole(scale, labels[0], verdicts)
    return _split(scale, " against ".join(dict.fromkeys(labels)), verdicts)


def net(verdicts: Sequence[Verdict], *, unread: str = "stop") -> Verdict:
    """Each verdict votes +1, 0 or -1 for the first response, and the sign of the sum decides.

    The label is the mildest one on the winner's side. A sum of zero is the scale's tie, or
    undecided (split).
    """
    scale, kept, whole = _settled(verdicts, unread)
    if whole:
        return whole
    if not scale.swaps:
        raise ValueError(f"net votes need a pairwise scale, and {scale.name} is none")
    total = 0
    for verdict, _ in kept:
        share = verdict.score or 0.0
        total += (share > 0.5 + 1e-12) - (share < 0.5 - 1e-12)
    if not total:
        return _split(scale, "the votes cancel", verdicts)
    side = {k: v for k, v in scale.labels.items() if (v - 0.5) * total > 0}
    return _whole(scale, min(side, key=lambda k: abs(side[k] - 0.5)), verdicts)


def both_battles(verdicts: Sequence[Verdict], *, unread: str = "stop") -> Verdict:
    """The mean; a ranking counts each part as one battle (`marks["battles"]` says how many)."""
    _, kept, whole = _settled(verdicts, unread)
    return whole or mean(verdicts, unread=unread).marked(battles=len(kept))


def every(verdicts: Sequence[Verdict], *, unread: str = "stop") -> Verdict:
    """Yes if all say yes, on a scale with the labels yes and no."""
    scale, kept, whole = _settled(verdicts, unread)
    if whole:
        return whole
    if not {"yes", "no"} <= set(scale.labels):
        raise ValueError(f"'every' needs the labels yes and no, and {scale.name} has others")
    return _whole(scale, "yes" if all(v.label == "yes" for v, _ in kept) else "no", verdicts)


def rank(verdicts: Sequence[Verdict], *, unread: str = "stop") -> Verdict:
    """One verdict per response, in their order, to an order of the responses such as '2>0=1'.

    Raises:
        ValueError: For `unread="drop"`: an order needs a place for every response.
    """
    if unread == "drop":
        raise ValueError("a response cannot be left out of an order: use 'stop' or a label")
    _, kept, whole = _settled(verdicts, unread)
    if whole:
        return replace(whole, scale=ORDER)
    scores = [verdict.score for verdict, _ in kept if verdict.score is not None]
    if len(scores) < len(kept):
        raise ValueError("only verdicts with a score can be ranked")
    return _whole(ORDER, ordered(scores), verdicts)


def ordered(scores: Sequence[float]) -> str:
    """The order of responses with these scores, the highest first.

    Example:
        >>> ordered([2.0, 2.0, 9.0])
        '2>0=1'
    """
    tiers: dict[float, list[str]] = {}
    for i, score in enumerate(scores):
        tiers.setdefault(round(score, 9), []).append(str(i))
    return ">".join("=".join(tiers[score]) for score in sorted(tiers, reverse=True))


POOLS: Mapping[str, Callable[..., Verdict]] = {
    "mean": mean,
    "vote": vote,
    "agree": agree,
    "net": net,
    "both_battles": both_battles,
    "every": every,
    "rank": rank,
}


def pool(
    name: str,
    verdicts: Sequence[Verdict],
    *,
    unread: str = "stop",
    weights: Sequence[float] | None = None,
) -> Verdict:
    """The pool of that name; only mean and vote take weights.

    Raises:
        ValueError: No such pool, weights for a pool that has none, scales that differ, or a label
            for `unread` that is not on the scale.
    """
    if name not in POOLS:
        raise ValueError(f"no pool is called {name!r}: there are {', '.join(POOLS)}")
    given: dict[str, Any] = {"unread": unread}
    if weights is not None:
        if name not in ("mean", "vote"):
            raise ValueError(f"the pool {name} takes no weights")
        given["weights"] = weights
    return POOLS[name](verdicts, **given)


Weighed = list[tuple[Verdict, float]]


def _settled(
    verdicts: Sequence[Verdict], unread: str, weights: Sequence[float] | None = None
) -> tuple[Scale, Weighed, Verdict | None]:
    """The common scale, the decided verdicts with their weights, and the whole if undecided."""
    if not verdicts:
        raise ValueError("there are no verdicts to pool")
    weights = [1.0] * len(verdicts) if weights is None else list(weights)
    if len(weights) != len(verdicts) or min(weights) < 0.0 or not sum(weights) > 0.0:
        raise ValueError("pooling needs one weight per verdict, none below 0 and one above 0")
    lost = next((i for i, v in enumerate(verdicts) if not v.decided), None)
    scale = _common(verdicts)
    pairs = list(zip(verdicts, weights, strict=True))
    if lost is None:
        return scale, pairs, None
    if unread not in ("stop", "drop"):
        if scale.has(unread):
            sure = Verdict(scale, {unread: 1.0})
            return scale, [(v if v.decided else sure, w) for v, w in pairs], None
        if scale.labels or scale.span:
            raise ValueError(f"unread={unread!r} is no label of the scale {scale.name}")
    kept = [(v, w) for v, w in pairs if v.decided and w > 0.0]
    if unread == "drop" and kept:
        return scale, kept, None
    code, _, why = verdicts[lost].reason.partition(":")
    told = f"part {lost + 1} of {len(verdicts)}: {why.strip()}"
    return scale, [], replace(undecided(scale, code, told), parts=tuple(verdicts))


def _common(verdicts: Sequence[Verdict]) -> Scale:
    """The scale of the decided verdicts (a part that never reached its reader may lack one)."""
    scales = [v.scale for v in verdicts if v.decided] or [verdicts[0].scale]
    for scale in scales[1:]:
        if scale is not scales[0] and scale != scales[0]:
            raise ValueError(f"verdicts on {scales[0].name} and {scale.name} cannot be pooled")
    return scales[0]


def _mixed(kept: Weighed) -> dict[str, float]:
    total = sum(weight for _, weight in kept)
    probs: dict[str, float] = {}
    for verdict, weight in kept:
        for label, p in verdict.probs.items():
            probs[label] = probs.get(label, 0.0) + p * weight / total
    return probs


def _whole(scale: Scale, label: str, verdicts: Sequence[Verdict]) -> Verdict:
    return Verdict(scale, {label: 1.0}, parts=tuple(verdicts))


def _split(scale: Scale, told: str, verdicts: Sequence[Verdict]) -> Verdict:
    if scale.tie is not None:
        return _whole(scale, scale.tie, verdicts)
    return replace(undecided(scale, "split", told), parts=tuple(verdicts))
