"""The command line: one function a command. `--json` prints one value on standard output."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenhand.errors import BudgetSpent, Error, Misuse, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from evenhand.manifest import Job

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run LLM judges over model outputs, and prove how far each judge may be believed.",
)
DONE, WRONG_USE, STOPPED = 0, 2, 4
BY_KEYBOARD = 130  # what typer makes of Ctrl-C
# ClickException: newer typer holds a click of its own, so it is reached through typer.
_CLICK_ERROR: Any = typer.BadParameter.__mro__[2]
AsJson = Annotated[bool, typer.Option("--json", help="Prints one JSON value and nothing else.")]
_D, _S, _A = "Data", "Speed and cost", "Going on"


def _opt(metavar: str, text: str, panel: str | None = None, *names: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


def _flag(name: str, text: str, panel: str | None = None) -> Any:
    return typer.Option(name, help=text, rich_help_panel=panel)


_DATA = typer.Argument(metavar="DATA", help="JSONL, JSON, CSV, Parquet (also .gz), or a folder.")
_RUN = typer.Argument(metavar="RUN", help="A run folder.")
_MODELS = "openai/NAME, http://HOST:PORT/v1#NAME, local/NAME, …"
_SET = _opt("FIELD=VALUE", "Changes a field of the judge.", None, "--set")
_MAP = _opt("FIELD=COLUMN", "Names a column; id=a+b joins two.", _D, "--map")
_ORDER = _opt("RULE", "given, swap or seeded; else the method's own.")
_RETRY = _flag("--retry-undecided", "Asks undecided cases again.", _A)
_DRY_RUN = _flag("--dry-run", "Shows calls, cost, two prompts; asks nothing.")


class Order(StrEnum):
    given = "given"
    swap = "swap"
    seeded = "seeded"


def main() -> None:
    """Runs a command; every error is printed whole, or as JSON, with its exit code."""
    as_json = "--json" in sys.argv
    for stream in (sys.stdout, sys.stderr):  # a terminal that knows no "·" gets an escape
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(standalone_mode=False)
        if code == BY_KEYBOARD:
            raise KeyboardInterrupt
        sys.stdout.flush()
    except _CLICK_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
            sys.exit(WRONG_USE)
        command = error.ctx.command_path if error.ctx else "evenhand"
        code = _fail(Misuse(error.format_message(), do=f"{command} --help"), as_json)
    except (KeyboardInterrupt, typer.Abort):
        code = _fail(Interrupted("stopped by the keyboard", do=_again()), as_json)
    except Error as error:
        code = _fail(error, as_json)
    except (BrokenPipeError, SystemExit):  # `| head` has seen enough, and typer would exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        code = _fail(Misuse(what, do="check the path"), as_json)
    sys.exit(code)


class Interrupted(Error):
    """Ctrl-C."""


def _again() -> str:
    if "judge" not in sys.argv[1:2]:
        return "run the command again"
    command = shlex.join(["evenhand", *sys.argv[1:]])
    return f"everything so far is saved; the same command goes on:\n  {command}"


def _fail(error: Error, as_json: bool) -> int:
    """Prints it and returns its exit code."""
    from evenhand.report.terminal import visible

    if as_json:
        form = {"kind": type(error).__name__, "message": error.text, "next": error.do}
        print(json.dumps({"error": form}))
    else:
        print(f"error: {visible(str(error))}", file=sys.stderr)
    return STOPPED if isinstance(error, ModelError | BudgetSpent | Interrupted) else WRONG_USE


def _say(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str, allow_nan=False))


def _shown(as_json: bool, value: Callable[[], Any], text: Callable[[], RenderableType]) -> int:
    from evenhand.report.terminal import printed

    if as_json:
        _say(value())
    else:
        printed(text())
    return DONE


# ---- judge -----------------------------------------------------------------------------------


@app.command()
def judge(
    data: Annotated[str, _DATA],
    judge: Annotated[str, _opt("NAME", "A method's name, FILE.py:CLASS or FILE.toml.")],
    model: Annotated[str | None, _opt("MODEL", _MODELS)] = None,
    out: Annotated[Path | None, _opt("RUN", "Run folder; else runs/DATA-JUDGE-MODEL.")] = None,
    order: Annotated[Order | None, _ORDER] = None,
    sets: Annotated[list[str] | None, _SET] = None,
    template: Annotated[Path | None, _opt("FILE", "A prompt of yours in its place.")] = None,
    maps: Annotated[list[str] | None, _MAP] = None,
    pairs: Annotated[str, _opt("WHICH", "all, or baseline:SYSTEM.", _D)] = "all",
    limit: Annotated[int | None, _opt("N", "Cases at most.", _D, min=1)] = None,
    seed: Annotated[int, _opt("N", "For --order seeded.", _D)] = 0,
    skip_bad: Annotated[bool, _flag("--skip-bad", "Bad rows go to rejected.jsonl.", _D)] = False,
    in_flight: Annotated[int, _opt("N", "Calls to one model at a time.", _S, min=1)] = 64,
    rpm: Annotated[float, _opt("N", "Requests a minute; 0: any.", _S, min=0)] = 0,
    tpm: Annotated[float, _opt("N", "Prompt tokens a minute; 0: any.", _S, min=0)] = 0,
    timeout: Annotated[float | None, _opt("S", "Seconds a request may take.", _S, min=0)] = None,
    budget: Annotated[str | None, _opt("MOST", "5usd, 200ktok or 1000calls.", _S)] = None,
    cache: Annotated[Path | None, _opt("FILE", "Calls shared between runs.", _S)] = None,
    reask: Annotated[int, _opt("N", "Further tries for an unreadable reply.", _A, min=0)] = 0,
    retry_undecided: Annotated[bool, _RETRY] = False,
    reread: Annotated[bool, _flag("--reread", "Reads stored replies again; no call.", _A)] = False,
    durable: Annotated[bool, _flag("--durable", "Survives a power loss too; slower.", _A)] = False,
    dry_run: Annotated[bool, _DRY_RUN] = False,
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
    edits = {"sets": sets or [], "order": order.value if order else None, "seed": seed,
        "template": _template(template)}  # fmt: skip
    on_bad = rejects(folder) if skip_bad and not dry_run else (lambda bad: None)
    job = _job(data, judge, model, edits, options, maps or [], on_bad if skip_bad else None)
    return _dry_run(job, as_json) if dry_run else _judged(job, folder, as_json)


def _template(path: Path | None) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path else None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Misuse(
            f"the template {path} cannot be read: {why}",
            expected="a text file with lines '# system' and '# user'",
            do="check the path",
        ) from error


def _job(
    data: str, judge: str, model: str | None, edits: dict[str, Any], options: Any,
    columns: list[str], on_bad: Callable[[Any], None] | None,
) -> Job:  # fmt: skip
    from evenhand import models
    from evenhand.data import open_data
    from evenhand.judges import build
    from evenhand.manifest import Job

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
    parts = [stem, re.sub(r"\.(py|toml)\b", "", Path(judge).name), model or ""]
    name = "-".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-") for part in parts if part)
    return Path("runs") / name


def _dry_run(job: Job, as_json: bool) -> int:
    from evenhand.report.dryrun import foresee, foreseen_text

    seen = foresee(job)
    return _shown(as_json, seen.json, lambda: foreseen_text(seen))


def _judged(job: Job, folder: Path, as_json: bool) -> int:
    from evenhand.door import start
    from evenhand.report.progress import watched
    from evenhand.report.summary import summarise
    from evenhand.report.terminal import printed, visible
    from evenhand.report.text import summary_text

    if not as_json:
        taken = ", ".join(f"{field} from {column}" for field, column in job.table.taken.items())
        for notice in (f"read {job.table.name}: {taken}", *job.table.notices):
            print(visible(notice), file=sys.stderr)
    failure: Error | None = None
    with watched(job, quiet=as_json) as shown:
        try:
            start(shown, folder)
        except Error as error:
            failure = error
    # Without `saved` the folder is not this run's.
    if failure is not None and (as_json or failure.saved is None):
        raise failure
    summary = summarise(folder)
    if failure is not None and not summary.counts["cases"]:
        raise failure
    if as_json:
        _say(summary.json(last=True))
    else:
        printed(summary_text(summary))
        print(f"\nall of it: evenhand show {folder}")
    if failure is not None:
        return _fail(failure, as_json=False)
    return STOPPED if summary.counts["failed"] else DONE


# ---- looking ---------------------------------------------------------------------------------


@app.command()
def judges(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One, whole.")] = None,
    prompt: Annotated[bool, _flag("--prompt", "NAME's prompt, ready for --template.")] = False,
    as_json: AsJson = False,
) -> int:
    """Every judging method: view, scale, calls a case, paper, status."""
    from evenhand.report.methods import methods, methods_text, prompts, prompts_text

    if prompt:
        asked = prompts(name)
        return _shown(as_json, lambda: asked, lambda: prompts_text(asked))
    found = methods(name)
    whole = name is not None
    return _shown(as_json, lambda: [m.json() for m in found], lambda: methods_text(found, whole))


@app.command()
def show(
    run: Annotated[Path, _RUN],
    case: Annotated[str | None, _opt("ID", "One verdict whole: prompts, replies, parts.")] = None,
    undecided: Annotated[bool, _flag("--undecided", "Lists undecided and failed cases.")] = False,
    disagree: Annotated[bool, _flag("--disagree", "Lists where a person says otherwise.")] = False,
    as_json: AsJson = False,
) -> int:
    """What a run says: counts, scores with intervals, order effects, cost, warnings."""
    from evenhand.report import cases
    from evenhand.report.summary import summarise
    from evenhand.report.text import summary_text
    from evenhand.store import Store

    if (case is not None) + undecided + disagree > 1:
        raise Misuse("--case, --undecided and --disagree exclude each other", do="give one")
    if case is None and not undecided and not disagree:
        summary = summarise(run)
        return _shown(as_json, summary.json, lambda: summary_text(summary))
    with contextlib.closing(Store(run, read=True)) as store:
        if case is not None:
            one = cases.signed_case(store, case)
            return _shown(
                as_json, lambda: cases.case_json(store, one), lambda: cases.case_text(store, one)
            )
        rows, nothing = cases.unsettled(store) if undecided else cases.disagreeing(store)
        return _shown(
            as_json, lambda: cases.plain_rows(rows), lambda: cases.list_text(rows, run, nothing)
        )


@app.command()
def export(
    run: Annotated[Path, _RUN],
    to: Annotated[Path, _opt("FILE", "Ends in .parquet, .csv or .jsonl.")],
    calls: Annotated[bool, _flag("--calls", "The recording that replay:FILE plays.")] = False,
    preferences: Annotated[bool, _flag("--preferences", "Prompt, chosen, rejected.")] = False,
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
    model: Annotated[str, typer.Argument(metavar="MODEL", help=_MODELS)],
    timeout: Annotated[float, _opt("S", "Seconds a request may take.", min=0)] = 60.0,
    as_json: AsJson = False,
) -> int:
    """Key, reach, log-probabilities, schema, images, price: before anything is paid."""
    from evenhand import models
    from evenhand.report.doctor import doctor as examine
    from evenhand.report.doctor import findings_text

    findings = examine(models.find(model, timeout=timeout))
    form = {"model": model, "findings": [asdict(finding) for finding in findings]}
    _shown(as_json, lambda: form, lambda: findings_text(findings))
    return DONE if findings[0].result == "ok" else STOPPED


@app.command()
def demo(
    model: Annotated[str, _opt("MODEL", "The judge's model.")] = "local/gemma3-270m",
    out: Annotated[Path, _opt("FOLDER", "Where the two runs go.")] = Path("runs/demo"),
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
