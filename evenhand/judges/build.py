"""From a plain form, which identity hashes and `judge.toml` holds, to a judge."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

from evenhand.continued import Continued
from evenhand.errors import Misuse
from evenhand.fits import Fit
from evenhand.judges import CLASSES
from evenhand.judges.edit import edited, seated
from evenhand.judges.names import find, meant, thing
from evenhand.judges.rubrics import Criterion, criteria_of, from_file
from evenhand.prompts import Prompt
from evenhand.records import Judge, Model, Scale

__all__ = ["build", "edited", "find", "seated"]


@dataclass(frozen=True, slots=True)
class _Models:
    default: Model | None
    resolve: Callable[[str], Model] | None

    def named(self, name: Any, at: str) -> Any:
        if isinstance(name, Mapping) and name.get("is") == "Continued":
            return _made(name, Continued, at, self)
        if isinstance(name, Mapping):
            raise Misuse(f"{at} is {name}", expected='a model\'s name, or {is = "Continued", …}')
        if not isinstance(name, str):
            return name
        if self.resolve is None:
            raise Misuse(f"{at} names the model {name!r}, and no models can be looked up here")
        return self.resolve(name)


def build(
    form: Mapping[str, Any],
    *,
    model: Model | str | None = None,
    resolve: Callable[[str], Model] | None = None,
) -> Judge:
    """The judge that a plain form describes.

    Args:
        model: Takes the place of every model that the form leaves out. A text is one model's name,
            or several with commas between, which are placed as `edit.seated` says.
        resolve: Makes a model from its name.

    Raises:
        Misuse: An unknown class or field, a value that does not fit, or a missing model.
    """
    names = [name.strip() for name in model.split(",")] if isinstance(model, str) else []
    if len(names) > 1:
        form, model = seated(form, names), None
    models = _Models(None, resolve)
    models = replace(models, default=models.named(model, "--model") if model else None)
    judge = _made(form, None, "judge", models)
    if not isinstance(judge, Judge):
        raise Misuse(
            f"{form.get('is')} is no judge", expected="a class with a view, called on a case"
        )
    return judge


def _made(form: Any, hint: type | None, at: str, models: _Models) -> Any:
    if not isinstance(form, Mapping):
        raise Misuse(f"{at} is {form!r}", expected='a table such as {is = "Pairwise"}')
    cls = _class(form, hint, at)
    given = {key: value for key, value in form.items() if key != "is"}
    known = {f.name: f for f in fields(cls) if f.init}
    for name in [name for name in given if name not in known]:
        if name in ("source", "version"):  # what identity adds to a plain form
            del given[name]
            continue
        raise Misuse(
            f"{at}: {_title(cls)} has no field {name!r}",
            expected=f"one of {', '.join(known)}" if known else "no field",
            do=meant(name, list(known)),
        )
    hints = _hints(cls)
    made = {k: _value(v, hints[k], f"{at}.{k}", models) for k, v in given.items()}
    if not isinstance(cls, type):  # a judge that a file holds ready-made
        return replace(cls, **made) if made else cls
    for name, spec in known.items():
        if name not in made and _required(spec):
            made[name] = _missing(cls, name, hints[name], at, models)
    try:
        return cls(**made)
    except (TypeError, ValueError) as error:
        raise Misuse(f"{at}: {error}", expected=f"settings that {_title(cls)} accepts") from error


def _class(form: Mapping[str, Any], hint: type | None, at: str) -> Any:
    name = form.get("is", hint.__name__ if hint else None)
    if hint is not None and name == hint.__name__:
        return hint
    found = thing(name) if isinstance(name, str) else None
    if found is None or isinstance(found, Mapping):
        raise Misuse(
            f"{at}: no judge class is called {name!r}",
            expected=f"'is' = one of {', '.join(CLASSES)}, or file.py:Class",
            do=meant(str(name), list(CLASSES)),
        )
    return found


def _hints(thing: Any) -> dict[str, Any]:
    return typing.get_type_hints(thing if isinstance(thing, type) else type(thing))


def _title(thing: Any) -> str:
    return thing.__name__ if isinstance(thing, type) else type(thing).__name__


def _required(spec: Field[Any]) -> bool:
    return spec.default is MISSING and spec.default_factory is MISSING


def _missing(cls: type, name: str, hint: Any, at: str, models: _Models) -> Model:
    if hint is not Model:
        raise Misuse(f"{at}: {cls.__name__} needs a value for {name!r}", do=f"--set {name}=…")
    if models.default is None:
        raise Misuse(f"{cls.__name__} needs a model", do="pass --model provider/name")
    return models.default


def _value(value: Any, hint: Any, at: str, models: _Models) -> Any:
    """The value that a field of that type takes."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _value(value, _choice_of(args, value), at, models)
    if origin is Literal:
        return _literal(value, args, at)
    if origin is tuple and args[0] is Criterion:
        return from_file(value) if isinstance(value, str) else criteria_of(value)
    if origin is tuple and isinstance(value, list | tuple):
        inner = args[:1] * len(value) if args[-1] is ... else args
        if len(inner) == len(value):
            pairs = enumerate(zip(value, inner, strict=True))
            return tuple(_value(v, each, f"{at}.{i}", models) for i, (v, each) in pairs)
    if hint is Model:
        return models.named(value, at)
    if hint is Judge:
        return _made(find(value) if isinstance(value, str) else value, None, at, models)
    if hint is Prompt and isinstance(value, str):
        return Prompt(_text(value, at))
    if hint is Fit and isinstance(value, str):
        return Fit.read(value)
    if hint is Scale and isinstance(value, list | tuple):
        return _scale(value, at)
    if isinstance(hint, type) and is_dataclass(hint):
        return value if isinstance(value, hint) else _made(value, hint, at, models)
    return _simple(value, hint, at)


