from __future__ import annotations

import numpy as np
import pytest

from evenhand.rank.constant import constant_systems


def test_only_a_system_with_one_single_value_is_flagged():
    systems = np.repeat([0, 1, 2], 25)
    values = np.concatenate([np.full(25, 7.0), np.arange(25.0), [7.0] * 24 + [8.0]])
    assert constant_systems(systems, values) == (0,)


def test_hashes_of_texts_serve_as_values():
    assert constant_systems(np.repeat([3, 5], 20), ["h"] * 20 + list("abcdefghijklmnopqrst")) == (
        3,
    )


def test_few_answers_say_nothing_and_a_missing_one_is_no_answer():
    systems = np.zeros(20, dtype=int)
    values = np.array([7.0] * 19 + [np.nan])
    assert constant_systems(systems, values) == ()
    assert constant_systems(systems, values, least=19) == (0,)


def test_nothing_given_flags_nothing():
    assert constant_systems(np.array([], dtype=int), np.array([])) == ()


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="shape"):
        constant_systems(np.zeros(3, dtype=int), [1, 2])
