"""What was learnt from labels, as frozen data in a JSON file: made in `trust/`, applied by judges.

A file holds `fit` (1, the format), `kind`, `made_from` and `data`, and nothing else. What applies
data stands here too, because the fitting and the judging must do the same.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from evenhand.checklists import tree_fault
from evenhand.embedders import NAMES, Embedder, kind_of
from evenhand.errors import DataError, Misuse

if TYPE_CHECKING:  # `import evenhand` must not load numpy
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[Any]

ROUTES = ("reference", "no-reference", "similarity")
CURVES = ("temperature", "platt", "beta")
STEPS = ("isotonic", "histogram")
HEADS = ("LS", "MN", "BTL", "BTL2")
_FILE = ("fit", "kind", "made_from", "data")
_MADE_FROM = ("what", "hash", "n")
_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Fit:
    """Data of one kind, and where they are from.

    Attributes:
        kind: 'routing': `data` is category -> 'reference', 'no-reference' or 'similarity';
            'calibrate' and 'quantitative': as `calibrated` and `predicted` say; 'rocketeval…':
            `checklist_key` -> what `checklist_score` applies.
        made_from: `what` in words; `hash` of the cases that it was learnt from, in hexadecimal
            digits, and `n`, how many: None where somebody else's fit does not say; and, where it
            is known, `cases`, eight hexadecimal digits for each of them (see `made_from`).

    Raises:
        DataError: Data that are not of that kind; names the field.
    """

    kind: str
    data: Mapping[str, Any] = field(hash=False)
    made_from: Mapping[str, Any] = field(hash=False)
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise _wrong("kind", self.kind, f"one of {', '.join(_KINDS)}")
        if not isinstance(self.data, Mapping) or not self.data:
            raise _wrong("data", self.data, "an object with at least one entry")
        _KINDS[self.kind](self.data)
        _check_made_from(self.made_from)

    @classmethod
    def read(cls, path: str | Path) -> Fit:
        """The fit in a file.

        Raises:
            Misuse: The file cannot be read.
            DataError: It holds no fit; names the line or the field.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Misuse(
                f"{path} cannot be read: {error}",
                expected="a fit, a JSON file",
                do="write one with: evenhand fit",
            ) from error
        try:
            return _parsed(text)
        except json.JSONDecodeError as error:
            told = f"no JSON: {error.msg}"
            raise DataError(told, expected="a fit", file=str(path), row=error.lineno) from error
        except DataError as error:
            error.file = str(path)
            raise

    def write(self, path: str | Path) -> None:
        form = {"fit": self.version, "kind": self.kind}
        whole = {**form, "made_from": dict(self.made_from), "data": dict(self.data)}
        text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
        try:
            Path(path).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise Misuse(f"{path} cannot be written: {error}", do="name another file") from error


def must_be(fit: Fit | None, kind: str, what: str, *, also: str = "") -> None:
    """Raises: ValueError when there is a fit, and it is of another kind."""
    if fit and fit.kind not in (kind, also):
        named = f"{kind!r} or {also!r}" if also else repr(kind)
        raise ValueError(f"{what} needs a fit of kind {named}, and this one is {fit.kind}")


def _parsed(text: str) -> Fit:
    form = json.loads(text, object_pairs_hook=_once)
    if not isinstance(form, dict):
        raise DataError(f"found {_short(form)}", expected="a fit, a JSON object")
    _check_keys(form, _FILE, "")
    if form["fit"] != Fit.version:
        raise _wrong("fit", form["fit"], f"{Fit.version}, the format that this version reads")
    return Fit(form["kind"], form["data"], form["made_from"])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise DataError(f"{twice!r} stands twice", expected="each name once", field=twice)
    return found


def _check_keys(form: Mapping[str, Any], known: tuple[str, ...], at: str) -> None:
    expected = f"exactly {', '.join(known)}"
    for key in known:
        if key not in form:
            raise DataError(f"{key} is missing", expected=expected, field=at + key)
    for key in form:
        if key not in known:
            raise DataError(f"{key!r} is not known here", expected=expected, field=f"{at}{key}")


def _check_made_from(made_from: Any) -> None:
    if not isinstance(made_from, Mapping):
        raise _wrong("made_from", made_from, f"an object with {', '.join(_MADE_FROM)}")
    known = (*_MADE_FROM, "cases") if "cases" in made_from else _MADE_FROM
    _check_keys(made_from, known, "made_from.")
    what, digest, n = (made_from[key] for key in _MADE_FROM)
    if not (isinstance(what, str) and what.strip()):
        raise _wrong("made_from.what", what, "what it was learnt from, in words")
    if digest is not None and not _is_hex(digest):
        raise _wrong("made_from.hash", digest, "hexadecimal digits, or null")
    if n is not None and not (isinstance(n, int) and not isinstance(n, bool) and n > 0):
        raise _wrong("made_from.n", n, "a number of cases above 0, or null")
    cases = made_from.get("cases", [])
    if not isinstance(cases, list) or not all(_is_hex(c) and len(c) == 8 for c in cases):
        raise _wrong("made_from.cases", cases, "a list with eight hexadecimal digits a case")


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and value != "" and set(value) <= set("0123456789abcdef")


