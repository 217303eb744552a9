"""Made-up data with a planted truth, one function a world; `coverage.py` says what is asked of it.

Every function takes a generator of random numbers and how many units to draw: items, cases or
pairs; clusters where the name says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenhand.trust.alignment import Alignment, align
from evenhand.trust.ratings import Gap, Ratings
from evenhand.trust.sampling import aligned_probabilities, label_plan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rng = np.random.Generator


# ---- latent class --------------------------------------------------------------------------------


def latent_class(
    rng: Rng, n: int, *, raters: int, prevalence: float = 0.5, per_cluster: int = 3
) -> Ratings:
    """Two labels; raters err with .05 or .3, together where a cluster of items is hard."""
    size = max(1, n // per_cluster)
    clusters = np.repeat(np.arange(size), per_cluster)
    hard = np.where(rng.random(size) < 0.5, 0.3, 0.05)[clusters]
    truth = (rng.random(size) < prevalence)[clusters]
    flips = rng.random((clusters.size, raters)) < hard[:, None]
    return Ratings.from_values(truth[:, None] ^ flips, scale=(0, 1), clusters=clusters)


def of_latent_class(kind: str, prevalence: float = 0.5) -> float:
    """Kappa and alpha (the raters have the same shares), AC1 or agreement in that world."""
    error = np.array([0.05, 0.3])
    p = float(np.mean(prevalence * (1 - error) + (1 - prevalence) * error))
    return _beyond_chance(kind, float(np.mean((1 - error) ** 2 + error**2)), p)


def _beyond_chance(kind: str, po: float, p: float) -> float:
    pe = {"agreement": 0.0, "AC1": 2 * p * (1 - p)}.get(kind, p**2 + (1 - p) ** 2)
    return (po - pe) / (1 - pe)


def skewed(rng: Rng, n: int) -> Ratings:
    """Two raters who err one time in ten where nine labels in ten are the same."""
    labels = (rng.random(n) < 0.9)[:, None] ^ (rng.random((n, 2)) < 0.1)
    return Ratings.from_values(labels, scale=(0, 1))


def of_skewed(kind: str) -> float:
    return _beyond_chance(kind, 0.82, 0.9 * 0.9 + 0.1 * 0.1)


FOUR_LABELS = 0.74**2


def four_labels(rng: Rng, n: int) -> Ratings:
    """Four raters, four labels, each known with .74 and else guessed: alpha is .74 squared."""
    z, guess = rng.integers(0, 4, n), rng.integers(0, 4, (n, 4))
    return Ratings.from_values(
        np.where(rng.random((n, 4)) < 0.74, z[:, None], guess), scale=range(4)
    )


def panel(rng: Rng, n: int) -> Ratings:
    """Three people who err one time in five, then two judges, three labels; pairs of items share
    how hard they are, and a tenth of the people's ratings is missing.
    """
    clusters = np.arange(n) // 2
    hard = np.where(rng.random(n // 2 + 1) < 0.3, 2.0, 0.6)[clusters]
    z = rng.integers(0, 3, n)
    wrong = hard[:, None] * np.array([0.2, 0.2, 0.2, 0.25, 0.3])
    values = np.where(rng.random((n, 5)) < wrong, rng.integers(0, 3, (n, 5)), z[:, None])
    values = values.astype(float)
    values[:, :3][rng.random((n, 3)) < 0.1] = np.nan
    return Ratings.from_values(values, scale=(0, 1, 2), clusters=clusters)


def aligned(ratings: Ratings, judge: int = 3) -> Alignment:
    return align(ratings.values[:, judge], ratings.values[:, :3])


def unread(rng: Rng, n: int) -> Ratings:
    """Truth and a judge of three labels, two cases a cluster; one verdict in twelve is unread."""
    clusters = np.arange(n) // 2
    wrong = np.where(rng.random(n // 2 + 1) < 0.3, 0.7, 0.15)[clusters]
    truth = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    values = np.column_stack([truth, np.where(rng.random(n) < wrong, rng.integers(0, 3, n), truth)])
    gaps = np.zeros(values.shape, dtype=np.int8)
    gaps[rng.random(n) < 1 / 12, 1] = Gap.UNREAD
    return Ratings.from_values(values, why=gaps, clusters=clusters, scale=(0, 1, 2))


SETTLED, FLIP = 0.8, 0.1


def repeated(rng: Rng, n: int) -> Ratings:
    """Truth and three verdicts of a judge right on .8, each verdict flipped with .1."""
    truth = rng.integers(0, 2, n)
    settled = np.where(rng.random(n) < SETTLED, truth, 1 - truth)
    repeats = np.where(rng.random((n, 3)) < FLIP, 1 - settled[:, None], settled[:, None])
    return Ratings.from_values(np.column_stack([truth, repeats]), scale=(0, 1))


# ---- ordinal with rater severity -----------------------------------------------------------------


def severity(rng: Rng, n: int, *, raters: int) -> Ratings:
    """Five grades of a latent quality; raters are lenient, fair and strict, two items a prompt."""
    prompts = np.arange(n) // 2
    quality = 0.6 * rng.normal(size=n // 2 + 1)[prompts] + 0.8 * rng.normal(size=n)
    shift = np.array([0.5, -0.3, 0.0])[:raters]
    seen = quality[:, None] + shift + 0.6 * rng.normal(size=(n, raters))
    grades = 1 + np.searchsorted([-1.2, -0.4, 0.4, 1.2], seen).astype(float)
    return Ratings.from_values(grades, scale=range(1, 6), clusters=prompts)


# ---- latent utility with prompt effects ----------------------------------------------------------


@dataclass(frozen=True)
class Scored:
    """People's and the judge's score of four answers to each of n prompts."""

    people: Floats
    judge: Floats
    prompts: Ints

    def ratings(self) -> Ratings:
        both = np.column_stack([self.people, self.judge])
        return Ratings.from_values(both, clusters=self.prompts)


R, WITHIN = 0.7, 0.4 / np.sqrt(0.5 * 0.82)
OF_UTILITY = {
    "pearson": R,
    "spearman": 6 / np.pi * float(np.arcsin(R / 2)),
    "kendall": 2 / np.pi * float(np.arcsin(R)),
    "within": 2 / np.pi * float(np.arcsin(WITHIN)),
}


def utility(rng: Rng, n: int) -> Scored:
    """Normal utilities, half of the variance the prompt's; r = .7, and .62 inside a prompt."""
    prompts = np.repeat(np.arange(n), 4)
    prompt, answer = rng.normal(size=n)[prompts], rng.normal(size=4 * n)
    people = np.sqrt(0.5) * (prompt + answer)
    judge = np.sqrt(0.5) * (0.6 * prompt + 0.8 * answer + rng.normal(size=4 * n))
    return Scored(people, judge, prompts)


