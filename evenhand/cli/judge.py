"""The command that judges."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenhand.cli.shared import (
    DONE,
    MODELS,
    STOPPED,
    AsJson,
    app,
    fail,
    flag,
    mapping,
    opt,
    say,
    show_,
)
from evenhand.errors import Error, Misuse

if TYPE_CHECKING:
    from evenhand.manifest import Job
    from evenhand.records import Judge

_D, _S, _A = "Data", "Speed and cost", "Going on"
_DATA = typer.Argument(metavar="DATA", help="JSONL, JSON, CSV, Parquet (also .gz), or a folder.")
_SET = opt("FIELD=VALUE", "Changes a field of the judge.", None, "--set")
_MAP = opt("FIELD=COLUMN", "Names a column; id=a+b joins two.", _D, "--map")
_ORDER = opt("RULE", "given, swap or seeded; else the method's own.")
_RETRY = flag("--retry-undecided", "Asks undecided cases again.", _A)
_OVERFLOW = opt("POLICY[:N]", "refuse, truncate or chunk over N characters.")
_DRY_RUN = flag("--dry-run", "Shows calls, cost, two prompts; asks nothing.")


class Order(StrEnum):
    given = "given"
    swap = "swap"
    seeded = "seeded"


@app.command()
def judge(
    data: Annotated[str, _DATA],
    judge: Annotated[str, opt("NAME", "A method's name, FILE.py:CLASS or FILE.toml.")],
    model: Annotated[str | None, opt("MODEL", MODELS)] = None,
    out: Annotated[Path | None, opt("RUN", "Run folder; else runs/DATA-JUDGE-MODEL.")] = None,
    order: Annotated[Order | None, _ORDER] = None,
    sets: Annotated[list[str] | None, _SET] = None,
    template: Annotated[Path | None, opt("FILE", "A prompt of yours in its place.")] = None,
    shots: Annotated[Path | None, opt("FILE", "Labelled cases to show as examples.")] = None,
    fit: Annotated[Path | None, opt("FIT.json", "What was learnt from labels.")] = None,
    language: Annotated[str, opt("XX", "Prompts in this language; else the case's.")] = "",
    overflow: Annotated[str | None, _OVERFLOW] = None,
    maps: Annotated[list[str] | None, _MAP] = None,
    pairs: Annotated[str, opt("WHICH", "all, or baseline:SYSTEM.", _D)] = "all",
    limit: Annotated[int | None, opt("N", "Cases at most.", _D, min=1)] = None,
    seed: Annotated[int, opt("N", "For --order seeded.", _D)] = 0,
    skip_bad: Annotated[bool, flag("--skip-bad", "Bad rows go to rejected.jsonl.", _D)] = False,
    in_flight: Annotated[int, opt("N", "Calls to one model at a time.", _S, min=1)] = 64,
    rpm: Annotated[float, opt("N", "Requests a minute; 0: any.", _S, min=0)] = 0,
    tpm: Annotated[float, opt("N", "Prompt tokens a minute; 0: any.", _S, min=0)] = 0,
    timeout: Annotated[float | None, opt("S", "Seconds a request may take.", _S, min=0)] = None,
    budget: Annotated[str | None, opt("MOST", "5usd, 200ktok or 1000calls.", _S)] = None,
    cache: Annotated[Path | None, opt("FILE", "Calls shared between runs.", _S)] = None,
    reask: Annotated[int, opt("N", "Further tries for an unreadable reply.", _A, min=0)] = 0,
    retry_undecided: Annotated[bool, _RETRY] = False,
    reread: Annotated[bool, flag("--reread", "Reads stored replies again; no call.", _A)] = False,
    durable: Annotated[bool, flag("--durable", "Survives a power loss too; slower.", _A)] = False,
    dry_run: Annotated[bool, _DRY_RUN] = False,
    as_json: AsJson = False,
) -> int:
    """Judge every case; started again, the same command goes on where it stopped."""
    from evenhand.data import open_data
    from evenhand.door import rejects
    from evenhand.manifest import Job
    from evenhand.run import Options

    folder = out or run_folder(data, judge, model)
    options = Options(
        limit, pairs, in_flight, reask, timeout, parsed_budget(budget), rpm, tpm,
        str(cache) if cache else None, retry_undecided, reread, durable,
    )  # fmt: skip
    asked = Asked(judge, model, tuple(sets or ()), order.value if order else None, seed,
        _template(template), shots, fit, language, overflow)  # fmt: skip
    on_bad = rejects(folder) if skip_bad and not dry_run else (lambda bad: None)
    columns = mapping(maps or [])
    table = open_data(data, columns=columns, on_bad=on_bad if skip_bad else None)
    command = shlex.join(["evenhand", *sys.argv[1:]])
    job = Job(asked.judge(), asked.name, table, options, columns, command)
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


@dataclass(frozen=True, slots=True)
class Asked:
    """The judge that a command line describes."""

    called: str
    model: str | None
    sets: tuple[str, ...] = ()
    order: Any = None
    seed: int = 0
    template: str | None = None
    shots: Path | None = None
    fit: Path | None = None
    language: str = ""
    overflow: str | None = None

    @property
    def name(self) -> str:
        """The judge's name with every change, as the report says it."""
        values = {"order": self.order, "overflow": self.overflow, "language": self.language}
        given = [f"--{option} {value}" for option, value in values.items() if value]
        given += [f"--set {text}" for text in self.sets]
        files = {"template": self.template, "shots": self.shots, "fit": self.fit}
        given += [f"--{option}" for option, value in files.items() if value]
        return " ".join([self.called, *given])

    def judge(self) -> Judge:
        from evenhand import models
        from evenhand.door import shots, with_language, with_shots
        from evenhand.judges import build

        form = build.edited(
            build.find(self.called), sets=self.sets, order=self.order, seed=self.seed,
            template=self.template, fit=self.fit,
        )  # fmt: skip
        if self.overflow:
            form = {"is": "Long", "judge": form, **_policy(self.overflow)}
        names = self.model.split(",") if self.model else []
        if len(names) > 1:
            form = build.seated(form, names)
        given = models.find(names[0]) if len(names) == 1 else None
        made = build.build(form, model=given, resolve=models.find)
        made = with_language(made, self.language) if self.language else made
        return with_shots(made, shots(self.shots)) if self.shots else made


def _policy(text: str) -> dict[str, Any]:
    """{'policy', 'limit'} of 'truncate:20000'."""
    policy, colon, size = text.partition(":")
    if policy not in ("refuse", "truncate", "chunk") or (colon and not size.isdecimal()):
        raise Misuse(
            f"--overflow {text}",
            expected="refuse, truncate or chunk, with characters: truncate:20000",
            do="--overflow truncate:20000",
        )
    return {"policy": policy, **({"limit": int(size)} if size else {})}


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


def run_folder(data: str, judge: str, model: str | None) -> Path:
    stem = re.sub(r"(\.(jsonl|json|csv|tsv|parquet|gz))+$", "", Path(data).name)
    parts = [stem, re.sub(r"\.(py|toml)\b", "", Path(judge).name), model or ""]
    name = "-".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-") for part in parts if part)
    return Path("runs") / name


def _dry_run(job: Job, as_json: bool) -> int:
    from evenhand.report.dryrun import foresee, foreseen_text

    seen = foresee(job)
    return show_(as_json, seen.json, lambda: foreseen_text(seen))


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
        say(summary.json(last=True))
    else:
        printed(summary_text(summary))
        print(f"\nall of it: evenhand show {folder}")
    if failure is not None:
        return fail(failure, as_json=False)
    return STOPPED if summary.counts["failed"] else DONE
