"""What passes between the parts: cases in, requests and completions between, verdicts out.

A *model* is anything that turns a `Request` into a `Completion`; a *judge* is anything that turns
a `Case` into a `Verdict`. Everything here is frozen; nothing is validated twice: data are checked
where they enter (`evenhand/data`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, runtime_checkable

View = Literal["pointwise", "pairwise", "listwise"]
Need = Literal["text", "probs", "answer"]
Finish = Literal["stop", "length", "refused", "rejected", "overflow"]


def escape(text: str) -> str:
    r"""Lone surrogates as visible escapes, so that every text can be hashed, sent and stored.

    Example:
        >>> escape("bad \ud800 half")
        'bad \\ud800 half'
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


# ---- what is judged --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a sound or a film: exactly one of path, url and data is set."""

    kind: Literal["image", "audio", "video"]
    path: str | None = None
    url: str | None = None
    data: bytes | None = None
    mime: str = ""

    def __post_init__(self) -> None:
        if sum(place is not None for place in (self.path, self.url, self.data)) != 1:
            raise ValueError("Media needs exactly one of path, url and data")


Part = str | Media


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: role is 'system', 'user', 'assistant' or 'tool'."""

    role: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class Response:
    """What a system answered. `system` is None when nobody said who answered."""

    parts: tuple[Part, ...]
    system: str | None = None
    steps: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def text(self) -> str:
        return "".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to judge: what was asked, the responses (1, 2 or n), and what is known about it.

    Attributes:
        prompt: The conversation up to the response; one user message in the plain case.
        reference: Known good answers; any of them will do. Empty when there is none.
        context: Documents given to the system.
        rubric: What to look for: text, or a list of criteria.
        group: A slice or category, for reports.
        notes: Everything else that is known, by column name.
        draw: Which repetition this is; part of every request made for the case.
    """

    id: str
    prompt: tuple[Message, ...] = ()
    responses: tuple[Response, ...] = ()
    reference: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    rubric: Any = field(default=None, hash=False)
    group: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    draw: int = 0

    @classmethod
    def of(cls, id: str, prompt: str, *responses: str, **fields: Any) -> Case:
        """A case from plain strings.

        Example:
            >>> Case.of("q1", "2 + 2?", "4", "5").responses[1].text
            '5'
        """
        asked = (Message("user", (prompt,)),)
        return cls(id, asked, tuple(Response((text,)) for text in responses), **fields)

    def only(self, *index: int) -> Case:
        """The same case with these responses, in this order."""
        return replace(self, responses=tuple(self.responses[i] for i in index))

    def having(self, **notes: Any) -> Case:
        return replace(self, notes={**self.notes, **notes})


def texts(case: Case) -> Iterator[str]:
    """Every text under judgement: prompt, responses, references, context, a rubric in words."""
    yield from (part for m in case.prompt for part in m.parts if isinstance(part, str))
    yield from (part for r in case.responses for part in r.parts if isinstance(part, str))
    yield from case.reference
    yield from case.context
    if isinstance(case.rubric, str):
        yield case.rubric


