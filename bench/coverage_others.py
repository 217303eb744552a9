"""What ppi-python and judgy answer; `bench/coverage.py` runs it where they are installed.

Reads {"ppi": [...], "judgy": [...]} from standard input, each entry labels, answers on the labelled
cases and on the rest; writes intervals, None where the package gives an error.
"""

import json
import sys

import numpy as np

ASKED = json.load(sys.stdin)


def ppi(alternative: str) -> list[list[float] | None]:
    from ppi_py import ppi_mean_ci

    found = []
    for one in ASKED["ppi"]:
        y, f, rest = (np.array(one[name], dtype=float) for name in ("labels", "answers", "rest"))
        low, high = ppi_mean_ci(y, f, rest, alpha=0.05, alternative=alternative)
        found.append([float(np.ravel(low)[0]), float(np.ravel(high)[0])])
    return found


def judgy(draws: int) -> list[list[float] | None]:
    from judgy import estimate_success_rate

    np.random.seed(0)  # the package draws from the global generator
    found: list[list[float] | None] = []
    for one in ASKED["judgy"]:
        try:
            _, low, high = estimate_success_rate(
                one["labels"], one["answers"], one["rest"], bootstrap_iterations=draws
            )
            found.append([low, high])
        except (ValueError, RuntimeError):
            found.append(None)
    return found


answer = {"two": ppi("two-sided"), "larger": ppi("larger"), "judgy": judgy(ASKED["draws"])}
json.dump(answer, sys.stdout)
