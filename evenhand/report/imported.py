"""What other tools recorded, as run folders: nothing is asked again, and nothing is paid."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evenhand.data.bench import FORMAT, Bench, Files, bench, digest, find, formats, placed
from evenhand.data.raters import Label
from evenhand.data.rows import Bad, Row
from evenhand.data.table import BENCH
from evenhand.errors import Misuse
from evenhand.manifest import counts
from evenhand.records import Verdict, escape
from evenhand.report.bench_text import card_json
from evenhand.report.workshop import folder_name, workshop
from evenhand.store import Signed, Store

LABELS, REJECTED = "labels.csv", "rejected.jsonl"
MOST_JUDGES = 300  # each holds a database open while it is written


@dataclass(frozen=True, slots=True)
class Imported:
    """One judge's run.

    Attributes:
        cases: With a verdict; `undecided` are those that the source could not read either.
        skipped: Rows of the files that could not be used, whichever judge they were about.
        labels_file: What people said; the source's own gold where it names nobody; None: neither.
    """

    judge: str
    run: Path
    cases: int
    decided: int
    undecided: int
    skipped: int
    labels_file: Path | None
    notices: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        paths = {"run": str(self.run), "labels": str(self.labels_file or "") or None}
        numbers = ("judge", "cases", "decided", "undecided", "skipped")
        return (
            {name: getattr(self, name) for name in numbers}
            | paths
            | {"notices": list(self.notices)}
        )


def imported(format: str, files: Sequence[Path], out: Path, *, command: str = "") -> list[Imported]:
    """A run folder for each judge in the files: `out` itself, or `out/JUDGE` when there are more.

    Files of rows are read as streams, the cases first and then the verdicts: memory grows with
    the number of cases by a few bytes each. JSON that is one value is read whole.

    Args:
        format: A format of another tool, or a benchmark's name; a format goes first.
        files: Or one folder, of a benchmark.

    Raises:
        Misuse: No such format or file; `out` holds something else; the files hold no judge.
        DataError: A column is missing, or a file cannot be read.
    """
    began = time.perf_counter()
    source = Source.of(format, files)
    if known := _unchanged(source, out):
        return known
    with workshop(out) as place:
        if known := _unchanged(source, out):  # another process has made it meanwhile
            return known
        with contextlib.closing(_Import(source, place)) as work:
            work.read()
            made = work.finish(command, time.perf_counter() - began)
        return list(_moved(made, place, out))


# ---- what is read --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """Attributes: place opens the cases again: 'bench:NAME@FILES'; sha256 is of all files."""

    format: str
    bench: Bench
    files: Files
    place: str
    sha256: str

    @classmethod
    def of(cls, format: str, given: Sequence[Path]) -> Source:
        name = FORMAT + format if format in formats() else format
        found = bench(name)
        paths = [path.absolute() for path in given]
        if not paths:
            raise Misuse("no file is given", do=f"evenhand import {format} FILE")
        files = (
            find(found.card, folder=paths[0]) if paths[0].is_dir() else placed(found.card, paths)
        )
        if found.recorded is None:
            raise Misuse(
                f"{found.card.name} holds no recorded verdicts",
                expected="judges' verdicts, as in what `evenhand import` lists",
                do=f"evenhand judge {BENCH}{name}@{os.pathsep.join(map(str, given))} --judge NAME",
            )
        every = [path for one in found.card.files for path in files.paths[one.name]]
        whole = hashlib.sha256("".join(map(digest, dict.fromkeys(every))).encode()).hexdigest()
        place = f"{BENCH}{name}@{os.pathsep.join(map(str, paths))}"
        return cls(format, found, files, place, whole)

    @property
    def listed(self) -> list[dict[str, str]]:
        every = dict.fromkeys(path for paths in self.files.paths.values() for path in paths)
        return [{"name": path.name, "sha256": digest(path)} for path in every]

    def notices(self) -> Iterator[str]:
        if self.bench.card.status == "unverified":
            yield f"unverified: {self.format} follows the published schema; check some verdicts"
        for name in self.files.changed:
            yield f"{name} is not the known file: its hash differs"


class _Facts:
    """What a verdict's row needs to know of its case, on disk: files may hold millions."""

    def __init__(self) -> None:
        self.db = sqlite3.connect("")  # a file that nobody else sees and that goes with us
        self.db.executescript(
            "create table facts(id text primary key, row int, body text) without rowid;"
            "create table said(id text, judge, label, primary key(id, judge)) without rowid;"
        )

    def add(self, row: Row) -> None:
        case = row.case
        systems = [one.system for one in case.responses]
        body = json.dumps([row.cluster, systems, case.group, row.label])
        self.db.execute("insert or ignore into facts values(?,?,?)", (case.id, row.row, body))

    def signed(self, verdict: Verdict) -> Signed | None:
        """None for a verdict about no case."""
        found = self.db.execute("select row, body from facts where id=?", (verdict.case,))
        for row, body in found:
            cluster, systems, group, label = json.loads(body)
            return Signed(verdict.case, row, escape(cluster), tuple(systems), group, label, verdict)
        return None

    def gold(self, rater: str) -> Iterator[Label]:
        """The cases' own labels, for a source that names no people."""
        for case, row, body in self.db.execute("select id, row, body from facts order by row"):
            if (label := json.loads(body)[3]) is not None:
                yield Label(case, rater, label, row=row)

    def new(self, case: str, judge: int | str, label: str = "") -> bool:
        """Whether the judge (a number) or the person (a name) has said nothing of the case yet."""
        row = case, judge, label
        return self.db.execute("insert or ignore into said values(?,?,?)", row).rowcount == 1

    def before(self, case: str, person: str) -> str:
        asked = "select label from said where id=? and judge=?"
        return str(self.db.execute(asked, (case, person)).fetchone()[0])


