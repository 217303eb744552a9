"""Judges with a planted fault, as arrays, and how often the certificate passes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from evenhand.report.certificate import Certificate, Claim, Policy, certify
from evenhand.report.evidence import Evidence, questions
from evenhand.report.plan import ALONE
from evenhand.trust.alignment import align
from evenhand.trust.power import Pilot, cases_needed, labels_needed, pilot
from evenhand.trust.replace_plan import items_to_replace

POLICY = replace(Policy.read(), agreement=0.4)  # a bar of its own, whatever the default says
SPARE = 1.25  # labels above the least number, as `evenhand plan` proposes them


@dataclass(frozen=True)
class Pairs:
    """Two systems in pairs; each chance is that of seeing what is true.

    Attributes:
        wins: How often "new" is truly better.
        yes, no: The judge's chances where "new" is better, and where it is not.
        consistent: How often both orders give one winner; the first slot then wins once in two.
        first: How often the first slot wins both times where they do not.
        labelled: Cases with labels; None: all.
    """

    n: int = 300
    wins: float = 0.5
    people: float = 0.9
    yes: float = 0.95
    no: float = 0.95
    undecided: float = 0.0
    consistent: float = 0.95
    first: float = 0.5
    labelled: int | None = None

    def draw(self, rng: np.random.Generator, n: int | None = None) -> Evidence:
        n = self.n if n is None else n
        truth = (rng.random(n) < self.wins).astype(float)
        said = np.where(rng.random((n, 3)) < self.people, truth[:, None], 1 - truth[:, None])
        said[n if self.labelled is None else self.labelled :] = np.nan
        sees = np.where(truth == 1, self.yes, self.no)
        judged = np.where(rng.random(n) < sees, truth, 1 - truth)
        judged[rng.random(n) < self.undecided] = np.nan
        same = (rng.random(n) < self.consistent).astype(float)
        slots = np.where(same == 1, 0.5, rng.random(n) < self.first)
        return Evidence(
            judged, judged, said, np.isnan(said).astype(np.int8), np.arange(n),
            np.tile(["new", "old"], (n, 1)), "pairs", (0.0, 0.5, 1.0), (0.0, 1.0), same, slots,
        )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """Two systems on a line from 1 to 5, each prompt answered by both; the judge is `off` too kind
    to the first, whose answers are better by `gap`.
    """

    n: int = 300
    off: float = 0.0
    noise: float = 0.4
    people: float = 0.3
    gap: float = 0.5

    def draw(self, rng: np.random.Generator, n: int | None = None) -> Evidence:
        n = self.n if n is None else n
        new = np.arange(n) % 2 == 0
        truth = rng.uniform(1.5, 4.0, n) + self.gap * new
        seen = np.clip(truth[:, None] + rng.normal(0, self.people, (n, 3)), 1, 5)
        judged = np.clip(truth + rng.normal(0, self.noise, n) + self.off * new, 1, 5)
        none = np.full(n, np.nan)
        return Evidence(
            judged, judged, seen, np.zeros(seen.shape, dtype=np.int8), np.arange(n) // 2,
            np.where(new, "new", "old"), "line", (), (1.0, 5.0), none, none,
        )  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """A judge that breaks one gate of a claim a little beyond its margin, and no other.

    Attributes:
        told: Where the truth is, and where the margin.
        bars: Thresholds other than the default ones, so that no second gate is broken with it.
        lasting: More cases do not mend it.
    """

    claim: Claim
    gate: str
    world: Pairs | Line
    told: str
    bars: Mapping[str, float] = field(default_factory=dict, hash=False)
    lasting: bool = True

    @property
    def policy(self) -> Policy:
        bars: dict[str, Any] = dict(self.bars)
        return replace(POLICY, **bars)


def settled(seen: Evidence, claim: Claim, policy: Policy = POLICY) -> Certificate:
    return certify(claim, questions(seen, claim, policy), policy)


def passes(broken: Broken, runs: int, seed: int) -> tuple[float, float]:
    """(how often the broken gate passes, how often everything does); the rest is asked only where
    the broken gate passed, because one gate that does not pass is enough."""
    rng, gate, whole = np.random.default_rng(seed), 0, 0
    for _ in range(runs):
        seen = broken.world.draw(rng)
        asked = questions(seen, broken.claim, broken.policy)
        alone = certify(broken.claim, {broken.gate: asked[broken.gate]}, broken.policy)
        if [one.result for one in alone.ran] == ["PASS"]:
            gate += 1
            whole += certify(broken.claim, asked, broken.policy).result == "PASS"
    return gate / runs, whole / runs


def _broken() -> list[Broken]:
    found = []
    apart = {"replace": Pairs(), "level": Pairs(), "compare": Pairs(wins=0.65)}

    def add(claim: Claim, gate: str, told: str, bars: Mapping[str, float], **how: Any) -> None:
        found.append(Broken(claim, gate, replace(apart[claim], **how), told, bars))

    for claim in ("replace", "level", "compare"):
        add(claim, "coverage", "decides .88; .90 wanted", {}, undecided=0.12)
        add(claim, "agreement", "kappa .38; .40 wanted", {}, people=0.75, yes=0.775, no=0.775)
        add(claim, "ceiling", "ratio .83; .85 wanted", {"epsilon": 0.25},
            people=0.97, yes=0.8, no=0.8, n=250)  # fmt: skip
        add(claim, "baseline", "accuracy .02 under the commonest label's", {"agreement": 0.2},
            wins=0.8, yes=0.8, no=0.7, n=400)  # fmt: skip
        add(claim, "position", "first wins .62; .60 at most", {}, consistent=0.7, first=0.9)
        if claim != "level":
            add(claim, "consistency", "same winner in .57; .60 wanted", {}, consistent=0.57)
    add("replace", "alt_test", "behind people by .12; .10 allowed", {"epsilon": 0.1},
        people=0.97, yes=0.85, no=0.85)  # fmt: skip
    few = Pairs(n=60)
    found.append(Broken("level", "precision", few, "half-width .11; .10 wanted", {}, False))
    add("level", "transport", "error .12; .10 allowed", {}, yes=0.98, no=0.74)
    add("compare", "transport", "error .12; .10 allowed", {}, yes=0.98, no=0.7)
    even = Pairs(n=200)
    found.append(Broken("compare", "difference", even, "no difference, 200 cases", {}, False))
    line = {
        "transport": (Line(off=0.63, gap=0.0), "line: error .11; .10 allowed", "ceiling_ratio"),
        "agreement": (Line(noise=1.2, people=1.0, gap=0.0), "line: alpha .37; .40 wanted",
                      "ceiling_ratio"),
        "ceiling": (Line(noise=0.6, gap=0.0), "line: ratio .83; .85 wanted", ""),
    }  # fmt: skip
    for gate, (world, told, lower) in line.items():
        found.append(Broken("level", gate, world, told, {lower: 0.7} if lower else {}))
    return found


BROKEN = tuple(_broken())


# ---- a good judge at the planned number ----------------------------------------------------------


@dataclass(frozen=True)
class Planned:
    claim: Claim
    world: Pairs
    told: str
    power: float

    def passes(self, runs: int, seed: int) -> float:
        rng = np.random.default_rng(seed)
        found = [settled(self.world.draw(rng), self.claim).result for _ in range(runs)]
        return found.count("PASS") / runs


def planned() -> tuple[Planned, ...]:
    """Judges as good as people, with the labels and cases that the planner asks for."""
    found = [_to_replace(ALONE)]
    found.append(_with_judge("level", 0.05))
    return (*found, *(_with_judge("compare", 0.1, power) for power in (0.8, 0.9)))


def _to_replace(power: float) -> Planned:
    world = Pairs(people=0.9, yes=0.9, no=0.9)
    seen = world.draw(np.random.default_rng(2), 2000)
    plan = items_to_replace(align(seen.judged, seen.labels), epsilon=POLICY.epsilon, power=power)
    assert plan.n_labels is not None
    world = replace(world, n=plan.n_labels)
    return Planned(
        "replace", world, f"{plan.n_labels} labelled cases, epsilon {plan.effect:g}", power
    )


def _with_judge(claim: Any, effect: float, power: float = 0.8) -> Planned:
    """A half-width, or a win rate that is so far from its opposite."""
    wins = 0.5 + effect / 2 / 0.8  # people see .9 - .1 of it
    world = Pairs(wins=0.5 if claim == "level" else wins)
    known = _pilot(world, claim)
    least = labels_needed(known, claim, effect, power=power).n_labels
    assert least is not None
    labels = int(np.ceil(SPARE * least))
    cases = cases_needed(known, claim, effect, labels=labels, power=power).n_cases
    assert cases is not None
    world = replace(world, n=cases, labelled=labels)
    what = "half-width" if claim == "level" else "difference"
    return Planned(claim, world, f"{labels} labels, {cases} cases, {what} {effect:g}", power)


def _pilot(world: Pairs, claim: str) -> Pilot:
    seen = world.draw(np.random.default_rng(3), 2000)
    times = 1.0 if claim == "level" else 2.0
    return pilot(times * seen.means, times * seen.judged)
