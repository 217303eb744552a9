"""The judge card: a run and people's labels, and what they allow to be said of the judge."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from evenhand.correlations import spearman
from evenhand.intervals import Interval, clustered_t
from evenhand.report.certificate import Certificate, Claim, Policy, certify
from evenhand.report.evidence import questions
from evenhand.report.figures import (
    Evidence,
    annotator_test,
    ceiling,
    coefficient,
    confidences,
    contrast,
    levels,
    trivial_of_pairs,
)
from evenhand.report.fit import refuse_overlap
from evenhand.report.gathered import Gathered, gather
from evenhand.report.people import LabelFiles, known_only
from evenhand.report.slices import Slice, slices
from evenhand.store import Store
from evenhand.trust.agreement import accuracy, correlation
from evenhand.trust.alt_test import NOT_TESTED, AltTest
from evenhand.trust.coefficients import gwet_ac, krippendorff_alpha, percent_agreement
from evenhand.trust.confidence import Source
from evenhand.trust.estimate import Estimate
from evenhand.trust.ratings import Ratings

SEED = 0  # of every draw behind an interval
MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """What the card is to answer.

    Attributes:
        policy: A TOML file of thresholds; None takes the default one.
        cluster: What is independent: 'prompt' (None), 'case', 'group' or a column of the data.
        by: Slices: 'system', 'group' or a column of the data.
        columns, scale: As for `read_labels`.
    """

    claim: Claim = "replace"
    policy: Path | None = None
    cluster: str | None = None
    by: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """What the card says.

    Attributes:
        agreement: By name; agreement figures, the human ceiling and the trivial judges.
        confidence: What each source of confidence is worth, the best at finding errors first.
        worst: The cases on which judge and people are furthest apart.
    """

    run: str
    certificate: Certificate
    policy: Policy
    gathered: Gathered
    agreement: Mapping[str, Interval]
    confidence: tuple[Source, ...]
    alt: AltTest | str
    estimates: Mapping[str, Estimate]
    slices: tuple[Slice, ...]
    worst: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        found, got = self.certificate, self.gathered
        judge = got.manifest.get("judge", {})
        whole: dict[str, Any] = known_only({
            "run": self.run,
            "claim": found.claim,
            "result": found.result,
            "required_not_run": list(found.lacking),
            "gates": [asdict(gate) for gate in found.gates],
            "agreement": {name: asdict(one) for name, one in self.agreement.items()},
            "confidence": {one.name: asdict(one) for one in self.confidence},
            "alt_test": _alt_json(self.alt, got.labels.raters),
            "estimates": {name: asdict(one) for name, one in self.estimates.items()},
            "slices": [asdict(one) for one in self.slices],
            "disagreements": list(self.worst),
            "warnings": list(self.warnings),
            "judge": {"name": judge.get("name"), "identity": judge.get("identity")},
            "models": got.manifest.get("models", []),
            "served": got.manifest.get("served", []),
            "data": got.manifest.get("data", {}),
            "labels": {"files": got.files, "sha256": got.labels.sha256,
                       "raters": list(got.labels.raters), "used": got.n_labels,
                       "cases": got.n_labelled, "unknown_cases": len(got.unknown)},
            "policy": self.policy.json(),
            "versions": {name: version(name) for name in ("evenhand", "numpy", "scipy")}
            | {"python": platform.python_version()},
            "seed": SEED,
        })  # fmt: skip
        return whole


def _alt_json(test: AltTest | str, raters: Sequence[str]) -> dict[str, Any]:
    if isinstance(test, str):
        nothing: dict[str, Any] = {
            "winning_rate": None,
            "advantage_probability": None,
            "per_rater": [],
        }
        return {**nothing, "reason": test}
    rows = [{**asdict(one), "rater": raters[one.rater]} for one in test.raters]
    return {
        "winning_rate": asdict(test.winning_rate),
        "advantage_probability": asdict(test.advantage_probability),
        "smallest_epsilon": asdict(test.smallest_epsilon),
        "epsilon": test.epsilon,
        "passed": test.passed,
        "per_rater": rows,
    }


def judge_card(run: Path, files: Sequence[Path], asked: Asked = Asked()) -> Card:
    """Reads a run and label files.

    Raises:
        Misuse: No label is of a case in the run, or of no label on its scale; labels that the judge
            was fitted to; verdicts that are orders of many responses.
        DataError: A bad row of a label file, the same case and rater twice.
    """
    policy = Policy.read(asked.policy)
    with contextlib.closing(Store(run, read=True)) as store:
        given = LabelFiles(tuple(files), asked.columns, asked.scale)
        got = gather(store, given, cluster=asked.cluster, by=asked.by)
    refuse_overlap(got.manifest, got.labelled_ids)
    seen = got.evidence
    found = certify(asked.claim, questions(seen, asked.claim, policy), policy)
    test = annotator_test(seen, policy)
    return Card(
        str(run), found, policy, got, _figures(seen), confidences(seen), test, _estimates(seen),
        slices(seen, got.slices), _worst(got), tuple(dict.fromkeys(_warnings(got, test))),
    )  # fmt: skip


# ---- figures beside the gates --------------------------------------------------------------------


def _figures(seen: Evidence) -> dict[str, Interval]:
    truth = seen.truth
    if np.isnan(truth).all():
        return {}
    both = seen.ratings(truth)
    right = accuracy(both)
    made = [right.strict, right.answered, right.coverage]
    made = made[2:] if seen.kind == "line" else made  # a mean is seldom a number that was said
    figures = {one.name: one.interval for one in made}
    found = coefficient(seen)
    figures[found.name] = found.interval
    if seen.kind in ("grades", "line"):
        for kind in ("pearson", "spearman", "kendall"):
            one = correlation(both, kind)
            figures[one.name] = one.interval
    else:
        figures["Gwet's AC1"] = gwet_ac(both).interval
    return {**figures, **_people(seen), **_trivial(seen, both)}


def _people(seen: Evidence) -> dict[str, Interval]:
    if not ((~np.isnan(seen.labels)).sum(axis=1) >= 2).any():
        return {}
    whole = seen.ratings(seen.labels, seen.why)
    people = whole.pick(*range(seen.labels.shape[1]))
    scale = "nominal" if seen.kind in ("pairs", "words") else "interval"
    found = {
        "people: percent agreement": percent_agreement(people).interval,
        f"people: Krippendorff's alpha ({scale})": krippendorff_alpha(people, scale).interval,  # type: ignore[arg-type]
    }
    top = ceiling(seen)
    found["ceiling: a person against the others"] = top.human.interval
    found["ceiling: the judge against the same"] = top.judge.interval
    found["ceiling: judge over person"] = top.ratio.interval
    return found


def _trivial(seen: Evidence, both: Ratings) -> dict[str, Interval]:
    if seen.kind == "pairs":
        found = trivial_of_pairs(seen)
        made = {"always the first": found.first, "commonest label": found.majority,
                "longer wins": found.longer, "more common words win": found.lexical}  # fmt: skip
        return {f"trivial judge: {name}": one.interval for name, one in made.items() if one}
    if seen.kind == "line":
        return _alone(seen)
    truth = both.values[:, 0]
    values, counts = np.unique(truth, return_counts=True)
    hits = (truth == values[np.argmax(counts)]).astype(float)
    groups = np.arange(len(hits)) if both.clusters is None else both.clusters
    common = clustered_t(hits, groups, span=(0.0, 1.0))
    return {"trivial judge: commonest label": common, **_alone(seen)}


def _alone(seen: Evidence) -> dict[str, Interval]:
    """What length and common words alone say about labels that have an order."""
    if seen.kind == "words" and len(seen.grades) != 2:
        return {}
    told = {"length": seen.lengths, "words in common": seen.overlap}
    return {
        f"trivial judge: {name} alone (Spearman)":
            spearman(seen.truth, values[:, 0], clusters=seen.clusters).interval
        for name, values in told.items() if values is not None
    }  # fmt: skip


def _estimates(seen: Evidence) -> dict[str, Estimate]:
    found = levels(seen)
    two = contrast(seen)
    return found if isinstance(two, str) else {**found, two[0]: two[1]}


def _worst(got: Gathered) -> tuple[Mapping[str, Any], ...]:
    seen = got.evidence
    gaps = np.abs(seen.judged - seen.means) / seen.width
    order = sorted(np.flatnonzero(gaps > 0), key=lambda i: (-gaps[i], got.ids[i]))
    return tuple(
        {"case": got.ids[i], "judge": float(seen.judged[i]), "people": float(seen.means[i])}
        for i in order[:MOST_SHOWN]
    )


def _of_the_test(test: AltTest, raters: Sequence[str]) -> Iterator[str]:
    """Its warnings, with people's names for its columns."""
    lost = dict[str, list[str]]()
    for one in test.raters:
        if one.reason:
            lost.setdefault(one.reason, []).append(raters[one.rater])
    for why, names in lost.items():
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        yield f"raters not tested: {', '.join(names[:8])}{more} ({why})"
    yield from (told for told in test.warnings if not told.startswith(NOT_TESTED))


