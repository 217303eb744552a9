"""What a ranking costs, beside the libraries people use: `python bench/rank.py [--write]`.

Everything is CPU time of one call, in a process of its own with one thread for linear algebra,
after one call to warm up. Battles are of random pairs; a tenth are ties. What would take minutes is
extrapolated from a few resamples, and its row says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from results import Line, peak, reported

HERE = Path(__file__).resolve()
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
N, K = 100_000, 100


def made(n: int, k: int, *, clusters: int | None = None, covariates: int = 0) -> Any:
    """Arguments of `Battles.numbered`."""
    import numpy as np

    rng = np.random.default_rng(0)
    theta = rng.normal(size=k)
    a = rng.integers(0, k, n)
    b = (a + rng.integers(1, k, n)) % k
    x = rng.normal(size=(covariates, n))
    margin = theta[a] - theta[b] + 0.3 * x.sum(axis=0)
    outcome = (margin + rng.logistic(size=n) > 0).astype(float)
    outcome[rng.random(n) < 0.1] = 0.5
    groups = None if clusters is None else rng.integers(0, clusters, n)
    names = tuple(f"s{i:04}" for i in range(k))
    columns = {f"x{i}": column for i, column in enumerate(x)}
    return names, a, b, {"outcome": outcome, "clusters": groups, "covariates": columns}


def battles(n: int, k: int, **given: Any) -> Any:
    from evenhand.rank.battles import Battles

    names, a, b, rest = made(n, k, **given)
    return Battles.numbered(names, a, b, **rest)


def timed(call: Callable[[], Any], rounds: int = 5) -> float:
    """Median seconds of CPU."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        call()
        found.append(time.process_time() - began)
    return statistics.median(found)


# ---- roles: each runs in a process of its own ------------------------------------------------


def fit(n: int = N, k: int = K, **given: Any) -> dict[str, float]:
    from evenhand.rank.bradley_terry import bradley_terry

    one = battles(n, k, **given)
    bradley_terry(one)
    return {"cpu": timed(lambda: bradley_terry(one), 9 if n <= N else 3)}


def fit_by_prompt() -> dict[str, float]:
    return fit(clusters=1000)


def fit_by_small_prompt() -> dict[str, float]:
    return fit(clusters=25_000)


def four_covariates() -> dict[str, float]:
    return fit(clusters=1000, covariates=4)


def resamples(clusters: int | None = 1000) -> dict[str, float]:
    from evenhand.rank.bradley_terry import bootstrap

    one = battles(N, K, clusters=clusters)
    bootstrap(one, replicates=10)
    return {"cpu": timed(lambda: bootstrap(one, replicates=1000), 3)}


def resamples_of_battles() -> dict[str, float]:
    return resamples(None)


def large(clusters: int = 10_000) -> dict[str, float]:
    """Once, from integer arrays, imports left out; peak memory of the whole process."""
    from evenhand.rank.battles import Battles
    from evenhand.rank.bradley_terry import bradley_terry

    bradley_terry(battles(1000, 10))
    names, a, b, rest = made(1_000_000, 1000, clusters=clusters)
    before = peak()
    began = time.process_time()
    bradley_terry(Battles.numbered(names, a, b, **rest))
    return {"cpu": time.process_time() - began, "memory": peak(), "before": before}


def large_small_prompts() -> dict[str, float]:
    return large(250_000)


