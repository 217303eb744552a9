"""Values of other packages, for tests/golden: `python bench/oracles.py`.

irrCAC holds numpy below 2 and crowd-kit brings transformers, so each gets an environment of its own
in a temporary folder. The tables are made from a seed with `Random.random` alone, which gives the
same numbers on every Python; only the values are written.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
SEED, TABLES = 20_260_101, 200
Table = list[list[int | None]]


def table(rng: Random, *, holes: float) -> Table:
    """10 to 79 items by 2 to 6 raters on grades 1 to 5; a rater knows the grade half the time."""

    def below(n: int) -> int:
        return int(rng.random() * n)

    n_items, n_raters, n_grades = 10 + below(70), 2 + below(5), 2 + below(4)
    rows: Table = []
    for _ in range(n_items):
        grade = 1 + below(n_grades)
        said = [grade if rng.random() < 0.5 else 1 + below(n_grades) for _ in range(n_raters)]
        rows.append([None if rng.random() < holes else x for x in said])
    return rows


def tables() -> list[Table]:
    """Every second one has a fifth of its cells empty."""
    rng = Random(SEED)
    return [table(rng, holes=0.2 * (i % 2)) for i in range(TABLES)]


def fingerprint(made: Sequence[Table]) -> str:
    return hashlib.sha256(json.dumps(made).encode()).hexdigest()


# ---- programs that run in the environments of the packages ---------------------------------------

IRRCAC = """
import json, sys
import pandas
from irrCAC.raw import CAC

ASKED = {
    "fleiss": ("fleiss", "identity"),
    "ac1": ("gwet", "identity"),
    "ac2 linear": ("gwet", "linear"),
    "ac2 quadratic": ("gwet", "quadratic"),
    "alpha nominal": ("krippendorff", "identity"),
    "alpha interval": ("krippendorff", "quadratic"),
    "alpha ratio": ("krippendorff", "ratio"),
}
values = {name: [] for name in ASKED}
for rows in json.load(sys.stdin):
    frame = pandas.DataFrame(rows, dtype=float)
    for name, (method, weights) in ASKED.items():
        cac = CAC(frame, weights=weights, categories=[1.0, 2.0, 3.0, 4.0, 5.0], digits=15)
        found = getattr(cac, method)()["est"]
        values[name].append([float(found["coefficient_value"]), float(found["se"])])
json.dump(values, sys.stdout)
"""

CROWDKIT = """
import json, sys
import pandas
from crowdkit.metrics.data import alpha_krippendorff

ASKED = {
    "alpha nominal": lambda a, b: float(a != b),
    "alpha interval": lambda a, b: (a - b) ** 2 / 16,
    "alpha ratio": lambda a, b: ((a - b) / (a + b)) ** 2,
}
values = {name: [] for name in ASKED}
for rows in json.load(sys.stdin):
    said = [
        {"task": i, "worker": j, "label": x}
        for i, row in enumerate(rows) for j, x in enumerate(row) if x is not None
    ]
    for name, distance in ASKED.items():
        values[name].append(alpha_krippendorff(pandas.DataFrame(said), distance))
json.dump(values, sys.stdout)
"""

ORACLES = {  # file -> what to install, the packages whose version is kept, the program
    "irrcac.json": (["irrCAC", "numpy<2"], ["irrCAC", "numpy", "pandas", "scipy"], IRRCAC),
    "crowdkit.json": (["crowd-kit"], ["crowd-kit", "nltk", "numpy"], CROWDKIT),
}


def out_of(step: str, command: Sequence[str], given: str = "") -> str:
    """What a command prints; where it fails, a line that says which step did and why."""
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=1800)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SystemExit(f"{step} failed: {error}\nNothing was written for it.") from None
    if done.returncode:
        told = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        errors = [line for line in told if line.startswith("ERROR")] or told
        raise SystemExit(
            f"{step} failed: {errors[-1]}\nNothing was written for it. Is a package index within "
            "reach, and has this Python venv and pip?"
        )
    return done.stdout


def values_of(file: str, made: Sequence[Table]) -> dict[str, dict[str, object] | str]:
    wanted, kept, program = ORACLES[file]
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/bin/python"
        out_of("making an environment", [sys.executable, "-m", "venv", folder])
        out_of(f"installing {wanted[0]}", [python, "-m", "pip", "install", "-q", *wanted])
        ask = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
        versions = out_of("asking for versions", [python, "-c", ask, *kept]).split()
        found = out_of(f"running {wanted[0]}", [python, "-c", program], json.dumps(made))
    return {
        "made by": "python bench/oracles.py",
        "packages": dict(zip(kept, versions, strict=True)),
        "tables": f"tables() of bench/oracles.py, {len(made)} from seed {SEED}",
        "tables sha256": fingerprint(made),
        "values": json.loads(found),
    }


def written(found: dict[str, dict[str, object] | str]) -> str:
    """JSON with one line for all values of a coefficient."""
    parts = []
    for key, value in found.items():
        inside = json.dumps(value)
        if isinstance(value, dict):
            lines = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()]
            inside = "{\n" + ",\n".join(lines) + "\n }"
        parts.append(f" {json.dumps(key)}: {inside}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> int:
    made = tables()
    GOLDEN.mkdir(exist_ok=True)
    for file in ORACLES:
        text = written(values_of(file, made))
        (GOLDEN / file).write_text(text, encoding="utf-8")
        print(f"{GOLDEN / file}: {len(text) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
