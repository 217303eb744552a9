"""Skill ratings with their own doubt, made for players who change: views, never the ranking.

As with Elo, the order of the battles matters, so ratings are averaged over orders.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from evenhand import errors
from evenhand.intervals import Floats
from evenhand.rank.battles import Battles
from evenhand.rank.elo import OverOrders, orders, over_orders

_Q = np.log(10) / 400
Model = Literal["plackett_luce", "thurstone_mosteller"]


def open_skill(
    battles: Battles,
    *,
    model: Model = "thurstone_mosteller",
    shuffles: int = 20,
    level: float = 0.95,
    seed: int = 0,
) -> OverOrders:
    """Ratings of the kind of TrueSkill, from the library openskill: mean skill and its sigma.

    Paper: Weng and Lin 2011, "A Bayesian Approximation Method for Online Ranking", Journal of
        Machine Learning Research 12

    Args:
        battles: A whole weight repeats the battle. A share above 0.5 is a win and one below it a
            loss: the library has no graded wins.
        model: What a battle follows; "thurstone_mosteller" is nearest to TrueSkill.

    Raises:
        Misuse: openskill is not installed.
        ValueError: A weight that is not a whole number, or no shuffle.
    """
    if shuffles < 1:
        raise ValueError(f"{shuffles} shuffles; expected at least 1")
    try:
        from openskill import models
    except ImportError:
        raise errors.Misuse(
            "the library openskill is not installed",
            expected="openskill, for ratings of the kind of TrueSkill",
            do="pip install 'evenhand[skill]', or use glicko() or elo()",
        ) from None
    kinds = {"plackett_luce": models.PlackettLuce,
             "thurstone_mosteller": models.ThurstoneMostellerFull}  # fmt: skip
    used, rater = battles.where(battles.usable), kinds[model]()
    times = used.weights.astype(np.int64)
    if (times != used.weights).any():
        raise ValueError("a weight that is not a whole number; openskill takes whole battles")
    games = [(int(x), int(y), [float(s < 0.5), float(s > 0.5)])
             for x, y, s, n in zip(used.a, used.b, used.outcome, times, strict=True)
             for _ in range(n)]  # fmt: skip
    ratings = np.empty((shuffles, battles.n_systems, 2))
    for row, order in zip(ratings, orders(len(games), shuffles, seed), strict=True):
        skills = [rater.rating() for _ in battles.systems]
        for x, y, ranks in (games[at] for at in order):
            [skills[x]], [skills[y]] = rater.rate([[skills[x]], [skills[y]]], ranks=ranks)
        row[:] = [(skill.mu, skill.sigma) for skill in skills]
    method = f"openskill {model}, mean of {shuffles} orders"
    return over_orders(battles, ratings[..., 0], ratings[..., 1], level=level, method=method)


def rating_period(ratings: Floats, deviations: Floats, battles: Battles) -> tuple[Floats, Floats]:
    """Glicko's update from the battles of one period, which count as played at once.

    Args:
        ratings, deviations: Shape (n_systems,), before the period, in Elo points.

    Returns:
        Both after the period; a system without a usable battle keeps its own.
    """
    used = battles.where(battles.usable)
    me = np.concatenate([used.a, used.b])
    other = np.concatenate([used.b, used.a])
    share = np.concatenate([used.outcome, 1 - used.outcome])
    weight = np.concatenate([used.weights, used.weights])
    g = 1 / np.sqrt(1 + 3 * (_Q * deviations[other] / np.pi) ** 2)
    expected = 1 / (1 + 10 ** (-g * (ratings[me] - ratings[other]) / 400))
    n = ratings.size
    known = _Q**2 * np.bincount(me, weight * g**2 * expected * (1 - expected), n)
    push = np.bincount(me, weight * g * (share - expected), n)
    precision = 1 / deviations**2 + known
    return ratings + _Q / precision * push, 1 / np.sqrt(precision)


def glicko(
    battles: Battles,
    *,
    periods: int = 10,
    start: tuple[float, float] = (1500.0, 350.0),
    shuffles: int = 100,
    level: float = 0.95,
    seed: int = 0,
) -> OverOrders:
    """Glicko ratings, the first of that name, in equal rating periods of shuffled battles.

    Paper: Glickman 1999, "Parameter Estimation in Large Dynamic Paired Comparison Experiments",
        Applied Statistics 48, doi:10.1111/1467-9876.00159. After the paper, reconstructed from its
        published formulas. Strengths do not drift here: no deviation grows between periods.

    Args:
        periods: How many; fewer if there are fewer battles. One period over all battles has no
            order, and moves hardly further than one step from the start.
        start: Rating and deviation of every system before its first battle.

    Raises:
        ValueError: A number of periods or shuffles under 1, or a deviation that is not positive.

    Example:
        >>> found = glicko(Battles.of(["x"] * 4, ["y"] * 4, [1, 1, 1, 0]), periods=2, shuffles=20)
        >>> bool(found.mean[0] > found.mean[1]), bool(found.own[0] < 350)
        (True, True)
    """
    if min(periods, shuffles) < 1 or start[1] <= 0:
        raise ValueError(f"{periods} periods, {shuffles} shuffles and a start of {start}; "
                         "expected at least 1, 1 and a positive deviation")  # fmt: skip
    used = battles.where(battles.usable)
    ratings = np.full((shuffles, battles.n_systems), float(start[0]))
    deviations = np.full_like(ratings, float(start[1]))
    for row, order in enumerate(orders(used.a.size, shuffles, seed)):
        for part in np.array_split(order, periods):
            played = np.isin(np.arange(used.a.size), part)
            ratings[row], deviations[row] = rating_period(
                ratings[row], deviations[row], used.where(played)
            )
    method = f"Glicko, {periods} periods, mean of {shuffles} orders"
    return over_orders(battles, ratings, deviations, level=level, method=method)
