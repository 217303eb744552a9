"""One rater's sheet: the cases as they are shown, the labels offered, as CSV and as a form."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenhand.data.key import Item
from evenhand.errors import Misuse
from evenhand.records import Case, Part, Scale
from evenhand.report.terminal import visible

REFUSE = "cannot judge"
FORM = Path(__file__).with_name("sheet.html")
_FORMULA = tuple("=+-@\t＝＋－＠")


@dataclass(frozen=True, slots=True)
class Answers:
    """What a rater may say: words and the judge's label for each, or any number of a span."""

    pairs: bool
    words: Mapping[str, str]
    span: tuple[float, float] | None = None

    @classmethod
    def on(cls, scale: Scale) -> Answers:
        """Raises: Misuse when the scale has no labels that one person can choose from."""
        if scale.swaps:
            words = {"first": "A", "about equal": "tie", "second": "B"}
            if scale.tie is None:
                del words["about equal"]
            return cls(True, words)
        if scale.span:
            return cls(False, {}, (float(scale.span[0]), float(scale.span[1])))
        if not scale.labels:
            raise Misuse(
                f"labels of the judge's scale {scale.name!r} cannot be collected on a sheet",
                expected="a judge of single responses or of pairs",
                do="judge the pairs with a pairwise judge, and label that run",
            )
        return cls(False, {label: label for label in scale.labels})

    @property
    def buttons(self) -> tuple[str, ...]:
        """Whole numbers where a line is short; () where a number has to be written."""
        if self.span is None:
            return tuple(self.words)
        low, high = self.span
        if not (low.is_integer() and high.is_integer() and 2 <= high - low <= 10):
            return ()
        return tuple(str(number) for number in range(int(low), int(high) + 1))

    @property
    def question(self) -> str:
        if self.pairs:
            return "Which response is better?"
        if self.span or all(map(str.isdecimal, self.words)):
            ends = self.span or sorted(map(float, self.words))
            return f"Rate the response from {ends[0]:g} to {ends[-1]:g}"
        return "Which label fits the response?"

    def keys(self) -> dict[str, str]:
        """Button -> the key that presses it. A digit is its own key."""
        if self.pairs:
            keys = {"first": "1", "about equal": "0", "second": "2"}
            return {word: keys[word] for word in self.words}
        if not all(map(str.isdecimal, self.buttons)):
            return dict(zip(self.buttons, "1234567890", strict=False))
        keys = {word: word for word in self.buttons if len(word) == 1}
        return keys if "0" in keys or "10" not in self.buttons else {**keys, "10": "0"}


# ---- what one rater sees ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A case as one rater sees it: no id, no system, responses perhaps swapped."""

    item: str
    key: Item
    prompt: tuple[tuple[str, str], ...]
    responses: tuple[str, ...]
    more: tuple[tuple[str, str], ...]


def sheet(cases: Sequence[Case], rater: str, seed: int, *, pairs: bool) -> list[Shown]:
    """The cases in this rater's order; each pair in an order of its own, by rater and seed."""
    order = sorted(cases, key=lambda case: case.id)
    random.Random(f"order {seed} {rater}").shuffle(order)
    return [_shown(case, rater, seed, pairs) for case in order]


def _shown(case: Case, rater: str, seed: int, pairs: bool) -> Shown:
    prompt = tuple((turn.role, _text(turn.parts)) for turn in case.prompt)
    texts = [_text(response.parts) for response in case.responses]
    # With its texts, so that no sheet fits the key of other data with the same ids.
    what = json.dumps([seed, rater, case.id, prompt, texts])
    digest = hashlib.sha256(what.encode()).digest()
    swapped = pairs and bool(digest[-1] & 1)
    return Shown(
        f"i{digest[:8].hex()}",  # digits alone, a spreadsheet would take for a number
        Item(case.id, rater, swapped),
        prompt,
        tuple(reversed(texts) if swapped else texts),
        tuple(_more(case)),
    )


def _more(case: Case) -> Iterable[tuple[str, str]]:
    several = {"Context": case.context, "Reference answer": case.reference}
    for title, texts in several.items():
        if texts:
            yield title, _plain("\n\n".join(texts))
    if case.rubric:
        words = isinstance(case.rubric, str)
        rubric = case.rubric if words else json.dumps(case.rubric, ensure_ascii=False, indent=1)
        yield "What to look for", _plain(rubric)


def _text(parts: Sequence[Part]) -> str:
    return _plain("\n".join(p if isinstance(p, str) else f"[{p.kind}]" for p in parts))


def _plain(text: str) -> str:
    """What a terminal would obey has no place in a browser either."""
    return visible(re.sub("\r\n?", "\n", text))


# ---- files -----------------------------------------------------------------------------------


def write_csv(file: Path, rater: str, sheet: Sequence[Shown]) -> None:
    """With a byte order mark, which is how spreadsheets know UTF-8."""
    most = max(len(one.responses) for one in sheet)
    names = _places(most)
    extra = list(dict.fromkeys(title for one in sheet for title, _ in one.more))
    with file.open("w", encoding="utf-8-sig", newline="") as handle:
        rows = csv.writer(handle)
        rows.writerow(["item", "rater", "prompt", *extra, *names, "label", "note"])
        for one in sheet:
            more = dict(one.more)
            responses = [*one.responses, *[""] * (most - len(one.responses))]
            cells = [_turns(one.prompt), *(more.get(title, "") for title in extra), *responses]
            rows.writerow([one.item, rater, *map(_cell, cells), "", ""])


def _places(n: int) -> list[str]:
    if n == 1:
        return ["response"]
    return ["first", "second"] if n == 2 else [f"response {i}" for i in range(1, n + 1)]


def _turns(prompt: Sequence[tuple[str, str]]) -> str:
    if len(prompt) == 1:
        return prompt[0][1]
    return "\n\n".join(f"[{role}]\n{text}" for role, text in prompt)


def _cell(text: str) -> str:
    """A spreadsheet would run what begins like a formula."""
    return "'" + text if text.startswith(_FORMULA) else text


def form(rater: str, sheet: Sequence[Shown], answers: Answers) -> str:
    """One HTML page that needs nothing else: texts are data in it, and never markup."""
    places = _places(max(len(one.responses) for one in sheet))
    data: dict[str, Any] = {
        "rater": rater,
        "question": answers.question,
        "places": [place.capitalize() for place in places],
        "answers": [[word, answers.keys().get(word, "")] for word in answers.buttons],
        "span": answers.span,
        "refuse": REFUSE,
        "items": [
            {"item": o.item, "prompt": o.prompt, "responses": o.responses, "more": o.more}
            for o in sheet
        ],
    }
    # The name under which the browser keeps answers: another sheet must not find them.
    data["sheet"] = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]
    text = json.dumps(data)  # ASCII: U+2028 and its like are escapes
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return FORM.read_text(encoding="utf-8").replace("{{data}}", text)
