"""A run in the terminal: the summary, one verdict whole, and lists of cases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenhand.door import flat
from evenhand.intervals import Interval
from evenhand.judges import PUBLISHED
from evenhand.records import Verdict
from evenhand.report.summary import Summary, same_label
from evenhand.report.terminal import indented, listed, shown
from evenhand.store import Recorded, Signed, Store, read_calls

LONGEST_LIST = 50


def summary_text(summary: Summary) -> RenderableType:
    """Counts first, then scores, order effects, cost, and what to beware of."""
    parts: list[RenderableType] = [listed(_head(summary))]
    for title, column in (("mean score", summary.scores), ("win rate", summary.win_rates)):
        if column:
            parts += [Text(), _scores(title, column)]
    if summary.win_rates or summary.scores:
        parts.append(shown("95 % intervals are clustered by prompt", style="dim"))
    parts += [Text(), listed([*_figures(summary), *_cost(summary)])]
    if summary.warnings:
        parts += [Text(), listed((("!", warning) for warning in summary.warnings), "yellow")]
    return Group(*parts)


def _head(summary: Summary) -> Iterator[tuple[str, str]]:
    manifest, count = summary.manifest, summary.counts
    judge, data = manifest.get("judge", {}), manifest.get("data", {})
    name = str(judge.get("name"))
    served = ", ".join(manifest.get("served", []))
    models = ", ".join(m["name"] for m in manifest.get("models", []))
    ours = name.partition(" ")[0] in PUBLISHED and models and "--template" not in name
    yield "run", summary.run
    yield "judge", f"{name} ({judge.get('identity')})" + (" · own wording" if ours else "")
    yield "model", (models or "none") + (f" · served as {served}" if served != models else "")
    sha = (data.get("sha256") or "")[:12] or "not hashed"
    yield "data", f"{data.get('name') or 'in memory'} · sha256 {sha}"
    states = (f"{state} {count[state]}" for state in ("decided", "undecided", "failed"))
    yield "cases", " · ".join([str(count["cases"]), *states])
    if count["undecided_by"]:
        codes = ", ".join(f"{code} {n}" for code, n in count["undecided_by"].items())
        yield "", f"undecided by reason: {codes}"


def _scores(title: str, column: Mapping[str, Interval]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("system", overflow="fold")
    table.add_column(title, justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("verdicts", justify="right")
    table.add_column("prompts", justify="right")
    for name, i in sorted(column.items(), key=lambda item: -item[1].estimate):
        spread = "none" if i.low is None else f"[{i.low:.3f}, {i.high:.3f}]"
        table.add_row(shown(name), f"{i.estimate:.3f}", spread, str(i.n), str(i.n_clusters))
    return table


def share(interval: Interval) -> str:
    """A share with its interval and n, such as '61 % [55, 67] of 412'."""
    percent = f"{100 * interval.estimate:.0f} %"
    if interval.low is None or interval.high is None:
        return f"{percent} of {interval.n} (no interval: {interval.reason})"
    return f"{percent} [{100 * interval.low:.0f}, {100 * interval.high:.0f}] of {interval.n}"


def _figures(summary: Summary) -> Iterator[tuple[str, str]]:
    if summary.consistency is not None:
        text = share(summary.consistency)
        yield "order consistency", f"{text} cases judged in both orders"
    if summary.first_position_rate is not None:
        text = share(summary.first_position_rate)
        yield "first-position rate", f"{text} single verdicts with a winner"
    if summary.agreement is not None:
        strict = share(Interval(**summary.agreement["strict"]))
        yield "agreement with people", f"{strict} labelled cases (undecided is wrong)"
        if summary.agreement["answered"] and summary.agreement["coverage"] < 1:
            answered = share(Interval(**summary.agreement["answered"]))
            yield "", f"{answered} decided ones"
    if summary.mass is not None:
        yield "label mass", f"{summary.mass:.2f} of the probability was on the labels"


def _cost(summary: Summary) -> Iterator[tuple[str, str]]:
    total = summary.json()
    usd = "price unknown" if total["usd"] is None else f"{total['usd']:.4f} USD"
    tokens = total["tokens"]
    yield (
        "calls",
        f"{total['calls']} · cache hits {total['cached']} · retries {total['retries']} · "
        f"re-asked {total['reasked']}",
    )
    yield "tokens", f"{tokens['in']} in, {tokens['out']} out · {usd} · {total['seconds']:.1f} s"
    for name, n in summary.manifest.get("fallbacks", {}).items():
        yield "fallback", f"{name} ({n} calls)"


# ---- one case --------------------------------------------------------------------------------


def case_text(store: Store, signed: Signed) -> RenderableType:
    """One verdict whole: prompts as sent, replies, parts."""
    said = signed.verdict
    lines = [("case", f"{signed.case} (row {signed.row}, cluster {signed.cluster})")]
    if any(signed.systems):
        lines.append(("systems", ", ".join(system or "?" for system in signed.systems)))
    if signed.label is not None:
        lines.append(("person", signed.label))
    lines.append(("state", signed.state + (f": {signed.error}" if signed.error else "")))
    if said is not None:
        lines += _verdict_lines(said, 0)
    parts: list[RenderableType] = [listed(lines)]
    for number, call in enumerate(read_calls(store, signed.keys), 1):
        parts += [Text(), *_call(number, call)]
    return Group(*parts)


def _verdict_lines(verdict: Verdict, depth: int) -> Iterator[tuple[str, str]]:
    probs = ", ".join(f"{label} {p:.3f}" for label, p in verdict.probs.items())
    marks = ", ".join(f"{name} {value}" for name, value in verdict.marks.items())
    score = "" if verdict.score is None else f" · score {verdict.score:.4g}"
    what = f"{verdict.label}{score} · {probs}" if verdict.decided else verdict.reason
    yield "  " * depth + ("part" if depth else "verdict"), what + (f" ({marks})" if marks else "")
    for part in verdict.parts:
        yield from _verdict_lines(part, depth + 1)


def case_json(store: Store, signed: Signed) -> dict[str, Any]:
    """The same as one JSON value; calls in the order in which they were made."""
    calls = [
        {"key": c.key, "model": c.model, "request": c.request, "completion": asdict(c.completion)}
        for c in read_calls(store, signed.keys)
    ]
    return {**flat(signed), "verdict": _form(signed.verdict), "calls": calls}


def _form(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "label": verdict.label,
        "score": verdict.score,
        "probs": dict(verdict.probs),
        "reason": verdict.reason,
        "scale": verdict.scale.name,
        "marks": dict(verdict.marks),
        "parts": [_form(part) for part in verdict.parts],
    }


def _call(number: int, call: Recorded) -> Iterator[RenderableType]:
    """Texts are indented, so that none of them can pass for one of our own lines."""
    reply = call.completion
    yield shown(f"call {number} · {call.model.get('name')} · {call.key}", style="bold")
    for message in call.request["messages"]:
        yield shown(f"--- {message['role']}", style="dim")
        for part in message["parts"]:
            yield indented(part if isinstance(part, str) else f"[{part.get('kind', 'media')}]")
    yield shown(f"--- reply ({reply.finish})", style="dim")
    yield indented(reply.text or "(no text)")
    if reply.tops:
        best = sorted(reply.tops[0].items(), key=lambda item: -item[1])[:8]
        yield shown("first token: " + ", ".join(f"{t!r} {lp:.2f}" for t, lp in best))
    cost = "" if reply.usd is None else f" · {reply.usd:.5f} USD"
    counted = "not counted"
    if reply.tokens_in is not None or reply.tokens_out is not None:
        counted = f"{reply.tokens_in} in, {reply.tokens_out} out"
    yield shown(f"tokens {counted}{cost}", style="dim")


# ---- lists -----------------------------------------------------------------------------------


def disagrees(signed: Signed) -> bool:
    """The judge decided, a person too, and they differ."""
    verdict = signed.verdict
    if verdict is None or not verdict.decided or signed.label is None:
        return False
    return same_label(verdict, signed.label) is False


def list_text(rows: Iterable[Signed], run: Path, nothing: str) -> RenderableType:
    """Args: nothing is said when there are no rows."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("case", "judge", "person", "reason"):
        table.add_column(name, overflow="fold" if name == "case" else "ellipsis", no_wrap=True)
    more = 0
    for signed in rows:
        if table.row_count == LONGEST_LIST:
            more += 1
            continue
        verdict = signed.verdict
        said = (verdict.label if verdict else None) or signed.state
        reason = " ".join((verdict.reason if verdict else signed.error).split())[:200]
        table.add_row(shown(signed.case), shown(said), shown(signed.label or ""), shown(reason))
    if not table.row_count:
        return shown(nothing)
    end = f"{more} more · " if more else ""
    return Group(table, shown(f"{end}one whole: evenhand show {run} --case ID", style="dim"))


def plain_rows(rows: Iterable[Signed]) -> list[dict[str, Any]]:
    return [flat(signed) for signed in rows]
