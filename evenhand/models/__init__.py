"""Ways to ask: one class a file, and name -> model."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable
from difflib import get_close_matches
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from evenhand.errors import Misuse
from evenhand.identity import is_model
from evenhand.models.settings import first_set, setting
from evenhand.records import Model

_OWN_KEY = "EVENHAND_API_KEY"  # for servers named by their address: no vendor's key goes there
_FORMS = (
    "http://HOST:PORT/v1#NAME", "systemone:URL#NAME", "replay:FILE[#NAME]", "file.py:Thing"
)  # fmt: skip
_FILE = re.compile(r"(.+\.py):([A-Za-z_]\w*)")


class _Vendor(NamedTuple):
    """Attributes: address unless one of `addresses` is set; `keys`, the first that is set;
    own: run by the user, who may need no key."""

    address: str
    addresses: tuple[str, ...]
    keys: tuple[str, ...]
    own: bool = False


_GEMINI = _Vendor(
    "https://generativelanguage.googleapis.com/v1beta/openai",
    ("GEMINI_BASE_URL",),
    ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
)
_CHAT = {
    "openai": _Vendor("https://api.openai.com/v1", ("OPENAI_BASE_URL",), ("OPENAI_API_KEY",)),
    "openrouter": _Vendor(
        "https://openrouter.ai/api/v1", ("OPENROUTER_BASE_URL",), ("OPENROUTER_API_KEY",)
    ),
    "together": _Vendor(
        "https://api.together.xyz/v1", ("TOGETHER_BASE_URL",), ("TOGETHER_API_KEY",)
    ),
    "gemini": _GEMINI,
    "google": _GEMINI,
    "vllm": _Vendor("http://127.0.0.1:8000/v1", ("VLLM_BASE_URL",), ("VLLM_API_KEY",), True),
    "ollama": _Vendor(
        "http://127.0.0.1:11434/v1", ("OLLAMA_BASE_URL", "OLLAMA_HOST"), ("OLLAMA_API_KEY",), True
    ),
}


def find(name: str, *, timeout: float | None = None) -> Model:
    """The model that a name on the command line means.

    Args:
        name: `provider/NAME`, `http://HOST/v1#NAME`, `systemone:URL#NAME`, `replay:FILE` or
            `file.py:Thing`.
        timeout: Seconds a call may take; None for 120.

    Raises:
        Misuse: Nothing has this name; the message shows near ones.
    """
    limit = 120.0 if timeout is None else timeout
    if match := _FILE.fullmatch(name):
        return _from_file(Path(match[1]), match[2])
    if name.startswith(("http://", "https://")):
        return _at_address(name, limit)
    if name.startswith("systemone:"):
        return _decider_at(name, limit)
    if name.startswith("replay:"):
        return _replay(name.removeprefix("replay:"))
    provider, _, rest = name.partition("/")
    if rest and provider in _CHAT:
        return _chat(provider, rest, limit)
    if rest and provider in _OTHERS:
        return _OTHERS[provider](rest, limit)
    for entry in entry_points(group="evenhand.models"):
        if rest and entry.name == provider:
            return _model(entry.load()(rest), name)
    raise _nothing(name, provider)


def providers() -> list[str]:
    """What may stand before the slash."""
    added = (entry.name for entry in entry_points(group="evenhand.models"))
    return [*_CHAT, *_OTHERS, *added]


def _nothing(name: str, provider: str) -> Misuse:
    all_names = providers()
    near = get_close_matches(provider, all_names, 3, 0.5)
    hint = f"did you mean {' or '.join(f'{p}/…' for p in near)}?" if near else ""
    return Misuse(
        f"There is no model {name!r}" if "/" in name else f"{name!r} names no provider",
        expected=", ".join([*(f"{p}/NAME" for p in all_names), *_FORMS]),
        do=hint or "write it as provider/NAME",
    )


# ---- one function a kind ---------------------------------------------------------------------


def _chat(provider: str, name: str, timeout: float) -> Model:
    from evenhand.models.openai import OpenAI

    vendor = _CHAT[provider]
    place = first_set(*vendor.addresses)
    address = _address(setting(place), place) or vendor.address
    return OpenAI(name, base_url=address, key_env=_key(vendor), timeout=timeout)


def _key(vendor: _Vendor) -> str:
    name = first_set(*vendor.keys)
    return "" if vendor.own and not setting(name) else name


def _address(given: str | None, variable: str) -> str | None:
    """OLLAMA_HOST may be what the server listens on, such as 0.0.0.0 or host:port."""
    if given is None or variable != "OLLAMA_HOST":
        return given
    given = given if "://" in given else f"http://{given}"
    scheme, _, host = given.rstrip("/").removesuffix("/v1").partition("://")
    host = host.replace("0.0.0.0", "127.0.0.1")
    port = "" if re.search(r":\d+$", host) else ":11434"
    return f"{scheme}://{host}{port}/v1"


def _own_key() -> str:
    return _OWN_KEY if setting(_OWN_KEY) else ""


def _split(name: str, form: str) -> tuple[str, str]:
    address, _, model = name.partition("#")
    if not model or not address.startswith(("http://", "https://")):
        raise Misuse(
            f"{name!r} lacks the model's name" if not model else f"{name!r} lacks the address",
            expected=f"{form}, such as {form.replace('URL', 'http://127.0.0.1:8000')}",
            do="write the address, a #, and the name that the server gives the model",
        )
    return address, model


def _at_address(name: str, timeout: float) -> Model:
    from evenhand.models.openai import OpenAI

    address, model = _split(name, "URL/v1#NAME")
    return OpenAI(model, base_url=address, key_env=_own_key(), timeout=timeout)


def _decider_at(name: str, timeout: float) -> Model:
    from evenhand.models.systemone import SystemOne

    address, model = _split(name.removeprefix("systemone:"), "systemone:URL#NAME")
    return SystemOne(model, base_url=address, key_env=_own_key(), timeout=timeout)


def _typesafe(name: str, timeout: float) -> Model:
    from evenhand.models.systemone import SystemOne

    return SystemOne(name, base_url=setting("TYPESAFE_BASE_URL"), timeout=timeout)


def _decisions(name: str, timeout: float) -> Model:
    from evenhand.models.systemone import SystemOne

    return SystemOne(name, "decisions", base_url=setting("OPENAI_BASE_URL"), timeout=timeout)


def _anthropic(name: str, timeout: float) -> Model:
    from evenhand.models.anthropic import Anthropic

    address = setting("ANTHROPIC_BASE_URL") or "https://api.anthropic.com"
    return Anthropic(name, base_url=address, timeout=timeout)


def _local(name: str, _timeout: float) -> Model:
    from evenhand.models.llamacpp import local

    return local(name)


_OTHERS: dict[str, Callable[[str, float], Model]] = {
    "anthropic": _anthropic,
    "typesafe": _typesafe,
    "decisions": _decisions,
    "local": _local,
}


def _replay(rest: str) -> Model:
    from evenhand.models.replay import Replay

    if Path(rest).is_file():
        return Replay(rest)
    path, _, model = rest.rpartition("#")
    return Replay(path, model) if path else Replay(rest)


def _from_file(path: Path, thing: str) -> Model:
    found = getattr(_module(path), thing, None)
    if found is None:
        raise Misuse(f"{path} defines no {thing}", do="check the name after the colon")
    if isinstance(found, type):
        try:
            found = found()
        except TypeError as error:
            raise Misuse(
                f"{thing} in {path} cannot be made without arguments: {error}",
                expected="a model, or a class whose fields all have defaults",
                do=f"add a line such as `model = {thing}(…)` and name that",
            ) from error
    return _model(found, f"{path}:{thing}")


def _module(path: Path) -> ModuleType:
    place = path.resolve()
    name = f"model_{path.stem}_{sha256(str(place).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, place)
    if spec is None or spec.loader is None or not place.is_file():
        raise Misuse(f"There is no file {path}", expected="file.py:Thing")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise Misuse(f"{path} cannot be loaded: {error!r}", do="correct the file") from error
    return module


def _model(thing: Any, name: str) -> Model:
    if not is_model(thing):
        raise Misuse(
            f"{name} is a {type(thing).__name__}, not a model",
            expected="something with a name that is called with a request: "
            "async def __call__(self, request) -> Completion",
        )
    return thing  # type: ignore[no-any-return]
