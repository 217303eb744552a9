"""Plain forms as a command changes them: --set, --order, --template, --fit, several --model."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

from evenhand.errors import Misuse
from evenhand.fits import Fit
from evenhand.identity import plain
from evenhand.judges.combine import Written
from evenhand.judges.names import Form, is_judge, meant, thing
from evenhand.prompts import compiled
from evenhand.records import Model

Order = Literal["given", "swap", "seeded"]
_WRAPS = {"calibrate": "Calibrated", "quantitative": "Quantified"}


def edited(
    form: Mapping[str, Any],
    *,
    sets: Sequence[str] = (),
    order: Order | None = None,
    template: str | None = None,
    fit: str | Path | None = None,
    seed: int = 0,
) -> Form:
    """The changed plain form; the given one stays as it is.

    Args:
        sets: FIELD=VALUE each; VALUE is TOML, or else text. FIELD is a field of the one judge that
            has it, or a dotted path from the outermost judge; '.FIELD' is the outermost judge's.
        order: 'given' takes the order rule away, 'swap' keeps the protocol's own `Swap` or adds
            one with the mean, 'seeded' puts `Seeded(seed)` in its place.
        template: Text of the prompt of the innermost judge, or of every member of a panel.
        fit: File of a fit. One that changes verdicts is wrapped around the outermost judge, or
            takes the place of the one there; any other goes to every judge with a field `fit`. What
            it holds, and not its path, becomes part of the form.

    Example:
        >>> edited({"is": "Pairwise"}, order="swap")
        {'is': 'Swap', 'pool': 'mean', 'judge': {'is': 'Pairwise'}}

    Raises:
        Misuse: A field that no judge or more than one has, an order rule for one response, a
            template that cannot be read or has no prompt to replace, a fit that no judge takes.
        DataError: A file that holds no fit.
    """
    new: Form = deepcopy(dict(form))
    if order is not None:
        new = _in_order(new, order, seed)
    if template is not None:
        _use_template(new, template)
    if fit is not None:
        new = _fitted(new, fit)
    for one in sets:
        _set(new, one)
    return new


def _children(form: Form) -> Iterator[tuple[str, Form]]:
    """(path, form) of the judges directly inside."""
    for key, value in form.items():
        inside = enumerate(value) if isinstance(value, list) else ()
        for path, one in [(key, value), *((f"{key}.{i}", item) for i, item in inside)]:
            if isinstance(one, dict) and "is" in one and is_judge(thing(str(one["is"]))):
                yield path, one


def _nodes(form: Form, at: str = "") -> Iterator[tuple[str, Form]]:
    """(path with a final dot, form) of the judge and of every judge inside it."""
    yield at, form
    for path, child in _children(form):
        yield from _nodes(child, f"{at}{path}.")


def _fields(form: Form) -> dict[str, Field[Any]]:
    found = thing(str(form.get("is", "")))
    return {f.name: f for f in fields(found) if f.init} if is_judge(found) else {}


# ---- order -----------------------------------------------------------------------------------


def _in_order(form: Form, order: Order, seed: int) -> Form:
    view = _view(form)
    if view != "pairwise":
        if order == "given":
            return form
        raise Misuse(
            f"--order {order} is for two responses, and {form.get('is')} is {view}",
            expected="a pairwise judge",
            do="leave --order out",
        )
    changed = _reordered(form, order, seed)
    return _ruled(form, order, seed) if changed is None else changed


def _view(form: Form) -> str:
    found = thing(str(form.get("is", "")))
    view = getattr(found, "view", "")
    if isinstance(view, str):
        return view
    if form.get("over") == "responses":
        return "listwise"
    return next((_view(child) for _, child in _children(form)), "")


def _reordered(form: Form, order: Order, seed: int) -> Form | None:
    """The form with the rule in the place of its own; None when it has none."""
    own = form["is"]
    if own in ("Swap", "Seeded"):
        return form if (own, order) == ("Swap", "swap") else _ruled(form["judge"], order, seed)
    children = list(_children(form))
    changed = [_reordered(child, order, seed) for _, child in children]
    if all(new is None for new in changed):
        return None
    for (path, child), new in zip(children, changed, strict=True):
        _put(form, path.split("."), _ruled(child, order, seed) if new is None else new)
    return form


def _ruled(judge: Any, order: Order, seed: int) -> Form:
    if order == "swap":
        return {"is": "Swap", "pool": "mean", "judge": judge}
    if order == "seeded":
        return {"is": "Seeded", "seed": seed, "judge": judge}
    return judge  # type: ignore[no-any-return]


# ---- models ----------------------------------------------------------------------------------


def seated(form: Mapping[str, Any], models: Sequence[str]) -> Form:
    """The form with the names of several models in the places that it leaves empty.

    A panel gets a copy of every member for each model. A cascade takes two: the first judge's and
    the second's. A judge that has something written beforehand takes two: who judges, who writes.

    Example:
        >>> cascade = {"is": "Cascade", "first": {"is": "Choice"}, "then": {"is": "Choice"}}
        >>> seated(cascade, ["small", "large"])["then"]
        {'is': 'Choice', 'model': 'large'}

    Raises:
        Misuse: The form has no places for so many.
    """
    new: Form = deepcopy(dict(form))
    several = next((n for _, n in _nodes(new) if n.get("is") in ("Panel", "Cascade")), new)
    if several["is"] == "Panel":
        several["judges"] = [m for one in several["judges"] for m in _copies(one, models)]
        return new
    if len(models) == 2 and several["is"] == "Cascade":
        for stage, name in zip(("first", "then"), models, strict=True):
            _seat(several[stage], name, name)
        return new
    if len(models) == 2 and _seat(new, *models):
        return new
    raise Misuse(
        f"{form.get('is')} has no places for {len(models)} models: {', '.join(models)}",
        expected="a panel (any number), a cascade, or a judge with a writer (two)",
        do="--judge poll, or name each in a judge.toml",
    )


def _copies(member: Form, models: Sequence[str]) -> list[Form]:
    """The member with each model; once, if it names its models itself."""
    copies = [deepcopy(member) for _ in models]
    for copy, name in zip(copies, models, strict=True):
        _seat(copy, name, name)
    return copies if copies[0] != member else copies[:1]


def _seat(form: Form, judge: str, writer: str) -> bool:
    """Fills the empty places of the form; whether one is a writer's."""
    found = thing(str(form.get("is", "")))
    hints = get_type_hints(found if isinstance(found, type) else type(found))
    writes = False
    for field, hint in hints.items():
        if hint is Model:
            mine = field == "writer" or found is Written
            given = form.setdefault(field, writer if mine else judge)
            if isinstance(given, dict):  # a wrapper around the model
                given.setdefault("model", writer if mine else judge)
            writes = writes or mine
        elif hint is Written and isinstance(form.get(field), dict):
            form[field].setdefault("is", "Written")
            writes = _seat(form[field], judge, writer) or writes
    for _, child in _children(form):
        writes = _seat(child, judge, writer) or writes
    return writes


