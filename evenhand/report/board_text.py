"""A board in words: the answer in one line, the table, what to beware of, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenhand.families import family, shared_families
from evenhand.intervals import Interval
from evenhand.report.fought import joined
from evenhand.report.standings import Board, Standing, Standings
from evenhand.report.terminal import listed, shown

FEW_CLUSTERS = 20
MANY_TIES = 1 / 3
UNDECIDED = 0.05
LONG = 31  # of a name, in a table of 80 columns
NAME, TEXT = 3 * LONG, 1000  # characters of a name, of a sentence
SHOWN = 40  # rows of the table in the terminal


def headline(board: Board) -> str:
    """The first line: what the data say of the first system."""
    text = _headline(board.whole, board.fought.cluster)
    if board.whole.rows and board.whole.rows[0].system in board.constant:
        return f"{text}. But it gave {_alike(board)} to every prompt: see below"
    return text


def _headline(standings: Standings, cluster: str) -> str:
    rows, fit = standings.rows, standings.fitted
    if fit is None:
        return f"No board: {standings.reason}"
    linked = [group for group in fit.components if len(group) > 1]
    if len(linked) > 1:
        return f"No order of all: the systems fall into {len(linked)} groups that never met."
    first, second = rows[0].system, rows[1].system
    chance = fit.probability(first, second)
    on = counted(standings.n_clusters, cluster)
    if len(rows) == 2:
        clear = chance.low is not None and chance.low > 0.5
        verb = "is better than" if clear else "cannot be told from"
        return f"{first} {verb} {second}: {percent(chance)}, {on}"
    best, worst = rows[0].best, rows[0].rank_high
    sure = "" if best is None else f"; P(best) {'over 0.99' if best > 0.99 else f'{best:.2f}'}"
    if worst == 1:  # over all systems at once: who stands first was not known beforehand
        return f"{first} is first: better than {second}, {percent(chance)}, {on}{sure}"
    place = "" if worst is None else f" (place {places(rows[0], 1)})"
    return (
        f"{first} comes first, but not for sure{place}: {percent(chance)} against {second}, "
        f"{on}{sure}"
    )


def brief(text: str, most: int = TEXT) -> str:
    """Its ends where it is longer; --json and --csv have it whole."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]} … ({len(text)} characters) … {text[-most // 2 :]}"


def counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def percent(interval: Interval) -> str:
    """Such as '61 % [55, 67]'."""
    if np.isnan(interval.estimate):
        return f"no share ({interval.reason})"
    text = f"{100 * interval.estimate:.0f} %"
    if interval.low is None or interval.high is None:
        return f"{text} (no interval: {interval.reason})"
    return f"{text} [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


# ---- what to beware of ---------------------------------------------------------------------------


def warnings(board: Board) -> Iterator[str]:
    """What the board cannot support, the gravest first."""
    fit = board.fitted
    yield from fit.warnings
    yield from _fooled(board)
    yield from _thin(board)
    yield from _of_judges(board)
    yield from _of_pairs(board)
    if board.control is not None and board.control.moved:
        moves = [f"{name} {was} → {now}" for name, was, now in board.control.moved]
        yield (
            f"control changes the order of {len(moves)} systems: {joined(moves, 5)}; which order "
            "is right depends on whether what is controlled is part of being good"
        )


def _fooled(board: Board) -> Iterator[str]:
    places = {row.system: at for at, row in enumerate(board.whole.rows, 1)}
    for name in board.constant:
        below = len(places) - places[name]
        above = f"ranks above {below} of the {len(places) - 1} others" if below else "ranks last"
        yield (
            f"{name} gave {_alike(board)} to every prompt and {above}: unless the prompts ask for "
            "just that, what it wins says how this judge can be fooled, and nothing about it"
        )


def _alike(board: Board) -> str:
    texts = any(isinstance(one, str) for one in board.fought.answers.same)
    return "one answer" if texts else "answers of one length"


