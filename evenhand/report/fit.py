"""What people's labels of a run teach, as a fit that a judge applies to other cases."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from evenhand.embedders import HASHED, Embedder
from evenhand.errors import Misuse
from evenhand.fits import Fit, overlap
from evenhand.intervals import Interval, clustered_t
from evenhand.judges.quantified import base_of, said
from evenhand.records import Verdict
from evenhand.report.fit_checklists import checklists_grown, checklists_weighed
from evenhand.report.learnt import Fitted, Kind, clusters_of, doubt, origin, pooled, too_little
from evenhand.report.people import LabelFiles, Labelled, People, people
from evenhand.report.summary import bounds, winner
from evenhand.store import Store, read_calls
from evenhand.trust.calibrate import Calibration, calibrate, folds, log_loss, nothing
from evenhand.trust.quantitative import Quantitative, bradley_terry, least_squares

Floats = NDArray[np.float64]
_WRAPS = {"calibrate": "Calibrated", "quantitative": "Quantified"}
_ALIKE = "labels were drawn with unequal chances: the fit weighs all alike"


def fitted(run: Path, labels: LabelFiles, kind: str, *, embedder: str = HASHED) -> Fitted:
    """Learns from the labelled cases of a run.

    Args:
        embedder: Of the judge's text, for the kind 'quantitative', as in `Embedder.named`.

    Raises:
        Misuse: These labels cannot teach anything of that kind; the message says why.
        Undecidable: They are too few, or too much alike.
    """
    makers: dict[str, Callable[[People], Fitted]] = {
        "calibrate": _calibrated,
        "quantitative": partial(_quantitative, embedder=_embedder(embedder, kind)),
        "rocketeval": checklists_weighed,
        "rocketeval-trees": checklists_grown,
    }
    if kind not in makers:
        raise Misuse(f"--kind {kind}", expected=f"one of {', '.join(get_args(Kind))}", do="")
    found = people(run, labels)
    if found.unequal:
        found = replace(found, notices=(*found.notices, _ALIKE))
    form = found.manifest["judge"]["plain"]
    if form.get("is") == _WRAPS.get(kind):
        raise Misuse(
            f"{run} was judged with a fit of kind {kind} already",
            expected="a run of the judge without it",
            do="leave --fit out when judging the cases to fit on",
        )
    refuse_overlap(found.manifest, found.ids)
    if not found.decided:
        raise Misuse(
            f"none of the {len(found.rows)} labelled cases of {run} has a decided verdict",
            expected="verdicts to compare with labels",
            do=f"evenhand show {run} --undecided says why",
        )
    _refuse_constant(found)
    return makers[kind](found)


def _embedder(name: str, kind: str) -> Embedder:
    if name != HASHED and kind != "quantitative":
        raise Misuse(
            f"--embedder {name} with --kind {kind}",
            expected="--kind quantitative: no other kind embeds the judge's text",
            do="leave --embedder out",
        )
    return Embedder.named(name)


def refuse_overlap(manifest: Mapping[str, Any], case_ids: Iterable[str]) -> None:
    """Refuses to report on cases that a fit inside the judge was learnt from.

    Args:
        manifest: Of the run. case_ids: Of the labelled cases.

    Raises:
        Misuse: At least one of the cases is one of the fit's.
    """
    ids = set(case_ids)
    for fit in _fits(manifest.get("judge", {}).get("plain", {})):
        if seen := overlap(fit, ids):
            raise Misuse(
                f"{seen} of the {len(ids)} labelled cases are those that the judge's fit"
                f" ({fit.kind}) was learnt from",
                expected="labels of other cases: on its own ones a fit looks better than it is",
                do="judge and label other cases, or split the labels before fitting",
            )


def _fits(form: Any) -> Iterator[Fit]:
    if isinstance(form, Mapping):
        if form.get("is") == "Fit":
            yield Fit(form["kind"], form["data"], form["made_from"])
        for one in form.values():
            yield from _fits(one)
    elif isinstance(form, list):
        for one in form:
            yield from _fits(one)


def _refuse_constant(found: People) -> None:
    labels = Counter(label for row in found.decided for label in row.said.values())
    if len(labels) == 1:
        raise Misuse(
            f"all {labels.total()} labels are {next(iter(labels))!r}",
            expected="labels that differ: from one label nothing can be learnt",
            do="label cases of which people say something else",
        )


# ---- calibrate -------------------------------------------------------------------------------


def _calibrated(found: People) -> Fitted:
    if found.scale.span:
        raise Misuse(
            f"{found.scale.name} is a line of numbers, and a calibrated probability needs labels",
            expected="a judge whose scale has labels",
            do="--kind quantitative",
        )
    event = "mode"
    if len(found.scale.labels) == 2 and not found.scale.swaps:
        event = f"label:{next(iter(found.scale.labels))}"
    rows, truths, left_out = _truths(found)
    p, y = _events(rows, truths, event)
    learnt = calibrate(p, y, clusters=clusters_of(rows))
    if learnt.map is None:
        why = learnt.reason
        if event == "mode" and y.size and np.ptp(y) == 0:
            why = f"the judge's label is {'right' if y[0] else 'wrong'} in all {y.size} cases"
        raise too_little(why, replace(found, left_out=left_out))
    data = Fit("calibrate", learnt.fit_data(event), origin(found, rows))
    losses = {"as it is": learnt.raw, **learnt.candidates}
    name = event.removeprefix("label:")
    of = "the judge's label is right" if event == "mode" else f"the label is {name!r}"
    told = (*found.notices, *pooled(found, "the majority's"), *learnt.warnings)
    about = (f"{learnt.map}: the chance that {of}", _why_map(learnt), "log loss in nats")
    tail = (found.raters, left_out, told)
    return Fitted(found.run, "calibrate", data, *about, learnt.gain, losses, *tail)


def _truths(found: People) -> tuple[list[Labelled], list[str], dict[str, int]]:
    """Decided cases and what people say of them, on the judge's scale."""
    rows, truths, lost = [], [], Counter[str]()
    for row in found.decided:
        label = row.majority
        truth = None if label is None else found.on_scale(label)
        if found.scale.swaps and truth == "tie" and found.scale.tie is None:
            truth = None
        if truth is None:
            lost["without a majority" if label is None else "off the judge's scale"] += 1
            continue
        rows.append(row)
        truths.append(truth)
    if not rows and lost["off the judge's scale"]:
        odd = next(one for row in found.decided for one in row.said.values())
        raise Misuse(
            f"no label is on the judge's scale {found.scale.name}: {odd!r}",
            expected=f"one of {found.offer}",
            do=f"say what it means: --map-labels '{odd}=LABEL'",
        )
    return rows, truths, {**found.left_out, **lost}


