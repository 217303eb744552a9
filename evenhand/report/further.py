"""The next battles of a run: pairs that would say most, on prompts that are not judged yet."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evenhand.data import Row, Table, fit, open_data
from evenhand.errors import Misuse
from evenhand.identity import identity
from evenhand.manifest import Job
from evenhand.rank.active import next_pairs, top_separated
from evenhand.rank.battles import Battles
from evenhand.rank.bradley_terry import bradley_terry
from evenhand.rank.win_rate import win_matrix
from evenhand.records import escape
from evenhand.report.battles import read_battles
from evenhand.report.source import rows_again
from evenhand.store import Store, read_signed

Pair = frozenset[str]


@dataclass(frozen=True, slots=True)
class Chosen(Table):
    """A table's rows, as pairs, of some of its cases alone. Attributes: ids are the cases'."""

    ids: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Row]:
        for row in _pairs(Table.__iter__(self)):
            if row.case.id in self.ids:
                yield row


def beside(folder: Path) -> Path:
    """Where battles go that the run itself may not hold, for it was made from other pairs."""
    return folder.with_name(folder.name + "-continued")


def both(folder: Path) -> list[Path]:
    """The run, and what continued it beside it."""
    other = beside(folder)
    return [folder, other] if (other / "run.sqlite").exists() else [folder]


def own_table(folder: Path) -> Table:
    """The data that a run was made from.

    Raises:
        Misuse: They are gone, or no longer what they were.
    """
    with contextlib.closing(Store(folder, read=True)) as store:
        data = store.manifest.get("data", {})
        next(rows_again(store, "pairwise", purpose="more pairs"), None)
    return open_data(data["path"], columns=data.get("columns", {}), on_bad=_left_out)


def further(folder: Path, job: Job, n: int, *, top: int | None) -> tuple[Job, Path] | None:
    """The job that judges up to n more pairs, and its folder; None when the top is settled.

    Args:
        job: The run's own judge, table, options and columns.

    Raises:
        Misuse: The run is not of pairs, its judge is not what it was, or every pair of its data is
            judged already.
    """
    with contextlib.closing(Store(folder, read=True)) as store:
        manifest = store.manifest
    data, table = manifest.get("data", {}), job.table
    if identity(job.judge) != manifest["judge"]["identity"]:
        raise Misuse(
            f"the judge of {folder} is no longer what it was: {identity(job.judge)} now",
            expected=manifest["judge"]["identity"],
            do="take the change back, or judge all pairs anew",
        )
    fought = read_battles(both(folder))
    if fought.view != "pairwise":
        raise Misuse(
            f"the verdicts of {folder} are {fought.view}: there is no pair to go on with",
            expected="a run of a pairwise judge",
            do="judge more prompts: evenhand judge DATA … without --limit",
        )
    known = {key for run in both(folder) for key in _judged(run)}
    rows = [row for row in _pairs(table) if (row.row, _systems(row)) not in known]
    if top is not None:
        _check_top(top, fought.battles.n_systems)
        if top_separated(bradley_terry(fought.battles), top, look=fought.looks).separated:
            return None
    ids = _picked(rows, fought.battles, n, top=top)
    if not ids:
        left = f"no pair that is left in {data.get('name')} would decide the top {top}"
        raise Misuse(
            left if rows and top else f"every pair of {data.get('name')} is judged already",
            expected="responses of the data that were not compared yet",
            do="add prompts to the data and judge them as a run of their own",
        )
    options = replace(job.options, pairs="all", limit=len(ids), reread=False)
    chosen = Chosen(
        table.name, table.sha256, table.count, table.taken, table.notices, table._source,
        table._ids, table._columns, _left_out, frozenset(ids),
    )  # fmt: skip
    target = folder if data.get("pairs", "all") == "all" else beside(folder)
    return replace(job, table=chosen, options=options), target


def _check_top(top: int, n_systems: int) -> None:
    if not 1 <= top < n_systems:
        raise Misuse(f"--top {top} of {n_systems} systems", expected=f"1 to {n_systems - 1}")


def _left_out(_bad: object) -> None:
    """A row that could not be used when the run was made was reported then."""


def _pairs(rows: Iterator[Row] | Table) -> Iterator[Row]:
    return fit(rows, "pairwise", on_bad=_left_out)


def _systems(row: Row) -> Pair:
    return frozenset(str(one.system) for one in row.case.responses)


def _judged(folder: Path) -> Iterator[tuple[int, Pair]]:
    with contextlib.closing(Store(folder, read=True)) as store:
        for one in read_signed(store):
            yield one.row, frozenset(str(system) for system in one.systems)


def _picked(rows: Sequence[Row], battles: Battles, n: int, *, top: int | None) -> list[str]:
    """Case ids: of each pair that would say most, the prompt that has fewest battles."""
    rows = [row for row in rows if len(_systems(row)) == 2]
    of_pair: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        one, other = sorted(escape(name) for name in _systems(row))
        of_pair.setdefault((one, other), []).append(row)
    whole = _with_systems(battles, sorted({name for pair in of_pair for name in pair}))
    at = {name: number for number, name in enumerate(whole.systems)}
    room = np.zeros((len(at), len(at)), dtype=np.int64)
    for (one, other), there in of_pair.items():
        room[at[one], at[other]] = room[at[other], at[one]] = len(there)
    fitted, counts = bradley_terry(whole), win_matrix(whole).counts
    order, used, picked = random.Random(0), Counter[str](), list[str]()
    for i, j in next_pairs(fitted, counts, n=n, top=top, room=room, seed=0):
        there = of_pair[whole.systems[min(i, j)], whole.systems[max(i, j)]]
        fewest = min(used[row.cluster] for row in there)
        row = order.choice([row for row in there if used[row.cluster] == fewest])
        there.remove(row)
        used[row.cluster] += 1
        picked.append(row.case.id)
    return picked


def _with_systems(battles: Battles, more: Sequence[str]) -> Battles:
    """The same battles among more systems, numbered by name."""
    names = sorted({*battles.systems, *more})
    at = {name: number for number, name in enumerate(names)}
    to = np.array([at[name] for name in battles.systems], dtype=np.int64)
    return replace(battles, systems=tuple(names), a=to[battles.a], b=to[battles.b])
