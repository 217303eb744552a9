"""One plain form for judges and models: what identity hashes, `run.json` stores and TOML holds."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from evenhand.records import Judge, Model

T = TypeVar("T")


@lru_cache(maxsize=256)
def _source_hash(cls: type) -> str:
    """Of the file that defines a class outside the package; "" inside, or without a file."""
    if cls.__module__.partition(".")[0] == "evenhand":
        return ""
    try:
        return hashlib.sha256(Path(inspect.getfile(cls)).read_bytes()).hexdigest()[:16]
    except (OSError, TypeError):
        return ""


def plain(thing: Any) -> Any:
    """A judge, model or setting as dicts, lists, texts and numbers.

    Fields with `compare=False` are not identity and are left out; a class that declares
    `transparent = True` changes no answer and is seen through; `version` counts above 1; a class
    from outside the package counts with its source file's hash.

    Example:
        >>> from evenhand.records import Decode
        >>> plain(Decode(temperature=0.0))["temperature"]
        0.0
    """
    if isinstance(thing, Mapping):
        return {str(key): plain(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [plain(value) for value in thing]
    if isinstance(thing, bytes):
        return {"sha256": hashlib.sha256(thing).hexdigest()}
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    cls: type[Any] = type(thing)
    compared = [f for f in fields(thing) if f.compare]
    if getattr(cls, "transparent", False):
        return plain(getattr(thing, compared[0].name))
    form: dict[str, Any] = {"is": cls.__name__}
    form |= {f.name: plain(getattr(thing, f.name)) for f in compared}
    if getattr(cls, "version", 1) > 1:
        form["version"] = cls.version
    if source := _source_hash(cls):  # type: ignore[arg-type]
        form["source"] = source
    return form


def identity(thing: Any) -> str:
    """Sixteen hexadecimal digits that change when anything that decides its answers changes."""
    text = json.dumps(plain(thing), sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def with_prompts(thing: T, change: Callable[[Any], Any]) -> T:
    """The same judge with `change(prompt)` for the field `prompt` of every judge inside it."""
    if isinstance(thing, tuple):
        return tuple(with_prompts(part, change) for part in thing)  # type: ignore[return-value]
    if not is_dataclass(thing) or isinstance(thing, type) or not hasattr(thing, "view"):
        return thing
    old = {f.name: getattr(thing, f.name) for f in fields(thing) if f.init}
    new = {k: change(v) if k == "prompt" else with_prompts(v, change) for k, v in old.items()}
    changed = {name: value for name, value in new.items() if value is not old[name]}
    return replace(thing, **changed) if changed else thing


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Paths at which two plain forms differ, such as 'judge.decode.temperature: 0 is not 1'."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = list(one) + [key for key in other if key not in one]
        dots = [f"{at}.{key}" if at else str(key) for key in keys]
        pairs = zip(keys, dots, strict=True)
        return [d for k, dot in pairs for d in differences(one.get(k), other.get(k), dot)]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [d for i, (a, b) in enumerate(zip(one, other, strict=True))
                for d in differences(a, b, f"{at}.{i}")]  # fmt: skip
    return [] if one == other else [f"{at}: {_short(one)} is not {_short(other)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def is_model(thing: Any) -> bool:
    """What has a name and is called with a request; judges have a view and no name."""
    return isinstance(thing, Model) and not isinstance(thing, Judge)


def models_in(thing: Any) -> list[Any]:
    """Every outermost model inside a judge, in order, repeated ones repeated."""
    if is_dataclass(thing) and is_model(thing):
        return [thing]
    if isinstance(thing, list | tuple):
        return [model for part in thing for model in models_in(part)]
    if is_dataclass(thing) and not isinstance(thing, type):
        return [m for f in fields(thing) for m in models_in(getattr(thing, f.name))]
    return []


def with_models(thing: T, change: Callable[[Any], Any]) -> T:
    """The same judge with `change(model)` in the place of every outermost model."""
    if is_dataclass(thing) and is_model(thing):
        return change(thing)  # type: ignore[no-any-return]
    if isinstance(thing, tuple):
        return tuple(with_models(part, change) for part in thing)  # type: ignore[return-value]
    if is_dataclass(thing) and not isinstance(thing, type):
        new = {f.name: with_models(getattr(thing, f.name), change) for f in fields(thing) if f.init}
        old = {name: getattr(thing, name) for name in new}
        changed = {name: value for name, value in new.items() if value is not old[name]}
        return replace(thing, **changed) if changed else thing
    return thing