@dataclass(slots=True)
class _Bads:
    """Rows that could not be used; one that is seen in two passes counts once."""

    found: dict[tuple[str, int, str], Bad] = field(default_factory=dict)

    def keep(self, bad: Bad) -> None:
        self.found.setdefault((bad.file, bad.row, bad.found), bad)

    @property
    def rows(self) -> int:
        return len({(file, row, "" if row else found) for file, row, found in self.found})

    def write(self, path: Path) -> None:
        lines = (
            json.dumps({f.name: getattr(bad, f.name) for f in fields(bad)}, default=str)
            for bad in self.found.values()
        )
        if self.found:
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class _Import:
    """One import while it is under way."""

    def __init__(self, source: Source, folder: Path) -> None:
        self.source, self.folder = source, folder
        self.facts, self.bads = _Facts(), _Bads()
        self.stores: dict[str, tuple[int, Store]] = {}
        self.labels = 0
        self.started = datetime.now(UTC).isoformat(timespec="seconds")

    def close(self) -> None:
        for _, store in self.stores.values():
            store.close()
        self.facts.db.close()

    def _good(self, found: Iterable[Any]) -> Iterator[Any]:
        for one in found:
            if isinstance(one, Bad):
                self.bads.keep(one)
            else:
                yield one

    def read(self) -> None:
        bench, files = self.source.bench, self.source.files
        for row in self._good(bench.cases(files)):
            self.facts.add(row)
        assert bench.recorded is not None
        for verdict in self._good(bench.recorded(files)):
            self._sign(verdict)
        if bench.people is not None:
            self._write_labels(self._good(bench.people(files)))
        if not self.labels:
            self._write_labels(self.facts.gold(f"gold ({bench.card.gold})"))
        self.bads.write(self.folder / REJECTED)
        if not self.stores:
            people = f"; {self.labels} labels by people are there" if self.labels else ""
            first = next(iter(self.bads.found.values()), None)
            raise Misuse(
                f"the files hold no judge's verdict{people}"
                + (f"; first bad row: {first.error().text}" if first else ""),
                expected=f"{self.source.bench.card.about}",
                do="`evenhand import` lists the formats"
                if not self.labels
                else "judge the cases, and give the labels to `evenhand trust RUN --labels FILE`",
            )

    def _sign(self, verdict: Verdict) -> None:
        signed = self.facts.signed(verdict)
        file = self.source.place
        if signed is None:
            found, due = f"a verdict about {verdict.case!r}, which is no case", "a case's id"
            self.bads.keep(Bad(file, 0, "id", found, due))
            return
        number, store = self._store(verdict.rater)
        if self.facts.new(verdict.case, number):
            store.sign(signed)
        else:
            found = f"{verdict.rater} judged {verdict.case!r} before"
            self.bads.keep(Bad(file, signed.row, "id", found, "one verdict a judge and case"))

    def _store(self, judge: str) -> tuple[int, Store]:
        if judge not in self.stores:
            if len(self.stores) == MOST_JUDGES:
                raise Misuse(
                    f"the files hold more than {MOST_JUDGES} judges, such as {judge!r}",
                    expected="judges, not people: people's labels are for --labels",
                    do="split the file, or give it to `evenhand trust RUN --labels FILE`",
                )
            taken = {one.folder.name.casefold() for _, one in self.stores.values()}
            folder = self.folder / folder_name(judge, {LABELS, REJECTED, *taken})
            self.stores[judge] = (len(self.stores), Store(folder))
        return self.stores[judge]

    def _write_labels(self, labels: Iterable[Label]) -> None:
        with (self.folder / LABELS).open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(("id", "rater", "label"))
            for one in labels:
                label = {"refused": "skip"}.get(one.why, "") if one.label is None else one.label
                case, label, who = escape(one.case), escape(label), f"person {escape(one.rater)}"
                if self.facts.new(case, who, label):
                    writer.writerow((case, escape(one.rater), label))
                    self.labels += 1
                elif self.facts.before(case, who) != label:  # beside each judge it stands again
                    found = f"{one.rater} labelled {one.case!r} before"
                    due = "one label a person and case"
                    self.bads.keep(Bad(self.source.place, one.row, "rater", found, due))
        if not self.labels:
            (self.folder / LABELS).unlink()

    # -- the runs

    def finish(self, command: str, seconds: float) -> dict[str, dict[str, Any]]:
        """Judge -> manifest, in the order in which they first spoke; closes what is open."""
        made = dict[str, dict[str, Any]]()
        names = {judge: store.folder.name for judge, (_, store) in self.stores.items()}
        for judge, (_, store) in self.stores.items():
            store.flush()
            manifest = self._manifest(judge, command, round(seconds, 3), names)
            made[judge] = manifest | {"counts": counts(store)}
            store.describe(made[judge])
        return made

    def _manifest(
        self, judge: str, command: str, seconds: float, names: dict[str, str]
    ) -> dict[str, Any]:
        source = self.source
        ours = f"{source.format}\n{judge}\n{source.sha256}"
        identity = hashlib.sha256(ours.encode("utf-8", "backslashreplace")).hexdigest()[:16]
        form = {"is": "imported", "format": source.format, "judge": judge}
        asked = {"started": self.started, "command": command, "options": {}}
        spent = {"calls": 0, "retries": 0, "cached": 0, "tokens": {"in": 0, "out": 0}, "usd": 0.0}
        done = {"seconds": seconds, "stopped": None, "skipped": self.bads.rows, "reasked": 0}
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        return {
            "evenhand": version("evenhand"),
            "judge": {"name": f"imported: {judge}", "identity": identity, "plain": form},
            "models": [],
            "data": {
                "name": source.bench.card.name, "path": source.place,
                "sha256": source.files.sha256, "columns": {}, "pairs": "all",
            },
            "served": [],
            "fallbacks": {},
            "invocations": [{**asked, "ended": ended, **done, **spent}],
            "imported": {
                "format": source.format, "judge": judge, "judges": names,
                "sha256": source.sha256, "files": source.listed,
                "source": card_json(source.bench.card), "labels": self.labels,
                "notices": list(source.notices()),
            },
        }  # fmt: skip


