"""Readers turn a completion into a verdict; what cannot be read is undecided, never a number.

Markers are read last first, outside of a reasoning block, and must stand on the scale. A reply that
was cut, refused or empty is undecided even if a marker occurs in it. Every verdict carries the
completion that it was read from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from evenhand.records import Completion, Scale, Verdict

_NONE: Mapping[str, str] = {}
_NO_FORMS: Mapping[str, Sequence[str]] = {}
# Between two markers that only list the answers allowed: no word but "or" and "and".
_LISTED = re.compile(r"(?:[\W_]|\b(?:or|and)\b)*", re.IGNORECASE)
# Around a token that is a label: what tokenisers and Markdown put there.
_AROUND = " \t\r\n\"'*`.,:;()[]\u2581\u0120\u201c\u201d\u2018\u2019"
# The tags of a reasoning block; one that opens in the middle of a line is only spoken of.
_THOUGHT = re.compile(r"^[ \t]*(<think>)|(</think>)", re.MULTILINE | re.IGNORECASE)
_STOPPED = {
    "refused": "the model would not answer",
    "rejected": "the server would not take the request",
    "overflow": "the request is longer than the model can take",
}


def undecided(scale: Scale, code: str, why: str, calls: Iterable[Completion] = ()) -> Verdict:
    """No verdict, and why: `code` is one of unread, cut, empty, refused, rejected, overflow, split.

    Example:
        >>> from evenhand.records import PAIR
        >>> undecided(PAIR, "split", "the orders differ").code
        'split'
    """
    return Verdict(scale, reason=f"{code}: {why}", calls=tuple(calls))


def unreadable(reply: Completion, scale: Scale) -> Verdict | None:
    """The undecided verdict of a reply that no reader may read; None when it may be read."""
    if stopped := _stopped(reply, scale):
        return stopped
    if reply.finish == "length":
        why = f"the reply ends at the token limit: {_short(reply.text)}"
        return undecided(scale, "cut", why, (reply,))
    if not spoken(reply.text).strip():
        told = "is nothing but reasoning" if reply.text.strip() else "has no text"
        return undecided(scale, "empty", f"the reply {told}", (reply,))
    return None


def spoken(text: str) -> str:
    """What a reply says outside of its reasoning, <think> to </think>.

    The opening tag may be missing, since some chat templates write it themselves.

    Example:
        >>> spoken("<think>[[A]]? No.</think>So: [[B]]")
        'So: [[B]]'
    """
    if "think>" not in text.casefold():
        return text
    said, start, thinking = list[str](), 0, False
    for tag in _THOUGHT.finditer(text):
        if tag[1] and not thinking:
            said.append(text[start : tag.start()])
        elif tag[2] and not thinking:
            said.clear()
        start, thinking = tag.end(), tag[1] is not None
    return "".join(said if thinking else [*said, text[start:]])


def _stopped(reply: Completion, scale: Scale) -> Verdict | None:
    if reply.finish not in _STOPPED:
        return None
    return undecided(scale, reply.finish, _told(_STOPPED[reply.finish], reply), (reply,))


def _told(what: str, reply: Completion) -> str:
    return f"{what}: {_short(reply.text)}" if reply.text.strip() else what


def _short(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 200 else text[:200] + "…")


# ---- markers in text -------------------------------------------------------------------------


def last_label(
    reply: Completion,
    scale: Scale,
    pattern: str | tuple[str, ...],
    *,
    rename: Mapping[str, str] = _NONE,
    end: bool = False,
) -> Verdict:
    """The last marker in the text, which must be on the scale.

    Markers that stand side by side and differ are a list of the answers allowed, not an answer.

    Args:
        pattern: A regular expression with one group; of several, the first that occurs is read.
        rename: What the marker says -> label.
        end: Whether no word may follow the marker.

    Example:
        >>> from evenhand.records import PAIR
        >>> last_label(Completion("Not [[A]]. So [[B]]"), PAIR, r"\\[\\[([ABC])\\]\\]").label
        'B'
    """
    if stopped := unreadable(reply, scale):
        return stopped
    text = spoken(reply.text)
    found = _occurrences(pattern, text)
    if not found:
        return _unread(scale, f"no verdict in {_short(text)}", reply)
    if end and (rest := _following(found[-1])):
        return _unread(scale, f"the verdict is not last: {_short(rest)} follows", reply)
    said = [rename.get(match[1], match[1]) for match in found]
    if not scale.has(said[-1]):
        return _off_scale(scale, said[-1], reply)
    if len(found) > 1 and said[-2] != said[-1]:
        between = text[found[-2].end() : found[-1].start()]
        if _LISTED.fullmatch(between):
            why = f"{said[-2]} and {said[-1]} stand side by side at the end of the markers"
            return _unread(scale, why, reply)
    return _sure(scale, said[-1], reply)


def last_number(
    reply: Completion, scale: Scale, pattern: str | tuple[str, ...], *, end: bool = False
) -> Verdict:
    """The last number that the pattern's group marks, which must lie on the scale.

    On a scale of labels the number must equal one of them ('7.0' is '7', '7.5' is undecided).

    Args:
        pattern: A regular expression with one group; of several, the first that occurs is read.
        end: Whether no word may follow the number.

    Example:
        >>> from evenhand.records import line
        >>> last_number(Completion("[[3]], no, [[7.5]]"), line("rating", 1, 10),
        ...             r"\\[\\[([\\d.]+)\\]\\]").score
        7.5
    """
    if stopped := unreadable(reply, scale):
        return stopped
    text = spoken(reply.text)
    found = _occurrences(pattern, text)
    if not found:
        return _unread(scale, f"no number marked in {_short(text)}", reply)
    if end and (rest := _following(found[-1])):
        return _unread(scale, f"the number is not last: {_short(rest)} follows", reply)
    said = found[-1][1].strip()
    label = _number_label(said, scale)
    return _off_scale(scale, said, reply) if label is None else _sure(scale, label, reply)


def _number_label(said: str, scale: Scale) -> str | None:
    if scale.has(said) and not scale.span:
        return said
    try:
        number = float(said)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    label = str(int(number)) if number.is_integer() else repr(number)
    return label if scale.has(label) else None


def whole_label(
    reply: Completion,
    scale: Scale,
    *,
    forms: Mapping[str, Sequence[str]] = _NO_FORMS,
    fold: bool = True,
) -> Verdict:
    """The reply is one label and nothing else, case and punctuation around it aside.

    A label may be cut (a caller who wants only the label asks for one token), unless a longer
    label begins like it.

    Args:
        fold: Whether upper and lower case are the same.

    Example:
        >>> from evenhand.records import YES_NO
        >>> whole_label(Completion(" Yes."), YES_NO).label
        'yes'
    """
    known, said = _surface(scale, forms, fold), _bare(spoken(reply.text), fold)
    label = known.get(said)
    longer = any(form != said and form.startswith(said) for form in known)
    cut = reply.finish == "length" and longer
    if label is None or cut or reply.finish not in ("stop", "length"):
        why = f"{_short(reply.text)} is none of {', '.join(scale.labels)}"
        return unreadable(reply, scale) or _unread(scale, why, reply)
    return _sure(scale, label, reply)


def _occurrences(pattern: str | tuple[str, ...], text: str) -> list[re.Match[str]]:
    for one in (pattern,) if isinstance(pattern, str) else pattern:
        if found := list(re.finditer(one, text)):
            return found
    return []


def _following(match: re.Match[str]) -> str:
    """What stands after the marker, if there is a word in it."""
    rest = match.string[match.end() :]
    return rest if re.search(r"[^\W_]", rest) else ""


def _sure(scale: Scale, label: str, reply: Completion) -> Verdict:
    return Verdict(scale, {label: 1.0}, reply.text, calls=(reply,))


def _unread(scale: Scale, why: str, reply: Completion) -> Verdict:
    return undecided(scale, "unread", why, (reply,))


def _off_scale(scale: Scale, said: str, reply: Completion) -> Verdict:
    allowed = "{:g} to {:g}".format(*scale.span) if scale.span else ", ".join(scale.labels)
    return _unread(
        scale, f"verdict {said[:40]} is not on the scale {scale.name} ({allowed})", reply
    )


# ---- token probabilities ---------------------------------------------------------------------


def label_probs(
    reply: Completion,
    scale: Scale,
    *,
    forms: Mapping[str, Sequence[str]] = _NO_FORMS,
    at: int | None = 0,
    take: Literal["sum", "max"] = "sum",
    missing: Literal["zero", "stop"] = "zero",
    fold: bool = True,
) -> Verdict:
    """Probabilities of the labels among the alternatives of one output token.

    They are renormalised over the labels; `marks["mass"]` is their total before that. A tokeniser
    that splits '10' makes it look like '1': where '10' is not seen whole, that is undecided.

    Args:
        forms: label -> ways in which it is written; the label itself when not given. Spaces and
            punctuation around a candidate do not count.
        at: Index of the output token; None: the first token that is itself a label.
        take: Whether the forms of a label add up or its likeliest one stands for it.
        missing: What a label that is not among the alternatives means: probability zero, or an
            undecided verdict.
        fold: Whether upper and lower case are the same.

    Example:
        >>> from evenhand.records import YES_NO
        >>> tops = ({"Yes": math.log(0.6), " yes": math.log(0.2), "no": math.log(0.1)},)
        >>> verdict = label_probs(Completion("Yes", tops), YES_NO)
        >>> round(verdict.probs["yes"], 3), verdict.marks["mass"]
        (0.889, 0.9)
    """
    if stopped := _stopped(reply, scale):
        return stopped
    known = _surface(scale, forms, fold)
    place = _first_label(reply.tops, known, fold) if at is None else at
    if place is None or not -len(reply.tops) <= place < len(reply.tops):
        return _unread(scale, _no_tokens(reply, scale, at), reply)
    mass: dict[str, float] = {}
    for label, p in _masses(reply.tops[place], known, fold):
        mass[label] = mass.get(label, 0.0) + p if take == "sum" else max(mass.get(label, 0.0), p)
    total = math.fsum(mass.values())
    if not (total > 0.0 and math.isfinite(total)):
        top = ", ".join(repr(c) for c in _likeliest(reply.tops[place])[:5])
        names = ", ".join(scale.labels)
        return _unread(scale, f"none of {names} among the first tokens ({top})", reply)
    if missing == "stop" and (lacking := [x for x in scale.labels if x not in mass]):
        return _unread(scale, f"no probability came back for {', '.join(lacking)}", reply)
    if split := _split_label(mass, known):
        why = f"the model may write {split[0]} in two tokens, which then look like {split[1]}"
        return _unread(scale, f"{why}; give the scale labels that do not begin alike", reply)
    probs = {label: mass.get(label, 0.0) / total for label in scale.labels}
    return Verdict(scale, probs, reply.text, marks={"mass": round(total, 6)}, calls=(reply,))


def _split_label(mass: Mapping[str, float], known: Mapping[str, str]) -> tuple[str, str] | None:
    """A label that was not seen whole, and the one that it begins with, such as 10 and 1."""
    for form, label in known.items():
        if label in mass:
            continue
        for start in known:
            if form != start and form.startswith(start) and known[start] in mass:
                return label, known[start]
    return None


def answered(reply: Completion, scale: Scale) -> Verdict:
    """The typed answer of a decision model: its probabilities are the verdict.

    Example:
        >>> from evenhand.records import YES_NO
        >>> answered(Completion("", answer={"yes": 0.7, "no": 0.3}), YES_NO).score
        0.7
    """
    if stopped := _stopped(reply, scale):
        return stopped
    given = reply.answer or {}
    mass = {label: given[label] for label in scale.labels if label in given}
    total = math.fsum(mass.values())
    if not (total > 0.0 and math.isfinite(total) and min(mass.values()) >= 0.0):
        names = ", ".join(scale.labels)
        return _unread(scale, f"the typed answer {dict(given)} gives nothing to {names}", reply)
    probs = {label: p / total for label, p in mass.items()}
    return Verdict(scale, probs, reply.text, marks={"mass": round(total, 6)}, calls=(reply,))


def _surface(scale: Scale, forms: Mapping[str, Sequence[str]], fold: bool) -> dict[str, str]:
    """Bare form -> label.

    Raises:
        ValueError: Two labels cannot be told apart once case and punctuation are gone.
    """
    known: dict[str, str] = {}
    for label in scale.labels:
        for form in forms.get(label, (label,)):
            if known.setdefault(_bare(form, fold), label) != label:
                other = known[_bare(form, fold)]
                raise ValueError(f"labels {other!r} and {label!r} of {scale.name} read the same")
    return known


def _bare(token: str, fold: bool) -> str:
    bare = token.strip(_AROUND) or token.strip()
    return bare.casefold() if fold else bare


def _masses(
    top: Mapping[str, float], known: Mapping[str, str], fold: bool
) -> Iterator[tuple[str, float]]:
    for token, logprob in top.items():
        label = known.get(_bare(token, fold))
        if label is not None:
            yield label, math.exp(min(logprob, 0.0))


def _likeliest(top: Mapping[str, float]) -> list[str]:
    return sorted(top, key=lambda token: -top[token])


def _first_label(
    tops: Sequence[Mapping[str, float]], known: Mapping[str, str], fold: bool
) -> int | None:
    likeliest = (_likeliest(top)[:1] for top in tops)
    return next((i for i, c in enumerate(likeliest) if c and _bare(c[0], fold) in known), None)


def _no_tokens(reply: Completion, scale: Scale, at: int | None) -> str:
    if not reply.tops:
        return "no token probabilities came back"
    if at is None:
        return f"none of {', '.join(scale.labels)} is a token of {_short(reply.text)}"
    return f"the reply has {len(reply.tops)} tokens, and token {at} was to be read"
