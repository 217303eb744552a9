"""The command line: one function a command. `--json` prints one value on standard output."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenhand.errors import BudgetSpent, Error, Misuse, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from evenhand.door import Job
    from evenhand.run import Tally
    from evenhand.store import Signed, Store

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run LLM judges over model outputs, and prove how far each judge may be believed.",
)
DONE, WRONG_USE, STOPPED = 0, 2, 4
# ClickException: newer typer holds a click of its own, so it is reached through typer.
_CLICK_ERROR: Any = typer.BadParameter.__mro__[2]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]


class Order(StrEnum):
    given = "given"
    swap = "swap"
    seeded = "seeded"


def main() -> None:
    """Runs a command; every error is printed whole, or as JSON, with its exit code."""
    as_json = "--json" in sys.argv
    try:
        code = app(standalone_mode=False)
    except _CLICK_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
        else:
            _fail(Misuse(error.format_message(), do="evenhand COMMAND --help"), as_json)
        code = WRONG_USE
    except (KeyboardInterrupt, typer.Abort):
        print("\nstopped; everything so far is saved. The same command goes on.", file=sys.stderr)
        code = STOPPED
    except Error as error:
        _fail(error, as_json)
        code = STOPPED if isinstance(error, ModelError | BudgetSpent) else WRONG_USE
    except BrokenPipeError:
        sys.stderr.close()
        code = DONE
    sys.exit(code)


def _fail(error: Error, as_json: bool) -> None:
    if as_json:
        form = {"kind": type(error).__name__, "message": error.text, "next": error.do}
        print(json.dumps({"error": form}))
    else:
        print(f"error: {error}", file=sys.stderr)


def _say(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str, allow_nan=False))


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False)


# ---- judge -----------------------------------------------------------------------------------


@app.command()
def judge(
    data: Annotated[str, typer.Argument(help="JSONL, JSON, CSV, Parquet (also .gz), or a folder.")],
    judge: Annotated[str, typer.Option(help="A name from `evenhand judges`, FILE.py:CLASS, .toml")],
    model: Annotated[str | None, typer.Option(help="provider/name; see docs/models.md")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; default runs/DATA-JUDGE-MODEL")
    ] = None,
    order: Annotated[Order | None, typer.Option(help="Overrides the judge's order rule.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE of the judge")
    ] = None,
    template: Annotated[Path | None, typer.Option(help="A prompt of yours instead.")] = None,
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN, id=a+b joins")
    ] = None,
    pairs: Annotated[str, typer.Option(help="all, or baseline:SYSTEM")] = "all",
    limit: Annotated[int | None, typer.Option(min=1, help="Cases at most.")] = None,
    seed: Annotated[int, typer.Option(help="For --order seeded.")] = 0,
    in_flight: Annotated[int, typer.Option(min=1, help="Calls to one model at a time.")] = 64,
    rpm: Annotated[float, typer.Option(min=0, help="Requests a minute; 0: no limit.")] = 0,
    tpm: Annotated[float, typer.Option(min=0, help="Prompt tokens a minute; 0: no limit.")] = 0,
    reask: Annotated[int, typer.Option(min=0, help="Tries more for an unreadable reply.")] = 0,
    timeout: Annotated[float | None, typer.Option(help="Seconds a request may take.")] = None,
    budget: Annotated[str | None, typer.Option(help="5usd, 200ktok or 1000calls")] = None,
    cache: Annotated[Path | None, typer.Option(help="Calls shared between runs.")] = None,
    skip_bad: Annotated[bool, typer.Option(help="Bad rows to rejected.jsonl.")] = False,
    retry_undecided: Annotated[bool, typer.Option(help="Ask undecided cases again.")] = False,
    reread: Annotated[bool, typer.Option(help="Read stored replies again; no call.")] = False,
    durable: Annotated[bool, typer.Option(help="Survive a power loss too (slower).")] = False,
    dry_run: Annotated[bool, typer.Option(help="Show calls, cost and two prompts only.")] = False,
    as_json: AsJson = False,
) -> int:
    """Judge every case; started again, the same command goes on where it stopped."""
    from evenhand.door import rejects
    from evenhand.run import Options

    folder = out or _folder(data, judge, model)
    options = Options(
        limit, pairs, in_flight, reask, timeout, parsed_budget(budget), rpm, tpm,
        str(cache) if cache else None, retry_undecided, reread, durable,
    )  # fmt: skip
    edits = {"sets": set_ or [], "order": order.value if order else None, "seed": seed,
        "template": template.read_text(encoding="utf-8") if template else None}  # fmt: skip
    on_bad = rejects(folder) if skip_bad and not dry_run else (lambda bad: None)
    job = _job(data, judge, model, edits, options, map_ or [], on_bad if skip_bad else None)
    if dry_run:
        return _dry_run(job, as_json)
    return _judged(job, folder, as_json)


def _job(
    data: str, judge: str, model: str | None, edits: dict[str, Any], options: Any,
    columns: list[str], on_bad: Callable[[Any], None] | None,
) -> Job:  # fmt: skip
    from evenhand import models
    from evenhand.data import open_data
    from evenhand.door import Job
    from evenhand.judges import build

    mapping = _mapping(columns)
    form = build.edited(build.find(judge), **edits)
    given = models.find(model) if model else None
    made = build.build(form, model=given, resolve=models.find)
    changed = [f"--order {edits['order']}"] if edits["order"] else []
    changed += [f"--set {text}" for text in edits["sets"]]
    changed += ["--template"] if edits["template"] else []
    name = " ".join([judge, *changed])
    table = open_data(data, columns=mapping, on_bad=on_bad)
    return Job(made, name, table, options, mapping, shlex.join(["evenhand", *sys.argv[1:]]))


def _mapping(columns: list[str]) -> dict[str, str]:
    wrong = [text for text in columns if "=" not in text.strip("=")]
    if wrong:
        raise Misuse(f"--map {wrong[0]}", expected="FIELD=COLUMN", do="--map prompt=question")
    return dict(text.split("=", 1) for text in columns)


def parsed_budget(text: str | None) -> tuple[str, float] | None:
    """('usd' | 'tokens' | 'calls', amount).

    Example:
        >>> parsed_budget("200ktok")
        ('tokens', 200000.0)
    """
    if text is None:
        return None
    found = re.fullmatch(
        r"\$?(\d+(?:\.\d+)?)\s*([km]?)\s*(usd|\$|tok(?:ens)?|calls?|)", text.lower()
    )
    if found is None or not (found[3] or text.startswith("$")):
        raise Misuse(f"--budget {text}", expected="5usd, 200ktok or 1000calls", do="add the unit")
    amount = float(found[1]) * {"": 1, "k": 1e3, "m": 1e6}[found[2]]
    unit = {"t": "tokens", "c": "calls"}.get(found[3][:1], "usd")
    return unit, amount


def _folder(data: str, judge: str, model: str | None) -> Path:
    stem = re.sub(r"(\.(jsonl|json|csv|tsv|parquet|gz))+$", "", Path(data).name)
    parts = [stem, Path(judge.partition(":")[0]).stem or judge, model or ""]
    name = "-".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-") for part in parts if part)
    return Path("runs") / name


def _dry_run(job: Job, as_json: bool) -> int:
    from evenhand.report.dryrun import foresee

    seen = foresee(job)
    if as_json:
        _say(seen.json())
        return DONE
    usd = "price unknown" if seen.usd is None else f"about {seen.usd:.4f} USD"
    whole = seen.cases if seen.cases is not None else f"unknown, the first {seen.tried}"
    for number, request in enumerate(seen.requests, 1):
        print(f"=== prompt {number}")
        for message in request.messages:
            print(f"--- {message.role}\n{message.text}")
    print(f"\ncases {whole} · about {seen.calls:.0f} calls · about {seen.tokens_in:.0f} tokens in, "
          f"{seen.tokens_out:.0f} out (assumed) · {usd}\nnothing was asked or written")  # fmt: skip
    return DONE


def _judged(job: Job, folder: Path, as_json: bool) -> int:
    from evenhand.door import start
    from evenhand.report.summary import summarise
    from evenhand.report.text import printed, summary_text

    table = job.table
    if not as_json:
        taken = ", ".join(f"{field} from {column}" for field, column in table.taken.items())
        print(f"read {table.name}: {taken}", file=sys.stderr)
        for notice in table.notices:
            print(notice, file=sys.stderr)
    failure: Error | None = None
    with _watched(job, quiet=as_json) as watched:
        try:
            start(watched, folder)
        except Error as error:
            failure = error
    if failure is not None and (as_json or not (folder / "run.json").exists()):
        raise failure
    summary = summarise(folder)
    if failure is not None and not summary.counts["cases"]:
        raise failure
    if as_json:
        _say(summary.json(last=True))
    else:
        printed(_console(), summary_text(summary))
        print(f"\nall of it: evenhand show {folder}")
    if failure is not None:
        _fail(failure, as_json=False)
    return STOPPED if failure is not None or summary.counts["failed"] else DONE


@contextlib.contextmanager
def _watched(job: Job, *, quiet: bool) -> Iterator[Job]:
    """The job with a progress bar on standard error: rate, cost so far, time left."""
    from dataclasses import replace

    console = _console(stderr=True)
    if quiet or not console.is_terminal:
        yield job
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.completed:.0f}/{task.total}"), BarColumn(20),
        TextColumn("{task.fields[what]}"), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True, refresh_per_second=5) as bar:
        task = bar.add_task("", total=None, what="")

        def watch(tally: Tally) -> None:
            bar.update(task, total=tally.total, completed=tally.done + tally.skipped,
                what=_progress(tally, bar.tasks[0].elapsed or 0.0))  # fmt: skip

        yield replace(job, options=replace(job.options, watch=watch))


def _progress(tally: Tally, seconds: float) -> str:
    spent = tally.spent()
    usd = "" if not spent["usd"] else f" · {spent['usd']:.3f} USD"
    rate = tally.done / seconds if seconds > 0 else 0.0
    odd = "".join(f" · {n} {name}" for name, n in
        (("undecided", tally.undecided), ("failed", tally.failed)) if n)  # fmt: skip
    return f"{rate:.1f}/s{usd}{odd}"


# ---- looking ---------------------------------------------------------------------------------


@app.command()
def judges(
    name: Annotated[str | None, typer.Argument(help="One of them, whole.")] = None,
    as_json: AsJson = False,
) -> int:
    """Every judging method: view, scale, calls a case, paper, status."""
    from evenhand.report.methods import methods, methods_text
    from evenhand.report.text import printed

    found = methods(name)
    if as_json:
        _say([method.json() for method in found])
    else:
        printed(_console(), methods_text(found, whole=name is not None))
    return DONE


@app.command()
def show(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    case: Annotated[
        str | None, typer.Option(help="One verdict whole: prompts, replies, parts")
    ] = None,
    undecided: Annotated[bool, typer.Option(help="List undecided and failed cases.")] = False,
    disagree: Annotated[
        bool, typer.Option(help="List cases where a person says otherwise.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """What a run says: counts, scores with intervals, order effects, cost, warnings."""
    from evenhand.report.summary import summarise
    from evenhand.report.text import disagrees, printed, summary_text
    from evenhand.store import Store, read_signed

    if case is None and not undecided and not disagree:
        summary = summarise(run)
        if as_json:
            _say(summary.json())
        else:
            printed(_console(), summary_text(summary))
        return DONE
    with contextlib.closing(Store(run, read=True)) as store:
        if case is not None:
            return _show_case(store, case, as_json)
        rows = read_signed(store, "state != 'decided'" if undecided else "label is not null")
        return _show_rows(rows if undecided else filter(disagrees, rows), run, as_json)


def _show_case(store: Store, case: str, as_json: bool) -> int:
    from evenhand.report.text import case_json, case_text, printed
    from evenhand.store import read_signed

    signed = next(read_signed(store, "case_id = ?", (case,)), None)
    if signed is None:
        ids = store.db.execute("select case_id from verdicts order by id limit 5").fetchall()
        raise Misuse(
            f"no case {case!r} in {store.folder}",
            expected=f"an id such as {', '.join(repr(i[0]) for i in ids)}",
            do=f"evenhand show {store.folder} --undecided lists ids",
        )
    if as_json:
        _say(case_json(store, signed))
    else:
        printed(_console(), case_text(store, signed))
    return DONE


def _show_rows(rows: Iterator[Signed], run: Path, as_json: bool) -> int:
    from evenhand.report.text import list_text, plain_rows, printed

    if as_json:
        _say(plain_rows(rows))
    else:
        printed(_console(), list_text(rows, run))
    return DONE


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    to: Annotated[Path, typer.Option(help="A file: .parquet, .csv or .jsonl")],
    calls: Annotated[bool, typer.Option(help="The recording that replay: plays (.jsonl).")] = False,
    preferences: Annotated[bool, typer.Option(help="TRL rows: prompt, chosen, rejected.")] = False,
    as_json: AsJson = False,
) -> int:
    """Write verdicts, calls or preference rows to a file."""
    from evenhand.report.export import export as write

    rows = write(run, to, calls=calls, preferences=preferences)
    if as_json:
        _say({"run": str(run), "to": str(to), "rows": rows})
    else:
        print(f"{rows} rows written to {to}")
    return DONE


@app.command()
def doctor(
    model: Annotated[str, typer.Argument(help="provider/name; see docs/models.md")],
    timeout: Annotated[float, typer.Option(help="Seconds a request may take.")] = 60.0,
    as_json: AsJson = False,
) -> int:
    """Key, reach, log-probabilities, schema, images, price: before anything is paid."""
    from evenhand import models
    from evenhand.report.doctor import doctor as examine

    findings = examine(models.find(model, timeout=timeout))
    if as_json:
        _say({"model": model, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            print(f"{finding.check:<20} {finding.result:<9} {finding.what}")
    return DONE if findings[0].result == "ok" else STOPPED


@app.command()
def demo(
    model: Annotated[str, typer.Option(help="The judge's model.")] = "local/gemma3-270m",
    out: Annotated[Path, typer.Option(help="Where the two runs go.")] = Path("runs/demo"),
    as_json: AsJson = False,
) -> int:
    """Judge the shipped cases with the small local model, in one order and in both."""
    from evenhand.report.demo import demo as shown

    result = shown(model, out, quiet=as_json)
    if as_json:
        _say(result)
    return DONE


@app.callback(invoke_without_command=True)
def version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        print(f"evenhand {installed('evenhand')}")


if __name__ == "__main__":
    main()
