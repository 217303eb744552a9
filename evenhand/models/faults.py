"""What a server's error means: try again, leave something out, refuse this request, or stop."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import msgspec

from evenhand.errors import Misconfigured, ModelError, Rejected, Unavailable
from evenhand.records import escape

_SHOWN = 300  # characters of a server's message that are repeated
_READ = 2_000  # characters of a server's message that are looked at
_AGAIN = {408, 409, 425, 429}

_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|string_above_max_length|request_too_large"
    r"|context (?:length|window|size|limit)|prompt is too long|input is too long|too many tokens"
    r"|maximum (?:model|input) length|max_model_len"
    r"|input token count.{0,40}exceeds|max_tokens must be at least 1, got -",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"content_filter|content_policy|content policy|content management policy|responsibleai"
    r"|input was flagged|requires moderation|safety system",
    re.IGNORECASE,
)
_BROKE = re.compile(
    r"insufficient_quota|billing_hard_limit|billing_error|credit balance|insufficient (?:credit|"
    r"balance|funds)|payment required",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(
    r"api[_ ]key[_ ]invalid|api key not valid|(?:invalid|incorrect) api key", re.IGNORECASE
)
_NO_MODEL = re.compile(
    r"model_not_found|(?:model|deployment)\b.{0,80}(?:not found|not exist|not a valid|not loaded)"
    r"|(?:not found|unknown|invalid|no such) model|not a valid model|^model: \S+$",
    re.IGNORECASE,
)
_NO_MEDIA = re.compile(r"image|multimodal|audio|video|vision|mmproj|media", re.IGNORECASE)
UNSUPPORTED = re.compile(
    r"unsupported|not support|unrecognized|unknown|unexpected|not permitted|extra inputs"
    r"|not allowed|not available|unavailable|deprecated|not enabled|only the default|cannot both"
    r"|incompatible|not implemented|unimplemented|extra_forbidden|no longer",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP; `status` 200 does not mean that it can be used."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float = 0.0

    @property
    def html(self) -> bool:
        kind = self.headers.get("Content-Type", "")
        return "text/html" in kind or self.body[:64].lstrip()[:1] == b"<"


class Fault(NamedTuple):
    """A server's error: its words, its codes ("" when none), and the parameter it blames."""

    message: str
    code: str = ""
    param: str = ""

    @property
    def words(self) -> str:
        return f"{self.code} {self.message}"


class Place(NamedTuple):
    """Where a model answers, and how to ask there.

    Attributes:
        address: Without a slash at the end.
        key_env: The variable that holds the key; "" where none is needed.
        key_header: 'Authorization' takes a bearer key, another header the bare key.
        names: The path that lists the models.
        instead: What to try where nothing answers such requests; "" for the usual advice.
    """

    address: str
    key_env: str
    timeout: float
    headers: Mapping[str, str]
    key_header: str = "Authorization"
    names: str = "/models"
    instead: str = ""


def fault(answer: Answer) -> Fault:
    """The error in a body of any of the shapes in use: OpenAI, Anthropic, FastAPI, plain text."""
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = answer.body[: 4 * _READ].decode("utf-8", "backslashreplace").strip()
        return Fault(text[:_READ] or f"HTTP {answer.status} without a message")
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return Fault(str(body)[:_READ])
    return _from_dict(body)


def _from_dict(body: dict[str, Any]) -> Fault:
    error = body.get("error") or body.get("detail") or body
    if isinstance(error, list):
        return _from_validation(error)
    if not isinstance(error, dict):
        return Fault(str(error)[:_READ])
    message = error.get("message") or error.get("msg") or error.get("error") or error
    codes = (error.get("code"), error.get("type"), error.get("status"), body.get("error_type"))
    code = " ".join(str(code) for code in codes if code)
    return Fault(escape(str(message))[:_READ], code, str(error.get("param") or ""))


def _from_validation(items: list[Any]) -> Fault:
    """FastAPI's list; `input` is left out: it repeats what we sent."""
    found = [item for item in items if isinstance(item, dict)]
    places = [[str(key) for key in item.get("loc", ()) if key != "body"] for item in found]
    says = [
        f"{'.'.join(place)}: {item.get('msg', '')}"
        for place, item in zip(places, found, strict=True)
    ]
    code = " ".join(str(item.get("type", "")) for item in found)
    param = places[0][0] if places and places[0] else ""
    return Fault("; ".join(says)[:_READ] or str(items)[:_READ], code, param)


