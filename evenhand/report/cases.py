"""Cases of a run in the terminal: one verdict whole, and lists."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evenhand.door import flat
from evenhand.errors import Misuse
from evenhand.records import Verdict
from evenhand.report.summary import same_label
from evenhand.report.terminal import indented, listed, shown
from evenhand.store import Recorded, Signed, Store, read_calls, read_signed

LONGEST_LIST = 50
_SEARCHED = 10_000  # ids among which near ones are looked for

# ---- one case --------------------------------------------------------------------------------


def signed_case(store: Store, case: str) -> Signed:
    """Raises: Misuse when the run has no such case; the message shows near ids."""
    signed = next(read_signed(store, "case_id = ?", (case,)), None)
    if signed is not None:
        return signed
    found = store.db.execute("select case_id from verdicts order by id limit ?", (_SEARCHED,))
    ids = [one for (one,) in found]
    near = difflib.get_close_matches(case, ids, n=3) or ids[:3]
    raise Misuse(
        f"no case {case!r} in {store.folder}",
        expected=f"an id such as {', '.join(map(repr, near))}" if near else "",
        do=f"evenhand export {store.folder} --to verdicts.csv lists every id",
    )


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


Rows = tuple[Iterator[Signed], str]


def unsettled(store: Store) -> Rows:
    """Undecided and failed cases, and what to say when there are none."""
    return read_signed(store, "state != 'decided'"), "no case is undecided or failed"


def disagreeing(store: Store) -> Rows:
    """Cases that the judge decided and a person otherwise, and what to say without any."""
    labels = store.db.execute("select count(*) from verdicts where label is not null").fetchone()
    nothing = f"no verdict differs from a person's label ({labels[0]} cases have one)"
    return filter(_disagrees, read_signed(store, "label is not null")), nothing


def _disagrees(signed: Signed) -> bool:
    verdict, label = signed.verdict, signed.label
    if verdict is None or not verdict.decided or label is None:
        return False
    return same_label(verdict, label) is False


def list_text(rows: Iterable[Signed], run: Path, nothing: str) -> RenderableType:
    """Args: nothing is said when there are no rows."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column("case", overflow="fold", max_width=30)
    table.add_column("judge", overflow="fold", max_width=12)
    table.add_column("person", overflow="fold", max_width=12)
    table.add_column("reason", overflow="ellipsis", no_wrap=True, ratio=1)
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
