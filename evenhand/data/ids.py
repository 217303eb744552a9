"""Ids and clusters of rows, and the one scan that counts rows and finds ids given twice."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from evenhand.data.fields import id_columns
from evenhand.data.files import Source, checked
from evenhand.data.rows import Bad, Wrong
from evenhand.data.texts import absent, as_text, kind
from evenhand.errors import DataError
from evenhand.records import Case, escape


@dataclass(frozen=True, slots=True)
class Ids:
    """How rows get their id and cluster: the texts of these columns, joined by "/".

    Attributes:
        name: Without columns the id is name and row.
        cluster: Without these columns the cluster is the id.
        sure: The columns are `id` or were named by the user: they must be there and differ.
    """

    name: str
    columns: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
    sure: bool = False

    @classmethod
    def choose(cls, name: str, present: tuple[str, ...], columns: Mapping[str, str]) -> Ids:
        found, cluster = id_columns(present, columns)
        sure = "id" in columns or (found[:1] != () and found[0].lower() == "id")
        return cls(name, found, cluster, sure)

    def of(self, row: Mapping[str, Any], at: int) -> str:
        """Raises: Wrong when an id is missing."""
        if not self.columns:
            return f"{self.name}:{at}"
        if len(self.columns) == 1:
            return _text(row, self.columns[0])
        return "/".join([_text(row, column) for column in self.columns])

    def shared(self, row: Mapping[str, Any], ident: str) -> str:
        if not self.cluster or any(absent(row.get(column)) for column in self.cluster):
            return ident
        return "/".join([escape(as_text(row[column])) for column in self.cluster])


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if type(value) is str and value:
        return escape(value)
    if absent(value) or isinstance(value, list | tuple | Mapping):
        found = f"column '{column}' is missing" if column not in row else kind(value)
        raise Wrong("id", found, f"a text or a number in column '{column}', as other rows have")
    return as_text(value)


def settle(origin: Source, ids: Ids, *, strict: bool) -> tuple[Ids, int, list[str]]:
    """Count the rows and make sure that ids differ; `strict` raises the first bad row.

    A known name that turns out not to be an id (it repeats, or some rows lack it) is given up:
    ids are then name and row, and a repeated one is the cluster.

    Raises:
        DataError: An id in a column `id`, or in one that the user named, stands twice.
    """
    count, lacking, hashes = 0, None, array("q")
    for _, ident in _identities(origin, ids):
        count += 1
        if isinstance(ident, str):
            hashes.append(hash(ident))
        elif ident is not None:
            if strict and (ident.field != "id" or ids.sure):
                raise ident.error()
            lacking = lacking or (ident if ident.field == "id" else None)
    repeat = _first_repeat(origin, ids, hashes)
    if ids.columns and not ids.sure and (repeat or lacking):
        column = ids.columns[0]
        why = f"repeats (rows {repeat[0]} and {repeat[1]})" if repeat else "is missing in some rows"
        cluster = ids.cluster or (ids.columns if repeat else ())
        notice = f"column '{column}' {why}: ids are file and row number"
        return Ids(ids.name, cluster=cluster), count, [notice]
    if repeat:
        first, second, ident = repeat
        raise DataError(
            f"the id '{ident}' of row {first} stands here again",
            expected="ids that differ",
            do="mend the ids, or join columns that differ together: --map id=COLUMN+COLUMN",
            file=origin.file,
            row=second,
            field="id",
        )
    made = not ids.columns and not len(hashes)
    return ids, count, ["no column of ids: ids are file and row number"] if made else []


def _identities(origin: Source, ids: Ids) -> Iterator[tuple[int, str | Bad | None]]:
    """Row and id; a Bad for what has none; None where it is made of name and row."""
    for at, found in checked(origin, ids.columns):
        ident: str | Bad | None = None
        if isinstance(found, Bad):
            ident = found
        elif isinstance(found, Case):
            ident = found.id
        elif ids.columns:
            try:
                ident = ids.of(found, at)
            except Wrong as wrong:
                ident = Bad(origin.file, at, wrong.field, wrong.found, wrong.expected)
        yield at, ident


def _first_repeat(origin: Source, ids: Ids, hashes: array[int]) -> tuple[int, int, str] | None:
    """Two rows with the same id, and the id: 8 bytes a row are kept, not the ids themselves."""
    if len(hashes) < 2:
        return None
    import numpy as np  # 80 ms, and only where there are ids to compare

    values = np.frombuffer(hashes, dtype=np.int64)
    ordered = np.sort(values)
    if not (ordered[1:] == ordered[:-1]).any():
        return None
    order = np.argsort(values, kind="stable")
    equal = np.flatnonzero(values[order[1:]] == values[order[:-1]])
    pairs = sorted((int(order[i + 1]), int(order[i])) for i in equal)
    for second, first in pairs:
        found = _pick(origin, ids, first, second)
        if found[0][1] == found[1][1]:  # else two ids share a hash, which is all but impossible
            return found[0][0], found[1][0], found[0][1]
    return None


def _pick(origin: Source, ids: Ids, *places: int) -> list[tuple[int, str]]:
    """Row and id at these places among the rows that have an id; places ascend."""
    having = ((at, ident) for at, ident in _identities(origin, ids) if isinstance(ident, str))
    return [next(islice(having, step, None)) for step in _steps(places)]


def _steps(places: tuple[int, ...]) -> Iterator[int]:
    last = -1
    for place in places:
        yield place - last - 1
        last = place