def _events(rows: Sequence[Labelled], truths: Sequence[str], event: str) -> tuple[Floats, Floats]:
    """The judge's probability of the event, and whether it came true."""
    p, y = [], []
    for row, truth in zip(rows, truths, strict=True):
        verdict = row.verdict
        label = str(verdict.label) if event == "mode" else event.removeprefix("label:")
        p.append(verdict.probs.get(label, 0.0))
        alone = replace(verdict, probs={label: 1.0})
        y.append(float((winner(alone) if verdict.scale.swaps else label) == truth))
    return np.asarray(p), np.asarray(y)


def _why_map(learnt: Calibration) -> str:
    usual = "temperature" if learnt.n < 200 else "platt"
    if learnt.map == usual:
        which = "below 200 labels" if learnt.n < 200 else "from 200 labels on"
        return f"the usual one {which}; no other is better by more than one standard error"
    return f"better than {usual} by more than one standard error on cases not fitted"


# ---- quantitative ----------------------------------------------------------------------------


def _quantitative(found: People, embedder: Embedder) -> Fitted:
    pairs = bool(found.scale.swaps)
    rows, head = found.decided, "BTL" if pairs else "LS"
    target = np.array([found.mean(row) for row in rows])
    base = np.array([base_of(head, row.verdict.score or 0.0) for row in rows])
    with contextlib.closing(Store(Path(found.run), read=True)) as store:
        used, phi = embedder.learnt([said(_whole(store, row.verdict)) for row in rows])
    clusters = np.array(clusters_of(rows))
    make = bradley_terry if pairs else least_squares
    learnt = make(base, target, phi, clusters=clusters)
    if learnt.kept is None:
        raise too_little(learnt.reason, found)
    span = None if pairs else _span(found, target)
    data = Fit("quantitative", learnt.fit_data(embedder=used, span=span), origin(found, rows))
    gain = _head_gain(head, base, target, phi, clusters)
    told = (*found.notices, *pooled(found, "the mean"), *learnt.warnings, *doubt(gain))
    by = "" if used.name == HASHED else f", embedded by {used.name}"
    text = f"its score and its text{by}" if learnt.kept == "full" else "its score alone"
    chosen = f"{head}, {learnt.kept}: people's labels from {text}"
    loss = "log loss in nats" if pairs else "squared error"
    losses = {{"raw": "as it is"}.get(name, name): one for name, one in learnt.losses.items()}
    about = (chosen, _why_head(learnt, by), loss, gain, losses)
    return Fitted(
        found.run, "quantitative", data, *about, found.raters, found.left_out, told
    )  # fmt: skip


def _whole(store: Store, verdict: Verdict) -> Verdict:
    """With the replies, of which a run keeps the keys beside its verdicts."""
    calls = tuple(one.completion for one in read_calls(store, [c.key for c in verdict.calls]))
    parts = tuple(_whole(store, part) for part in verdict.parts)
    return replace(verdict, calls=calls, parts=parts)


def _span(found: People, target: Floats) -> tuple[float, float]:
    """Of the judge's scale, or of the labels where these leave it."""
    low, high = float(target.min()), float(target.max())
    span = bounds(found.scale)
    return span if span and span[0] <= low and high <= span[1] else (low, high)


def _head_gain(
    head: str, base: Floats, target: Floats, phi: Floats, clusters: NDArray[Any]
) -> Interval:
    """Of the whole procedure, penalty and nesting included, over the judge as it is."""
    make = bradley_terry if head == "BTL" else least_squares
    part, held = folds(clusters, 1), np.full(target.size, np.nan)
    for k in range(part.max() + 1):
        train, test = part != k, part == k
        learnt = make(base[train], target[train], phi[train], clusters=clusters[train])
        if learnt.kept is None:
            return nothing(
                f"without a fifth of the cases {learnt.reason}", target.size, len(set(clusters))
            )
        held[test] = learnt.predict(base[test], phi[test])
    if head == "LS":
        return clustered_t((base - target) ** 2 - (held - target) ** 2, clusters)
    raw = 1.0 / (1.0 + np.exp(-base))
    return clustered_t(log_loss(raw, target) - log_loss(held, target), clusters)


def _why_head(learnt: Quantitative, by: str) -> str:
    does = "lowers" if learnt.kept == "full" else "does not lower"
    text = f"the text{by}," if by else "the text"
    return f"{text} {does} the loss by more than one standard error on cases not fitted"
