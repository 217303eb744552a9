"""Figures of public benchmarks that weigh parts, prompts or systems in a way of their own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import stdtrit

from evenhand.intervals import (
    Floats,
    Interval,
    enough,
    from_influence,
    resampled_sums,
    undefined,
)
from evenhand.report.sample import Fact, Sample
from evenhand.trust.pairwise import hits

Options = Mapping[str, Any]
REPLICATES, LEVEL = 400, 0.95


@dataclass(frozen=True, slots=True)
class Part:
    """Values of which a figure takes the mean, and the share that it has in the whole."""

    share: float
    values: Floats
    clusters: Sequence[str]


def weighed(parts: Iterable[Part], method: str) -> Interval:
    """The sum of shares times means; clusters may reach over several parts.

    The shares are taken as fixed, so that only the means vary.
    """
    kept = [part for part in parts if part.values.size]
    n = sum(part.values.size for part in kept)
    if not n:
        return undefined("no case has a gold and a verdict", method, level=LEVEL)
    estimate = sum(part.share * float(part.values.mean()) for part in kept)
    influence = [
        part.share * n / part.values.size * (part.values - part.values.mean()) for part in kept
    ]
    clusters = np.concatenate([np.asarray(part.clusters, dtype=str) for part in kept])
    made = from_influence(estimate, np.concatenate(influence), clusters, level=LEVEL)
    return replace(enough(made), method=f"{method}, {made.method}")


# ---- sections ------------------------------------------------------------------------------------


def section_mean(sample: Sample, options: Options) -> Interval:
    """The mean of the sections' accuracies; undecided is wrong.

    A section is the mean of its subsets, weighed by `weights` (1 where nothing is said); a subset
    of no section is left out, and so is a section of which there are no cases.

    Args:
        options: sections: name -> subsets; weights: subset -> weight; ties as for accuracy.
    """
    right = hits(sample.said, sample.gold, options.get("ties", "half"))
    counted = sample.asked & ~np.isnan(sample.gold) & np.isfinite(right)
    group = np.array([fact.group for fact in sample.facts])
    weights: Mapping[str, float] = options.get("weights", {})
    there = [
        [name for name in subsets if (counted & (group == name)).any()]
        for subsets in options["sections"].values()
    ]
    known = [subsets for subsets in there if subsets]
    parts = []
    for subsets in known:
        whole = sum(weights.get(name, 1.0) for name in subsets)
        for name in subsets:
            mine = counted & (group == name)
            share = weights.get(name, 1.0) / whole / len(known)
            parts.append(Part(share, right[mine], sample.clusters[mine]))
    return weighed(parts, f"mean of {len(known)} of {len(there)} sections")


# ---- best of several -----------------------------------------------------------------------------


def best_of(sample: Sample, options: Options) -> Interval:
    """The mean over subsets of how often the right response of a prompt is scored highest.

    Of k responses that share the highest score, a right one counts 1/k. A prompt with an
    undecided response is wrong. The subset `ties` has several right answers to a prompt, and a
    figure of its own: 0.3 for the share of prompts with one right answer that is above all wrong
    ones, 0.3 for those with several that all are, 0.2 for a gap to the wrong ones wider than the
    spread of the right ones, 0.2 for the same with the narrower gap of the two, 0.01 for how much
    wider it is.
    """
    found: dict[str, dict[str, Prompt]] = {}
    for place, fact in enumerate(sample.facts):
        if sample.asked[place]:
            prompts = found.setdefault(fact.group, {})
            prompts.setdefault(str(fact.notes["prompt"]), Prompt([], [])).add(
                fact, float(sample.score[place])
            )
    parts = []
    for name, prompts in found.items():
        made = _ties(prompts) if name == options.get("ties_in", "Ties") else _best(prompts)
        parts += [
            Part(one.share / len(found), one.values, [f"{name}/{key}" for key in one.clusters])
            for one in made
        ]
    return weighed(parts, f"mean of {len(found)} subsets")


@dataclass(frozen=True, slots=True)
class Prompt:
    """Scores of the right and of the wrong responses to one prompt; NaN is undecided."""

    right: list[float]
    wrong: list[float]

    def add(self, fact: Fact, score: float) -> None:
        (self.right if fact.label == "1" else self.wrong).append(score)

    @property
    def credit(self) -> float:
        scores = self.right + self.wrong
        if any(map(math.isnan, scores)):
            return 0.0
        return self.right.count(max(scores)) / scores.count(max(scores))

    @property
    def gap(self) -> float:
        """From the worst right one to the best wrong one."""
        scores = self.right + self.wrong
        if any(map(math.isnan, scores)) or not self.right or not self.wrong:
            return -math.inf
        return min(self.right) - max(self.wrong)

    @property
    def spread(self) -> float:
        return max(self.right) - min(self.right) if math.isfinite(self.gap) else math.inf


def _best(prompts: Mapping[str, Prompt]) -> list[Part]:
    return [Part(1.0, np.array([one.credit for one in prompts.values()]), list(prompts))]


def _ties(prompts: Mapping[str, Prompt]) -> list[Part]:
    kinds: dict[str, dict[str, Prompt]] = {"ref": {}, "tied": {}}
    for ident, prompt in prompts.items():
        kind, _, number = ident.partition(":")
        kinds["ref" if kind == "ref" else "tied"][number] = prompt
    ref, tied = kinds["ref"], kinds["tied"]
    both = [number for number in tied if number in ref]
    gaps = np.array([tied[number].gap for number in both])
    narrow = np.array([min(tied[number].gap, ref[number].gap) for number in both])
    spreads = np.array([tied[number].spread for number in both])
    with np.errstate(divide="ignore", invalid="ignore"):
        wider = np.nan_to_num(np.tanh(narrow / spreads - 1), nan=0.0)
    return [
        Part(0.3, np.array([one.gap > 0 for one in ref.values()], dtype=float), list(ref)),
        Part(0.3, np.array([one.gap > 0 for one in tied.values()], dtype=float), list(tied)),
        Part(0.2, (gaps > spreads).astype(float), both),
        Part(0.2, (narrow > spreads).astype(float), both),
        Part(0.01, wider, both),
    ]


# ---- systems against a base ----------------------------------------------------------------------


def judger_bench_v2(sample: Sample, options: Options) -> Interval:
    """(accuracy - difference + 1) / 2 of each category, and the mean of categories.

    The difference is the mean over systems of |rank - rank by the gold| / (systems - 1) and
    |wins - wins by the gold| / (the most that any system is off). Undecided is wrong and no win;
    a system without a win has 0. Equal wins rank by name, as in the source. Where nobody is off,
    the second term is 0. The interval is the spread of resampled prompts.
    """
    groups = np.array([fact.group for fact in sample.facts])
    counted = sample.asked & ~np.isnan(sample.gold)
    tables = [_wins(sample.where(counted & (groups == name))) for name in sorted(set(groups))]
    tables = [table for table in tables if table.size]
    if not tables:
        return undefined("no case has a gold and a verdict", "composite", level=LEVEL)
    estimate = float(np.mean([_composite(table.sum(axis=0)[None])[0] for table in tables]))
    drawn = [_composite(resampled_sums(table, REPLICATES, at)) for at, table in enumerate(tables)]
    error = float(np.std(np.mean(drawn, axis=0), ddof=1))
    clusters = sum(len(table) for table in tables)
    half = float(stdtrit(max(clusters - len(tables), 1), 0.5 + LEVEL / 2)) * error
    low, high = max(estimate - half, -0.5), min(estimate + half, 1.0)
    method, n = "resampled prompts, standard error", int(counted.sum())
    return enough(Interval(estimate, low, high, LEVEL, method, n, clusters))


def _wins(mine: Sample) -> Floats:
    """Per prompt: cases, right ones, wins of each system said, and by the gold."""
    if not mine.n:
        return np.zeros((0, 0))
    prompts, row = np.unique(mine.clusters, return_inverse=True)
    names = sorted({str(fact.notes["system"]) for fact in mine.facts})
    table = np.zeros((len(prompts), 2 + 2 * len(names)))
    for place, fact in enumerate(mine.facts):
        system = str(fact.notes["system"])
        sign = 1.0 if fact.systems[0] == system else -1.0
        at, column = row[place], 2 + names.index(system)
        table[at, 0] += 1
        table[at, 1] += mine.said[place] == mine.gold[place]
        table[at, column] += mine.said[place] == sign
        table[at, column + len(names)] += mine.gold[place] == sign
    return table


def _composite(sums: Floats) -> Floats:
    """Of totals, shape (k, 2 + 2 systems); shape (k,)."""
    n = (sums.shape[1] - 2) // 2
    said, gold = sums[:, 2 : 2 + n], sums[:, 2 + n :]
    ranks = [np.argsort(np.argsort(-wins, axis=1, kind="stable"), axis=1) for wins in (said, gold)]
    off, moved = np.abs(said - gold), np.abs(ranks[0] - ranks[1]) / max(n - 1, 1)
    most = off.max(axis=1, keepdims=True)
    difference = (moved + off / np.where(most > 0, most, 1.0)).mean(axis=1)
    accuracy = sums[:, 1] / np.maximum(sums[:, 0], 1.0)
    return np.asarray((accuracy - difference + 1) / 2)


SECTIONS = {"section_mean": section_mean, "best_of": best_of, "judger_bench_v2": judger_bench_v2}
