"""The run folder: model calls (cache and evidence in one), verdicts, and the manifest.

    run.json       what was judged by what, with counts; readable by anything
    run.sqlite     tables calls, media, verdicts, scales
    rejected.jsonl rows of the input that could not be used

Rows wait in memory for at most 500 of them or until the run calls `flush`, every 50 ms.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from evenhand.errors import Misuse
from evenhand.identity import plain
from evenhand.records import Completion, Model, Scale, Verdict, escape
from evenhand.store.calls import BATCH, TABLES, Calls, Medium, Sieve, decode, encode

State = Literal["decided", "undecided", "failed"]

_VERDICTS = """
create table if not exists verdicts(
  id integer primary key, case_id text unique not null, row int, cluster text, systems text,
  grp text, label text, state text not null, code text, verdict blob, keys text, asked int,
  seconds real, error text);
create table if not exists scales(name text primary key, body text not null);
"""
_SIGN = "insert or replace into verdicts(case_id,row,cluster,systems,grp,label,state,code,verdict,keys,asked,seconds,error) values(?,?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: E501


@dataclass(frozen=True, slots=True)
class Signed:
    """A verdict's row.

    Attributes:
        row, cluster, systems, group, label: Of the case; label is a person's, None without one.
        state: 'failed' means that no answer came: then verdict is None and error says why.
        keys: Every call made for the case, discarded attempts included.
        asked: Attempts; more than 1 after re-asking.
    """

    case: str
    row: int
    cluster: str
    systems: tuple[str | None, ...]
    group: str | None
    label: str | None
    verdict: Verdict | None
    keys: tuple[str, ...] = ()
    asked: int = 1
    seconds: float = 0.0
    error: str = ""

    @property
    def state(self) -> State:
        if self.verdict is None:
            return "failed"
        return "decided" if self.verdict.decided else "undecided"


class Store(Calls):
    """One run. A second process that writes is refused; reading needs no lock.

    Args:
        folder: Made when it is not there, unless `read` is set.
        shared: A cache of calls that other runs use too.
    """

    def __init__(
        self,
        folder: Path,
        *,
        read: bool = False,
        durable: bool = False,
        shared: Path | None = None,
    ) -> None:
        if read and not (folder / "run.sqlite").exists():
            raise Misuse(
                f"{folder} is not a run: it has no run.sqlite",
                expected="a folder that `evenhand judge --out` made",
                do=_runs_beside(folder),
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misuse(
                f"{folder} cannot be made: {error.strerror}", do="give another --out"
            ) from error
        self.folder = folder
        with ExitStack() as opened:  # what is open when a later step fails is closed again
            self._lock = None if read else opened.enter_context(_locked(folder))
            super().__init__(folder / "run.sqlite", durable=durable, tables=TABLES + _VERDICTS)
            opened.callback(self.db.close)
            self.shared = Calls(shared, durable=durable) if shared else None
            opened.pop_all()
        self._signed: list[tuple[Any, ...]] = []
        self._scales: dict[str, Scale] = {}
        # One process writes, so a run that begins without calls has none but those it keeps.
        empty = self.db.execute("select 1 from calls limit 1").fetchone() is None
        self._kept = Sieve() if empty and not read else None

    # -- calls

    def call(self, key: str) -> Completion | None:
        known = super().call(key) if self._kept is None or key in self._kept else None
        if known is None and self.shared is not None and (row := self.shared.row(key)):
            self._waiting[key] = (*row, 1)  # evidence of this run too, paid by another
            if self._kept is not None:
                self._kept.add(key)
            known = super().call(key)
        return known

    def keep(
        self, model: Model, body: bytes, reply: Completion, *, media: Sequence[Medium] = ()
    ) -> None:
        super().keep(model, body, reply, media=media)
        if self._kept is not None:
            self._kept.add(reply.key)
        if self.shared is not None:
            self.shared.keep(model, body, reply, media=media)

    # -- verdicts

    def sign(self, signed: Signed) -> None:
        verdict = signed.verdict
        body = encode(self._plain(verdict)) if verdict is not None else None
        code = verdict.code if verdict is not None else None
        systems = encode(signed.systems).decode() if signed.systems else "[]"
        keys = encode(signed.keys).decode()
        self._signed.append((signed.case, signed.row, signed.cluster, systems, signed.group,
            signed.label, signed.state, code, body, keys, signed.asked, signed.seconds,
            signed.error))  # fmt: skip
        if len(self._signed) >= BATCH:
            self.flush()

    def _plain(self, verdict: Verdict) -> dict[str, Any]:
        scale = verdict.scale
        if self._scales.get(scale.name) is not scale:
            self._name_scale(scale)
        form: dict[str, Any] = {"scale": scale.name, "probs": verdict.probs,
            "reason": escape(verdict.reason), "rater": verdict.rater}  # fmt: skip
        if verdict.marks:
            form["marks"] = verdict.marks
        if verdict.calls:
            form["calls"] = [call.key for call in verdict.calls]
        if verdict.parts:
            form["parts"] = [self._plain(part) for part in verdict.parts]
        return form

    def _name_scale(self, scale: Scale) -> None:
        body = json.dumps(plain(scale))
        self.db.execute("insert or ignore into scales values(?,?)", (scale.name, body))
        select = "select body from scales where name=?"
        if self.db.execute(select, (scale.name,)).fetchone()[0] != body:
            raise ValueError(f"two different scales are named {scale.name!r}; rename one")
        self._scales[scale.name] = scale

    def known(self, ids: Sequence[str]) -> dict[str, tuple[int, str, int]]:
        """(row, state, times asked) of the cases among these that have a row."""
        marks = ",".join("?" * len(ids))
        select = f"select case_id,row,state,asked from verdicts where case_id in ({marks})"
        found = self.db.execute(select, ids)
        return {case: (row, state, asked) for case, row, state, asked in found}

    def flush(self) -> None:
        super().flush()
        if self.shared is not None:
            self.shared.flush()

    def _pending(self) -> bool:
        return bool(self._signed) or super()._pending()

    def _write(self) -> None:
        super()._write()
        self.db.executemany(_SIGN, self._signed)

    def _written(self) -> None:
        super()._written()
        self._signed.clear()

    def close(self) -> None:
        with ExitStack() as closing:
            if self._lock is not None:
                closing.callback(self._lock.close)
            if self.shared is not None:
                closing.callback(self.shared.close)
            super().close()

    # -- manifest

    @property
    def manifest(self) -> dict[str, Any]:
        """What `run.json` says; empty for a folder that has none."""
        try:
            return dict(json.loads((self.folder / "run.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    def describe(self, manifest: Mapping[str, Any]) -> None:
        """Writes `run.json` whole or not at all."""
        new = self.folder / "run.json.new"
        new.write_text(json.dumps(manifest, indent=1, default=str) + "\n", encoding="utf-8")
        os.replace(new, self.folder / "run.json")


def read_signed(store: Store, where: str = "1", values: Sequence[Any] = ()) -> Iterator[Signed]:
    """The rows of a run in the order of its data, with calls read back whole.

    Args:
        where: SQL over the columns of `verdicts`, written by us, never by a user.
    """
    scales = _scales(store)
    columns = "case_id,row,cluster,systems,grp,label,verdict,keys,asked,seconds,error"
    rows = store.db.execute(
        f"select {columns} from verdicts where {where} order by row, id", values
    )
    for case, row, cluster, systems, group, label, body, keys, asked, seconds, error in rows:
        verdict = None
        if body is not None:
            verdict = _verdict(msgspec.json.decode(body), scales, case)
        yield Signed(case, row, cluster, tuple(json.loads(systems)), group, label, verdict,
            tuple(json.loads(keys or "[]")), asked, seconds, error)  # fmt: skip


def _scales(store: Store) -> dict[str, Scale]:
    made = {}
    for name, body in store.db.execute("select name, body from scales"):
        form = json.loads(body)
        form.pop("is")
        form["span"] = tuple(form["span"]) if form["span"] else None
        made[name] = Scale(**form)
    return made


def _verdict(form: Mapping[str, Any], scales: Mapping[str, Scale], case: str) -> Verdict:
    """Calls come back as keys alone; `read_call` reads one whole."""
    return Verdict(
        scales[form["scale"]], form["probs"], form["reason"],
        tuple(_verdict(part, scales, case) for part in form.get("parts", ())),
        form.get("marks", {}), tuple(Completion("", key=k) for k in form.get("calls", ())),
        case, form.get("rater", ""),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recorded:
    key: str
    model: Mapping[str, Any]
    request: Mapping[str, Any]
    completion: Completion


def read_calls(store: Store, keys: Sequence[str] | None = None) -> Iterator[Recorded]:
    """Calls with these keys, in that order; all of them, in the order made, for None."""
    columns = "select key,model,request,completion from calls"
    if keys is None:
        rows: Iterable[tuple[Any, ...]] = store.db.execute(f"{columns} order by id")
    else:
        found = (store.db.execute(f"{columns} where key=?", (k,)).fetchone() for k in keys)
        rows = (row for row in found if row is not None)
    for key, model, request, completion in rows:
        reply = decode(completion)
        yield Recorded(key, json.loads(model), msgspec.json.decode(request), reply)


def _runs_beside(folder: Path) -> str:
    near = sorted(p.parent.name for p in folder.parent.glob("*/run.sqlite"))[:8]
    return f"one of these: {', '.join(near)}" if near else "make one first: evenhand judge DATA …"


def _locked(folder: Path) -> IO[bytes]:
    """A lock that dies with its process; closing it gives it back."""
    handle = open(folder / "run.lock", "a+b")  # noqa: SIM115
    try:
        if os.name == "nt":  # pragma: no cover
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise Misuse(
            f"another process is writing to {folder}",
            expected="one writer a run",
            do="wait for it to end, or give another --out",
        ) from error
    return handle
