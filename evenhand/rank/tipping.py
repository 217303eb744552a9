"""What a conclusion from a judge alone rests on: which assumption breaks it, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from evenhand.rank.simplex import MIN_ESS, Prior, Simplex, counts_of, simplex


@dataclass(frozen=True, slots=True)
class Identified:
    """Attributes: order is True when endless data would settle the order, whatever the prior."""

    order: bool
    reason: str


def identifiable(
    levels: int, *, constant: bool = True, better_than_chance: bool = True
) -> Identified:
    """Can a judge's scores alone, however many, settle the order of candidates?

    Args:
        levels: Of the scale.
        constant: The judge errs in the same way with every candidate.

    Raises:
        ValueError: Fewer than two levels.

    Example:
        >>> identifiable(2).order, identifiable(3).order
        (True, False)
    """
    if levels < 2:
        raise ValueError(f"{levels} levels; a scale has at least 2")
    if not constant:
        why = "a judge that treats candidates differently can put them in any order"
        return Identified(False, why)
    if not better_than_chance:
        why = "without a judge better than chance, the order may as well be the reverse"
        return Identified(False, why)
    if levels == 2:
        why = "with two levels the judge's yes rate rises with the true one, so its order is true"
        return Identified(True, why)
    why = (
        f"with {levels} levels several judges explain the same scores with different orders; the "
        "prior decides, or labels do. Ask a yes-or-no question instead"
    )
    return Identified(False, why)


@dataclass(frozen=True, slots=True)
class Sweep:
    """One assumption made weaker step by step, the others as in the base.

    Attributes:
        probability: At each of `values`, that the claim is true.
        tips_at: The first value at which it is below the level; None when it never is.
    """

    assumption: str
    values: tuple[float, ...]
    probability: tuple[float, ...]
    tips_at: float | None
    min_ess: float


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """Attributes: claim is (better, worse), numbers of candidates; worse is None for all others."""

    claim: tuple[int, int | None]
    level: float
    base: Prior
    probability: float
    sweeps: tuple[Sweep, ...]
    warnings: tuple[str, ...] = ()


MEANS = (0.95, 0.9, 0.8, 0.7, 0.6)
STRENGTHS = (100.0, 50.0, 20.0, 10.0, 5.0, 2.0)
TAUS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)


def tipping_point(
    counts: ArrayLike,
    *,
    pair: tuple[int, int] | None = None,
    mean: float = 0.8,
    strength: float = 10.0,
    gold: ArrayLike | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> TippingPoint:
    """The weakest assumptions about the judge under which a conclusion still has its level.

    Three are weakened in turn from a base: how good the judge is believed to be (`MEANS`), how
    firmly (`STRENGTHS`, in labelled cases), and how far it may differ from candidate to candidate
    (`TAUS`, in log odds).

    Args:
        counts, gold: As in `simplex`.
        pair: The claim is that the first is better than the second; None: that the candidate who
            is most probably the best in the base is the best.
        mean, strength: The base, see `Prior.centred`; its tau is 0.

    Raises:
        ValueError: As `simplex`, or a pair that names no two candidates.
    """
    k = len(counts_of(counts, 2))
    if pair is not None and (pair[0] == pair[1] or not all(0 <= at < k for at in pair)):
        raise ValueError(f"the pair {pair} does not name two of the candidates 0 to {k - 1}")
    base = Prior.centred(mean, strength)
    first = simplex(counts, prior=base, gold=gold, level=level, seed=seed)
    claim = (int(first.best.argmax()), None) if pair is None else pair
    one, other = claim

    def held(found: Simplex) -> float:
        return float(found.best[one] if other is None else found.better[one, other])

    def swept(assumption: str, priors: Sequence[Prior], values: Sequence[float]) -> Sweep:
        found = [simplex(counts, prior=p, gold=gold, level=level, seed=seed) for p in priors]
        chances = tuple(held(each) for each in found)
        under = [value for value, chance in zip(values, chances, strict=True) if chance < level]
        least = min(each.ess for each in found)
        return Sweep(assumption, tuple(values), chances, under[0] if under else None, least)

    sweeps = (
        swept("mean", [Prior.centred(m, strength) for m in MEANS], MEANS),
        swept("strength", [Prior.centred(mean, s) for s in STRENGTHS], STRENGTHS),
        swept("tau", [replace(base, tau=t) for t in TAUS], TAUS),
    )
    rough = [sweep.assumption for sweep in sweeps if sweep.min_ess < MIN_ESS]
    said = (f"few effective draws while sweeping {', '.join(rough)}",) if rough else ()
    return TippingPoint(claim, level, base, held(first), sweeps, said)
