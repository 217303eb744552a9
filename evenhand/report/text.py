"""A run in the terminal: the summary, one verdict whole, and lists of cases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenhand.door import flat
from evenhand.intervals import Interval
from evenhand.records import Verdict
from evenhand.report.summary import Summary, winner
from evenhand.store import Recorded, Signed, Store, read_calls

LONGEST_LIST = 50
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shown(text: str, style: str = "") -> Text:
    """Text for the terminal: control characters and direction marks are shown, not obeyed."""
    return Text(_CONTROL.sub(lambda m: repr(m.group())[1:-1], text), style=style)


def summary_text(summary: Summary) -> RenderableType:
    """Counts first, then scores, order effects, cost, and what to beware of."""
    parts: list[RenderableType] = [shown(line) for line in _head(summary)]
    for title, column in (("mean score", summary.scores), ("win rate", summary.win_rates)):
        if column:
            parts += [Text(), _scores(title, column)]
    lines = [*_figures(summary), *_cost(summary)]
    parts += [Text(), *(shown(line) for line in lines)]
    if summary.warnings:
        parts.append(Text())
        parts += [shown(f"! {warning}", style="yellow") for warning in summary.warnings]
    return Group(*parts)


def _head(summary: Summary) -> Iterator[str]:
    manifest, count = summary.manifest, summary.counts
    judge, data = manifest.get("judge", {}), manifest.get("data", {})
    served = ", ".join(manifest.get("served", []))
    names = ", ".join(m["name"] for m in manifest.get("models", [])) or "no model"
    yield f"run     {summary.run}"
    yield f"judge   {judge.get('name')} ({judge.get('identity')}) · own wording"
    yield f"model   {names}" + (f" · served as {served}" if served and served != names else "")
    sha = (data.get("sha256") or "")[:12] or "not hashed"
    yield f"data    {data.get('name') or 'in memory'} · sha256 {sha}"
    line = f"cases   {count['cases']} · decided {count['decided']} · undecided {count['undecided']}"
    yield line + f" · failed {count['failed']}"
    if count["undecided_by"]:
        codes = ", ".join(f"{code} {n}" for code, n in count["undecided_by"].items())
        yield f"        undecided by reason: {codes}"


def _scores(title: str, column: Mapping[str, Interval]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("system", overflow="fold")
    table.add_column(title, justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("verdicts", justify="right")
    table.add_column("prompts", justify="right")
    for name, i in sorted(column.items(), key=lambda item: -item[1].estimate):
        spread = _spread(i) if i.low is not None else i.reason
        table.add_row(shown(name), f"{i.estimate:.3f}", spread, str(i.n), str(i.n_clusters))
    return table


def _spread(interval: Interval) -> str:
    return f"[{interval.low:.3f}, {interval.high:.3f}]" if interval.low is not None else ""


def share(interval: Interval) -> str:
    """A share with its interval and n, such as '61 % [55, 67] of 412'."""
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:.0%} of {interval.n} (no interval: {interval.reason})"
    low, high = 100 * interval.low, 100 * interval.high
    return f"{100 * interval.estimate:.0f} % [{low:.0f}, {high:.0f}] of {interval.n}"


def _figures(summary: Summary) -> Iterator[str]:
    if summary.win_rates or summary.scores:
        yield "intervals are clustered by prompt (t with prompts - 1 degrees of freedom)"
    if summary.consistency is not None:
        yield f"order consistency     {share(summary.consistency)} cases judged in both orders"
    if summary.first_position_rate is not None:
        text = share(summary.first_position_rate)
        yield f"first-position rate   {text} single verdicts with a winner"
    if summary.agreement is not None:
        strict = share(Interval(**summary.agreement["strict"]))
        yield f"agreement with people {strict} labelled cases (undecided is wrong)"
        if summary.agreement["answered"] and summary.agreement["coverage"] < 1:
            answered = share(Interval(**summary.agreement["answered"]))
            yield f"                      {answered} decided ones"
    if summary.mass is not None:
        yield f"label mass            {summary.mass:.2f} of the probability was on the labels"


def _cost(summary: Summary) -> Iterator[str]:
    total = summary.json()
    usd = "price unknown" if total["usd"] is None else f"{total['usd']:.4f} USD"
    tokens = total["tokens"]
    yield (
        f"calls {total['calls']} · cache hits {total['cached']} · retries {total['retries']} · "
        f"re-asked {total['reasked']}"
    )
    yield f"tokens {tokens['in']} in, {tokens['out']} out · {usd} · {total['seconds']:.1f} s"
    for name, n in summary.manifest.get("fallbacks", {}).items():
        yield f"fallback: {name} ({n} calls)"


# ---- one case --------------------------------------------------------------------------------


def case_text(store: Store, signed: Signed) -> RenderableType:
    """One verdict whole: prompts as sent, replies, parts."""
    said = signed.verdict
    lines = [f"case     {signed.case} (row {signed.row}, cluster {signed.cluster})"]
    if any(signed.systems):
        lines.append(f"systems  {', '.join(system or '?' for system in signed.systems)}")
    if signed.label is not None:
        lines.append(f"person   {signed.label}")
    lines.append(f"state    {signed.state}" + (f": {signed.error}" if signed.error else ""))
    parts: list[RenderableType] = [shown(line) for line in lines]
    if said is not None:
        parts += [shown(line) for line in _verdict_lines(said, 0)]
    for number, call in enumerate(read_calls(store, signed.keys), 1):
        parts += [Text(), *_call(number, call)]
    return Group(*parts)


def _verdict_lines(verdict: Verdict, depth: int) -> Iterator[str]:
    pad = "  " * depth
    probs = ", ".join(f"{label} {p:.3f}" for label, p in verdict.probs.items())
    marks = ", ".join(f"{name} {value}" for name, value in verdict.marks.items())
    score = "" if verdict.score is None else f" · score {verdict.score:.4g}"
    what = f"{verdict.label}{score} · {probs}" if verdict.decided else verdict.reason
    yield f"{pad}verdict  {what}" + (f" ({marks})" if marks else "")
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


def _call(number: int, call: Recorded) -> Iterator[Text]:
    reply = call.completion
    yield shown(f"call {number} · {call.model.get('name')} · {call.key}", style="bold")
    for message in call.request["messages"]:
        yield shown(f"--- {message['role']}", style="dim")
        for part in message["parts"]:
            yield shown(part if isinstance(part, str) else f"[{part.get('kind', 'media')}]")
    yield shown(f"--- reply ({reply.finish})", style="dim")
    yield shown(reply.text or "(no text)")
    if reply.tops:
        best = sorted(reply.tops[0].items(), key=lambda item: -item[1])[:8]
        yield shown("first token: " + ", ".join(f"{t!r} {lp:.2f}" for t, lp in best))
    cost = "" if reply.usd is None else f" · {reply.usd:.5f} USD"
    yield shown(f"tokens {reply.tokens_in} in, {reply.tokens_out} out{cost}", style="dim")


# ---- lists -----------------------------------------------------------------------------------


def disagrees(signed: Signed) -> bool:
    """The judge decided, a person too, and they differ."""
    verdict = signed.verdict
    if verdict is None or not verdict.decided or signed.label is None:
        return False
    return (winner(verdict) if verdict.scale.swaps else verdict.label) != signed.label


def list_text(rows: Iterable[Signed], run: Path) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("case", "judge", "person", "reason"):
        table.add_column(name, overflow="fold" if name == "case" else "ellipsis", no_wrap=True)
    listed = more = 0
    for signed in rows:
        if listed == LONGEST_LIST:
            more += 1
            continue
        listed += 1
        verdict = signed.verdict
        said = (verdict.label if verdict else None) or signed.state
        reason = " ".join((verdict.reason if verdict else signed.error).split())[:200]
        table.add_row(shown(signed.case), shown(said), shown(signed.label or ""), shown(reason))
    if not listed:
        return shown("none")
    end = f"{more} more · " if more else ""
    return Group(table, shown(f"{end}one whole: evenhand show {run} --case ID", style="dim"))


def printed(console: Console, what: RenderableType) -> None:
    console.print(what, highlight=False, markup=False, soft_wrap=False)


def plain_rows(rows: Iterable[Signed]) -> list[dict[str, Any]]:
    return [flat(signed) for signed in rows]