def growth() -> dict[str, float]:
    return {str(n): fit(n, K, clusters=n // 100)["cpu"] for n in (10_000, 100_000, 1_000_000)}


def evalica() -> dict[str, float]:
    import evalica as theirs
    import numpy as np

    names, a, b, rest = made(N, K)
    kinds = {1.0: theirs.Winner.X, 0.0: theirs.Winner.Y, 0.5: theirs.Winner.Draw}
    xs, ys = [names[i] for i in a], [names[i] for i in b]
    won = [kinds[outcome] for outcome in rest["outcome"]]
    rng = np.random.default_rng(0)

    def again() -> None:
        rows = rng.integers(0, N, N).tolist()
        theirs.bradley_terry([xs[i] for i in rows], [ys[i] for i in rows], [won[i] for i in rows])

    theirs.bradley_terry(xs, ys, won)
    one = timed(lambda: theirs.bradley_terry(xs, ys, won))
    return {"cpu": one, "resamples": 1000 * timed(again, 5)}


def choix() -> dict[str, float]:
    """Wins only: it has no ties, so those are left out."""
    import choix as theirs
    import numpy as np

    _, a, b, rest = made(N, K)
    known, won = rest["outcome"] != 0.5, rest["outcome"] == 1
    winners, losers = np.where(won, a, b)[known], np.where(won, b, a)[known]
    data = list(zip(winners.tolist(), losers.tolist(), strict=True))
    return {"cpu": timed(lambda: theirs.ilsr_pairwise(K, data), 3)}


def scikit_learn() -> dict[str, float]:
    """Sparse rows; a tie is both outcomes at half weight."""
    import numpy as np
    from scipy.sparse import csr_matrix, vstack
    from sklearn.linear_model import LogisticRegression

    _, a, b, rest = made(N, K, covariates=4)

    def design(covariates: Any) -> Any:
        at = np.arange(N)
        signs = np.repeat([1.0, -1.0], N)
        pairs = (np.tile(at, 2), np.concatenate([a, b]))
        rows = csr_matrix((signs, pairs), shape=(N, K))
        return csr_matrix(np.hstack([rows.toarray(), covariates])) if len(covariates) else rows

    y = rest["outcome"]
    weights, labels = np.concatenate([y, 1 - y]), np.repeat([1, 0], N)

    def call(rows: Any) -> None:
        model = LogisticRegression(C=1e6, fit_intercept=False, tol=1e-6, max_iter=500)
        model.fit(vstack([rows, rows], format="csr"), labels, sample_weight=weights)

    plain, full = design(()), design(np.array(list(rest["covariates"].values())).T)
    return {"cpu": timed(lambda: call(plain), 3), "covariates": timed(lambda: call(full), 3)}


def arena_hard() -> dict[str, float]:
    """The scheme told again: dense rows, a tie as two rows of half weight, L-BFGS on the logistic
    loss, and the whole once more for each resample of the rows."""
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import expit

    _, a, b, rest = made(N, K)
    rows = np.zeros((N, K))
    rows[np.arange(N), a], rows[np.arange(N), b] = 1, -1

    def call(chosen: Any) -> None:
        x, y = rows[chosen], rest["outcome"][chosen]

        def loss(theta: Any) -> tuple[float, Any]:
            margin = x @ theta
            value = np.logaddexp(0, margin) - y * margin
            return float(value.mean()), (expit(margin) - y) @ x / N

        minimize(loss, np.zeros(K), jac=True, method="L-BFGS-B", options={"gtol": 1e-6})

    rng = np.random.default_rng(0)
    return {
        "cpu": timed(lambda: call(slice(None)), 1),
        "resamples": 1000 * timed(lambda: call(rng.integers(0, N, N)), 2),
    }


ROLES: dict[str, Callable[[], dict[str, float]]] = {
    role.__name__: role
    for role in (
        fit, fit_by_prompt, fit_by_small_prompt, four_covariates, resamples, resamples_of_battles,
        large, large_small_prompts, growth, evalica, choix, scikit_learn, arena_hard,
    )
}  # fmt: skip


def measured(role: str) -> dict[str, float]:
    command = [sys.executable, str(HERE), "--role", role]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | ONE_THREAD)
    found: dict[str, float] = json.loads(told.stdout)
    return found


# ---- the table -------------------------------------------------------------------------------


def single() -> Iterator[Line]:
    what = "fit + sandwich, 100,000 battles x 100 systems"
    for role, how in (
        ("fit", "every battle a cluster"),
        ("fit_by_prompt", "1,000 clusters"),
        ("fit_by_small_prompt", "25,000 clusters"),
    ):
        yield Line(f"{what}, {how}", 1e3 * measured(role)["cpu"], (20, 10), " ms", "ours")
    cost = measured("four_covariates")["cpu"]
    yield Line("the same with four covariates", 1e3 * cost, (100, 50), " ms", "ours")
    for role, how in (("resamples", "1,000 clusters"), ("resamples_of_battles", "every battle")):
        cost = measured(role)["cpu"]
        yield Line(f"1,000 cluster bootstraps, {how}", cost, (2, 0.6), " s", "ours")


def at_scale() -> Iterator[Line]:
    for role, how in (("large", "10,000"), ("large_small_prompts", "250,000")):
        what, told = f"1,000,000 battles x 1,000 systems, {how} clusters", measured(role)
        note = "ours, once, from integer arrays"
        yield Line(what, told["cpu"], (2, 1), " s", note)
        note = f"peak of the process; {told['before']:.0f} MB before, with the battles"
        yield Line(f"memory of that, {how} clusters", told["memory"], (1000, 500), " MB", note)
    told = measured("growth")
    small, middle, big = (told[str(n)] for n in (10_000, 100_000, 1_000_000))
    note = f"{1e3 * small:.1f}, {1e3 * middle:.1f}, {1e3 * big:.1f} ms"
    what = "growth of the fit, 10,000 to 100,000 to 1,000,000 battles"
    yield Line(f"{what}: the last step", big / middle, (15, 11), "x", note)


def others() -> Iterator[Line]:
    for role, package, fitted in (
        ("evalica", "evalica", "one fit, no interval"),
        ("choix", "choix", "one fit (ilsr), no ties, no interval"),
        ("scikit_learn", "sklearn", "one fit (L-BFGS, sparse rows), no interval"),
        ("arena_hard", "scipy", "one fit over rows (L-BFGS), no interval"),
    ):
        name = role.replace("_", "-")
        what = f"{name}: {fitted}"
        if importlib.util.find_spec(package) is None:
            yield Line(what, None, None, " ms", f"{package} is not installed")
            continue
        told = measured(role)
        note = "its scheme told again, not its script" if role == "arena_hard" else ""
        yield Line(what, 1e3 * told["cpu"], None, " ms", note)
        if "covariates" in told:
            yield Line(f"{name}: four covariates", 1e3 * told["covariates"], None, " ms", "")
        if "resamples" in told:
            note = "rows, extrapolated from " + ("2" if role == "arena_hard" else "5")
            yield Line(f"{name}: 1,000 bootstraps", told["resamples"], None, " s", note)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="update bench/RESULTS.md")
    parser.add_argument("--role", choices=ROLES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role:
        print(json.dumps(ROLES[given.role]()))
        return 0
    rest = "all times are of CPU, one thread for linear algebra."
    parts = (part() for part in (single, at_scale, others))
    return reported("Rank", parts, rest, write=given.write)


if __name__ == "__main__":
    sys.exit(main())