def graded_utility(rng: Rng, n: int) -> Scored:
    """The same with people in three grades and a judge in steps of a half: many ties."""
    found = utility(rng, n)
    people = np.digitize(found.people, [-0.5, 0.5]).astype(float)
    return Scored(people, np.rint(2 * found.judge) / 2, found.prompts)


# ---- battles, and a biased scripted judge --------------------------------------------------------


def battles(rng: Rng, n: int) -> Ratings:
    """Label and two orders of n pairs, four a prompt; a scripted judge that likes the first slot.

    It says 1[gap + bias + noise > 0] with a tie near 0; prompts differ in how hard and how biasing
    they are. One verdict in 40 cannot be read.
    """
    prompts = np.arange(n) // 4
    scale = rng.uniform(0.3, 1.5, n // 4 + 1)[prompts]
    bias = rng.normal(0.35, 0.3, n // 4 + 1)[prompts]
    gap = scale * rng.normal(size=n)
    label = _sign(gap + 0.4 * rng.normal(size=n), 0.15)
    one = _sign(gap + bias + 0.5 * rng.normal(size=n), 0.1)
    two = _sign(gap - bias + 0.5 * rng.normal(size=n), 0.1)
    gaps = np.zeros((n, 3), dtype=np.int8)
    gaps[:, 1:][rng.random((n, 2)) < 1 / 40] = Gap.UNREAD
    return Ratings.from_values(np.column_stack([label, one, two]), why=gaps, clusters=prompts)


def _sign(values: Floats, near: float) -> Floats:
    return np.where(np.abs(values) < near, 0.0, np.sign(values))


def lopsided(rng: Rng, n: int) -> Ratings:
    """Label and verdict where the first response is better in seven pairs of ten."""
    label = np.where(rng.random(n) < 0.7, 1.0, -1.0)
    said = np.where(rng.random(n) < 0.8, label, -label)
    return Ratings.from_values(np.column_stack([label, said]))


# ---- labels on some, a judge on all --------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """Labels, NaN where nobody gave one, and verdicts."""

    labels: Floats
    judged: Floats
    clusters: Ints | None = None
    strata: NDArray[Any] | None = None
    chances: Floats | None = None


@dataclass(frozen=True)
class Elsewhere:
    judged: Floats
    labels: Floats
    answers: Floats


def two_valued(rng: Rng, n: int, rate: float, sp: float, se: float) -> tuple[Floats, Floats]:
    """Labels, and a judge of this specificity and sensitivity."""
    y = (rng.random(n) < rate).astype(float)
    return y, np.where(y == 1, rng.random(n) < se, rng.random(n) >= sp).astype(float)


def hidden(y: Floats, n: int) -> Floats:
    labels = y.copy()
    labels[n:] = np.nan
    return labels


def binary(rng: Rng, n: int, *, rate: float, sp: float, se: float, rest: int = 2000) -> Part:
    y, f = two_valued(rng, n + rest, rate, sp, se)
    return Part(hidden(y, n), f)


def graded(rng: Rng, n: int) -> Part:
    """Grades from 1 to 5, and a judge 0.4 too kind."""
    y = np.clip(np.rint(rng.normal(3.4, 1.0, n + 1000)), 1, 5)
    return Part(hidden(y, n), np.clip(np.rint(y + rng.normal(0.4, 0.8, y.size)), 1, 5))


GRADED = float(5 - ndtr(np.array([1.5, 2.5, 3.5, 4.5]) - 3.4).sum())


def continuous(rng: Rng, n: int) -> Part:
    """Skewed labels without bounds, and a judge on another scale."""
    y = rng.gamma(2.0, 1.0, n + 2000)
    return Part(hidden(y, n), 3 + 0.5 * y + rng.normal(0, 0.7, y.size))


def clustered(rng: Rng, n: int) -> Part:
    """Prompts of four answers; prompts differ, and so does the judge on them."""
    prompts = np.repeat(np.arange(n // 4 + 300), 4)
    rate = rng.beta(3.0, 1.0, n // 4 + 300)[prompts]
    y = (rng.random(rate.size) < rate).astype(float)
    slip = rng.beta(1.0, 6.0, n // 4 + 300)[prompts]
    return Part(hidden(y, n), np.where(rng.random(y.size) < slip, 1 - y, y), prompts)


def shared_clusters(rng: Rng, n: int) -> Part:
    """One answer in four of each prompt is labelled, so both parts share their prompts."""
    prompts = np.repeat(np.arange(n), 4)
    rate = rng.beta(1.5, 1.0, n)[prompts]
    y = (rng.random(rate.size) < rate).astype(float)
    f = np.where(rng.random(y.size) < 0.15, 1 - y, y)
    return Part(np.where(np.arange(y.size) % 4 == 0, y, np.nan), f, prompts)


def two_systems(rng: Rng, n: int) -> Part:
    """Two systems on the same cases, right with the root of a case's ease and with the ease."""
    ease = rng.random(n + 1000)
    a, b = ((rng.random(ease.size) < ease**k).astype(float) for k in (0.5, 1.0))
    f, g = (np.where(rng.random(ease.size) < 0.2, 1 - y, y) for y in (a, b))
    return Part(np.c_[hidden(a, n), hidden(b, n)], np.c_[f, g])


def few_differ(rng: Rng, n: int) -> Part:
    """Two systems that differ on six cases in a hundred."""
    side = rng.choice([-1.0, 0.0, 1.0], n + 1000, p=[0.01, 0.94, 0.05])
    b = (rng.random(side.size) < 0.5).astype(float)
    b[side != 0] = (side[side != 0] < 0).astype(float)
    a = b + side
    f, g = (np.where(rng.random(side.size) < 0.1, 1 - y, y) for y in (a, b))
    return Part(np.c_[hidden(a, n), hidden(b, n)], np.c_[f, g])


def stratified(rng: Rng, n: int) -> Part:
    """Two strata of different rates; the harder one has two thirds of the labels."""
    layer, few = np.repeat([0, 1], [1500, 500]), n // 3
    y, f = two_valued(rng, 2000, 0.9, 0.8, 0.95)
    y[1500:], f[1500:] = two_valued(rng, 500, 0.4, 0.6, 0.7)
    labels = np.full(2000, np.nan)
    labels[:few], labels[1500 : 1500 + n - few] = y[:few], y[1500 : 1500 + n - few]
    return Part(labels, f, strata=layer)


def planned(rng: Rng, n: int) -> Part:
    """A judge that knows when it is unsure and errs more upwards; labels drawn by `label_plan`."""
    slip = rng.beta(0.6, 3.0, 1500)
    y = (rng.random(slip.size) < 0.7).astype(float)
    f = np.where(rng.random(slip.size) < slip * np.where(y == 1, 0.5, 1.0), 1 - y, y)
    plan = label_plan(f, 1 - slip, budget=n, rng=rng)
    labels = np.full(y.size, np.nan)
    labels[list(plan.cases)] = y[list(plan.cases)]
    return Part(labels, f, chances=aligned_probabilities(plan, y.size))


def bent(rng: Rng, n: int) -> Part:
    """A judge from 0 to 100 whose scale is a bent version of the labels'."""
    q = rng.random(n + 1000)
    y = (rng.random(q.size) < q**2).astype(float)
    return Part(hidden(y, n), 100 * np.clip(q + rng.normal(0, 0.1, q.size), 0, 1))


def elsewhere(
    rng: Rng, n: int, *, rate: float, there: float, sp: float = 0.7, se: float = 0.9
) -> Elsewhere:
    """2,000 verdicts, and n labels from where the rate is `there`."""
    truth, answers = two_valued(rng, n, there, sp, se)
    return Elsewhere(two_valued(rng, 2000, rate, sp, se)[1], truth, answers)


def audit(rng: Rng, n: int) -> Part:
    """Two systems on a line from 0 to 1; the judge is .05 too kind to the second."""
    quality, system = rng.random(n), np.arange(n) % 2
    y = np.clip(quality + rng.normal(0, 0.1, n), 0, 1)
    f = quality + 0.05 * system + rng.normal(0, 0.05, n)
    return Part(y, f, strata=system)


def favoured(rng: Rng, n: int) -> Part:
    """Two systems in pairs, two a prompt; the judge likes the first system more than people do."""
    prompts = np.arange(n) // 2
    ease = rng.beta(2.0, 2.0, n // 2 + 1)[prompts]
    y = (rng.random((n, 3)) < ease[:, None]).mean(axis=1)
    f = (rng.random(n) < np.minimum(1, ease + 0.1)).astype(float)
    systems = np.tile(np.array(["new", "old"]), (n, 1))
    turned = rng.random(n) < 0.5
    systems[turned] = systems[turned, ::-1]
    return Part(np.where(turned, 1 - y, y), np.where(turned, 1 - f, f), prompts, systems)


def on_a_line(rng: Rng, n: int) -> Ratings:
    """Three people and a judge on a line without bounds, two items a prompt."""
    prompts = np.arange(n) // 2
    quality = 0.6 * rng.normal(size=n // 2 + 1)[prompts] + 0.8 * rng.normal(size=n)
    noise = np.array([0.5, 0.5, 0.5, 0.6])
    values = quality[:, None] + noise * rng.normal(size=(n, 4)) + [0, 0, 0.1, 0.1]
    return Ratings.from_values(values, clusters=prompts)


@dataclass(frozen=True)
class Solutions:
    """Scores of four steps, the first wrong one or None, and the question of each solution."""

    scores: Floats
    wrong: list[int | None]
    questions: Ints


def solutions(rng: Rng, n: int) -> Solutions:
    """Half are sound; questions differ in how well the judge reads them; two solutions each."""
    questions = np.arange(n) // 2
    at = np.where(rng.random(n) < 0.5, 4, rng.integers(0, 4, n))
    noise = rng.uniform(0.1, 0.35, n // 2 + 1)[questions][:, None]
    scores = np.where(np.arange(4) < at[:, None], 0.8, 0.35) + noise * rng.normal(size=(n, 4))
    return Solutions(scores, [None if i == 4 else int(i) for i in at], questions)


# ---- confidences, plain means, and looking often -------------------------------------------------


@dataclass(frozen=True)
class Sure:
    """Confidences, what came true, and the true chances."""

    p: Floats
    y: Floats
    chance: Floats


def overconfident(rng: Rng, n: int) -> Sure:
    """Confidences from a half up, and events that come true less often than said."""
    p = 0.5 + 0.5 * rng.beta(2.0, 1.2, n)
    chance = 0.5 + 0.6 * (p - 0.5)
    return Sure(p, (rng.random(n) < chance).astype(float), chance)


def uneven(rng: Rng, n: int) -> tuple[Floats, Ints]:
    """n prompts of one to eight verdicts; prompts differ as much as verdicts do; the mean is .3."""
    clusters = np.repeat(np.arange(n), rng.integers(1, 9, n))
    return 0.3 + rng.normal(size=n)[clusters] + rng.normal(size=clusters.size), clusters


def hits(rng: Rng, n: int, *, rate: float) -> Floats:
    return (rng.random(n) < rate).astype(float)


def hits_of_prompts(rng: Rng, n: int) -> tuple[Floats, Ints]:
    """n prompts of five verdicts each, whose rates differ (beta 3, 1.5); two thirds are hits."""
    clusters = np.repeat(np.arange(n), 5)
    rate = rng.beta(3.0, 1.5, n)[clusters]
    return (rng.random(rate.size) < rate).astype(float), clusters


def rare_scores(rng: Rng, n: int) -> Floats:
    """Skewed scores in [0, 1] with mean 1/11."""
    return rng.beta(0.3, 3.0, size=n)
