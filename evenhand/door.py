"""The synchronous door: `evenhand.judge(...)` and the `Run` that it returns."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from os import PathLike
from pathlib import Path
from typing import Any

from evenhand import models
from evenhand.data import Bad, open_data
from evenhand.errors import Error, Misuse
from evenhand.identity import with_prompts
from evenhand.judges import build
from evenhand.manifest import Job, closed, opened
from evenhand.prompts import Prompt, Shot
from evenhand.records import Case, Judge, Model, Verdict
from evenhand.run import Engine, Options
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


def modes(verdict: Verdict) -> frozenset[str]:
    """The labels of the largest probability; more than one where it is shared."""
    most = max(verdict.probs.values(), default=0.0)
    return frozenset(label for label, p in verdict.probs.items() if most - p <= 1e-9)


def _said(verdict: Verdict) -> str | None:
    """The label; of a pair that is exactly even 'tie', never the label that stands first."""
    return "tie" if verdict.scale.swaps and len(modes(verdict)) > 1 else verdict.label


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
        "label": _said(verdict) if verdict else None,
        "score": verdict.score if verdict else None,
        "scores": list(verdict.scores or ()) if verdict and decided else None,
        "confidence": max(verdict.probs.values()) if verdict and decided else None,
        "probs": json.dumps(verdict.probs) if verdict and decided else None,
        "reason": verdict.reason if verdict else signed.error,
        "human_label": signed.label,
        "asked": signed.asked,
        "seconds": signed.seconds,
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
    several = isinstance(model, str) and "," in model
    given = models.find(model) if isinstance(model, str) and not several else model
    if isinstance(judge, str):
        judge = build.find(judge)
    if isinstance(judge, Mapping):
        return build.build(judge, model=given, resolve=models.find)
    if given is not None:
        made, named = type(judge).__name__, given if isinstance(given, str) else given.name
        raise Misuse(
            f"the judge {made} is made already, and the model {named} is given too",
            expected="one or the other: a judge that is made holds its models",
            do="leave the model out, or give the judge's name or plain form",
        )
    return judge


def shots(path: str | PathLike[str], columns: Mapping[str, str] | None = None) -> tuple[Shot, ...]:
    """Labelled cases of a file as examples for `with_shots`.

    Raises:
        Misuse: No row of the file has a person's label.
    """
    rows = list(open_data(path, columns=columns or {}))
    found = tuple(
        Shot(
            row.case.id,
            "\n\n".join(message.text for message in row.case.prompt),
            tuple(response.text for response in row.case.responses),
            row.label,
            row.case.reference[0] if row.case.reference else "",
        )
        for row in rows
        if row.label is not None
    )
    if not found:
        raise Misuse(
            f"no row of {path} has a person's label",
            expected="a column such as label or winner",
            do="name it: --map label=COLUMN",
        )
    return found


def with_shots(judge: Judge, examples: tuple[Shot, ...]) -> Judge:
    """The judge with examples in every prompt that asks for a verdict."""
    changed = with_prompts(judge, lambda prompt: replace(prompt, shots=examples))
    if changed is judge:
        raise Misuse(f"{type(judge).__name__} has no prompt that could show examples")
    return changed


def with_language(judge: Judge, language: str) -> Judge:
    """The judge with its prompts in one language (two letters), whatever the cases say.

    Raises:
        Misuse: None of its prompts is translated into that language.
    """
    known: set[str] = set()

    def change(prompt: Prompt) -> Prompt:
        known.update(prompt.languages)
        return replace(prompt, language=language)

    changed = with_prompts(judge, change)
    if language != "en" and language not in known:
        raise Misuse(
            f"no prompt of {type(judge).__name__} is in {language!r}",
            expected=f"en, {', '.join(sorted(known))}" if known else "en",
            do="leave --language out, or put a translation beside the prompt",
        )
    return changed


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
            seconds = time.perf_counter() - began
            closed(store, manifest, engine.tally, seconds=seconds, stopped=stopped)
    finally:
        store.close()
    return Run(folder)


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _total(job: Job) -> int | None:
    counts = [n for n in (job.table.count, job.options.limit) if n is not None]
    return min(counts) if counts else None


# ---- running async work from anywhere --------------------------------------------------------


def drive(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs async work to its end, from plain code and from a notebook whose loop is running."""
    with _fewer_collections():
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(work())
            return
        _drive_in_thread(work)


@contextlib.contextmanager
def _fewer_collections() -> Iterator[None]:
    """A run makes many short-lived objects; looking at them less often saves 7 % of its CPU."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], 5_000), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


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