# ---- where it goes -------------------------------------------------------------------------------


def _moved(made: dict[str, dict[str, Any]], place: Path, out: Path) -> Iterator[Imported]:
    """Everything to its place at once, so that a half-made run is never there."""
    for name in (LABELS, REJECTED):
        if (place / name).exists():
            os.replace(place / name, out / name)
    for manifest in made.values():
        inner = place / manifest["imported"]["judges"][manifest["imported"]["judge"]]
        if len(made) > 1:
            os.replace(inner, out / inner.name)
        else:
            parts = sorted(inner.iterdir(), key=lambda path: path.name == "run.json")
            for path in parts:
                os.replace(path, out / path.name)
        yield _told(manifest, out)


def _told(manifest: dict[str, Any], out: Path) -> Imported:
    mine, count = manifest["imported"], manifest["counts"]
    several = len(mine["judges"]) > 1
    return Imported(
        mine["judge"], out / mine["judges"][mine["judge"]] if several else out,
        count["cases"], count["decided"], count["undecided"],
        manifest["invocations"][-1]["skipped"],
        out / LABELS if mine["labels"] else None, tuple(mine["notices"]),
    )  # fmt: skip


def _unchanged(source: Source, out: Path) -> list[Imported]:
    """What an import of the same files left there, in its order; nothing where there is no run.

    Raises:
        Misuse: There is something else, or only a part of it.
    """
    runs = [out, *sorted(out.iterdir())] if out.is_dir() else []
    there = [run for run in runs if (run / "run.sqlite").exists()]
    if not there:
        return []
    found = dict[str, dict[str, Any]]()
    for run in there:
        with contextlib.closing(Store(run, read=True)) as store:
            manifest = store.manifest
        mine = manifest.get("imported")
        if not mine or (mine["format"], mine["sha256"]) != (source.format, source.sha256):
            what = f"an import of other files ({mine['format']})" if mine else "another run"
            raise Misuse(
                f"{run} holds {what}",
                expected="an empty folder, or the import of these very files",
                do="give another --out",
            )
        found[mine["judge"]] = manifest
    judges = list(next(iter(found.values()))["imported"]["judges"])
    if set(judges) - set(found):
        raise Misuse(
            f"{out} lacks runs of this import: {', '.join(sorted(set(judges) - set(found)))}",
            expected=f"{len(judges)} runs",
            do="give another --out, or remove that folder",
        )
    return [_told(found[judge], out) for judge in judges]