def _thin(board: Board) -> Iterator[str]:
    fit, failed = board.fitted, board.fought.failed
    if fit.n_clusters < FEW_CLUSTERS:
        few = counted(fit.n_clusters, board.fought.cluster)
        yield f"only {few}: intervals from so few are rough"
    if failed:
        yield f"{failed} cases failed: no answer came, and they are no battle"
    total = fit.n_used + fit.n_undecided
    if board.undecided > UNDECIDED * total:
        yield (
            f"{board.undecided} of {total} battles are undecided and left out; the others may be "
            "the easier ones"
        )
    if board.uncounted:
        yield (
            f"{counted(board.uncounted, 'battle')} left out: what --control holds equal is not "
            "known of them"
        )
    if board.tie_rate > MANY_TIES and board.asked.ties == "half":
        yield (
            f"{board.tie_rate:.0%} of battles are ties: counted as halves they pull ratings "
            "together; --ties davidson or ordinal models them"
        )


def _of_judges(board: Board) -> Iterator[str]:
    models = [str(model) for judge in board.fought.judges for model in judge["models"] or ()]
    models = models or [str(judge["name"]) for judge in board.fought.judges]
    kin: dict[tuple[str, str], list[str]] = {}
    for model, system in shared_families(models, board.matrix.systems):
        kin.setdefault((model, str(family(model))), []).append(system)
    for (model, kind), systems in kin.items():
        yield (
            f"judge {model} is of one family ({kind}) with {joined(systems, 4)}: judges tend to "
            "favour their own family; check with a judge of another"
        )


def _of_pairs(board: Board) -> Iterator[str]:
    matrix, k = board.matrix, len(board.matrix.systems)
    met = matrix.counts > 0
    stars = np.flatnonzero(met.sum(axis=1) == k - 1)
    if k > 2 and stars.size == 1 and int(met.sum()) == 2 * (k - 1):
        yield (
            f"all battles are against {matrix.systems[stars[0]]}: a rating is then the win rate "
            "against it, said otherwise, and two others are compared through it alone"
        )
    found = board.cycles
    if found.cyclic:
        one = " over ".join(matrix.systems[at] for at in (*found.examples[0], found.examples[0][0]))
        yield (
            f"{found.cyclic} of {found.triads} triads go round in a circle, such as {one}: no "
            "order fits those"
        )


# ---- next ----------------------------------------------------------------------------------------


def advice(board: Board) -> Iterator[str]:
    """What to do next."""
    fit = board.fitted
    if board.gate is not None and board.gate.result == "INCONCLUSIVE":
        yield f"{board.gate.claim} is not known: judge more prompts of this pair"
    settled = board.top is not None and board.top.separated
    if board.top is not None:
        k, names = len(board.top.systems), joined(board.top.systems)
        open_ = f"not settled: {counted(len(board.top.open), 'pair')} across the border not clear"
        yield f"top {k} (look {board.top.look}): {f'settled: {names}' if settled else open_}"
    if board.next and not settled and (len(fit.components) > 1 or not _clear(board.whole)):
        pairs = joined([f"{one} against {other}" for one, other in board.next], 3)
        yield f"these pairs would say most: {pairs}"
        judges = [str(one["name"]) for one in board.fought.judges]
        imported = any(name.startswith("imported:") for name in judges)  # nobody to ask again
        if board.fought.view == "pairwise" and not imported:
            yield "its judge goes on where pairs are left: evenhand rank RUN --continue 100"


def _clear(standings: Standings) -> bool:
    fit = standings.fitted
    assert fit is not None
    names = [row.system for row in standings.rows]
    lows = [fit.probability(a, b).low for a, b in pairwise(names)]
    return all(low is not None and low > 0.5 for low in lows)


# ---- the page of text ----------------------------------------------------------------------------


