"""The synchronous door: `evenhand.judge(...)`, the `Run` it returns, and `run.json`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

from evenhand import models
from evenhand.data import Bad, Table, open_data
from evenhand.errors import Error, Misuse
from evenhand.identity import differences, identity, models_in, plain
from evenhand.judges import build
from evenhand.records import Case, Judge, Model
from evenhand.run import Engine, Options, Tally
from evenhand.store import Signed, Store, read_signed

Data = str | PathLike[str] | Iterable[Case | Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder, finished or not.

    Example:
        `evenhand.judge(cases, "choice-pair", "local/gemma3-270m").table()`
    """

    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        with contextlib.closing(Store(self.folder, read=True)) as store:
            return store.manifest

    def rows(self) -> Iterator[Signed]:
        """Every case with its verdict, in the order of the data."""
        with contextlib.closing(Store(self.folder, read=True)) as store:
            yield from read_signed(store)

    def table(self) -> list[dict[str, Any]]:
        """One flat row a case; label, score and probs are None when undecided or failed."""
        return [flat(signed) for signed in self.rows()]

    def to_pandas(self) -> Any:
        try:
            import pandas
        except ImportError as error:
            raise _missing("pandas") from error
        return pandas.DataFrame(self.table())

    def to_polars(self) -> Any:
        try:
            import polars
        except ImportError as error:
            raise _missing("polars") from error
        return polars.DataFrame(self.table(), infer_schema_length=None)


def _missing(library: str) -> Misuse:
    return Misuse(f"{library} is not installed", do=f"pip install {library}")


def flat(signed: Signed) -> dict[str, Any]:
    """A verdict as one row of a table; confidence is the largest probability."""
    verdict = signed.verdict
    decided = verdict is not None and verdict.decided
    return {
        "id": signed.case,
        "row": signed.row,
        "cluster": signed.cluster,
        "group": signed.group,
        "systems": list(signed.systems),
        "state": signed.state,
        "code": verdict.code if verdict else None,
        "label": verdict.label if verdict else None,
        "score": verdict.score if verdict else None,
        "scores": list(verdict.scores or ()) if verdict and decided else None,
        "confidence": max(verdict.probs.values()) if verdict and decided else None,
        "probs": json.dumps(verdict.probs) if verdict and decided else None,
        "reason": verdict.reason if verdict else signed.error,
        "human_label": signed.label,
        "asked": signed.asked,
        "seconds": signed.seconds,
    }


@dataclass(frozen=True, slots=True)
class Job:
    """What a run folder is for: checked against `run.json` when it is started again."""

    judge: Judge
    name: str
    table: Table
    options: Options
    columns: Mapping[str, str]
    command: str = ""

    @property
    def data(self) -> dict[str, Any]:
        table = self.table
        return {
            "name": table.name,
            "sha256": table.sha256,
            "rows": table.count,
            "columns": dict(self.columns),
            "pairs": self.options.pairs,
            "taken": dict(table.taken),
        }


def judge(
    data: Data,
    judge: str | Mapping[str, Any] | Judge,
    model: str | Model | None = None,
    *,
    out: str | PathLike[str] | None = None,
    columns: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    **options: Any,
) -> Run:
    """Judges every case and returns the run, started anew or gone on with.

    Args:
        data: A file (JSONL, CSV, Parquet, …), or cases or mappings in memory.
        judge: A published name, `file.py:Class`, a TOML file, a plain form, or a judge.
        model: `provider/name`, or a model; None when the judge needs none or holds its own.
        out: The run folder; a temporary one for None.
        columns: Canonical field -> column, as `--map`.
        skip_bad: Writes bad rows to `rejected.jsonl` instead of stopping.
        options: Fields of `evenhand.run.Options`: limit, reask, budget, in_flight, …

    Raises:
        Error: What ended the run early; its `saved` names the folder with everything so far.
    """
    folder = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="evenhand-"))
    keep_bad = rejects(folder) if skip_bad else None
    table = open_data(data, columns=columns or {}, on_bad=keep_bad)
    made = made_judge(judge, model)
    name = judge if isinstance(judge, str) else type(made).__name__
    return start(Job(made, name, table, Options(**options), columns or {}), folder)


def made_judge(judge: str | Mapping[str, Any] | Judge, model: str | Model | None) -> Judge:
    """A judge from its name or plain form, with `model` where it holds none."""
    given = models.find(model) if isinstance(model, str) else model
    if isinstance(judge, str):
        judge = build.find(judge)
    if isinstance(judge, Mapping):
        return build.build(judge, model=given, resolve=models.find)
    if given is not None:
        made = type(judge).__name__
        raise Misuse(
            f"the judge {made} is made already, and the model {given.name} is given too",
            expected="one or the other: a judge that is made holds its models",
            do="leave the model out, or give the judge's name or plain form",
        )
    return judge


def start(job: Job, folder: Path) -> Run:
    """Runs a job in its folder."""
    store = Store(folder, durable=job.options.durable, shared=_path(job.options.cache))
    try:
        manifest = opened(store, job)
        engine = Engine(job.judge, job.table, store, job.options)
        engine.tally.total = _total(job)
        began, stopped = time.perf_counter(), None
        try:
            drive(engine.run)
        except BaseException as error:
            stopped = str(error) or type(error).__name__
            if isinstance(error, Error):
                error.saved = str(folder)
            raise
        finally:
            closed(store, manifest, engine.tally, time.perf_counter() - began, stopped)
    finally:
        store.close()
    return Run(folder)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _total(job: Job) -> int | None:
    counts = [n for n in (job.table.count, job.options.limit) if n is not None]
    return min(counts) if counts else None


