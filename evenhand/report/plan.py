"""How many labels a claim needs, from a pilot run with labels or from assumptions that are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from evenhand.errors import Misuse
from evenhand.intervals import Interval
from evenhand.report.figures import Kind
from evenhand.report.fit import refuse_overlap
from evenhand.report.learnt import interval_text
from evenhand.report.people import LabelFiles, Labelled, People, known_only, people
from evenhand.report.spoken import kind_of
from evenhand.report.summary import bounds, winner
from evenhand.report.terminal import listed, shown
from evenhand.trust.alignment import Alignment, align
from evenhand.trust.power import Pilot, Plan, cases_needed, detectable, labels_needed, pilot
from evenhand.trust.replace_plan import assumed_annotators, items_to_replace, replace_power

Claim = Literal["replace", "level", "compare"]
SIZES = (30, 50, 100, 200, 500, 1000)
SPARE = 1.25
EPSILON, SHARE = 0.15, 0.05
WITHOUT = Pilot(sd=0.5, correlation=0.5)
APART = Pilot(sd=0.7, correlation=0.5)
OF_DRAWN = (
    "labels were drawn with unequal chances: the pilot's figures are those of the drawn cases,"
    " not of all"
)
OF_TWO = (
    "of single responses, a label here is a prompt on which both systems are labelled: two labels"
)
NOISE = {"raters": 3, "human_noise": 0.2, "judge_noise": 0.2, "labels": 4}


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, what it rests on, and what other numbers of labels could show.

    Attributes:
        known: What was assumed, or measured in the pilot: name -> figure.
        effect: In words, with its unit.
        fewer: Labels that suffice when the judge sees any number of cases; `plan` has a quarter
            more of them, and the cases that then suffice. None for "replace".
        alone: Labels needed without any judge; None for "replace".
        reach: Labels -> the smallest effect (a half-width for "level"), or for "replace" the chance
            that the judge passes.
    """

    claim: Claim
    pilot: str | None
    known: Mapping[str, Any]
    effect: str
    plan: Plan
    fewer: Plan | None
    alone: int | None
    reach: Mapping[int, float | Interval | None]
    warnings: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        form = asdict(self.plan)
        return {
            "claim": self.claim,
            "pilot": self.pilot,
            "known": known_only(self.known),
            "effect": self.plan.effect,
            "effect_is": self.effect,
            **known_only({k: v for k, v in form.items() if k not in ("claim", "effect")}),
            "labels_with_any_cases": self.fewer.n_labels if self.fewer else None,
            "labels_without_judge": self.alone,
            "reach": known_only({n: asdict(i) if isinstance(i, Interval) else i
                                 for n, i in self.reach.items()}),
            "warnings": list(self.warnings),
        }  # fmt: skip


def planned(
    claim: str,
    run: Path | None = None,
    labels: LabelFiles | None = None,
    *,
    effect: float | None = None,
) -> Planned:
    """A plan for one claim.

    Args:
        run, labels: A pilot: a run, and people's labels of some of its cases.
        effect: "level": half-width; "compare": difference; "replace": the penalty epsilon. None: 5
            % of the scale, 0.15 for "replace".

    Raises:
        Misuse: No such claim, or a pilot that says nothing about it.
    """
    if claim not in get_args(Claim):
        raise Misuse(f"no claim {claim!r}", expected=f"one of {', '.join(get_args(Claim))}")
    if (run is None) != (not (labels and labels.files)):
        missing = "--labels" if run else "--pilot"
        raise Misuse(f"{missing} is missing", expected="--pilot RUN --labels FILE", do="give both")
    if effect is not None and not 0 < effect < float("inf"):
        raise Misuse(f"--effect {effect:g}", expected="a number above 0", do="--effect 0.05")
    found = None if run is None or labels is None else people(run, labels)
    if found is not None and not found.decided:
        raise Misuse(
            f"none of the {len(found.rows)} labelled cases of {run} has a decided verdict",
            expected="a pilot with verdicts",
            do=f"evenhand show {run} --undecided says why",
        )
    if found is not None:
        refuse_overlap(found.manifest, found.ids)
        more = (OF_DRAWN,) if found.unequal else ()
        found = replace(found, notices=(*found.notices, *more))
    try:
        return _replace(found, effect) if claim == "replace" else _estimate(claim, found, effect)
    except ValueError as error:
        raise Misuse(
            str(error), expected="a pilot that can be planned with", do="label more cases"
        ) from error


# ---- level and compare -----------------------------------------------------------------------


