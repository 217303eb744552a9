"""May a judge be believed for one claim? Gates with PASS, FAIL, INCONCLUSIVE or NOT RUN.

Arrays in. A gate passes when the whole 95 % interval is on the right side of its threshold, so a
judge that breaks it passes in at most 2.5 % of samples: every gate must pass, which needs no
correction for their number. A gate fails when its interval is wholly on the wrong side at the
level that Holm's step-down method asks of it: one false FAIL among all gates has a chance of at
most 5 %. Anything between is INCONCLUSIVE.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from evenhand.errors import Misuse
from evenhand.intervals import Interval

Result = Literal["PASS", "FAIL", "INCONCLUSIVE", "NOT RUN"]
Claim = Literal["replace", "level", "compare"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CLAIMS: tuple[Claim, ...] = get_args(Claim)
DEFAULT = Path(__file__).with_name("policy.toml")
LEVEL = 0.95
FOUR_OF_FIVE = (1.96 + 0.8416) / 1.96  # half-widths from a threshold that 80 % of samples pass


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds fixed before the data; `policy.toml` says what each of them means.

    Attributes:
        sha256: Of the file.
    """

    least_clusters: int
    coverage: float
    agreement: float
    ceiling_ratio: float
    epsilon: float
    over_baseline: float
    consistency: float
    position: float
    transport: float
    half_width: float
    difference: float
    required: Mapping[str, tuple[str, ...]] = field(hash=False)
    file: str
    sha256: str

    @classmethod
    def read(cls, path: Path | None = None) -> Policy:
        """The policy in a file; what it leaves out is as in the default one.

        Raises:
            Misuse: No TOML, an unknown entry, or a value of the wrong kind.
        """
        file = path or DEFAULT
        try:
            body = file.read_bytes()
            given = tomllib.loads(body.decode())
        except (OSError, ValueError) as error:
            raise _wrong(f"{file} cannot be read: {error}") from error
        form = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))
        if alien := sorted(set(given) - set(form)):
            raise _wrong(f"{file}: no threshold is called {alien[0]!r}", ", ".join(form))
        required = {**form.pop("required"), **_required(given.pop("required", {}), file)}
        for name, value in given.items():
            low = -1.0 if name in ("epsilon", "over_baseline", "agreement") else 0.0
            kind = int if name == "least_clusters" else int | float
            right = isinstance(value, kind) and not isinstance(value, bool) and math.isfinite(value)
            if not right or value < low:
                what = "whole number" if kind is int else "number"
                raise _wrong(f"{file}: {name} = {value!r}", f"a {what} from {low:g} on")
            if name in ("position", "transport", "half_width", "difference") and value == 0:
                raise _wrong(f"{file}: {name} = 0", "a margin above 0")
        form.update(given)
        kept = {name: tuple(gates) for name, gates in required.items()}
        digest = hashlib.sha256(body).hexdigest()
        return cls(**form, required=kept, file=file.name, sha256=digest)

    def json(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


def _wrong(happened: str, expected: str = "a policy in TOML") -> Misuse:
    return Misuse(happened, expected=expected, do=f"begin with a copy of {DEFAULT}")


def _required(given: Any, file: Path) -> dict[str, list[str]]:
    if not isinstance(given, dict) or not set(given) <= set(CLAIMS):
        raise _wrong(f"{file}: [required] holds {given!r}", f"entries {', '.join(CLAIMS)}")
    for claim, gates in given.items():
        if not isinstance(gates, list) or not set(map(str, gates)) <= set(FOR[claim]):
            happened = f"{file}: [required] {claim} = {gates!r}"
            raise _wrong(happened, f"a list of {', '.join(FOR[claim])}")
    return given


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition.

    Attributes:
        low, high: At level 0.95; None when there is no interval.
        n: Values used.
        reason: In one sentence; always there.
        mde: How far from the threshold the truth must be so that four samples of five of this size
            would settle it; None where nothing was measured.
        needed: Labels that would probably settle it, while it is INCONCLUSIVE; None: not known.
    """

    name: str
    result: Result
    reason: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    mde: float | None = None
    needed: int | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """Attributes: result is the worst of the gates that ran, INCONCLUSIVE when a required one did
    not.
    """

    claim: Claim
    result: Result
    gates: tuple[Gate, ...]
    lacking: tuple[str, ...] = ()

    @property
    def ran(self) -> tuple[Gate, ...]:
        return tuple(gate for gate in self.gates if gate.result != "NOT RUN")

    @property
    def passed(self) -> tuple[Gate, ...]:
        return tuple(gate for gate in self.gates if gate.result == "PASS")


@dataclass(frozen=True, slots=True)
class Measure:
    """What a gate asks.

    Attributes:
        at: The interval at a level.
        bar: The threshold, or the margin around `around`.
        kind: 'least': at or above the bar; 'within': inside bar of `around`; 'apart': apart from
            `around`, or within bar of it.
        words: What was measured.
    """

    at: Callable[[float], Interval]
    bar: float
    words: str
    kind: Literal["least", "within", "apart"] = "least"
    around: float = 0.0


@dataclass(frozen=True, slots=True)
class Tested:
    """A gate with a test of its own.

    Attributes:
        gate: As it stands unless it fails.
        fails: Whether the gate fails at a level; None: it cannot, and counts for no other's level.
        still: Ends the reason while the gate is INCONCLUSIVE.
    """

    gate: Gate
    fails: Callable[[float], bool] | None = None
    still: str = ""


GATES = (
    "coverage",
    "agreement",
    "ceiling",
    "alt_test",
    "baseline",
    "precision",
    "difference",
    "transport",
    "consistency",
    "position",
    "probes",
)
FOR: Mapping[Claim, tuple[str, ...]] = {
    "replace": ("agreement", "ceiling", "alt_test", "baseline", "coverage", "consistency",
                "position", "probes"),
    "level": ("agreement", "precision", "transport", "ceiling", "baseline", "coverage",
              "position", "probes"),
    "compare": ("agreement", "difference", "transport", "ceiling", "baseline", "coverage",
                "consistency", "position", "probes"),
}  # fmt: skip


def certify(
    claim: Claim, asked: Mapping[str, Measure | Tested | Gate | str], policy: Policy
) -> Certificate:
    """Settles every gate of the claim.

    Args:
        asked: By gate: what to measure, a gate settled by a test of its own (a `Gate` alone never
            fails), or why it could not be run.
    """
    found = {name: _tested(name, asked.get(name, ""), policy) for name in FOR[claim]}
    failed = holm({name: one.fails for name, one in found.items() if one.fails is not None})
    gates = tuple(_settled(one, name in failed) for name, one in found.items())
    results = {gate.name: gate.result for gate in gates}
    lacking = [name for name in policy.required[claim] if results.get(name, "NOT RUN") == "NOT RUN"]
    ran = [result for result in results.values() if result != "NOT RUN"]
    result: Result = "PASS"
    if "FAIL" in ran:
        result = "FAIL"
    elif "INCONCLUSIVE" in ran or lacking or not ran:
        result = "INCONCLUSIVE"
    return Certificate(claim, result, gates, tuple(lacking))


def holm(fails: Mapping[str, Callable[[float], bool]]) -> set[str]:
    """What fails, with a chance of at most 0.05 that one of them should not (Holm 1979).

    Args:
        fails: Name -> whether its hypothesis is rejected by the interval of a level. The largest
            level comes first; every rejection lowers it for the rest.
    """
    failed = set[str]()
    while rest := [name for name in fails if name not in failed]:
        new = {name for name in rest if fails[name](1 - 0.05 / len(rest))}
        if not new:
            break
        failed |= new
    return failed


def _settled(one: Tested, failed: bool) -> Gate:
    if failed:
        return replace(one.gate, result="FAIL", needed=None)
    if one.gate.result == "INCONCLUSIVE":
        return replace(one.gate, reason=one.gate.reason + one.still)
    return one.gate


def _tested(name: str, asked: Measure | Tested | Gate | str, policy: Policy) -> Tested:
    if isinstance(asked, Tested):
        return asked
    if isinstance(asked, Gate):
        return Tested(asked)
    if isinstance(asked, str):
        return Tested(Gate(name, "NOT RUN", asked or "nothing was given to measure it by"))
    shown = asked.at(LEVEL)
    estimate = None if np.isnan(shown.estimate) else shown.estimate
    if shown.low is None or shown.high is None or estimate is None:
        why = f"{asked.words} has no interval: {shown.reason or 'too little data'}"
        return Tested(Gate(name, "INCONCLUSIVE", why, estimate, n=shown.n))
    half = (shown.high - shown.low) / 2
    gate = Gate(name, "PASS", "", estimate, shown.low, shown.high, shown.n, FOUR_OF_FIVE * half)
    if shown.n_clusters < policy.least_clusters:
        why = f"{asked.words}: {shown.n_clusters} clusters; {policy.least_clusters} are needed"
        most = _needed(gate, asked) or 0
        least = max(policy.least_clusters, most) if most else None
        return Tested(replace(gate, result="INCONCLUSIVE", reason=why, needed=least))
    gate = replace(gate, reason=_because(gate, asked))
    passed = _passes(shown, asked)

    def fails(level: float) -> bool:
        return not passed and _fails(asked.at(level), asked)

    can_fail = None if asked.kind == "apart" else fails
    if passed:
        return Tested(gate, can_fail)
    gate = replace(gate, result="INCONCLUSIVE", needed=_needed(gate, asked))
    return Tested(gate, can_fail, f"; only a gap of {gate.mde:.2f} would show with so few")


def _ends(interval: Interval, around: float) -> tuple[float, float]:
    low = -np.inf if interval.low is None else interval.low - around
    high = np.inf if interval.high is None else interval.high - around
    return low, high


def _passes(interval: Interval, asked: Measure) -> bool:
    low, high = _ends(interval, asked.around)
    inside = -asked.bar <= low and high <= asked.bar
    if asked.kind == "least":
        return low >= asked.bar
    return inside or (asked.kind == "apart" and (low > 0 or high < 0))


def _fails(interval: Interval, asked: Measure) -> bool:
    low, high = _ends(interval, asked.around)
    if asked.kind == "least":
        return high < asked.bar
    return asked.kind == "within" and (low > asked.bar or high < -asked.bar)


def _because(gate: Gate, asked: Measure) -> str:
    about = f"{asked.words} is {gate.estimate:.2f} [{gate.low:.2f}, {gate.high:.2f}]"
    limits = f"{asked.around - asked.bar:.2f} to {asked.around + asked.bar:.2f}"
    wanted = f"at least {asked.bar:.2f}" if asked.kind == "least" else limits
    if asked.kind == "apart":
        wanted = f"an interval without {asked.around:g}, or inside {limits}"
    return f"{about}; wanted: {wanted}"


def _needed(gate: Gate, asked: Measure) -> int | None:
    """Values of the same kind after which the estimate, if it is the truth, would settle it."""
    assert gate.estimate is not None
    assert gate.mde is not None
    off = gate.estimate - asked.around
    gap = off - asked.bar if asked.kind == "least" else asked.bar - abs(off)
    gap = max(abs(off), abs(gap)) if asked.kind == "apart" else abs(gap)
    times = (gate.mde / gap) ** 2 if gap > 0.005 else np.inf
    return int(np.ceil(gate.n * times)) if 1 < times < 1000 else None
