from __future__ import annotations

import numpy as np
import pytest

from evenhand.rank.tipping import TAUS, identifiable, tipping_point


def test_two_levels_identify_an_order_and_three_do_not():
    assert identifiable(2).order
    assert not identifiable(3).order
    assert "yes-or-no" in identifiable(3).reason
    assert not identifiable(2, constant=False).order
    assert not identifiable(2, better_than_chance=False).order
    with pytest.raises(ValueError, match="1 levels"):
        identifiable(1)


def test_a_judge_that_varies_by_candidate_flips_even_two_levels():
    rng = np.random.default_rng(1)
    pi = rng.random((4000, 2))
    constant = pi * 0.6 + 0.2
    varied = pi * (0.8 + rng.uniform(-0.1, 0.1, (4000, 2)))
    varied += (1 - pi) * (0.2 + rng.uniform(-0.1, 0.1, (4000, 2)))
    right = np.sign(pi[:, 0] - pi[:, 1])
    assert (np.sign(constant[:, 0] - constant[:, 1]) == right).all()
    assert 0.05 < (np.sign(varied[:, 0] - varied[:, 1]) != right).mean() < 0.15


def test_the_order_of_a_constant_judge_survives_any_belief_about_how_good_it_is():
    found = tipping_point([[40, 160], [80, 120], [90, 110]])
    mean, strength, tau = found.sweeps
    assert found.claim == (0, None)
    assert found.probability > 0.95
    assert mean.tips_at is None
    assert strength.tips_at is None
    assert tau.tips_at in TAUS[2:]
    assert list(tau.probability) == sorted(tau.probability, reverse=True)


def test_a_claim_that_is_not_sure_in_the_base_tips_at_once():
    found = tipping_point([[90, 110], [92, 108]], pair=(0, 1))
    assert found.probability < 0.95
    assert [sweep.tips_at for sweep in found.sweeps][2] == 0.0


def test_a_pair_that_names_nobody_is_refused():
    with pytest.raises(ValueError, match=r"the pair \(0, 5\)"):
        tipping_point([[1, 2], [3, 4]], pair=(0, 5))
