"""Does the response equal a reference, or contain one? No model is asked.

Paper: Thakur et al. 2024, "Judging the Judges: Evaluating Alignment and Vulnerabilities in
    LLMs-as-Judges". arXiv:2406.12624. Normalised in the manner of SQuAD (Rajpurkar et al. 2016,
    arXiv:1606.05250), but punctuation becomes a space, and numbers keep sign and decimal point.
    Words match whole: "no" is not in "know".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from evenhand.readers import undecided
from evenhand.records import YES_NO, Case, Scale, Verdict, View

# Everything but words, and but the sign and the point of a number.
_NOT_WORDS = re.compile(r"(?!(?<=\d)\.(?=\d))(?!(?<![^\s(])-(?=\d))[\W_]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Scripts written without spaces between words: Thai to Burmese, Khmer, kana, Han.
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Exact:
    """Yes if the normalised response equals any normalised reference."""

    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = YES_NO

    async def __call__(self, case: Case) -> Verdict:
        text = normalised(case.responses[0].text)
        return _found(case, lambda reference: reference == text)


@dataclass(frozen=True, slots=True)
class Contains:
    """Yes if the normalised response contains any normalised reference, in whole words."""

    view: ClassVar[View] = "pointwise"
    answers: ClassVar[Scale] = YES_NO

    async def __call__(self, case: Case) -> Verdict:
        text = normalised(case.responses[0].text)
        return _found(case, lambda reference: _within(reference, text))


def normalised(text: str) -> str:
    """NFKC, case folded, punctuation to spaces, articles dropped, spaces joined.

    What would leave nothing ("The", "+") keeps its articles, and failing that its signs.
    Example:
        >>> normalised("The  Eiffel-Tower, 1,063.5 ft!")
        'eiffel tower 1063.5 ft'
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2212", "-")
    joined = _THOUSANDS.sub("", " ".join(folded.split()))
    words = _NOT_WORDS.sub(lambda m: m[0] if _in_word(m[0]) else " ", joined).split()
    return " ".join([w for w in words if w not in ("a", "an", "the")] or words or folded.split())


def _within(part: str, text: str) -> bool:
    for match in re.finditer(f"(?={re.escape(part)})", text):
        start, end = match.start(), match.start() + len(part)
        joined = _joined(text[start - 1 : start], part[0])
        if not joined and not _joined(part[-1], text[end : end + 1]):
            return True
    return False


def _joined(left: str, right: str) -> bool:
    """Two neighbouring characters belong to one word or number."""
    return all(c and (_in_word(c) or c in ".-") and not _NO_SPACES.match(c) for c in (left, right))


def _in_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"  # vowel signs are marks


def _found(case: Case, matches: Callable[[str], bool]) -> Verdict:
    known = [normalised(one) for one in case.reference if one.strip()]
    if not known:
        return undecided(YES_NO, "empty", "the case has no reference")
    label, told = ("yes", "a") if any(map(matches, known)) else ("no", "no")
    return Verdict(YES_NO, {label: 1.0}, f"{told} reference was found")
