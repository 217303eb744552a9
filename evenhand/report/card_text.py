"""The judge card in words: the answer in one sentence, the reasons, what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.text import Text

from evenhand.intervals import Interval
from evenhand.report.card import Card
from evenhand.report.certificate import Gate
from evenhand.report.slices import Slice
from evenhand.report.terminal import listed, shown
from evenhand.trust.confidence import Source

MOST_LINES, MOST_WARNINGS = 60, 5

MAY = {
    "replace": "stand in for a human annotator",
    "level": "report a level, corrected by the labels",
    "compare": "compare the two systems, corrected by the labels",
}
TITLES = {
    "coverage": "decides enough cases",
    "agreement": "agrees with people",
    "ceiling": "as near as people are",
    "alt_test": "annotator test",
    "baseline": "beats trivial judges",
    "precision": "level known well enough",
    "difference": "difference settled",
    "transport": "same error on all systems",
    "consistency": "same winner in both orders",
    "position": "no favour for a position",
    "probes": "bias and injection probes",
}
ORDER = {"FAIL": 0, "INCONCLUSIVE": 1, "PASS": 2, "NOT RUN": 3}
QUIET, TRIVIAL = ("PASS", "NOT RUN"), "trivial judge: "
SOURCES = {
    "probabilities": "probability of the verdict",
    "repeats": "repeats that agree",
    "orders": "both orders agree",
    "stated": "certainty in words",
}
ADVICE = {
    "coverage": "See why cases stay undecided: evenhand show RUN --undecided",
    "agreement": "Read the cases below, mend the prompt or the rubric, or try another judge.",
    "ceiling": "Read the cases below; people agree with each other more than with this judge.",
    "alt_test": "Keep the people; use the judge with labels: --claim level or compare.",
    "baseline": "A rule without any reading does as well; try a more capable judge.",
    "transport": "Label cases of every system and report each by itself.",
    "consistency": "Its answers hang on the order: try a more capable judge.",
    "position": "Judge both orders (--order swap), where the favour cancels; or another judge.",
}


def answer(card: Card) -> str:
    """The first sentence."""
    found = card.certificate
    claim = MAY[found.claim]
    if found.result == "PASS":
        return f"Yes: this judge may {claim}."
    if found.result == "FAIL":
        wrong = [TITLES[gate.name] for gate in found.gates if gate.result == "FAIL"]
        return f"No: this judge may not {claim}. Failed: {', '.join(wrong)}."
    return f"Not known: the data cannot decide whether this judge may {claim}."


def tally(card: Card) -> str:
    """How many gates passed, and which did not run."""
    found = card.certificate
    idle = [gate.name for gate in found.gates if gate.result == "NOT RUN"]
    rest = f"; not run: {', '.join(idle)}" if idle else ""
    return f"PASS on {len(found.passed)} of {len(found.gates)} gates{rest}."


def gates_in_order(card: Card) -> list[Gate]:
    """What decides comes first."""
    return sorted(card.certificate.gates, key=lambda gate: ORDER[gate.result])


def advice(card: Card) -> Iterator[str]:
    """What to do next."""
    found = card.certificate
    for name in found.lacking:
        why = next(gate.reason for gate in found.gates if gate.name == name)
        yield f"The policy requires {name!r}, which could not be run: {why}."
    for gate in found.gates:
        if gate.result == "FAIL":
            yield ADVICE.get(gate.name, gate.reason).replace("RUN", card.run)
    wanted = [g for g in found.gates if g.result == "INCONCLUSIVE" and g.needed and g.n]
    if wanted:
        most = max(wanted, key=lambda gate: gate.needed or 0)
        yield (
            f"About {most.needed} cases instead of {most.n} would settle {TITLES[most.name]!r}, "
            f"if it is as it looks now: evenhand label {card.run}"
        )
    elif found.result == "INCONCLUSIVE" and not found.lacking:
        least = card.policy.least_clusters
        yield (
            f"Label more cases, {least} at the very least: evenhand plan {found.claim} says how "
            f"many, and evenhand label {card.run} writes the sheets"
        )
    if found.result == "PASS":
        yield "This holds for this judge, prompt and kind of data; a change of one needs a new card"
    if card.worst:
        yield f"Look at one case whole: evenhand show {card.run} --case ID"


def many(n: int, what: str) -> str:
    return f"{n} {what}" + ("" if n == 1 else "s")


def spread(interval: Interval) -> str:
    """An interval such as '0.62 [0.55, 0.69] of 412'."""
    if math.isnan(interval.estimate):
        return f"none: {interval.reason or 'not defined'}"
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:.2f} of {interval.n} (no interval: {interval.reason})"
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}] of {interval.n}"


def sureness(one: Source) -> str:
    """What a source of confidence is worth, in one line."""
    error, brier = one.debiased_ece.estimate, one.brier.estimate
    told = f"{_short(one.auroc)} (0.5: not at all)"
    if math.isnan(one.auroc.estimate):
        told = f"not known ({one.auroc.reason or 'too little data'})"
    return (
        f"tells right from wrong {told} · Brier {brier:.2f}"
        f" · calibration error {error:.2f} · {one.n} cases"
    )


def apart(one: Slice) -> str:
    """How a slice stands beside the rest, in one line."""
    gap, own = one.difference, _short(one.accuracy)
    if math.isnan(gap.estimate) or gap.low is None:
        return f"{one.measure} {own} of {one.accuracy.n}; beside the rest: {gap.reason}"
    side = "below" if gap.estimate < 0 else "above"
    drawn = f"{abs(gap.estimate):.2f} {side} the rest [{gap.low:.2f}, {gap.high:.2f}]"
    return f"{one.measure} {own} of {one.accuracy.n}; {drawn}" + ("; not chance" * one.flagged)


def worse(one: Slice) -> bool:
    """Whether the judge is surely worse there than on the rest."""
    return one.flagged and one.difference.estimate < 0


def _short(one: Interval) -> str:
    if one.low is None or one.high is None:
        return f"{one.estimate:.2f}"
    return f"{one.estimate:.2f} [{one.low:.2f}, {one.high:.2f}]"


def card_text(card: Card) -> RenderableType:
    """At most 60 lines at 80 columns: what would be more is on the page and in the JSON."""
    first, last = _reasons(card), _about(card)
    return Group(*first, *_fitting(MOST_LINES - _lines(*first, *last), _rest(card)), *last)


def _reasons(card: Card) -> list[RenderableType]:
    """The answer, the reasons, what to do next, what to beware of."""
    rows = [
        (f"{g.result:12}", f"{TITLES[g.name]}: {_cut(g.reason, 130 if g.result in QUIET else 150)}")
        for g in gates_in_order(card)
    ]
    told = list(card.warnings)
    if len(told) > MOST_WARNINGS:
        more = len(told) - MOST_WARNINGS + 1
        told[MOST_WARNINGS - 1 :] = [f"{more} further warnings: --json, --html FILE"]
    warned: list[RenderableType] = [Text(), listed(("!", _cut(one, 130)) for one in told)]
    return [
        shown(answer(card)), shown(tally(card)), Text(), listed(rows), Text(), shown("next"),
        listed(("-", _cut(text)) for text in list(advice(card))[:4]),
        *(warned if told else []),
    ]  # fmt: skip


def _about(card: Card) -> list[RenderableType]:
    got, judge = card.gathered, card.gathered.manifest.get("judge", {})
    sha = str(got.manifest.get("data", {}).get("sha256") or "none")
    hashes = f"data {sha[:12]} · labels {got.labels.sha256[:12]} · policy {card.policy.sha256[:12]}"
    name = f"{judge.get('name')} ({judge.get('identity')})"
    who = many(len(got.labels.raters), "rater")
    held = f"{got.n_labels} labels of {got.n_labelled} cases by {who}"
    rows = [("judge", _cut(name, 60)), ("labels", held), ("sha256", hashes)]
    return [Text(), listed(rows)]


def _rest(card: Card) -> list[RenderableType]:
    """Blocks of figures, the most telling first."""
    plain = [name for name in card.agreement if ": " not in name]
    figures = [(name, _cut(spread(card.agreement[name]), 60)) for name in plain[:5]]
    estimates = list(card.estimates.items())[:3]
    figures += [(f"corrected: {_cut(n, 30)}", _cut(spread(e.interval), 60)) for n, e in estimates]
    trivial = [
        (name.removeprefix(TRIVIAL), _cut(spread(one), 45))
        for name, one in card.agreement.items()
        if name.startswith(TRIVIAL)
    ]
    parts = sorted(card.slices, key=lambda one: (not worse(one), one.accuracy.estimate))
    worst = [(_cut(str(one["case"]), 30), _gap(one)) for one in card.worst[:3]]
    blocks = {
        "": figures,
        "slices": [(_cut(one.name, 20), apart(one)) for one in parts[:4]],
        "trivial judges": trivial,
        "confidence": [(SOURCES[one.name], sureness(one)) for one in card.confidence],
        "furthest apart": worst,
    }
    return [
        Group(Text(), *([shown(name)] if name else []), listed(rows))
        for name, rows in blocks.items()
        if rows
    ]


def _fitting(left: int, blocks: list[RenderableType]) -> list[RenderableType]:
    """Those for which there is room, in their order."""
    kept = list[RenderableType]()
    for block in blocks:
        if (lines := _lines(block)) <= left:
            kept.append(block)
            left -= lines
    return kept


def _lines(*parts: RenderableType) -> int:
    return len(Console(width=80, file=StringIO()).render_lines(Group(*parts)))


def _gap(one: object) -> str:
    assert isinstance(one, dict)
    return f"judge {one['judge']:.2f}, people {one['people']:.2f}"


def _cut(text: str, most: int = 150) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
