"""How often the certificate is wrong: one gate broken, and a good judge at the planned number."""

from __future__ import annotations

import numpy as np
import pytest

from evenhand.report.certificate import FOR
from tests.report.planted import BROKEN, Broken, passes, planned, settled

RUNS = 400
PASSED_AT_MOST, PASSED_AT_LEAST = 0.05, 0.8
MANY = 20_000


def named(broken: Broken) -> str:
    return f"{broken.claim} {broken.gate} {type(broken.world).__name__}"


def test_every_gate_that_can_run_is_broken_once() -> None:
    """Probes need changed copies of the cases, which arrays do not hold."""
    for claim, gates in FOR.items():
        assert {one.gate for one in BROKEN if one.claim == claim} >= {*gates} - {"probes"}


@pytest.mark.slow
@pytest.mark.parametrize("broken", [one for one in BROKEN if one.lasting], ids=named)
def test_one_gate_is_broken_and_no_other(broken: Broken) -> None:
    """On so many cases that every gate is settled."""
    seen = broken.world.draw(np.random.default_rng(0), MANY)
    found = settled(seen, broken.claim, broken.policy)
    assert {gate.name for gate in found.ran if gate.result != "PASS"} == {broken.gate}
    assert next(gate for gate in found.gates if gate.name == broken.gate).result == "FAIL"


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN, ids=named)
def test_a_judge_with_one_gate_broken_hardly_ever_passes(broken: Broken) -> None:
    gate, whole = passes(broken, RUNS, 5)
    print(f"{named(broken)}: {broken.told}: gate {gate:.3f}, certificate {whole:.3f} of {RUNS}")
    assert whole <= PASSED_AT_MOST
    assert gate <= PASSED_AT_MOST + 3 * np.sqrt(0.05 * 0.95 / RUNS), "whatever the others say"


@pytest.mark.slow
def test_a_good_judge_at_the_planned_number_mostly_passes() -> None:
    """As `evenhand plan` plans: for the claim's own gate; here every gate must pass."""
    for plan in planned():
        share = plan.passes(RUNS, 6)
        print(f"{plan.claim}, {plan.told}, power {plan.power:g}: passes {share:.3f} of {RUNS}")
        assert share >= PASSED_AT_LEAST
