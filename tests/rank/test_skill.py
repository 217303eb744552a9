from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import spearmanr

from evenhand.rank.battles import Battles
from evenhand.rank.skill import glicko, open_skill, rating_period

WITHOUT = """
import sys
sys.modules["openskill"] = None
from evenhand import errors
from evenhand.rank.battles import Battles
from evenhand.rank.skill import open_skill
try:
    open_skill(Battles.of(["x"], ["y"], [1]))
except errors.Misuse as error:
    print(error)
"""


def planted(n: int = 400) -> tuple[np.ndarray, Battles]:
    rng = np.random.default_rng(0)
    theta = np.linspace(1.5, -1.5, 6)
    a = rng.integers(0, 6, n)
    b = (a + rng.integers(1, 6, n)) % 6
    won = rng.random(n) < 1 / (1 + np.exp(theta[b] - theta[a]))
    return theta, Battles.numbered(tuple("abcdef"), a, b, outcome=won.astype(float))


def test_one_period_of_glicko_gives_the_numbers_of_its_authors_example():
    """1500 with deviation 200 beats 1400, loses to 1550 and to 1700: 1464 and 151.4."""
    ratings = np.array([1500.0, 1400.0, 1550.0, 1700.0])
    deviations = np.array([200.0, 30.0, 100.0, 300.0])
    battles = Battles.of(["me"] * 3, ["p1", "p2", "p3"], [1, 0, 0])
    after, doubt = rating_period(ratings, deviations, battles)
    assert after[0] == pytest.approx(1464.1, abs=0.05)
    assert doubt[0] == pytest.approx(151.4, abs=0.05)


def test_a_system_that_did_not_play_keeps_its_rating_and_deviation():
    battles = Battles.numbered(tuple("xyz"), [0], [1], outcome=[1.0])
    after, doubt = rating_period(np.full(3, 1500.0), np.full(3, 350.0), battles)
    assert (after[2], doubt[2]) == (1500, 350)
    assert after[0] > 1500 > after[1]
    assert np.isnan(glicko(battles).mean[2])


def test_glicko_finds_a_planted_order_and_its_doubt_shrinks_with_battles():
    theta, battles = planted()
    found = glicko(battles)
    assert spearmanr(found.mean, theta)[0] > 0.9
    assert (found.own < 100).all()
    assert (found.own < glicko(battles.where(np.arange(400) < 50)).own).all()
    assert "order" in found.warnings[0]


def test_glicko_in_one_period_has_no_order():
    found = glicko(planted()[1], periods=1, shuffles=5)
    assert found.sd == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("wrong", [{"periods": 0}, {"shuffles": 0}, {"start": (1500, 0)}])
def test_glicko_refuses_settings_without_a_meaning(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        glicko(planted(10)[1], **wrong)


def test_a_missing_library_is_named_with_the_command_that_installs_it():
    told = subprocess.check_output([sys.executable, "-c", WITHOUT], text=True)
    assert "openskill is not installed" in told
    assert "pip install 'evenhand[skill]'" in told


@pytest.mark.parametrize("model", ["thurstone_mosteller", "plackett_luce"])
def test_openskill_finds_a_planted_order_and_names_its_dependence_on_order(model):
    pytest.importorskip("openskill")
    theta, battles = planted()
    found = open_skill(battles, model=model, shuffles=5)
    assert spearmanr(found.mean, theta)[0] > 0.9
    assert (found.own < 25 / 3).all()
    assert (found.sd > 0).all()
    assert "order" in found.warnings[0]
    assert model in found.method


def test_a_weight_of_two_is_the_battle_twice_for_openskill_and_a_half_is_refused():
    pytest.importorskip("openskill")
    twice = open_skill(Battles.of(["x"] * 2, ["y"] * 2, [1, 1]), shuffles=2)
    heavy = open_skill(Battles.of(["x"], ["y"], [1], weights=[2]), shuffles=2)
    assert heavy.mean.tolist() == twice.mean.tolist()
    with pytest.raises(ValueError, match="whole"):
        open_skill(Battles.of(["x"], ["y"], [1], weights=[0.5]))


def test_openskill_leaves_undecided_battles_out_and_takes_ties():
    pytest.importorskip("openskill")
    found = open_skill(Battles.of(["x"] * 3, ["y"] * 3, [0.5, 0.5, np.nan]), shuffles=2)
    assert (found.n_used, found.n_undecided) == (2, 1)
    assert found.mean[0] == pytest.approx(found.mean[1])