def _check_routing(data: Mapping[str, Any]) -> None:
    for category, way in data.items():
        if not (isinstance(category, str) and category.strip()):
            raise _wrong("data", category, "names of categories")
        if way not in ROUTES:
            raise _wrong(f"data.{category}", way, f"one of {', '.join(ROUTES)}")


def _check_calibrate(data: Mapping[str, Any]) -> None:
    name = data.get("map")
    if name not in CURVES + STEPS:
        raise _wrong("data.map", name, f"one of {', '.join(CURVES + STEPS)}")
    curve = name in CURVES
    _check_keys(data, ("map", "of", *("abc" if curve else "xy")), "data.")
    _check_event(data["of"], name)
    if curve:
        _check_numbers("data.a", [data["a"]], least=0.0 if name != "platt" else None)
        _check_numbers("data.b", [data["b"]], least=0.0 if name != "platt" else None)
        _check_numbers("data.c", [data["c"]])
        return
    _check_numbers("data.x", data["x"], least=0.0, most=1.0)
    _check_numbers("data.y", data["y"], least=0.0, most=1.0)
    x, y = data["x"], data["y"]
    if sorted(x) != x or (name == "isotonic" and sorted(y) != y):
        raise _wrong("data.x", x, "rising numbers, and rising y for isotonic")
    if len(y) != len(x) + (name == "histogram") or not y:
        raise _wrong("data.y", y, "one value a knot (isotonic) or a bin (histogram)")


def _check_event(of: Any, name: str) -> None:
    known = isinstance(of, str) and (of in ("mode", "labels") or of.startswith("label:"))
    if not known or (of == "labels" and name != "temperature"):
        expected = "'mode', 'label:NAME', or for a temperature also 'labels'"
        raise _wrong("data.of", of, expected)


def _check_quantitative(data: Mapping[str, Any]) -> None:
    how = "embedder" if "embedder" in data else "hashed"
    _check_keys(data, ("head", "labels", "span", how, "weights", "intercept"), "data.")
    head, labels = data["head"], data["labels"]
    if head not in HEADS:
        raise _wrong("data.head", head, f"one of {', '.join(HEADS)}")
    _check_labels(head, labels)
    size = _check_size("data.hashed", data[how]) if how == "hashed" else _check_embedder(data[how])
    rows = data["weights"]
    count = len(labels) if head == "MN" else 1
    if not isinstance(rows, list) or len(rows) != count:
        raise _wrong("data.weights", rows, f"{count} lists of numbers")
    for i, row in enumerate(rows):
        _check_numbers(f"data.weights.{i}", row, count=size + 1)
    _check_numbers("data.intercept", data["intercept"], count=count)
    if head == "BTL2" and data["intercept"] != [0.0]:
        raise _wrong("data.intercept", data["intercept"], "[0.0], or the order would count")
    if head == "LS":
        _check_numbers("data.span", data["span"], count=2)
        if not data["span"][0] < data["span"][1]:
            raise _wrong("data.span", data["span"], "the lowest and the highest score")
    elif data["span"] is not None:
        raise _wrong("data.span", data["span"], f"null for {head}")


def _check_size(where: str, size: Any) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _wrong(where, size, "the size of the embedding, 0 for none")
    return size


def _check_embedder(one: Any) -> int:
    """Any other than the hashed one, which stands as its size alone."""
    if not isinstance(one, Mapping):
        raise _wrong("data.embedder", one, "an object with name, size and sha256")
    _check_keys(one, ("name", "size", "sha256"), "data.embedder.")
    kind, digest = kind_of(one["name"]), one["sha256"]
    if kind not in ("library", "file"):
        raise _wrong("data.embedder.name", one["name"], f"the name of an embedder: {NAMES}")
    right = digest is None if kind == "library" else _is_hex(digest) and len(digest) == 64
    if not right:
        raise _wrong("data.embedder.sha256", digest, "64 hexadecimal digits, for files only")
    return _check_size("data.embedder.size", one["size"])


def _check_labels(head: str, labels: Any) -> None:
    if head != "MN":
        if labels != []:
            raise _wrong("data.labels", labels, f"an empty list for {head}")
        return
    if not isinstance(labels, list) or len(labels) < 2 or not all(_is_number(i) for i in labels):
        raise _wrong("data.labels", labels, "two or more different numbers as texts")
    if len(set(labels)) < len(labels):
        raise _wrong("data.labels", labels, "different labels")


def _is_number(text: Any) -> bool:
    try:
        return isinstance(text, str) and math.isfinite(float(text))
    except ValueError:
        return False