# ---- run.json --------------------------------------------------------------------------------


def opened(store: Store, job: Job) -> dict[str, Any]:
    """The manifest with this invocation begun; refuses a folder made for something else."""
    old = store.manifest
    form = {"name": job.name, "identity": identity(job.judge), "plain": plain(job.judge)}
    if old:
        _same_judge(old["judge"], form, store.folder, job.options.reread)
        _same_data(old["data"], job.data, store.folder)
    manifest = {
        "evenhand": version("evenhand"),
        "judge": old.get("judge", form),
        "models": [
            {"name": m.name, "identity": identity(m), "address": getattr(m, "base_url", None)}
            for m in {identity(m): m for m in models_in(job.judge)}.values()
        ],
        "data": job.data,
        "python": platform.python_version(),
        "served": old.get("served", []),
        "fallbacks": old.get("fallbacks", {}),
        "invocations": old.get("invocations", []),
    }
    if old and form["identity"] != old["judge"]["identity"]:
        earlier = old["judge"].get("earlier", [])
        form["earlier"] = [*earlier, {k: old["judge"][k] for k in ("identity", "plain")}]
        manifest["judge"] = form
    options = {k: v for k, v in asdict(job.options).items() if k != "watch"}
    begun = {"started": _now(), "command": job.command, "options": options, "ended": None}
    manifest["invocations"].append(begun)
    store.describe(manifest)
    return manifest


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _same_judge(old: Mapping[str, Any], new: Mapping[str, Any], folder: Path, reread: bool) -> None:
    if old["identity"] == new["identity"]:
        return
    differ = differences(old["plain"], new["plain"])
    code_only = all(re.search(r"(^|\.)(version|source):", d) for d in differ)
    if reread and code_only:
        return
    raise Misuse(
        f"{folder} was made by another judge: {'; '.join(differ[:3]) or old['identity']}",
        expected="the same judge, down to its prompt and model",
        do="give another --out; or --reread, to read stored replies with a mended reader"
        if code_only else "give another --out, or take the change back",
    )  # fmt: skip


def _same_data(old: Mapping[str, Any], new: Mapping[str, Any], folder: Path) -> None:
    for field, at in (("sha256", "content"), ("columns", "--map"), ("pairs", "--pairs")):
        if old.get(field) != new.get(field):
            raise Misuse(
                f"{folder} was made from other data: {at} ({field}) was {old.get(field)!r} and "
                f"is {new.get(field)!r}; file {old.get('name')!r}, now {new.get('name')!r}",
                expected="the data that the run was started with",
                do="give another --out",
            )


def closed(
    store: Store, manifest: dict[str, Any], tally: Tally, seconds: float, stopped: str | None
) -> None:
    """Writes what this invocation did, also when it was stopped."""
    done = {
        "ended": _now(),
        "seconds": round(seconds, 3),
        "stopped": stopped,
        "skipped": tally.skipped,
        "reasked": tally.reasked,
        **tally.spent(),
    }
    manifest["invocations"][-1] |= done
    fallbacks = Counter(manifest["fallbacks"])
    for desk in tally.desks:
        fallbacks.update(desk.fallbacks)
    served = {name for desk in tally.desks for name in desk.served if name}
    manifest["fallbacks"] = dict(fallbacks)
    manifest["served"] = sorted(served.union(manifest["served"]))
    manifest["counts"] = counts(store)
    store.describe(manifest)


def counts(store: Store) -> dict[str, Any]:
    """Cases by state, undecided by code, and what the run's calls cost in all.

    usd is None when the price of any call is not known.
    """
    states = dict(store.db.execute("select state, count(*) from verdicts group by state"))
    codes = store.db.execute(
        "select code, count(*) from verdicts where state='undecided' group by code order by 2 desc"
    )
    calls, inn, out, usd, unpriced = store.db.execute(
        "select count(*), coalesce(sum(tokens_in),0), coalesce(sum(tokens_out),0), "
        "coalesce(sum(usd),0.0), count(*) - count(usd) from calls where shared=0"
    ).fetchone()
    return {
        "cases": sum(states.values()),
        **{state: states.get(state, 0) for state in ("decided", "undecided", "failed")},
        "undecided_by": dict(codes),
        "calls": calls,
        "tokens": {"in": inn, "out": out},
        "usd": None if unpriced else usd,
    }


# ---- running async work from anywhere --------------------------------------------------------


def drive(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs async work to its end, from plain code and from a notebook whose loop is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(work())
        return
    _drive_in_thread(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _drive_in_thread(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    failure: list[BaseException] = []
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []

    async def main() -> None:
        task = asyncio.create_task(work())
        running.append((asyncio.get_running_loop(), task))
        await task

    def target() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=target, name="evenhand")
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        for loop, task in running:
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if failure:
        raise failure[0]


def rejects(folder: Path) -> Callable[[Bad], None]:
    """Appends bad rows to `rejected.jsonl`, which an earlier invocation may have begun."""
    path = folder / "rejected.jsonl"
    seen: set[str] = set()
    with contextlib.suppress(FileNotFoundError):
        seen.update(path.read_text(encoding="utf-8").splitlines())

    def keep(bad: Bad) -> None:
        text = json.dumps({f.name: getattr(bad, f.name) for f in fields(bad)}, default=str)
        if text not in seen:
            seen.add(text)
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as handle:
                handle.write(text + "\n")

    return keep


__all__: Sequence[str] = ("Data", "Job", "Run", "judge", "made_judge", "start")