def _choice_of(args: tuple[Any, ...], value: Any) -> Any:
    """Of a union's types, the one that the value has, else the first that is not None."""
    rest = [arg for arg in args if arg is not type(None)]
    return next((arg for arg in rest if isinstance(arg, type) and isinstance(value, arg)), rest[0])


def _literal(value: Any, allowed: tuple[Any, ...], at: str) -> Any:
    if value in allowed:
        return value
    names = [str(one) for one in allowed]
    raise Misuse(
        f"{at} is {value!r}", expected=f"one of {', '.join(names)}", do=meant(str(value), names)
    )


def _text(value: str, at: str) -> str:
    if not (value.endswith(".md") and "\n" not in value):
        return value
    try:
        return Path(value).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"{at}: {value} cannot be read: {error}", expected="a template") from error


def _scale(labels: Sequence[Any], at: str) -> Scale:
    """Labels in rising order count 0, 1, 2, …; labels that are numbers count as themselves."""
    names = [str(label) for label in labels]
    if not names or len(set(names)) < len(names):
        raise Misuse(f"{at} has the labels {names}", expected="different labels, lowest first")
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        numbers = [float(i) for i in range(len(names))]
    return Scale("custom", dict(zip(names, numbers, strict=True)))


_SIMPLE: dict[Any, tuple[type, ...]] = {
    float: (int, float),
    int: (int,),
    str: (str,),
    bool: (bool,),
}


def _simple(value: Any, hint: Any, at: str) -> Any:
    origin = typing.get_origin(hint) or hint
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if origin is Mapping and isinstance(value, Mapping):
        number = typing.get_args(hint)[1:] == (float,)
        return {str(k): float(v) if number else v for k, v in value.items()}
    wanted = _SIMPLE.get(origin) or ((origin,) if inspect.isclass(origin) else (object,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and hint in (int, float)):
        name = getattr(hint, "__name__", str(hint))
        raise Misuse(f"{at} is {value!r}", expected=f"a value of type {name}")
    return value