# ---- fields ----------------------------------------------------------------------------------


def _use_template(form: Form, template: str) -> None:
    compiled(template)
    leaves = [node for _, node in _nodes(form) if not any(True for _ in _children(node))]
    prompted = [leaf for leaf in leaves if "prompt" in _fields(leaf)]
    if not prompted:
        raise Misuse(f"{form.get('is')} has no prompt that a template could replace")
    for leaf in prompted:
        leaf["prompt"] = {"is": "Prompt", "text": template}


def _fitted(form: Form, fit: str | Path) -> Form:
    read = Fit.read(fit)
    found, wrap = plain(read), _WRAPS.get(read.kind)
    if wrap is not None:
        inner = form["judge"] if form["is"] == wrap else form
        return {"is": wrap, "fit": found, "judge": inner}
    nodes = [node for _, node in _nodes(form) if node["is"] not in _WRAPS.values()]
    takers = [node for node in nodes if "fit" in _fields(node)]
    if not takers:
        raise Misuse(f"{form.get('is')} takes no fit of kind {read.kind}", do="leave --fit out")
    for node in takers:
        node["fit"] = deepcopy(found)
    return form


def _set(form: Form, one: str) -> None:
    name, equals, text = one.partition("=")
    path = name.strip()
    keys = path.removeprefix(".").split(".")
    if not equals or not all(keys):
        raise Misuse(f"--set {one!r}", expected="FIELD=VALUE", do="--set decode.temperature=0.7")
    _put(_owner(form, path, keys), keys, _parsed(text.strip()))


def _parsed(text: str) -> Any:
    try:
        values = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return values["value"] if len(values) == 1 else text


def _owner(form: Form, path: str, keys: list[str]) -> Form:
    """The judge that the path starts from."""
    nodes = list(_nodes(form))
    if path.startswith(".") or (len(keys) > 1 and keys[0] in _fields(form)):
        return form
    having = [(at, node) for at, node in nodes if keys[0] in _fields(node)]
    if len(having) == 1:
        return having[0][1]
    if having:
        paths = [f"{at or '.'}{path}" for at, _ in having]
        raise Misuse(f"--set {path} could mean {', '.join(paths)}", do="write the whole path")
    known = [f"{at}{field}" for at, node in nodes for field in _fields(node)]
    raise Misuse(
        f"--set {path}: no judge here has a field {keys[0]!r}",
        expected=f"one of {', '.join(known)}" if known else "a judge with fields",
        do=meant(keys[0], known),
    )


def _put(node: Any, keys: Sequence[str], value: Any) -> None:
    """Sets the value at the path, writing out defaults on the way."""
    for key in keys[:-1]:
        node = _entered(node, key)
    if isinstance(node, list):
        node[_index(node, keys[-1])] = value
    elif isinstance(node, dict):
        node[keys[-1]] = value
    else:
        raise Misuse(f"--set {'.'.join(keys)}: {node!r} has no fields")


def _entered(node: Any, key: str) -> Any:
    if isinstance(node, list):
        return node[_index(node, key)]
    if isinstance(node, dict):
        spec = _fields(node).get(key)
        if key not in node and spec is not None:
            default = spec.default_factory() if callable(spec.default_factory) else spec.default
            node[key] = {} if default is MISSING else plain(default)
        if key in node:
            return node[key]
    raise Misuse(f"--set: nothing is called {key!r} in {node!r:.80}")


def _index(items: list[Any], key: str) -> int:
    if key.isdecimal() and int(key) < len(items):
        return int(key)
    raise Misuse(f"--set: {key!r} is no place in a list of {len(items)}", expected="0, 1, 2, …")
