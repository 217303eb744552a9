"""Do intervals hold what they promise where prompts have effects of their own?

The generator is `arena.prompts`: six systems, 250 prompts that move each system's strength by a
normal of sd 1.5, four pairs on each in both orders, prompts as clusters. The truth is what a very
large sample tends to, by quadrature. Coverage is the share of the 15 differences inside their
interval, averaged over runs; its standard error comes from the runs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evenhand.rank.bradley_terry import bootstrap, bradley_terry
from tests.rank.arena import PAIRS, expected, exploded, prompts

ONE, OTHER = PAIRS.T


def inside(fitted, truth):
    gaps = (fitted.difference(fitted.systems[i], fitted.systems[j]) for i, j in PAIRS)
    return np.mean([g.low <= t <= g.high for g, t in zip(gaps, truth, strict=True)])


def within(drawn, truth, level):
    gaps = drawn[:, ONE] - drawn[:, OTHER]
    low, high = np.nanquantile(gaps, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return np.mean((low <= truth) & (truth <= high))


def gaps_of(battles):
    theta = bradley_terry(battles).theta
    return theta[ONE] - theta[OTHER]


def sandwiches(runs):
    """Coverage by prompts, by rows; shape (2, runs)."""
    truth, found = gaps_of(expected()), []
    for run in range(runs):
        battles, _ = prompts(250, 1000 + run)
        rows = replace(battles, clusters=np.arange(battles.a.size))
        found.append([inside(bradley_terry(one), truth) for one in (battles, rows)])
    return np.array(found).T


def strong_wins_thrice(runs):
    """The arena-hard scheme, told again in our words: a strong win stands three times, the rows of
    the resulting table are resampled 100 times, and the 5 % and 95 % points are shown. Fits are
    ours. Beside it the same table with prompts resampled, 200 times."""
    truth, found = gaps_of(expected(strong_counts=3)), []
    for run in range(runs):
        battles, strong = prompts(250, 5000 + run)
        table = exploded(battles, strong)
        whole = replace(battles, weights=np.where(strong, 3.0, 1.0))
        by_rows = within(bootstrap(table, replicates=100, seed=run), truth, 0.9)
        by_prompts = within(bootstrap(whole, replicates=200, seed=run), truth, 0.9)
        found.append([by_rows, by_prompts])
    return np.array(found).T


def error(values):
    return values.std() / np.sqrt(values.size)


def test_intervals_by_prompt_cover_and_intervals_by_row_do_not():
    by_prompt, by_row = sandwiches(60)
    assert by_prompt.mean() > 0.95 - 3 * error(by_prompt) - 0.01
    assert by_row.mean() < 0.90


def test_resampled_rows_of_strong_wins_thrice_cover_far_too_little():
    by_rows, by_prompts = strong_wins_thrice(60)
    assert by_rows.mean() < 0.75
    assert by_prompts.mean() > 0.9 - 3 * error(by_prompts) - 0.02


@pytest.mark.slow
def test_coverage_over_four_hundred_runs():
    by_prompt, by_row = sandwiches(400)
    print(f"sandwich by prompt {by_prompt.mean():.3f}, by row {by_row.mean():.3f}, nominal 0.95")
    assert by_prompt.mean() > 0.95 - 3 * error(by_prompt)
    assert by_prompt.mean() < 0.975
    assert by_row.mean() < 0.90
    by_rows, by_prompts = strong_wins_thrice(400)
    print(f"thrice, rows {by_rows.mean():.3f}, prompts {by_prompts.mean():.3f}, nominal 0.90")
    assert by_prompts.mean() > 0.9 - 3 * error(by_prompts) - 0.01
    assert by_rows.mean() < 0.75
