"""The rating of a response whose checklist a fit knows: what the fitting and the judging share.

A tree is five lists with one entry a node, the root first; a leaf has -1 on both sides. It is data,
never a pickle, and needs no library to be applied.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from evenhand.records import Verdict

TREE = ("feature", "threshold", "left", "right", "value")


def checklist_key(items: Sequence[str]) -> str:
    """Under which a fit of kind 'rocketeval' or 'rocketeval-trees' holds what it knows of a
    checklist."""
    return hashlib.sha256("\n".join(items).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def checklist_score(
    data: Mapping[str, Any], items: Sequence[str], parts: Sequence[Verdict], *, unread: str
) -> float | None:
    """The rating by a fit's data from the chances of a yes, kept between 1 and 10; None for a
    checklist that it does not know. No answer counts as `unread`, else as the mean of the others.
    """
    if (one := data.get(checklist_key(items))) is None:
        return None
    seen = [part.score for part in parts if part.score is not None]
    left = {"yes": 1.0, "no": 0.0}.get(unread, sum(seen) / max(len(seen), 1))
    chances = [left if part.score is None else part.score for part in parts]
    if "trees" in one:
        return mixed(one, chances)
    pairs = zip(one["weights"], chances, strict=True)
    return min(max(float(one["intercept"] + sum(w * chance for w, chance in pairs)), 1.0), 10.0)


def mixed(one: Mapping[str, Any], chances: Sequence[float]) -> float:
    """What trees say and the plain 1 + 9 x mean, by the share `mixing`, kept between 1 and 10."""
    plain = 1.0 + 9.0 * sum(chances) / len(chances)
    score = one["mixing"] * grown(one["trees"], chances) + (1.0 - one["mixing"]) * plain
    return min(max(float(score), 1.0), 10.0)


def grown(trees: Sequence[Mapping[str, Any]], chances: Sequence[float]) -> float:
    """The mean of what the trees say: each goes left where the chance is at most the threshold.

    Chances are rounded to single precision first, as they were when the trees were grown.
    """
    x = struct.unpack(f"{len(chances)}f", struct.pack(f"{len(chances)}f", *chances))
    return float(sum(_leaf(tree, x) for tree in trees) / len(trees))


def _leaf(tree: Mapping[str, Any], x: Sequence[float]) -> float:
    at = 0
    while tree["left"][at] >= 0:
        low = x[tree["feature"][at]] <= tree["threshold"][at]
        at = tree["left" if low else "right"][at]
    return float(tree["value"][at])


def tree_fault(tree: Any, n_features: int) -> str:
    """What was expected of a tree that is none; "" for a sound one, in which every way ends."""
    if not isinstance(tree, Mapping) or set(tree) != set(TREE):
        return f"an object with {', '.join(TREE)}"
    lists = [tree[name] for name in TREE]
    if not all(isinstance(one, list) and len(one) == len(lists[0]) > 0 for one in lists):
        return "lists with one entry a node"
    whole = [value for name in ("feature", "left", "right") for value in tree[name]]
    if any(type(value) is not int for value in whole):
        return "whole numbers for feature, left and right"
    numbers = [*tree["threshold"], *tree["value"]]
    if not all(type(value) in (int, float) and math.isfinite(value) for value in numbers):
        return "finite numbers for threshold and value"
    for at, (left, right) in enumerate(zip(tree["left"], tree["right"], strict=True)):
        inside = at < min(left, right) and max(left, right) < len(lists[0])
        if not inside and (left, right) != (-1, -1):
            return "two later nodes on both sides, or -1 twice for a leaf"
        if inside and not 0 <= tree["feature"][at] < n_features:
            return f"features from 0 to {n_features - 1}"
    return ""
