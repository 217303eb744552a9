"""What a run folder is for, and what `run.json` says of it."""

from __future__ import annotations

import platform
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evenhand.data import Table
from evenhand.errors import Misuse
from evenhand.identity import differences, identity, models_in, plain
from evenhand.records import Judge
from evenhand.run import Options, Tally
from evenhand.store import Store


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
            "path": table.path,
            "sha256": table.sha256,
            "rows": table.count,
            "columns": dict(self.columns),
            "pairs": self.options.pairs,
            "taken": dict(table.taken),
        }


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
    store: Store, manifest: dict[str, Any], tally: Tally, *, seconds: float, stopped: str | None
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
