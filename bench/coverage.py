"""How often intervals hold the truth and certificates err: `python bench/coverage.py [--write]`.

Every interval of the trust layer in `tests/trust/coverage.py`, 400 runs a row; what three packages
give on the same draws; judges with one fault (`tests/report/planted.py`). ppi-python and judgy are
installed into a virtual environment of their own; what cannot be installed is said to be missing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from results import machine, write_section

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1]))

from tests.report.planted import BROKEN, passes, planned  # noqa: E402
from tests.trust.coverage import TABLE, Row, result  # noqa: E402

RUNS, FEW, DRAWS = 400, 150, 1000
PACKAGES = ("ppi-python==0.2.3", "judgy==0.1.0")
Ends = Sequence[Sequence[float] | None]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


# ---- our intervals -------------------------------------------------------------------------------


def ours(runs: int) -> list[str]:
    rows = []
    for row in TABLE:
        found = result(row, runs)
        missing = "" if found.runs == runs else f"{found.runs} with an interval"
        told = ", ".join(filter(None, (found.mark, missing)))
        kind = "" if row.kind in ("two-sided", "may refuse") else f" ({row.kind})"
        rows.append([row.name + kind, row.world.name, str(row.n), f"{row.level:.2f}",
                     f"{found.share:.3f}", f"{found.width:.3f}", row.truth_from, told])  # fmt: skip
        print(f"{found.share:.3f}  {row.name}, {row.world.name}, {row.n}", told, flush=True)
    head = ("interval", "world", "n", "nominal", "covers", "mean width", "truth from", "")
    return table(head, rows)


# ---- what others give on the same draws ----------------------------------------------------------


def row_of(name: str, world: str, n: int) -> Row:
    return next(r for r in TABLE if r.name == name and r.world.name.startswith(world) and r.n == n)


ALPHA = row_of("Krippendorff's alpha, bootstrap", "latent class, 4 raters, 4 labels", 100)
PPI = row_of("PPI++, yes or no", "PPI, rate 0.95", 100)
BOUND = row_of("PPI++, lower bound", "PPI, rate 0.95", 100)
RATE = row_of("Rogan-Gladen", "labels elsewhere, rate 0.95, 0.95 there, sp. 0.85", 100)


def same(row: Row, runs: int) -> Iterator[Any]:
    """The draws that the table's row was measured on."""
    rng = np.random.default_rng(zlib.crc32(f"{row.world.name} {row.n}".encode()))
    return (row.world.make(rng, row.n) for _ in range(runs))


def line(what: str, ends: Ends, truth: float) -> list[str]:
    given = np.array([pair for pair in ends if pair is not None], dtype=float)
    held = (given[:, 0] <= truth) & (truth <= given[:, 1])
    width = float(np.mean(np.minimum(given[:, 1], 1.0) - np.maximum(given[:, 0], 0.0)))
    lost = "" if len(given) == len(ends) else f"{len(ends) - len(given)} errors left out"
    return [what, str(len(ends)), f"{held.mean():.3f}", f"{width:.3f}", lost]


def own(row: Row, runs: int) -> list[str]:
    found = [row.method(draw) for draw in same(row, runs)]
    ends = [None if i is None or i.low is None else (i.low, i.high) for i in found]
    made = line(f"evenhand: {row.name}", ends, row.planted)
    return [*made[:4], made[4].replace("errors left out", "refused, with the reason")]


def alpha_by_pairs(runs: int) -> list[str]:
    try:
        import evalica
        import pandas

        name = f"evalica {version('evalica')}: alpha_bootstrap"
    except (ImportError, PackageNotFoundError):
        return ["evalica: not installed", "0", "", "", "pip install 'evenhand[oracles]' pandas"]
    ends = []
    for seed, ratings in enumerate(same(ALPHA, runs)):
        frame = pandas.DataFrame(ratings.values.T)
        found = evalica.alpha_bootstrap(frame, n_resamples=DRAWS, random_state=seed)
        ends.append((found.low, found.high))
    return line(name, ends, ALPHA.planted)


