"""Systems that give every prompt the same answer, which some judges reward."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from evenhand.intervals import Ints


def constant_systems(systems: Ints, values: ArrayLike, *, least: int = 20) -> tuple[int, ...]:
    """Numbers of the systems whose answers have one single value over `least` prompts or more.

    Such a system does not read its prompt. Its win rate, length-controlled or not, says how the
    judge can be fooled and nothing about the system.

    Paper: Zheng et al. 2024, "Cheating Automatic LLM Benchmarks: Null Models Achieve High Win
        Rates". arXiv:2410.07137. The flag is our own; the paper shows what it is for.

    Args:
        systems: Shape (n,), whose answer it is; one answer a prompt.
        values: Shape (n,), a hash of the answer's text, or failing that its length. NaN is no
            answer.
        least: Answers below which nothing is said.

    Raises:
        ValueError: Shapes that differ.

    Example:
        >>> constant_systems(np.repeat([0, 1], 20), [872] * 20 + list(range(20)))
        (0,)
    """
    who, what = np.asarray(systems), np.asarray(values)
    if who.shape != what.shape or who.ndim != 1:
        raise ValueError(f"systems of shape {who.shape} and values of shape {what.shape}")
    given = what == what  # only NaN differs from itself
    who, what = who[given], np.unique(what[given], return_inverse=True)[1]
    _, first, index, counts = np.unique(
        who, return_index=True, return_inverse=True, return_counts=True
    )
    odd = np.bincount(index, what != what[first][index], counts.size) > 0
    return tuple(int(who[at]) for at in first[~odd & (counts >= least)])
