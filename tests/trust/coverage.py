"""The table of every interval of the trust layer, and how often each holds its planted truth.

`test_coverage.py` asserts what `bench/coverage.py` prints. Left out, because what they estimate has
no value that could be planted: the winning rate and the smallest epsilon of the annotator test and
the chance to pass of a plan (how far a verdict would move), the gain and the losses of fitted maps,
heads and checklists (of a procedure, not of the world).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

import numpy as np

from evenhand.correlations import kendall, pearson, spearman, within_group_tau
from evenhand.intervals import Interval, clustered_t, wilson
from evenhand.trust.advantage import compare_judges
from evenhand.trust.agreement import accuracy, confusion, correlation, denoised_accuracy
from evenhand.trust.alt_test import alt_test
from evenhand.trust.baselines import baselines
from evenhand.trust.ceiling import human_ceiling, line_ceiling
from evenhand.trust.coefficients import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac,
    krippendorff_alpha,
    percent_agreement,
    scott_pi,
    weighted_kappa,
)
from evenhand.trust.confidence import confidence
from evenhand.trust.engine import How
from evenhand.trust.estimate import Estimate
from evenhand.trust.isotonic import isotonic_mean, pair_audit, transport_audit
from evenhand.trust.pairwise import both_orders, pairwise_accuracy
from evenhand.trust.ppi import ppi_bound, ppi_difference, ppi_mean
from evenhand.trust.process import StepFigures, step_figures
from evenhand.trust.ratings import Ratings
from evenhand.trust.rogan_gladen import rogan_gladen
from evenhand.trust.sampling import active_mean
from evenhand.trust.sequential import betting_interval, confidence_sequence
from evenhand.trust.stratified import ppi_stratified
from tests.trust import draws
from tests.trust.draws import Elsewhere, Part, Scored, Solutions, Sure

BIG = 100_000
INFLUENCE, BOOTSTRAP = How(), How(method="bootstrap", replicates=500)
POINT = How(method="bootstrap", replicates=2)  # for the estimate alone, on a very large sample
Method = Callable[[Any], Interval | None]
Kind = Literal["two-sided", "one-sided", "every look", "may refuse"]


@dataclass(frozen=True)
class World:
    """How data comes about: `make` takes random numbers and a number of units."""

    name: str
    make: Callable[[np.random.Generator, int], Any]


@dataclass(frozen=True)
class Row:
    """One interval in one world.

    Attributes:
        truth: A closed form, or what gives it from one sample of `big` units.
        n: Units drawn, as the world counts them.
        kind: "every look": at all numbers of units up to n at once. "may refuse": the share of
            runs with an interval is not asked to be .9.
    """

    name: str
    method: Method
    world: World
    truth: float | Callable[[Any], float]
    n: int
    level: float = 0.95
    kind: Kind = "two-sided"
    big: int = BIG

    @property
    def planted(self) -> float:
        return self.truth if isinstance(self.truth, float) else _planted(self)

    @property
    def truth_from(self) -> str:
        return "closed form" if isinstance(self.truth, float) else f"a sample of {self.big:,}"


@cache
def _planted(row: Row) -> float:
    assert not isinstance(row.truth, float)
    return float(row.truth(row.world.make(np.random.default_rng(1), row.big)))


@dataclass(frozen=True)
class Covered:
    """Attributes: runs had an interval; share of them held the truth; width is the mean one."""

    row: Row
    asked: int
    runs: int
    share: float
    width: float

    @property
    def error(self) -> float:
        """The standard error of a share of so many runs at the nominal level."""
        return float(np.sqrt(self.row.level * (1 - self.row.level) / max(self.runs, 1)))

    @property
    def mark(self) -> str:
        off = (self.share - self.row.level) / self.error
        return "UNDER" if off < -3 else "conservative" if off > 3 else ""


def covered(rows: tuple[Row, ...], runs: int) -> Iterator[Covered]:
    """All rows of one world and n, on the same draws."""
    world, n = rows[0].world, rows[0].n
    rng = np.random.default_rng(zlib.crc32(f"{world.name} {n}".encode()))
    found: list[list[Interval | None]] = [[] for _ in rows]
    for _ in range(runs):
        draw = world.make(rng, n)
        for row, kept in zip(rows, found, strict=True):
            kept.append(row.method(draw))
    for row, kept in zip(rows, found, strict=True):
        ends = [(i.low, i.high) for i in kept if i is not None and i.low is not None]
        low, high = np.array(ends, dtype=float).reshape(-1, 2).T
        holds = (low <= row.planted + 1e-12) & (row.planted - 1e-12 <= high)
        wide = high - low
        width = float(wide.mean()) if len(wide) else float("nan")
        yield Covered(row, runs, len(ends), float(holds.mean()) if len(ends) else 0.0, width)


def groups() -> Mapping[tuple[str, int], tuple[Row, ...]]:
    """Rows that share their draws."""
    made: dict[tuple[str, int], list[Row]] = {}
    for row in TABLE:
        made.setdefault((row.world.name, row.n), []).append(row)
    return {key: tuple(rows) for key, rows in made.items()}


@cache
def measured(name: str, n: int, runs: int) -> Mapping[str, Covered]:
    return {one.row.name: one for one in covered(groups()[name, n], runs)}


def result(row: Row, runs: int) -> Covered:
    return measured(row.world.name, row.n, runs)[row.name]


# ---- worlds and methods --------------------------------------------------------------------------


def two_labels(raters: int, prevalence: float) -> World:
    make = partial(draws.latent_class, raters=raters, prevalence=prevalence)
    return World(f"latent class, {raters} raters, {prevalence:.0%} yes", make)


def graders(raters: int) -> World:
    return World(f"rater severity, {raters} raters", partial(draws.severity, raters=raters))


def labelled(rate: float, sp: float, se: float, rest: int = 2000) -> World:
    make = partial(draws.binary, rate=rate, sp=sp, se=se, rest=rest)
    return World(f"PPI, rate {rate:g}, sp. {sp:g}, se. {se:g}", make)


def measured_elsewhere(rate: float, there: float, sp: float = 0.7, se: float = 0.9) -> World:
    make = partial(draws.elsewhere, rate=rate, there=there, sp=sp, se=se)
    return World(f"labels elsewhere, rate {rate:g}, {there:g} there, sp. {sp:g}, se. {se:g}", make)


SKEWED = World("latent class, 2 raters, 90% one label, alone", draws.skewed)
FOUR = World("latent class, 4 raters, 4 labels, alone", draws.four_labels)
PANEL = World("latent class, people and judges", draws.panel)
UNREAD = World("latent class, judge partly unread", draws.unread)
REPEATED = World("latent class, repeated verdicts", draws.repeated)
UTILITY = World("latent utility, 4 answers a prompt", draws.utility)
GRADES = World("latent utility in grades, 4 answers a prompt", draws.graded_utility)
BATTLES = World("clustered battles, biased judge", draws.battles)
LOPSIDED = World("battles, 70% the first better", draws.lopsided)
PROMPTS = World("prompts of 1 to 8 verdicts", draws.uneven)
RATES = World("prompts of 5 yes or no", draws.hits_of_prompts)
SURE = World("overconfident judge", draws.overconfident)
LINE = World("rater severity on a line, people and a judge", draws.on_a_line)
FAVOURED = World("battles, judge likes one system", draws.favoured)
SOLUTIONS = World("solutions in four steps", draws.solutions)
AUDIT = World("two systems on a line", draws.audit)


def clipped(values: Any, **how: Any) -> Interval:
    return clustered_t(*values, **how)


def share_of(values: Any, level: float = 0.95) -> Interval:
    return wilson(float(values.sum()), values.size, level=level)


def figure_of(of: Callable[..., Any], *args: Any) -> Method:
    return lambda ratings: of(ratings, *args).interval  # type: ignore[no-any-return]


def value_of(of: Callable[..., Any], *args: Any) -> Callable[[Any], float]:
    return lambda ratings: float(of(ratings, *args).estimate)


def mean_of(part: Part, of: Callable[..., Estimate] = ppi_mean, **how: Any) -> Interval:
    return of(part.labels, part.judged, clusters=part.clusters, **how).interval


def beside(part: Part, name: str, **how: Any) -> Interval | None:
    found = ppi_mean(part.labels, part.judged, clusters=part.clusters, **how)
    return getattr(found, name)  # type: ignore[no-any-return]


def in_strata(part: Part) -> Interval:
    shares = {0: 0.75, 1: 0.25}
    assert part.strata is not None
    return ppi_stratified(
        part.labels, part.judged, part.strata, shares=shares, span=(0, 1)
    ).interval


def drawn_by_plan(part: Part) -> Interval:
    return active_mean(part.labels, part.judged, part.chances, span=(0, 1)).interval


def from_elsewhere(draw: Elsewhere) -> Interval:
    return rogan_gladen(draw.judged, draw.labels, draw.answers).interval


def youden(draw: Elsewhere) -> Interval | None:
    return rogan_gladen(draw.judged, draw.labels, draw.answers).youden


def residual(part: Part) -> Interval:
    assert part.strata is not None
    return transport_audit(part.labels, part.judged, part.strata, margin=0.1)[1].residual


def ceiling(part: str, how: How, *, beyond_chance: bool = False) -> Method:
    def of(ratings: Ratings) -> Interval:
        people = ratings.pick(0, 1, 2, 3)
        found = human_ceiling(people, how=how, beyond_chance=beyond_chance)
        return getattr(found, part).interval  # type: ignore[no-any-return]

    return of


def favour(part: Part) -> Interval:
    assert part.strata is not None
    found = pair_audit(part.labels, part.judged, part.strata, margin=0.1, clusters=part.clusters)
    return found[0].residual


def in_steps(draw: Solutions, how: How = BOOTSTRAP) -> StepFigures:
    return step_figures([*draw.scores], draw.wrong, clusters=draw.questions, how=how)


def against_people(ratings: Ratings) -> Any:
    return alt_test(draws.aligned(ratings), epsilon=0.1, clusters=ratings.clusters)


def two_judges(ratings: Ratings) -> Interval:
    pair = [draws.aligned(ratings, judge) for judge in (3, 4)]
    return compare_judges(*pair, clusters=ratings.clusters).difference


def of(method: Method) -> Callable[[Any], float]:
    """The estimate of an interval, for a very large sample."""

    def value(draw: Any) -> float:
        found = method(draw)
        assert found is not None
        return found.estimate

    return value


def correlated(method: Callable[..., Any], how: str) -> Method:
    def found(draw: Scored) -> Interval:
        made = method(draw.people, draw.judge, clusters=draw.prompts, method=how, replicates=400)
        return made.interval  # type: ignore[no-any-return]

    return found


def within(draw: Scored) -> Interval:
    return within_group_tau(draw.people, draw.judge, draw.prompts).interval


def ordered(draw: Scored, *, grouped: bool) -> Interval:
    named = draw.prompts if grouped else None
    return pairwise_accuracy(draw.ratings(), groups=named).interval


def ordered_alike(draw: Scored) -> float:
    """Chance that two answers to different prompts are ordered, or tied, alike by both."""
    grades, row = np.unique(draw.people, return_inverse=True)
    steps, column = np.unique(draw.judge, return_inverse=True)
    joint = np.zeros((grades.size, steps.size))
    np.add.at(joint, (row, column), 1 / row.size)
    rows, columns = np.sign(grades[:, None] - grades), np.sign(steps[:, None] - steps)
    return float(
        sum(
            joint.ravel() @ np.kron(rows == sign, columns == sign) @ joint.ravel()
            for sign in (-1, 0, 1)
        )
    )


def score(name: str) -> Method:
    return lambda draw: getattr(confidence(draw.p, draw.y, draws=1), name)  # type: ignore[no-any-return]


def curve(draw: Sure) -> Interval:
    """The share of the first bin of the reliability curve."""
    return confidence(draw.p, draw.y, draws=1).bins[0].share


def planted_error(draw: Sure) -> float:
    return float(np.sqrt(np.mean((draw.p - draw.chance) ** 2)))


def log_loss(draw: Sure) -> float:
    return float(-np.mean(draw.chance * np.log(draw.p) + (1 - draw.chance) * np.log1p(-draw.p)))


def brier(draw: Sure) -> float:
    return float(np.mean(draw.chance * (1 - draw.p) ** 2 + (1 - draw.chance) * draw.p**2))


def step_methods(how: How) -> Mapping[str, Method]:
    return {
        "macro F1 of solutions": lambda draw: in_steps(draw, how).solutions.macro_f1,
        "AUROC of solutions": lambda draw: in_steps(draw, how).solutions.auc,
        "AUROC of steps": lambda draw: in_steps(draw, how).steps.auc,
        "first error located": lambda draw: in_steps(draw, how).located,
    }


# ---- the table -----------------------------------------------------------------------------------


def _means() -> Iterator[Row]:
    for rate, n in ((0.5, 20), (0.9, 50), (0.95, 100)):
        hits = World(f"alone, rate {rate:g}", partial(draws.hits, rate=rate))
        yield Row("share, Wilson", share_of, hits, rate, n)
    one = World("alone, rate 0.7", partial(draws.hits, rate=0.7))
    yield Row("share, Wilson, 90 %", partial(share_of, level=0.9), one, 0.7, 60, level=0.9)
    for n in (20, 100):
        yield Row("mean, clustered t", clipped, PROMPTS, 0.3, n)
        yield Row("share, clustered t", partial(clipped, span=(0, 1)), RATES, 2 / 3, n)
    coin = World("alone, rate 0.5", partial(draws.hits, rate=0.5))
    rare = World("alone, rate 0.03", partial(draws.hits, rate=0.03))
    skew = World("alone, skewed scores", draws.rare_scores)
    for world, truth in ((coin, 0.5), (rare, 0.03), (skew, 1 / 11)):
        for n in (10, 100):
            yield Row("betting interval", betting_interval, world, truth, n)
        every: Kind = "every look"
        yield Row("confidence sequence", _looks, world, truth, 500, kind=every)


def _looks(values: Any) -> Interval:
    """After n units it is the common part of all the intervals before."""
    return confidence_sequence(values).last


def _agreement() -> Iterator[Row]:
    percent = {"percent agreement": ("agreement", percent_agreement)}
    two = {**percent, "Cohen's kappa": ("kappa", cohen_kappa), "Scott's pi": ("kappa", scott_pi)}
    more = {
        **percent,
        "Fleiss' kappa": ("kappa", fleiss_kappa),
        "Gwet's AC1": ("AC1", gwet_ac),
        "Krippendorff's alpha": ("kappa", krippendorff_alpha),
    }
    for prevalence in (0.5, 0.8):
        for raters, named in ((2, two), (4, more)):
            for name, (kind, coefficient) in named.items():
                truth = draws.of_latent_class(kind, prevalence)
                world = two_labels(raters, prevalence)
                yield Row(name, figure_of(coefficient), world, truth, 120)
        truth = draws.of_latent_class("kappa", prevalence)
        drawn = figure_of(krippendorff_alpha, "nominal", BOOTSTRAP)
        world = two_labels(4, prevalence)
        yield Row("Krippendorff's alpha, bootstrap", drawn, world, truth, 120)
    kappas = {"Cohen's kappa": cohen_kappa, "Scott's pi": scott_pi, "Gwet's AC1": gwet_ac,
              "Krippendorff's alpha": krippendorff_alpha}  # fmt: skip
    for n in (20, 50):
        for name, coefficient in kappas.items():
            truth = draws.of_skewed("AC1" if "AC1" in name else "kappa")
            yield Row(name, figure_of(coefficient), SKEWED, truth, n, kind="may refuse")
    for name, how in (("", INFLUENCE), (", bootstrap", BOOTSTRAP)):
        drawn = figure_of(krippendorff_alpha, "nominal", how)
        yield Row(f"Krippendorff's alpha{name}", drawn, FOUR, draws.FOUR_LABELS, 100)


def _ordered() -> Iterator[Row]:
    two: dict[str, tuple[Any, ...]] = {
        "weighted kappa, linear": (weighted_kappa, "linear"),
        "weighted kappa, quadratic": (weighted_kappa, "quadratic"),
        "Gwet's AC2, quadratic": (gwet_ac, "quadratic"),
        "Spearman on grades": (correlation, "spearman"),
        "Kendall's tau-b on grades": (correlation, "kendall"),
    }
    for name, (coefficient, *more) in two.items():
        method = figure_of(coefficient, *more, INFLUENCE)
        yield Row(name, method, graders(2), of(method), 150)
    for level in ("ordinal", "interval", "ratio"):
        exact = value_of(krippendorff_alpha, level)
        for name, how in (("", INFLUENCE), (", bootstrap", BOOTSTRAP)):
            method = figure_of(krippendorff_alpha, level, how)
            yield Row(f"Krippendorff's alpha, {level}{name}", method, graders(3), exact, 100)
    yield Row("Gwet's AC2, linear", figure_of(gwet_ac, "linear"), graders(3),
              value_of(gwet_ac, "linear"), 100)  # fmt: skip


def _correlations() -> Iterator[Row]:
    for method in (pearson, spearman, kendall):
        name = method.__name__.capitalize()
        for how in ("influence", "bootstrap"):
            truth = draws.OF_UTILITY[method.__name__]
            yield Row(f"{name}, {how}", correlated(method, how), UTILITY, truth, 50)
    yield Row("tau within prompts", within, UTILITY, draws.OF_UTILITY["within"], 50)
    yield Row("tau within prompts, ties", within, GRADES, of(within), 50, big=20_000)
    pooled = partial(ordered, grouped=False)
    yield Row("acc_eq with ties, pooled", pooled, GRADES, ordered_alike, 50)
    grouped = partial(ordered, grouped=True)
    yield Row("acc_eq with ties, per prompt", grouped, GRADES, of(grouped), 50, big=20_000)


def _pairs() -> Iterator[Row]:
    names = ("mean_accuracy", "consistent_accuracy", "net_vote_accuracy", "consistency",
             "first_slot_rate")  # fmt: skip
    for ties in ("wrong", "separate"):
        for name in names[: 3 if ties == "separate" else 5]:

            def method(ratings: Ratings, name: str = name, ties: Any = ties) -> Interval:
                return getattr(both_orders(ratings, ties=ties), name).interval  # type: ignore[no-any-return]

            said = f"{name.replace('_', ' ')}, ties {ties}"
            yield Row(said, method, BATTLES, of(method), 200)

    def over(ratings: Ratings) -> Interval:
        return baselines(ratings, ties="wrong").over_best.interval

    yield Row("accuracy over the best baseline", over, LOPSIDED, 0.8 - 0.7, 100)


def _judge() -> Iterator[Row]:
    for name in ("strict", "answered", "coverage"):

        def asked(ratings: Ratings, name: str = name) -> Interval:
            return getattr(accuracy(ratings), name).interval  # type: ignore[no-any-return]

        yield Row(f"accuracy, {name}", asked, UNREAD, of(asked), 100)
    parts: dict[str, Method] = {
        "recall of a label": lambda r: confusion(r).recall[2].interval,
        "precision of a label": lambda r: confusion(r).precision[2].interval,
        "macro F1": lambda r: confusion(r).macro_f1.interval,
    }
    for name, method in parts.items():
        yield Row(name, method, UNREAD, of(method), 200)
    clean: dict[str, tuple[Method, float]] = {
        "accuracy without noise": (lambda r: denoised_accuracy(r).denoised.interval, draws.SETTLED),
        "flip rate": (lambda r: denoised_accuracy(r).flip_rate.interval, draws.FLIP),
    }
    for name, (method, truth) in clean.items():
        yield Row(name, method, REPEATED, truth, 100)
    for part in ("human", "judge", "ratio"):
        method, exact = ceiling(part, BOOTSTRAP), of(ceiling(part, POINT))
        yield Row(f"human ceiling, {part}", method, PANEL, exact, 120)
    method = ceiling("ratio", BOOTSTRAP, beyond_chance=True)
    exact = of(ceiling("ratio", POINT, beyond_chance=True))
    yield Row("human ceiling, ratio of kappas", method, PANEL, exact, 120)
    exact = of(lambda r: line_ceiling(r, how=POINT).ratio.interval)

    def on_a_line(ratings: Ratings) -> Interval:
        return line_ceiling(ratings, how=BOOTSTRAP).ratio.interval

    yield Row("human ceiling, ratio on a line", on_a_line, LINE, exact, 120)
    people: dict[str, Method] = {
        "advantage probability": lambda r: against_people(r).advantage_probability,
        "advantage over one rater": lambda r: against_people(r).raters[0].advantage,
        "difference from one rater": lambda r: against_people(r).raters[0].difference,
        "two judges, paired": two_judges,
    }
    for name, method in people.items():
        yield Row(name, method, PANEL, of(method), 120)


# Rate, specificity, sensitivity, labels, cases without: trust.md 4.F, then harder ones.
BINARY = (
    (0.70, 0.70, 0.90, 50, 2000),
    (0.90, 0.70, 0.90, 50, 2000),
    (0.95, 0.70, 0.90, 100, 2000),
    (0.70, 0.70, 0.90, 200, 2000),
    (0.70, 0.85, 0.95, 100, 2000),
    (0.70, 0.60, 0.70, 100, 2000),
    (0.70, 0.70, 0.90, 500, 5000),
    (0.50, 0.50, 0.50, 50, 500),
)


def _corrected() -> Iterator[Row]:
    zero_one = {"span": (0, 1)}
    for rate, sp, se, n, rest in BINARY:
        world = labelled(rate, sp, se, rest)
        yield Row("PPI++, yes or no", partial(mean_of, **zero_one), world, rate, n)
    world, both = labelled(0.95, 0.7, 0.9), (0.95, 100)
    side = partial(mean_of, of=ppi_bound, side="lower", **zero_one)
    yield Row("PPI++, lower bound", side, world, *both, kind="one-sided")
    side = partial(mean_of, of=ppi_bound, side="upper", **zero_one)
    yield Row("PPI++, upper bound", side, world, *both, kind="one-sided")
    world = labelled(0.7, 0.7, 0.9)
    yield Row("PPI++, 90 %", partial(mean_of, level=0.9, **zero_one), world, 0.7, 200, level=0.9)
    judge_bias = 0.7 * 0.9 + 0.3 * 0.3 - 0.7
    yield Row("labels alone", partial(beside, name="human", **zero_one), world, 0.7, 200)
    yield Row("bias of the judge", partial(beside, name="bias", **zero_one), world, judge_bias, 200)
    far = World("PPI, graded", draws.graded)
    yield Row("PPI++, grades", partial(mean_of, span=(1, 5)), far, draws.GRADED, 80)
    yield Row("PPI++, unbounded", mean_of, World("PPI, continuous", draws.continuous), 2.0, 60)
    prompts = World("PPI, clustered", draws.clustered)
    yield Row("PPI++, prompts", partial(mean_of, **zero_one), prompts, 0.75, 100)
    shared = World("PPI, labels in every cluster", draws.shared_clusters)
    yield Row("PPI++, shared prompts", partial(mean_of, **zero_one), shared, 0.6, 120)
    apart = partial(mean_of, of=ppi_difference, **zero_one)
    two = World("PPI, two systems", draws.two_systems)
    yield Row("PPI++, difference", apart, two, 2 / 3 - 0.5, 60)
    few = World("PPI, few differ", draws.few_differ)
    yield Row("PPI++, difference, few differ", apart, few, 0.04, 80)
    yield Row("PPI++, strata", in_strata, World("PPI, strata", draws.stratified), 0.775, 120)
    yield Row("active", drawn_by_plan, World("PPI, labels by plan", draws.planned), 0.7, 150)
    bend = partial(mean_of, of=isotonic_mean, **zero_one)
    yield Row("isotonic", bend, World("PPI, bent scale", draws.bent), 1 / 3, 100)
    for rate, there, n in ((0.7, 0.5, 200), (0.95, 0.95, 100), (0.7, 0.7, 50)):
        world = measured_elsewhere(rate, there)
        yield Row("Rogan-Gladen", from_elsewhere, world, rate, n, kind="may refuse")
    sharp = measured_elsewhere(0.95, 0.95, 0.85, 0.95)
    yield Row("Rogan-Gladen", from_elsewhere, sharp, 0.95, 100, kind="may refuse")
    yield Row("Youden's J", youden, measured_elsewhere(0.7, 0.5), 0.6, 200)
    yield Row("transport residual", residual, AUDIT, of(residual), 120)
    yield Row("transport residual of pairs", favour, FAVOURED, of(favour), 120)


def _confidence() -> Iterator[Row]:
    for n in (100, 500):
        yield Row("Brier score", score("brier"), SURE, brier, n)
        yield Row("log loss", score("log_loss"), SURE, log_loss, n)
        yield Row("AUROC", score("auroc"), SURE, of(score("auroc")), n)
        yield Row("debiased calibration error", score("debiased_ece"), SURE, planted_error, n)
    for (name, method), exact in zip(
        step_methods(BOOTSTRAP).items(), step_methods(POINT).values(), strict=True
    ):
        yield Row(name, method, SOLUTIONS, of(exact), 80, big=20_000)


TABLE: tuple[Row, ...] = (
    *_means(),
    *_agreement(),
    *_ordered(),
    *_correlations(),
    *_pairs(),
    *_judge(),
    *_corrected(),
    *_confidence(),
)
