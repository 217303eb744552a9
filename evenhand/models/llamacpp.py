"""Models in this process, through llama.cpp (the package xllamacpp): `local/...`."""

from __future__ import annotations

import asyncio
import importlib.util
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

from evenhand.errors import Misuse, Rejected, Unavailable
from evenhand.models import gguf
from evenhand.records import Completion, Message, Request, escape

PACKAGED = "gemma3-270m"
# Alternatives asked for per token. A base model spreads its mass: 20 can miss a label.
_TOPS = 40


def local(rest: str) -> LlamaCpp:
    """The model behind `local/REST`: `gemma3-270m`, `PATH.gguf` or `hf:ORG/REPO/FILE.gguf`.

    A file is named by its last part alone and told apart by its fingerprint, so the same file
    elsewhere is the same model.

    Raises:
        Misuse: No such file, a library is missing, or the download failed.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise Misuse(
            f"local/{rest} needs the package xllamacpp (llama.cpp)",
            do="pip install 'evenhand[local]'",
        )
    if rest == PACKAGED:
        return LlamaCpp(f"local/{PACKAGED}", content=gguf.packaged_content())
    if not rest.endswith(".gguf"):
        raise Misuse(
            f"no local model '{rest}'",
            expected=f"{PACKAGED}, PATH.gguf or hf:ORG/REPO/FILE.gguf",
            do=f"local/{PACKAGED} is the one that comes with evenhand[local]",
        )
    path = gguf.from_hub(rest[3:]) if rest.startswith("hf:") else gguf.at_path(rest)
    return LlamaCpp(f"local/{path.name}", content=gguf.fingerprint(path), path=path)


class _Live:
    """What stays open between calls: the server, and the threads that wait for its answers.

    Bound to no event loop, so one model serves several `asyncio.run` in turn.
    """

    def __init__(self) -> None:
        self.lock, self.loading = threading.Lock(), threading.Lock()  # loading takes minutes
        self.loaded: _Loaded | None = None
        self.waiting: ThreadPoolExecutor | None = None

    def threads(self, slots: int) -> ThreadPoolExecutor:
        with self.lock:
            if self.waiting is None:
                self.waiting = ThreadPoolExecutor(slots, "llamacpp")
            return self.waiting

    def ready(self, model: LlamaCpp) -> _Loaded:
        with self.loading:
            if self.loaded is None:
                self.loaded = _load(model)
            return self.loaded

    def close(self) -> None:
        with self.lock:
            waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.shutdown()
        with self.loading:
            self.loaded = None


@dataclass(frozen=True, slots=True)
class _Loaded:
    server: Any
    chat: bool
    file: str


@dataclass(frozen=True, slots=True)
class LlamaCpp:
    """Weights in GGUF, run in this process; loaded by the first call, freed by `aclose`.

    A file with a chat template is asked with it, thinking switched off; one without is a base
    model and gets the messages as plain text. Requests that read probabilities, fix a seed or set
    temperature 0 are computed afresh: with llama.cpp's prefix cache the same request can differ by
    0.5 in a log-probability, depending on what was asked before. The others reuse the prefix.

    Attributes:
        max_tokens: New tokens when the request sets no limit; noted in `Completion.fallbacks`.
        content: Fingerprint of the weights: of their size, first and last megabyte for a file,
            of all of them for the packaged ones.
        path: The file; None for the packaged weights.
        context: Tokens a slot holds, prompt and reply together.
        slots: Requests worked on at once; further ones wait. On one thread a second slot is no
            faster (measured), and neighbours in a batch shift each other's numbers.
    """

    name: str
    max_tokens: int = 256
    content: str = ""
    _: KW_ONLY
    path: Path | None = field(default=None, compare=False)
    context: int = field(default=4096, compare=False)
    slots: int = field(default=1, compare=False)
    threads: int = field(default=1, compare=False)
    live: _Live = field(default_factory=_Live, init=False, compare=False, repr=False)

    async def __call__(self, request: Request) -> Completion:
        _refuse_media(request)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.live.threads(self.slots), self._ask, request)

    async def aclose(self) -> None:
        await asyncio.to_thread(self.live.close)

    def _ask(self, request: Request) -> Completion:
        loaded = self.live.ready(self)
        limit = request.decode.max_tokens
        settings = _settings(request, self.max_tokens if limit is None else limit)
        began = time.perf_counter()
        try:
            if loaded.chat:
                reply = loaded.server.handle_chat_completions(settings | _as_chat(request))
            else:
                reply = loaded.server.handle_completions(settings | _as_text(request))
        except RuntimeError as error:  # a chat template that refuses these messages, for one
            raise Rejected(f"llama.cpp refused the request: {error}") from error
        seconds = time.perf_counter() - began
        fallbacks = () if limit is not None else (f"max_tokens {self.max_tokens}",)
        return _completion(reply, request, seconds=seconds, served=loaded.file, fallbacks=fallbacks)


def _load(model: LlamaCpp) -> _Loaded:
    import xllamacpp

    path = model.path or gguf.packaged()
    chat = gguf.has_chat_template(path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel = model.context * model.slots, model.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = model.threads
    params.verbosity, params.warmup = -1, False
    params.swa_full = True  # without it Gemma reuses no prefix
    params.cache_ram_mib = 0  # else finished prompts are kept, up to 8 GiB
    # xllamacpp always listens on a port of 127.0.0.1; nobody else is to ask there.
    params.api_keys = [secrets.token_urlsafe(32)]
    try:
        return _Loaded(xllamacpp.Server(params), chat, path.name)
    except RuntimeError as error:
        raise gguf.unreadable(path, str(error)) from error


# ---- Request -> what llama.cpp is asked ------------------------------------------------------


def _refuse_media(request: Request) -> None:
    for message in request.messages:
        for part in message.parts:
            if not isinstance(part, str):
                raise Rejected(
                    f"the prompt holds {part.kind}, and local models read text only",
                    expected="a prompt of text",
                    do="ask a model that reads it",
                )


def _settings(request: Request, max_tokens: int) -> dict[str, Any]:
    """What both ways of asking share."""
    decode = request.decode
    free = request.need == "text" and decode.seed is None and decode.temperature != 0
    settings: dict[str, Any] = {"max_tokens": max_tokens, "cache_prompt": free}
    given = {"temperature": decode.temperature, "top_p": decode.top_p, "seed": decode.seed}
    settings |= {name: value for name, value in given.items() if value is not None}
    if decode.stop:
        settings["stop"] = list(decode.stop)
    return settings


def _as_text(request: Request) -> dict[str, Any]:
    """The messages with blank lines between, without role tokens; a prefill stands last."""
    texts = [escape(message.text) for message in request.messages]
    if not _prefill(request.messages):
        texts.append("")
    asked: dict[str, Any] = {"prompt": "\n\n".join(texts)}
    if request.need != "text":
        asked["n_probs"] = _TOPS
    if request.schema is not None:
        asked["json_schema"] = dict(request.schema)
    return asked


def _as_chat(request: Request) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "messages": [{"role": m.role, "content": escape(m.text)} for m in request.messages],
        # A label is read from the first token, and llama.cpp refuses a prefill while thinking.
        "chat_template_kwargs": {"enable_thinking": False},
    }
    if request.need != "text":
        asked |= {"logprobs": True, "top_logprobs": _TOPS}
    if request.schema is not None:
        form = {"name": "reply", "schema": dict(request.schema), "strict": True}
        asked["response_format"] = {"type": "json_schema", "json_schema": form}
    return asked


def _prefill(messages: tuple[Message, ...]) -> str:
    return messages[-1].text if messages and messages[-1].role == "assistant" else ""


# ---- what llama.cpp says -> Completion -------------------------------------------------------


def _completion(
    reply: Mapping[str, Any],
    request: Request,
    *,
    seconds: float,
    served: str,
    fallbacks: tuple[str, ...],
) -> Completion:
    if "error" in reply:
        raise _error(reply["error"])
    choice, usage = reply["choices"][0], reply.get("usage", {})
    if "message" in choice:  # a chat reply repeats the prefill
        text = choice["message"].get("content") or ""
        text = text.removeprefix(escape(_prefill(request.messages)))
    else:
        text = choice["text"]
    return Completion(
        text,
        tops=_tops(choice) if request.need != "text" else (),
        finish="length" if choice["finish_reason"] == "length" else "stop",
        tokens_in=usage.get("prompt_tokens"),
        tokens_out=usage.get("completion_tokens"),
        usd=0.0,
        seconds=seconds,
        served=served,
        fallbacks=fallbacks,
    )


def _tops(choice: Mapping[str, Any]) -> tuple[Mapping[str, float], ...]:
    """Natural logs of the model's own distribution: before temperature, sampling and schema."""
    tops = []
    for token in (choice.get("logprobs") or {}).get("content") or ():
        seen: dict[str, float] = {}
        for top in token["top_logprobs"]:  # likeliest first; broken-off bytes can look alike
            seen.setdefault(top["token"], top["logprob"])
        tops.append(seen)
    return tuple(tops)


def _error(error: Mapping[str, Any]) -> Rejected | Unavailable:
    said, status = str(error.get("message", error)), int(error.get("code", 500))
    if error.get("type") == "exceed_context_size_error":
        return Rejected(
            f"the prompt has {error.get('n_prompt_tokens', 'too many')} tokens",
            expected=f"at most {error.get('n_ctx', 'what the context holds')}",
            do="shorten the case, or leave it undecided",
            code="overflow",
        )
    if 400 <= status < 500:
        return Rejected(f"llama.cpp refused the request: {said}")
    return Unavailable(f"llama.cpp failed: {said}", status=status)
