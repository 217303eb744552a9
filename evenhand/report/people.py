"""A run beside people's labels of its cases."""

from __future__ import annotations

import contextlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evenhand.data.raters import Labels, merged, read_labels
from evenhand.errors import Misuse
from evenhand.records import PAIR, Scale, Verdict
from evenhand.report.summary import bounds
from evenhand.store import Signed, Store, read_signed


@dataclass(frozen=True, slots=True)
class LabelFiles:
    """Files of labels, and how to read them: `columns` and `scale` as in `read_labels`."""

    files: Sequence[Path]
    columns: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A case with what people said of it: rater -> label, those left out who said nothing."""

    signed: Signed
    said: Mapping[str, str]

    @property
    def verdict(self) -> Verdict:
        """Raises: ValueError where there is none; `People.decided` has only cases with one."""
        if self.signed.verdict is None:
            raise ValueError(f"case {self.signed.case!r} failed")
        return self.signed.verdict

    @property
    def majority(self) -> str | None:
        """The label that more people gave than any other; None when no label leads."""
        (first, most), *rest = Counter(self.said.values()).most_common(2)
        return None if rest and rest[0][1] == most else first


@dataclass(frozen=True, slots=True)
class People:
    """The labelled cases of a run.

    Attributes:
        rows: Cases that somebody labelled, in the order of the run; undecided ones too.
        scale: Of the decided verdicts.
        left_out: Why labelled cases do not count -> how many.
        sha256: Of the files of labels.
        unequal: The labelled cases were drawn with unequal chances.
    """

    run: str
    manifest: Mapping[str, Any]
    scale: Scale
    rows: tuple[Labelled, ...]
    raters: tuple[str, ...]
    left_out: Mapping[str, int]
    notices: tuple[str, ...]
    sha256: str
    unequal: bool = False

    @property
    def decided(self) -> list[Labelled]:
        return [row for row in self.rows if row.signed.state == "decided"]

    @property
    def ids(self) -> set[str]:
        return {row.signed.case for row in self.rows}

    def on_scale(self, label: str) -> str | None:
        """The scale's label that a person means, as tables write it; None when there is none."""
        if self.scale.swaps:
            return label if label in PAIR.labels else None
        if label in self.scale.labels:
            return label
        return next((one for one in self.scale.labels if _alike(one, label)), None)

    def number(self, label: str) -> float:
        """A label in figures: that of the scale, or else the number that it is.

        Raises:
            Misuse: It is neither.
        """
        if self.scale.swaps:
            return PAIR.number(label)
        if (known := self.on_scale(label)) is not None:
            return self.scale.number(known)
        try:
            found = float(label)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise Misuse(
                f"the label {label!r} is no number, and {self.scale.name} has no such label",
                expected=f"numbers, or one of {self.offer}",
                do=f"say what it means: --map-labels '{label}=NUMBER'",
            )
        return found

    def mean(self, row: Labelled) -> float:
        return sum(map(self.number, row.said.values())) / len(row.said)

    @property
    def offer(self) -> str:
        """The labels of the scale, in words."""
        if self.scale.swaps:
            return ", ".join(PAIR.labels)
        span = bounds(self.scale)
        return ", ".join(self.scale.labels) or (f"{span[0]:g} to {span[1]:g}" if span else "any")

    @property
    def who(self) -> str:
        return "1 rater" if len(self.raters) == 1 else f"{len(self.raters)} raters"


def people(run: Path, labels: LabelFiles) -> People:
    """The labels of a run's cases; labels of other cases are counted.

    Raises:
        Misuse: No verdict is decided, or no label is of a case of the run.
    """
    with contextlib.closing(Store(run, read=True)) as store:
        scale = _scale(store)
        found, foreign = labels_of(store, labels, pairs=bool(scale.swaps))
        said: dict[str, dict[str, str]] = {}
        for row in found.rows:
            of_case = said.setdefault(row.case, {})
            if row.label is not None:
                of_case[row.rater] = row.label
        rows = tuple(
            Labelled(signed, said[signed.case])
            for signed in read_signed(store)
            if said.get(signed.case)
        )
        other = {r.verdict.scale.name for r in rows if r.signed.state == "decided"} - {scale.name}
        manifest = store.manifest
    if other:
        raise Misuse(
            f"{run} has verdicts on {', '.join(sorted({*other, scale.name}))}",
            expected="verdicts on one scale",
            do="judge again with one scale",
        )
    lost = Counter[str](row.signed.state for row in rows if row.signed.state != "decided")
    unlabelled = {case for case, one in said.items() if not one}
    lost["without a label"] = len(unlabelled - set(foreign))
    left_out = {why: n for why, n in sorted(lost.items()) if n}
    raters = tuple(one for one in found.raters if any(one in row.said for row in rows))
    unequal = len({found.chances.get(row.signed.case) for row in rows}) > 1
    return People(
        str(run), manifest, scale, rows, raters, left_out, found.notices, found.sha256, unequal
    )  # fmt: skip


def _scale(store: Store) -> Scale:
    for signed in read_signed(store, "state = 'decided'"):
        if signed.verdict is not None and not signed.verdict.scale.orders:
            return signed.verdict.scale
        raise Misuse(
            f"{store.folder} has orders of many responses",
            expected="a pointwise or a pairwise run",
            do="judge with a pointwise or a pairwise judge",
        )
    count = store.db.execute("select count(*) from verdicts").fetchone()[0]
    raise Misuse(
        f"none of the {count} cases of {store.folder} has a decided verdict",
        expected="verdicts to compare with labels",
        do=f"evenhand show {store.folder} --undecided says why",
    )


def labels_of(store: Store, labels: LabelFiles, *, pairs: bool) -> tuple[Labels, tuple[str, ...]]:
    """Everything in the files, and the labelled cases that the run lacks.

    Raises:
        Misuse: No row is about a case of the run, or none of those holds a label.
    """
    query = "select case_id, systems from verdicts"
    known = {case: tuple(json.loads(names)) for case, names in store.db.execute(query)}
    systems = known if pairs else {}
    read = {
        str(file): read_labels(file, columns=labels.columns, scale=labels.scale, systems=systems)
        for file in labels.files
    }
    found = merged(read)
    cases = dict.fromkeys(row.case for row in found.rows)
    foreign = tuple(case for case in cases if case not in known)
    near = ", ".join(map(repr, foreign[:3])) + (", …" if len(foreign) > 3 else "")
    if len(foreign) == len(cases):
        ids = ", ".join(map(repr, list(known)[:3]))
        raise Misuse(
            f"none of the {len(cases)} labelled cases is in {store.folder}: {near}",
            expected=f"ids such as {ids}",
            do="name the column that holds them: --map id=COLUMN",
        )
    if not any(row.label is not None and row.case in known for row in found.rows):
        raise Misuse(
            f"the {len(cases) - len(foreign)} rows about cases of {store.folder} hold no label",
            expected="labels; an empty cell and 'skip' are none",
            do="fill the sheet; or name the column that holds them: --map label=COLUMN",
        )
    more = (f"{len(foreign)} labelled cases are not in the run: {near}",) if foreign else ()
    return replace(found, notices=(*found.notices, *more)), foreign


def known_only(value: Any) -> Any:
    """A result as JSON can hold it, at any depth: NaN and infinity become None."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {str(key): known_only(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [known_only(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _alike(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one.casefold() == other.casefold()