def _estimate(claim: Any, found: People | None, effect: float | None) -> Planned:
    known = _measured(claim, found) if found else APART if claim == "compare" else WITHOUT
    width, unit = _width(claim, found)
    goal = SHARE * width if effect is None else effect
    fewer = labels_needed(known, claim, goal)
    alone = labels_needed(Pilot(known.sd, 0.0, known.icc, known.cluster_size), claim, goal)
    plan = fewer
    if fewer.n_labels is not None:
        spare = int(np.ceil(SPARE * fewer.n_labels))
        most = max(fewer.n_labels, alone.n_labels or spare)  # without a judge these would do
        plan = cases_needed(known, claim, goal, labels=min(spare, most))
    what = "half of a 95 % interval's width" if claim == "level" else "a difference of two systems"
    reach = {n: detectable(known, claim, labels=n).effect for n in SIZES}
    told = (*(found.notices if found else ()), *plan.warnings)
    if claim == "compare" and not (found and found.scale.swaps):
        told = (*told, OF_TWO)
    names = ("sd", "correlation", "worst", "icc", "cluster_size", "n", "n_clusters")
    figures = {name: getattr(known, name) for name in names if found or name in names[:2]}
    return Planned(
        claim, found.run if found else None, figures, f"{goal:g} {unit}: {what}", plan, fewer,
        alone.n_labels, reach, told,
    )  # fmt: skip


def _width(claim: str, found: People | None) -> tuple[float, str]:
    span = bounds(found.scale) if found else None
    low, high = span or (0.0, 1.0)
    if found and found.scale.swaps:
        return 1.0, "of the win rate" if claim == "level" else "of the wins less the losses"
    return high - low, f"on the scale from {low:g} to {high:g}"


def _measured(claim: str, found: People) -> Pilot:
    if claim == "compare":
        _two(found)
    rows = _differences(found) if claim == "compare" else _levels(found)
    labels, judge, clusters = zip(*rows, strict=True) if rows else ((), (), ())
    return pilot(labels, judge, clusters)


Row = tuple[float, float, str]
"""Label, judge's figure, cluster."""


def _levels(found: People) -> list[Row]:
    """Scores, or the win share of the first of two systems, or else of the first response."""
    if found.scale.swaps:
        return [(0.5 + a / 2, 0.5 + b / 2, c) for a, b, c in _differences(found)]
    rows = found.decided
    return [(found.mean(row), row.verdict.score or 0.0, row.signed.cluster) for row in rows]


def _differences(found: People) -> list[Row]:
    """Of the system whose name comes first less the other."""
    names = _systems(found)
    if found.scale.swaps:
        first = names[0] if len(names) == 2 else None
        return [_signed(found, row, first) for row in found.decided]
    by_prompt: dict[str, dict[str, Labelled]] = {}
    for row in found.decided:
        by_prompt.setdefault(row.signed.cluster, {})[str(row.signed.systems[0])] = row
    both = [(two[names[0]], two[names[1]]) for two in by_prompt.values() if len(two) == 2]
    return [
        (found.mean(a) - found.mean(b), (a.verdict.score or 0.0) - (b.verdict.score or 0.0),
         a.signed.cluster)
        for a, b in both
    ]  # fmt: skip


def _systems(found: People) -> list[str]:
    names = {str(name) for row in found.decided for name in row.signed.systems if name}
    return sorted(names)


def _two(found: People) -> None:
    if len(names := _systems(found)) != 2:
        raise Misuse(
            f"the labelled cases of {found.run} are of {len(names)} systems"
            + (f": {', '.join(names[:5])}" if names else ""),
            expected="two systems: compare is about two",
            do="name the systems in the data, and give the labels of two of them only",
        )


def _signed(found: People, row: Labelled, first: str | None) -> Row:
    """Turned towards that system; None: towards the first response."""
    sign = 2.0 if first is None or row.signed.systems[0] == first else -2.0
    label, score = found.mean(row) - 0.5, (row.verdict.score or 0.0) - 0.5
    return sign * label, sign * score, row.signed.cluster


# The annotator test alone: the card's other gates must pass too, and then four cards of five do.
ALONE = 0.9

# ---- replace ---------------------------------------------------------------------------------