def with_texts(case: Case, change: Callable[[str], str]) -> Case:
    """The case with every one of its `texts` changed, steps of the responses too."""

    def parts(given: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(change(part) if isinstance(part, str) else part for part in given)

    return replace(
        case,
        prompt=tuple(Message(m.role, parts(m.parts)) for m in case.prompt),
        responses=tuple(
            Response(parts(r.parts), r.system, parts(r.steps), r.notes) for r in case.responses
        ),
        reference=parts(case.reference),
        context=parts(case.context),
        rubric=change(case.rubric) if isinstance(case.rubric, str) else case.rubric,
    )


def admitted(case: Case) -> Case:
    """The case with lone surrogates as escapes; the same object when it has none."""
    text = "".join(texts(case))
    return case if text.isascii() or escape(text) == text else with_texts(case, escape)


# ---- asking a model --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decode:
    """Settings of one call, as the server defines them; None is never sent."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A typed question: the answers allowed, in order, with a description each ("" for none).

    Attributes:
        kind: 'choice' for unordered labels, 'score' for ordered levels (lowest first).
    """

    text: str
    labels: tuple[str, ...]
    descriptions: tuple[str, ...] = ()
    kind: Literal["choice", "score"] = "choice"


@dataclass(frozen=True, slots=True)
class Request:
    """What a judge asks of a model.

    Attributes:
        messages: A last message of role 'assistant' is the beginning of the reply (prefill).
        draw: Which repetition this is: another draw is another call, never a cached one.
        need: 'text'; 'probs' (alternatives of the first tokens); 'answer' (probabilities of the
            question's labels, from any model that can give them).
        question: For decision models, and for the label reading of others.
        schema: A JSON schema that the reply should follow.
        n: Replies wanted from one call; a model may give fewer.
    """

    messages: tuple[Message, ...]
    decode: Decode = Decode()
    draw: int = 0
    need: Need = "text"
    question: Question | None = None
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    n: int = 1


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model returned.

    Attributes:
        text: The reply, without the prefill.
        tops: One map per output token: candidate -> natural-log probability. Empty: not given.
        answer: Probabilities of the question's labels, from a decision model; None otherwise.
        samples: All replies when n > 1 (text is the first); empty otherwise.
        finish: 'stop', 'length' (cut), 'refused', and 'rejected' or 'overflow' when the server
            would not take the request (then `text` says why).
        tokens_in, tokens_out: As counted by the server; None when it did not say.
        usd: Price; None when the price of the model is not known.
        served: The model's name as the server gave it.
        fallbacks: What the server could not do and was left out, such as 'no json_schema'.
        key: Hash of the model's identity and the request; "" until a cache has seen it.
    """

    text: str
    tops: tuple[Mapping[str, float], ...] = field(default=(), hash=False)
    answer: Mapping[str, float] | None = field(default=None, hash=False)
    samples: tuple[str, ...] = ()
    finish: Finish = "stop"
    tokens_in: int | None = None
    tokens_out: int | None = None
    usd: float | None = None
    seconds: float = 0.0
    served: str = ""
    fallbacks: tuple[str, ...] = ()
    key: str = ""


@runtime_checkable
class Model(Protocol):
    """Anything that answers a request. A frozen dataclass; `aclose()` is optional."""

    @property
    def name(self) -> str: ...

    async def __call__(self, request: Request, /) -> Completion: ...


# ---- deciding --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scale:
    """The answers allowed, their numbers, and what each becomes when two responses trade places.

    Attributes:
        labels: label -> number. For pairs the number is the first response's share of the win.
        swaps: label -> label once the two responses trade places; empty unless pairwise.
        span: (low, high) of a line of numbers; labels are then numbers written as text.
        orders: Labels are orders of the responses, best first, such as '2>0=1'.
    """

    name: str
    labels: Mapping[str, float] = field(default_factory=dict, hash=False)
    swaps: Mapping[str, str] = field(default_factory=dict, hash=False)
    span: tuple[float, float] | None = None
    orders: bool = False

    def number(self, label: str) -> float:
        return float(label) if self.span else self.labels[label]

    def has(self, label: str) -> bool:
        if self.span is None:
            return label in self.labels
        try:
            return self.span[0] <= float(label) <= self.span[1]
        except ValueError:
            return False

    def swapped(self, label: str) -> str:
        return self.swaps.get(label, label)

    @property
    def tie(self) -> str | None:
        """The label that gives half to each of two responses, if the scale has one."""
        for label, number in self.labels.items():
            if self.swaps and number == 0.5 and self.swapped(label) == label:
                return label
        return None


def ints(name: str, low: int, high: int) -> Scale:
    return Scale(name, {str(i): float(i) for i in range(low, high + 1)})


def line(name: str, low: float, high: float) -> Scale:
    return Scale(name, span=(float(low), float(high)))


YES_NO = Scale("yes-no", {"yes": 1.0, "no": 0.0})
PAIR = Scale("pair", {"A": 1.0, "tie": 0.5, "B": 0.0}, {"A": "B", "B": "A"})
PAIR_NO_TIE = Scale("pair-no-tie", {"A": 1.0, "B": 0.0}, {"A": "B", "B": "A"})
PAIR_5 = Scale(
    "pair-5",
    {"A>>B": 1.0, "A>B": 0.75, "A=B": 0.5, "B>A": 0.25, "B>>A": 0.0},
    {"A>>B": "B>>A", "B>>A": "A>>B", "A>B": "B>A", "B>A": "A>B"},
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A probability distribution on a scale, with what it rests on.

    Undecided is a verdict too: `probs` is empty, `reason` starts with a code (unread, cut, empty,
    refused, rejected, overflow, split), and score, label and scores are None.

    Attributes:
        rater: Who judged; a person's id for a label. Set by whoever called the judge.
        probs: label -> probability, summing to 1; empty when undecided.
        parts: The verdicts that this one was pooled from.
        marks: What made it different (order, draw, item) and what was seen (spans, label mass).
        calls: The completions that it rests on, those of parts not repeated.
    """

    scale: Scale
    probs: Mapping[str, float] = field(default_factory=dict, hash=False)
    reason: str = ""
    parts: tuple[Verdict, ...] = ()
    marks: Mapping[str, Any] = field(default_factory=dict, hash=False)
    calls: tuple[Completion, ...] = ()
    case: str = ""
    rater: str = ""

    @property
    def decided(self) -> bool:
        return bool(self.probs)

    @property
    def code(self) -> str | None:
        """Why it is undecided; None when it is decided."""
        return None if self.probs else self.reason.partition(":")[0]

    @property
    def score(self) -> float | None:
        """The expectation in the scale's units."""
        if not self.probs or self.scale.orders:
            return None
        return sum(p * self.scale.number(label) for label, p in self.probs.items())

    @property
    def label(self) -> str | None:
        """The mode; of equals, the one that stands first in `probs`."""
        return max(self.probs, key=lambda k: self.probs[k]) if self.probs else None

    @property
    def scores(self) -> tuple[float, ...] | None:
        """One number per response: (4.2,) pointwise, (0.7, 0.3) pairwise, mean ranks listwise.

        Listwise numbers are expected normalised ranks: 1 is best, 0 is last, equals share.
        """
        if not self.probs:
            return None
        if self.scale.orders:
            return _expected_ranks(self.probs)
        score = self.score
        assert score is not None
        return (score, 1.0 - score) if self.scale.swaps else (score,)

    def marked(self, **marks: Any) -> Verdict:
        return replace(self, marks={**self.marks, **marks})


def _expected_ranks(probs: Mapping[str, float]) -> tuple[float, ...]:
    total: dict[int, float] = {}
    for order, p in probs.items():
        tiers = [[int(i) for i in tier.split("=")] for tier in order.split(">")]
        last, before = max(sum(map(len, tiers)) - 1, 1), 0
        for tier in tiers:
            rank = before + (len(tier) - 1) / 2
            before += len(tier)
            for i in tier:
                total[i] = total.get(i, 0.0) + p * (1.0 - rank / last)
    return tuple(total[i] for i in sorted(total))


@runtime_checkable
class Judge(Protocol):
    """Anything that decides a case. A frozen dataclass whose fields are all its settings."""

    @property
    def view(self) -> View: ...

    async def __call__(self, case: Case, /) -> Verdict: ...


@runtime_checkable
class Closing(Protocol):
    """A model that holds something open."""

    async def aclose(self) -> None: ...
