"""The corrected mean when labels were drawn within strata, such as a few from each domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evenhand.intervals import Interval
from evenhand.trust.estimate import (
    INDEPENDENT,
    Cases,
    Estimate,
    Floats,
    Ints,
    Span,
    cases_of,
    described,
    no_interval,
)
from evenhand.trust.rectify import Pseudo, Rectified, bounded, no_rows, pseudo_rows, rectify

LEAST_IN_STRATUM = 5
STRATIFIED = "stratified PPI++"


def ppi_stratified(
    labels: ArrayLike,
    judged: ArrayLike,
    strata: ArrayLike,
    *,
    shares: Mapping[Any, float] | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    span: Span | None = None,
) -> Estimate:
    """The mean label when labels were drawn within strata, each stratum with its own lambda.

    Paper: after Fisch et al. 2024, "Stratified Prediction-Powered Inference for Hybrid Language
        Model Evaluation", arXiv:2406.04291. Ours: cross-fitting and t (Welch-Satterthwaite
        degrees of freedom), the small-sample rows of `ppi_mean` shared out by each stratum's
        labels. The figures beside it are weighted by the same shares.

    Args:
        strata: Shape (n_cases,), known for every case.
        shares: The population's share of each stratum, summing to 1. None takes the cases as a
            random sample of the population; the interval then counts that doubt too.

    Returns:
        No estimate when a stratum has fewer than 5 labelled clusters; the reason names it.

    Raises:
        ValueError: As `ppi_mean`, or shares that do not fit the strata.
    """
    cases, named = cases_of(labels, judged, clusters=clusters, span=span), np.asarray(strata)
    if named.shape != cases.labels.shape:
        raise ValueError(f"strata of shape {named.shape}; expected one a case")
    names, which = np.unique(named, return_inverse=True)
    layers = which.ravel().astype(np.int64)
    weights = _shares(names, layers, shares)
    pseudo, estimated = pseudo_rows(cases, span), shares is None

    def mean(
        values: Floats, rows: Pseudo, *, cut: Span | None = None, fixed: float | None = None
    ) -> tuple[Interval, float | None]:
        part = replace(cases, labels=values)
        why = _thin(part, names, layers)
        if why:
            return no_interval(STRATIFIED, level, why), None
        found, df = _together(part, layers, weights, pseudo=rows, fixed=fixed, estimated=estimated)
        variance = found.variance(cases.codes)
        interval = bounded(found, variance, df, level=level, span=cut, cases=part)
        return replace(interval, method=STRATIFIED), found.lambda_

    interval, lambda_ = mean(cases.labels, pseudo, cut=span)
    plain = (
        mean(cases.labels, pseudo, cut=span, fixed=0),
        mean(cases.judged, no_rows(), fixed=0),
        mean(cases.judged - cases.labels, no_rows(), fixed=0),
    )
    human, naive, bias = (replace(one, method="stratified mean") for one, _ in plain)
    assumptions = ("labels are a random sample within each stratum", INDEPENDENT)
    found = described(
        cases, interval, level=level, span=span, lambda_=lambda_, assumptions=assumptions
    )
    return replace(found, human=human, naive=naive, bias=bias)


def _thin(cases: Cases, names: NDArray[Any], layers: Ints) -> str:
    """Which strata have too few values for a mean; "" when none."""
    counts = [
        np.unique(cases.codes[cases.labelled & (layers == k)]).size for k in range(names.size)
    ]
    few = [f"{name} ({n})" for name, n in zip(names, counts, strict=True) if n < LEAST_IN_STRATUM]
    if few:
        return "fewer than 5 independent values in stratum " + ", ".join(few)
    return "" if names.size else "no cases"


def _shares(names: NDArray[Any], layers: Ints, shares: Mapping[Any, float] | None) -> Floats:
    if shares is None:
        return np.bincount(layers, minlength=names.size) / max(layers.size, 1)
    given = {str(key): float(value) for key, value in shares.items()}
    if set(given) != {str(name) for name in names} or abs(sum(given.values()) - 1) > 1e-6:
        raise ValueError(
            f"shares {dict(shares)} do not fit the strata {[str(name) for name in names]}; "
            "expected one share for each, summing to 1"
        )
    return np.array([given[str(name)] for name in names])


def _together(
    cases: Cases,
    layers: Ints,
    weights: Floats,
    *,
    pseudo: Pseudo,
    fixed: float | None,
    estimated: bool,
) -> tuple[Rectified, float]:
    """The weighted sum of the strata's corrected means, and its degrees of freedom."""
    lab, parts = cases.labelled, []
    for k in range(weights.size):
        inside = layers == k
        own = replace(pseudo, weight=pseudo.weight * lab[inside].sum() / lab.sum())
        part = replace(cases, labels=np.where(inside, cases.labels, np.nan))
        parts.append(rectify(part, own, fixed=fixed, used=inside))
    centres = np.array([part.centre for part in parts])
    centre = float(weights @ centres)
    influence = np.sum([w * p.influence for w, p in zip(weights, parts, strict=True)], axis=0)
    if estimated:
        # Shares taken from the cases err as the cases do.
        influence = influence + (centres[layers] - centre) / layers.size
    squares = weights**2
    total = Rectified(
        float(weights @ [part.estimate for part in parts]),
        centre,
        influence,
        float(squares @ [part.extra for part in parts]),
        np.unique(cases.codes[lab]).size,
        float(weights @ [part.lambda_ for part in parts]),
    )
    own_variance = squares * [part.variance(cases.codes) for part in parts]
    free = np.array([part.groups - 1 for part in parts])
    spread = float((own_variance**2 / free).sum())
    df = float(own_variance.sum() ** 2 / spread) if spread > 0 else float(free.sum())
    return total, min(df, total.groups - 1)
