"""Does the response equal a reference, or contain one? No model is asked.

Paper: Thakur et al. 2024, "Judging the Judges: Evaluating Alignment and Vulnerabilities in
    LLMs-as-Judges". arXiv:2406.12624. Normalised in the manner of SQuAD (Rajpurkar et al. 2016,
    arXiv:1606.05250), but punctuation becomes a space, and numbers keep sign and decimal point.
    Words match whole: "no" is not in "know".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from evenhand.readers import undecided
from evenhand.records import YES_NO, Case, Verdict, View

_ARTICLES = {"a", "an", "the"}
# Everything but words, and but the sign and the point of a number.
_NOT_WORDS = re.compile(r"(?!(?<=\d)\.(?=\d))(?!(?<![^\s(])-(?=\d))[\W_]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# Scripts written without spaces between words: Thai to Burmese, Khmer, kana, Han.
_NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True, slots=True)
class Exact:
    """Yes if the normalised response equals any normalised reference."""

    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        text = normalised(case.responses[0].text)
        return _found(case, [one for one in case.reference if normalised(one) == text])


@dataclass(frozen=True, slots=True)
class Contains:
    """Yes if the normalised response contains any normalised reference, in whole words."""

    view: ClassVar[View] = "pointwise"

    async def __call__(self, case: Case) -> Verdict:
        text = normalised(case.responses[0].text)
        return _found(case, [one for one in case.reference if _within(normalised(one), text)])


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
    return " ".join([w for w in words if w not in _ARTICLES] or words or folded.split())


def _within(part: str, text: str) -> bool:
    at = text.find(part) if part else -1
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(part) : at + len(part) + 1]
        if not _joined(before, part[0]) and not _joined(part[-1], after):
            return True
        at = text.find(part, at + 1)
    return False


def _joined(left: str, right: str) -> bool:
    """Two neighbouring characters belong to one word or number."""
    inside = all(c and (_in_word(c) or c in ".-") for c in (left, right))
    return inside and not (_NO_SPACES.match(left) or _NO_SPACES.match(right))


def _in_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char)[0] == "M"  # vowel signs are marks


def _found(case: Case, found: list[str]) -> Verdict:
    if not any(one.strip() for one in case.reference):
        return undecided(YES_NO, "empty", "the case has no reference")
    told = f"found: {found[0][:200]}" if found else "no reference found"
    return Verdict(YES_NO, {"yes" if found else "no": 1.0}, told)
