"""From a name to what it stands for: protocols, classes, files and installed plug-ins."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import sys
import tomllib
import types
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import is_dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from evenhand.errors import Misuse
from evenhand.judges import CLASSES, PUBLISHED
from evenhand.judges.rubrics import FILES

Form = dict[str, Any]
GROUP = "evenhand.judges"


def find(name: str) -> Form:
    """The plain form of a protocol, `file.py:Name`, `judge.toml` or an installed plug-in.

    Example:
        >>> find("mt-bench-pair")
        {'is': 'Swap', 'pool': 'agree', 'judge': {'is': 'Pairwise'}}

    Raises:
        Misuse: Nothing has that name, or its file cannot be used.
    """
    if name in PUBLISHED:
        return deepcopy(dict(PUBLISHED[name].form))
    if name.endswith(".toml"):
        return _from_toml(Path(name))
    found = thing(name) if ".py:" in name else _plug_in(name)
    if found is None:
        known = [*PUBLISHED, *(point.name for point in entry_points(group=GROUP))]
        raise Misuse(
            f"no judge is called {name!r}",
            expected=f"one of {', '.join(sorted(known))}, file.py:Class or judge.toml",
            do=meant(name, known) or "list them with: evenhand judges",
        )
    return deepcopy(dict(found)) if isinstance(found, Mapping) else {"is": name}


def _from_toml(path: Path) -> Form:
    try:
        form = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Misuse(
            f"{path} cannot be read: {error}", expected="a TOML file with a judge's plain form"
        ) from error
    found = _beside(form, path.parent)
    return found if isinstance(found, dict) else {}


def _beside(value: Any, folder: Path) -> Any:
    """Names of files that stand in the folder of the TOML file, as paths from here."""
    if isinstance(value, dict):
        return {key: _beside(item, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [_beside(item, folder) for item in value]
    if isinstance(value, str) and (value.endswith((".md", *FILES)) or ".py:" in value):
        file = folder / value.partition(".py:")[0]
        there = file.is_file() or file.with_name(file.name + ".py").is_file()
        return str(folder / value) if there else value
    return value


def thing(name: str) -> Any:
    """The class or judge that `is = name` stands for; None when there is none."""
    if name in CLASSES:
        return CLASSES[name]
    file, colon, attribute = name.rpartition(":")
    if not (colon and file.endswith(".py")):
        return _plug_in(name)
    module = _module(str(Path(file).resolve()))
    known = [n for n, value in vars(module).items() if is_judge(value)]
    if attribute not in known:
        raise Misuse(
            f"{file} has no judge {attribute!r}",
            expected=f"one of {', '.join(known)}" if known else "a frozen dataclass with a view",
            do=meant(attribute, known),
        )
    return getattr(module, attribute)


def is_judge(value: Any) -> bool:
    return is_dataclass(value) and hasattr(value, "view") and callable(value)


@lru_cache(maxsize=64)
def _module(file: str) -> types.ModuleType:
    name = "judge_" + hashlib.sha256(file.encode()).hexdigest()[:12]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not Path(file).is_file():
        raise Misuse(f"{file} does not exist", expected="a Python file with a judge in it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and source hashes look classes up by module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        told = f"{type(error).__name__}: {error}"
        raise Misuse(f"{file} cannot be imported: {told}", do="mend that file") from error
    return module


def _plug_in(name: str) -> Any:
    found = next(iter(entry_points(group=GROUP, name=name)), None)
    return found.load() if found else None


def meant(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else ""