def _each_checklist(data: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, one in data.items():
        if not _is_hex(key):
            raise _wrong("data", key, "keys of checklists, in hexadecimal digits")
        if not isinstance(one, Mapping):
            raise _wrong(f"data.{key}", one, f"an object with {', '.join(known)}")
        _check_keys(one, known, f"data.{key}.")
        yield f"data.{key}", one


def _check_rocketeval(data: Mapping[str, Any]) -> None:
    for at, one in _each_checklist(data, ("intercept", "weights")):
        _check_numbers(f"{at}.intercept", [one["intercept"]])
        _check_numbers(f"{at}.weights", one["weights"], least=0.0)


def _check_trees(data: Mapping[str, Any]) -> None:
    for at, one in _each_checklist(data, ("questions", "mixing", "trees")):
        _check_numbers(f"{at}.mixing", [one["mixing"]], least=0.0, most=1.0)
        count, trees = one["questions"], one["trees"]
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise _wrong(f"{at}.questions", count, "how many questions the checklist has")
        if not isinstance(trees, list) or not trees:
            raise _wrong(f"{at}.trees", trees, "a list of trees")
        for tree in trees:
            if expected := tree_fault(tree, count):
                raise _wrong(f"{at}.trees", tree, expected)


def _check_numbers(
    where: str,
    values: Any,
    *,
    count: int | None = None,
    least: float | None = None,
    most: float | None = None,
) -> None:
    """Finite numbers, `count` of them, within bounds."""
    expected = "finite numbers" if count is None else f"{count} finite numbers"
    expected += f" from {least:g}" if least is not None else ""
    expected += f" to {most:g}" if most is not None else ""
    if not isinstance(values, list) or (count is not None and len(values) != count):
        raise _wrong(where, values, expected)
    for value in values:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        low = -math.inf if least is None else least
        if not number or not math.isfinite(value) or not low <= value <= (most or math.inf):
            raise _wrong(where, value, expected)


def _wrong(where: str, value: Any, expected: str) -> DataError:
    return DataError(f"found {_short(value)}", expected=expected, field=where)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    "routing": _check_routing,
    "calibrate": _check_calibrate,
    "quantitative": _check_quantitative,
    "rocketeval": _check_rocketeval,
    "rocketeval-trees": _check_trees,
}


# ---- the cases behind a fit ------------------------------------------------------------------


def made_from(what: str, case_ids: Iterable[str]) -> dict[str, Any]:
    """What `Fit.made_from` holds about these cases; an id that comes twice counts once."""
    ids = sorted(set(case_ids))
    whole = hashlib.sha256("\n".join(ids).encode("utf-8", "backslashreplace")).hexdigest()
    return {
        "what": what,
        "hash": whole,
        "n": len(ids),
        "cases": sorted({_short_hash(i) for i in ids}),
    }


def overlap(fit: Fit, case_ids: Iterable[str]) -> int | None:
    """How many of these cases the fit was learnt from; None where the fit does not say.

    A report on such cases is to be refused. Eight digits are compared, so that two ids that differ
    are taken for one about once in 4 billion pairs.
    """
    if "cases" not in fit.made_from:
        return None
    learnt = set(fit.made_from["cases"])
    return sum(_short_hash(one) in learnt for one in set(case_ids))


def _short_hash(case_id: str) -> str:
    return hashlib.sha256(case_id.encode("utf-8", "backslashreplace")).hexdigest()[:8]


# ---- applying --------------------------------------------------------------------------------


def calibrated(data: Mapping[str, Any], p: ArrayLike) -> Floats:
    """Probabilities of one event, as the map of a fit of kind 'calibrate' changes them.

    `of` names the event: 'mode': the judge's label is right; 'label:NAME': the label is NAME;
    'labels': each label, whose probability is raised to the power `a` (and their sum made 1).
    'temperature', 'platt' and 'beta' are logit q = c + a ln p - b ln(1 - p), the first two with
    a = b and the first with c = 0; 'isotonic' runs through the knots (x, y); 'histogram' has the
    value y in each of the bins between the edges x.
    """
    import numpy as np
    from scipy.special import expit

    given = np.asarray(p, dtype=float)
    if data["map"] == "isotonic":
        return np.asarray(np.interp(given, data["x"], data["y"]))
    if data["map"] == "histogram":
        return np.asarray(np.asarray(data["y"])[np.searchsorted(data["x"], given, side="right")])
    given = np.clip(given, _EDGE, 1.0 - _EDGE)
    logit = data["c"] + data["a"] * np.log(given) - data["b"] * np.log1p(-given)
    return np.asarray(expit(logit))


def predicted(data: Mapping[str, Any], base: ArrayLike, texts: Sequence[str]) -> Floats:
    """The linear predictor of a fit of kind 'quantitative', shape (n, 1), for MN (n, n_labels).

    It is a score (LS), a log-odds (BTL, BTL2) or, up to a constant, a log-probability a label (MN).
    `span` bounds a score. `hashed` is the size of the hashed embedding of the judge's text, 0 where
    the affine map on the base score was kept; `embedder` is any other, as `Embedder.form` says.

    Args:
        base: Shape (n,), the judge's score; for BTL and BTL2 the log-odds of the first response.
        texts: n texts of the judge; not looked at where `hashed` is 0.

    Raises:
        Misuse: The embedder is not there, or not the one that the fit was made with.
    """
    import numpy as np

    b = np.asarray(base, dtype=float)[:, None]
    embedder = Embedder.of(data)
    x = b if embedder is None else np.hstack([b, embedder(texts)])
    linear: Floats = x @ np.asarray(data["weights"]).T + np.asarray(data["intercept"])
    return linear
