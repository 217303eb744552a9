"""A run's summary in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenhand.intervals import Interval
from evenhand.judges import PUBLISHED
from evenhand.report.summary import Summary
from evenhand.report.terminal import listed, shown


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
    models = ", ".join(m["name"] for m in manifest.get("models", []))
    served = ", ".join(manifest.get("served", []))
    served = f" · served as {served}" if served not in ("", models) else ""
    ours = name.partition(" ")[0] in PUBLISHED and models and "--template" not in name
    yield "run", summary.run
    yield "judge", f"{name} ({judge.get('identity')})" + (" · own wording" if ours else "")
    yield "model", (models or "none") + served
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