def elsewhere(folder: Path) -> dict[str, Ends] | str:
    """Answers of ppi-python and judgy, or why there are none."""
    ppi = [_parts(d.labels[:100], d.judged[:100], d.judged[100:]) for d in same(PPI, RUNS)]
    rate = [_parts(d.labels, d.answers, d.judged) for d in same(RATE, FEW)]
    asked = json.dumps({"ppi": ppi, "judgy": rate, "draws": DRAWS})
    python = folder / "bin" / "python"
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "-q", "install", *PACKAGES], check=True,
                       stderr=subprocess.DEVNULL)  # fmt: skip
        # -P: without it this file would stand in for the package `coverage`, which numba looks for.
        script = str(HERE.with_name("coverage_others.py"))
        done = subprocess.run([str(python), "-P", script], input=asked, text=True, check=True,
                              stdout=subprocess.PIPE)  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        return f"could not be installed or run: {error}"
    answer: dict[str, Ends] = json.loads(done.stdout)
    return answer


def _parts(labels: Any, answers: Any, rest: Any) -> dict[str, list[float]]:
    return {"labels": labels.tolist(), "answers": answers.tolist(), "rest": rest.tolist()}


def others() -> list[str]:
    rows = [own(ALPHA, FEW), alpha_by_pairs(FEW)]
    with tempfile.TemporaryDirectory() as folder:
        found = elsewhere(Path(folder))
    if isinstance(found, str):
        rows.append([", ".join(PACKAGES), "0", "", "", found])
    else:
        ppi = f"{PACKAGES[0].replace('==', ' ')}: ppi_mean_ci"
        equal = sum(a == b for a, b in zip(found["two"], found["larger"], strict=True))
        bug = line(f'{ppi}, alternative="larger"', found["larger"], PPI.planted)
        bug[4] = f"the two-sided interval in {equal} of {RUNS}: the upper end is not open"
        rows += [own(PPI, RUNS), line(ppi, found["two"], PPI.planted), own(BOUND, RUNS), bug]
        rows += [own(RATE, FEW), line(PACKAGES[1].replace("==", " "), found["judgy"], RATE.planted)]
    for row in rows:
        print("  ".join(row), flush=True)
    return table(("on the same draws, nominal .95", "runs", "covers", "mean width", ""), rows)


# ---- the certificate -----------------------------------------------------------------------------


def certificate(runs: int) -> list[str]:
    rows = []
    for one in BROKEN:
        gate, whole = passes(one, runs, 5)
        rows.append([one.claim, f"{one.gate}: {one.told}", f"{gate:.3f}", f"{whole:.3f}", "0.05"])
        print(rows[-1], flush=True)
    for plan in planned():
        told = f"a good judge: {plan.told}, planned for {plan.power:.0%}"
        rows.append([plan.claim, told, "", f"{plan.passes(runs, 6):.3f}", "0.80 or more"])
        print(rows[-1], flush=True)
    head = ("claim", "broken gate, and by how much", "the gate passes", "all pass", "at most")
    return table(head, rows)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="keep the tables in RESULTS.md")
    write = options.parse_args().write
    warnings.simplefilter("error", RuntimeWarning)
    load, began = os.getloadavg()[0], time.perf_counter()
    text = [
        "`python bench/coverage.py --write`", "",
        f"{RUNS} runs a row; a share below nominal - 3 standard errors is marked UNDER, above + 3 "
        "conservative.", "", *ours(RUNS), "", "### Other packages", "", *others(), "",
        "### The certificate's own error", "",
        f"{RUNS} runs a row, default policy but for bars that would break a second gate with it.",
        "", *certificate(RUNS), "",
    ]  # fmt: skip
    text.append(f"{machine(load)}; {time.perf_counter() - began:.0f} s.")
    if write:
        write_section("Coverage", text)


if __name__ == "__main__":
    main()