def _warnings(got: Gathered, test: AltTest | str) -> Iterator[str]:
    yield from got.notices
    seen = got.evidence
    if np.isnan(seen.judged).all():
        yield "the judge decided no case: nothing can be compared"
    counts = (~np.isnan(seen.labels)).sum(axis=0)
    for rater, n in zip(got.labels.raters, counts, strict=True):
        if n == 1:
            yield f"rater {rater} has one label"
    said = seen.labels[~np.isnan(seen.labels)]
    if said.size and np.ptp(said) == 0:
        yield "every label is the same: agreement beyond chance cannot be measured"
    split = int((np.isnan(seen.truth) & ~np.isnan(seen.labels).all(axis=1)).sum())
    if split:
        yield f"{split} cases have two labels equally often; agreement leaves them out"
    if not isinstance(test, str):
        yield from _of_the_test(test, got.labels.raters)
    if seen.chances is None:
        yield "estimates hold when the labelled cases are a random sample of the run"
        return
    yield (
        "the labelled cases were drawn with unequal chances: only the corrected estimates allow "
        "for that, and the agreement figures are those of the drawn cases"
    )
    if bare := len(set(got.labels.chances) - set(got.labelled_ids)):
        yield f"{bare} of the {len(got.labels.chances)} cases drawn for labels have none"
