"""The judge card in words: the answer in one sentence, the reasons, what to do next."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from evenhand.intervals import Interval
from evenhand.report.card import Card
from evenhand.report.certificate import Gate
from evenhand.report.terminal import listed, shown

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
ADVICE = {
    "coverage": "See why cases stay undecided: evenhand show RUN --undecided",
    "agreement": "Read the cases below, mend the prompt or the rubric, or try another judge.",
    "ceiling": "Read the cases below; people agree with each other more than with this judge.",
    "alt_test": "Keep the people; use the judge with labels: --claim level or compare.",
    "baseline": "A rule without any reading does as well; try a more capable judge.",
    "transport": "Label cases of every system and report each by itself.",
    "consistency": "Judge both orders, and try a more capable judge.",
    "position": "Judge both orders: --order swap",
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
        yield f"Label more cases: evenhand label {card.run}"
    if found.result == "PASS":
        yield "This holds for this judge, prompt and kind of data; a change of one needs a new card"
    if card.worst:
        yield f"Look at one case whole: evenhand show {card.run} --case ID"


def spread(interval: Interval) -> str:
    """An interval such as '0.62 [0.55, 0.69] of 412'."""
    if math.isnan(interval.estimate):
        return f"none: {interval.reason or 'not defined'}"
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:.2f} of {interval.n} (no interval: {interval.reason})"
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}] of {interval.n}"


def card_text(card: Card) -> RenderableType:
    """At most 60 lines at 80 columns."""
    got, judge = card.gathered, card.gathered.manifest.get("judge", {})
    parts: list[RenderableType] = [shown(answer(card)), shown(tally(card)), Text()]
    rows = [(f"{g.result:12}", f"{TITLES[g.name]}: {_cut(g.reason)}") for g in gates_in_order(card)]
    parts += [listed(rows), Text(), shown("next")]
    parts += [listed(("-", _cut(text)) for text in list(advice(card))[:4])]
    figures = [(name, _cut(spread(one), 60)) for name, one in list(card.agreement.items())[:5]]
    estimates = list(card.estimates.items())[:3]
    figures += [(f"corrected: {_cut(n, 30)}", _cut(spread(e.interval), 60)) for n, e in estimates]
    if figures:
        parts += [Text(), listed(figures)]
    for warning in card.warnings[:4]:
        parts.append(listed([("!", _cut(warning, 150))]))
    worst = [(_cut(str(one["case"]), 30), _gap(one)) for one in card.worst[:3]]
    if worst:
        parts += [Text(), shown("furthest apart"), listed(worst)]
    sha = str(got.manifest.get("data", {}).get("sha256") or "none")
    hashes = f"data {sha[:12]} · labels {got.labels.sha256[:12]} · policy {card.policy.sha256[:12]}"
    name = f"{judge.get('name')} ({judge.get('identity')})"
    held = f"{got.n_labels} labels of {got.n_labelled} cases by {len(got.labels.raters)} raters"
    about = [("judge", _cut(name, 100)), ("labels", held), ("sha256", hashes)]
    return Group(*parts, Text(), listed(about))


def _gap(one: object) -> str:
    assert isinstance(one, dict)
    return f"judge {one['judge']:.2f}, people {one['people']:.2f}"


def _cut(text: str, most: int = 150) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