def board_text(board: Board) -> RenderableType:
    """At 80 columns: the answer, the table, what to beware of, what to do next."""
    parts: list[RenderableType] = [shown(brief(board.headline))]
    if board.gate is not None:
        parts.append(shown(brief(f"{board.gate.result}: {board.gate.claim}, {_chance(board)}")))
    parts += [Text(), _table(board.whole), Text()]
    for one in board.slices:
        parts += [shown(brief(f"{one.name}: {_headline(one, board.fought.cluster)}"))]
        parts += [_table(one), Text()] if one.rows else [Text()]
    parts.append(listed((name, brief(text)) for name, text in figures(board)))
    cautions = [*board.warnings, *board.fought.notices]
    if cautions:
        parts += [Text(), listed((("!", brief(text)) for text in cautions), "yellow")]
    if steps := list(advice(board)):
        parts += [Text(), shown("next"), listed(("-", brief(step)) for step in steps)]
    return Group(*parts)


def _chance(board: Board) -> str:
    assert board.gate is not None
    return percent(board.gate.probability)


def _table(standings: Standings) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("rank", no_wrap=True)
    table.add_column("system", overflow="fold", max_width=LONG)
    for name in ("rating", "interval", "win rate", "battles", "undec."):
        table.add_column(name, justify="right", no_wrap=True)
    for at, row in enumerate(standings.rows[:SHOWN], 1):
        table.add_row(
            places(row, at), shown(brief(row.system, NAME)), *cells(row), str(row.battles),
            str(row.undecided),
        )  # fmt: skip
    more = len(standings.rows) - SHOWN
    if more <= 0:
        return table
    return Group(table, shown(f"{more} more: --html, --csv or --json"))


def places(row: Standing, at: int) -> str:
    """The interval of the place, or the place alone where none can be given."""
    if row.rank_low is None or row.rank_high is None:
        return f"{at} ?"
    low = row.rank_low
    return str(low) if low == row.rank_high else f"{row.rank_low}–{row.rank_high}"


def cells(row: Standing) -> tuple[str, str, str]:
    """Rating, its interval, win rate."""
    points, rate = row.rating, row.win_rate
    spread = "none" if points.low is None else f"[{points.low:.0f}, {points.high:.0f}]"
    middle = "none" if np.isnan(points.estimate) else f"{points.estimate:.0f}"
    return middle, spread, "none" if np.isnan(rate.estimate) else f"{rate.estimate:.1%}"


def figures(board: Board) -> Iterator[tuple[str, str]]:
    """What the board rests on, named."""
    fit, fought, asked = board.fitted, board.fought, board.asked
    yield "battles", f"{fit.n_used} decided, {board.undecided} undecided, {fought.failed} failed"
    level = f"{100 * asked.level:g} % intervals"
    yield "method", f"{fit.method}; ties {asked.ties}; {level} by {fought.cluster}"
    if board.slices:
        yield "slices", f"{len(board.slices)}, intervals widened for their number"
    at = asked.anchor or "the mean"
    shape = [f"{name} {one.estimate:.2f}" for name, one in fit.shape.items()]
    yield "rating", f"Elo points, {at} at 1000; 100 points are 64 % to 36 %"
    yield (
        "ties",
        f"{board.tie_rate:.1%} · {joined(shape, 6)}" if shape else f"{board.tie_rate:.1%}",
    )
    if board.cycles.triads:
        yield "cycles", f"{board.cycles.cyclic} of {board.cycles.triads} triads"
    for name, one in (board.control.effects if board.control else {}).items():
        spread = "" if one.low is None else f" [{one.low:+.2f}, {one.high:+.2f}]"
        text = f"{one.estimate:+.2f}{spread} log odds a standard deviation"
        yield f"control {name}", f"none: {one.reason}" if np.isnan(one.estimate) else text
    yield "judge", joined(list(judges(board)), 4) or "not named"
    yield "sha256", joined([f"{f['name']} {str(f['sha256'])[:12]}" for f in fought.files], 4)


def judges(board: Board) -> Iterator[str]:
    for one in board.fought.judges:
        mark = f" ({one['identity']})" if one["identity"] else ""
        yield " · ".join([str(one["name"]), *one["models"]]) + mark