def refused(answer: Answer, problem: Fault) -> bool:
    """Whether a content policy stands behind the error."""
    return answer.status in {400, 403, 422} and bool(_POLICY.search(problem.words))


def overflow(answer: Answer, problem: Fault) -> bool:
    if answer.status == 413:
        return True
    if answer.status == 429:  # more tokens than a minute allows: waiting cannot help
        return "request too large" in problem.message.lower()
    return answer.status in {400, 422, 500} and bool(_OVERFLOW.search(problem.words))


def negotiable(answer: Answer, problem: Fault) -> bool:
    """Whether the server may take the same request with less in it."""
    return (
        answer.status in {400, 403, 404, 422, 501}
        and not answer.html
        and not overflow(answer, problem)
    )


def unknown_model(answer: Answer, problem: Fault) -> bool:
    if answer.status == 404:
        return not answer.html
    return answer.status in {400, 422} and bool(_NO_MODEL.search(problem.words))


def failure(
    answer: Answer,
    problem: Fault,
    place: Place,
    *,
    model: str,
    media: bool = False,
    names: Sequence[str] = (),
) -> ModelError:
    """The error to raise; `names` are the models that the server has, when it said so."""
    status, said = answer.status, problem.message[:_SHOWN]
    if answer.html and status < 500 and status not in _AGAIN:
        return not_json(place)
    if 300 <= status < 400:
        return _moved(answer, place)
    if overflow(answer, problem):
        return Rejected(f"{place.address} says that this is too long: {said}", code="overflow")
    if media and status in {404, 500, 501} and _NO_MEDIA.search(problem.words):
        return Rejected(f"{model} at {place.address} takes no such media: {said}")
    if status in {401, 403} or (status == 400 and _BAD_KEY.search(problem.words)):
        return _no_entry(status, said, place)
    if status == 402 or (status in {400, 429} and _BROKE.search(problem.words)):
        return Misconfigured(
            f"{place.address} wants payment (HTTP {status}): {said}",
            do="look at the account's quota and billing; waiting does not help",
        )
    if unknown_model(answer, problem):
        return _no_model(said, place, model, names=names)
    if status in {405, 501}:
        return Misconfigured(
            f"{place.address} does not take such requests (HTTP {status}): {said}",
            do=place.instead or "check the base URL and the kind of server behind it",
        )
    if status in _AGAIN or status >= 500:
        return Unavailable(
            f"{place.address} answered HTTP {status}: {said}",
            status=status,
            retry_after=retry_after(answer.headers),
        )
    return Rejected(f"{place.address} refused the request (HTTP {status}): {said}")


def not_json(place: Place) -> Misconfigured:
    return Misconfigured(
        f"{place.address} answers HTML, not JSON",
        expected="an API that answers JSON",
        do="is the base URL right? it usually ends in /v1",
    )


def _moved(answer: Answer, place: Place) -> Misconfigured:
    target = answer.headers.get("Location", "elsewhere")
    return Misconfigured(
        f"{place.address} has moved to {target} (HTTP {answer.status})",
        do="use the new address as the base URL",
    )


def _no_entry(status: int, said: str, place: Place) -> Misconfigured:
    variable = place.key_env or "EVENHAND_API_KEY"
    return Misconfigured(
        f"{place.address} refuses the key in {variable} (HTTP {status}): {said}",
        expected=f"{variable} with a key that is valid there and allowed to use the model",
        do=f"set {variable} in the environment or in .env",
    )


def _no_model(said: str, place: Place, model: str, *, names: Sequence[str]) -> Misconfigured:
    near = get_close_matches(model, names, 8, 0.3)
    shown = [*near, *(name for name in names if name not in near)][:8]
    return Misconfigured(
        f"{place.address} has no model {model!r}: {said}",
        expected="one of " + ", ".join(shown) if shown else "a model that this server has",
        do=place.instead or "check the model's name, and the base URL",
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from `retry-after-ms` or `Retry-After` (a number or a date)."""
    exact, coarse = headers.get("retry-after-ms"), headers.get("Retry-After")
    try:
        if exact is not None:
            return max(0.0, float(exact) / 1000.0)
        if coarse is not None:
            return max(0.0, float(coarse))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(coarse or "").timestamp() - time.time())
    except (ValueError, TypeError):
        return None