def _replace(found: People | None, effect: float | None) -> Planned:
    epsilon = EPSILON if effect is None else effect
    aligned, clusters, known = _assumed() if found is None else _aligned(found)
    if aligned.reason:
        raise ValueError(f"the pilot cannot plan this claim: {aligned.reason}")
    plan = items_to_replace(aligned, epsilon=epsilon, clusters=clusters, power=ALONE)
    reach = {n: replace_power(aligned, n, epsilon=epsilon, clusters=clusters) for n in SIZES[:5]}
    if not np.isfinite(reach[SIZES[0]].estimate):
        raise ValueError(f"the pilot cannot plan this claim: {reach[SIZES[0]].reason}")
    told = (*(found.notices if found else ()), *plan.warnings)
    run = found.run if found else None
    return Planned(
        "replace", run, known, f"{epsilon:g}: epsilon, what a person's cost may be worth", plan,
        None, None, reach, tuple(dict.fromkeys(told)),
    )  # fmt: skip


def _assumed() -> tuple[Alignment, None, dict[str, Any]]:
    made = assumed_annotators(
        int(NOISE["raters"]), human_noise=NOISE["human_noise"], judge_noise=NOISE["judge_noise"],
        n_labels=int(NOISE["labels"]),
    )  # fmt: skip
    return made, None, dict(NOISE)


def _aligned(found: People) -> tuple[Alignment, Sequence[str], dict[str, Any]]:
    if len(found.raters) < 2:
        raise Misuse(
            f"the labels are all by {found.raters[0]}",
            expected="labels of two raters or more: replace compares the judge with each of them",
            do=f"evenhand label {found.run} --raters 3",
        )
    rows, kind = found.decided, kind_of(found.scale)
    numbers = kind in ("grades", "line")  # as the card's own test takes them
    said = [[_said(found, row, rater, numbers) for rater in found.raters] for row in rows]
    judge = [_judged(found, row, kind) for row in rows]
    clusters = [row.signed.cluster for row in rows]
    made = align(
        np.array(judge, dtype=float if numbers else object),
        np.array(said, dtype=float if numbers else object),
        metric="neg_rmse" if numbers else "accuracy",
    )
    known = {"raters": len(found.raters), "cases": len(rows), "alone": made.n_alone}
    return made, clusters, known


def _said(found: People, row: Labelled, rater: str, numbers: bool) -> float | str | None:
    label = row.said.get(rater)
    if numbers:
        return float("nan") if label is None else found.number(label)
    return None if label is None else found.on_scale(label) or label


def _judged(found: People, row: Labelled, kind: Kind) -> float | str | None:
    verdict = row.verdict
    if kind == "line":
        return verdict.score
    if kind == "grades":
        return found.number(verdict.label or "")
    return winner(verdict) if kind == "pairs" else verdict.label


# ---- in the terminal -------------------------------------------------------------------------


def plan_text(made: Planned) -> RenderableType:
    source = f"measured in {made.pilot}" if made.pilot else "assumed, not measured"
    plan = made.plan
    known = ", ".join(f"{name} {_figure(one)}" for name, one in made.known.items())
    rows = [("claim", made.claim), ("effect", made.effect), (source, known), *_needs(made)]
    chance = "chance to pass" if made.claim == "replace" else "smallest effect"
    table = [(f"{n} labelled cases", _figure(one)) for n, one in made.reach.items()]
    parts: list[RenderableType] = [listed(rows), Text(), shown(chance, "dim"), listed(table)]
    told = list(made.warnings)
    if made.pilot is None:
        told.append("assumptions, not data: label some cases and give --pilot RUN --labels FILE")
    if told:
        parts += [Text(), listed((("!", one) for one in told), "yellow")]
    return Group(*parts, Text(), shown(f"formula: {plan.formula}", "dim"))


def _needs(made: Planned) -> list[tuple[str, str]]:
    plan, fewer = made.plan, made.fewer
    power = plan.power.estimate if isinstance(plan.power, Interval) else plan.power
    chance = "" if power is None else f", to succeed {power:.0%} of the time"
    if plan.n_labels is None or plan.reason:
        return [("needed", f"no number is enough: {plan.reason}")]
    if fewer is None:
        return [("needed", f"{plan.n_labels} labelled cases{chance}")]
    lines = [
        ("needed", f"{plan.n_labels} labels and {plan.n_cases} judged cases{chance}"),
        ("or", f"{fewer.n_labels} labels, if the judge sees very many cases"),
        ("without a judge", "not reachable" if made.alone is None else f"{made.alone} labels"),
    ]
    if fewer.cautious is not None:
        text = f"{fewer.cautious} labels, if judge and people agree as little as the pilot allows"
        lines.insert(2, ("to be safe", text))
    return lines


def _figure(value: Any) -> str:
    if value is None:
        return "unknown"
    return interval_text(value) if isinstance(value, Interval) else f"{value:.4g}"
