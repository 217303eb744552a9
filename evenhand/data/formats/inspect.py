"""Logs of Inspect AI, .json and .eval: samples with the scores of each scorer.

Letters are C, P, I and N (correct, partial, incorrect, no answer). A score that holds several
values is one judge each. Fields are those of the documentation; a log was not read.
"""

import fnmatch
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Files
from evenhand.data.foreign import Told, answer, each, form_card, inside, part, scaled
from evenhand.data.reading import case_row, text, whole
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import absent, kind, messages, shown, texts
from evenhand.errors import DataError
from evenhand.records import Verdict

COLUMNS = ("id", "input", "scores")

CARD = form_card(
    "inspect", "Inspect AI: eval logs, .json and .eval",
    source="github.com/UKGovernmentBEIS/inspect_ai", revision="499e6152e", view="pointwise",
)  # fmt: skip


def listed(path: Path) -> Iterator[Any]:
    """Samples, each with the model that answered."""
    if zipfile.is_zipfile(path):
        yield from unpacked(path)
        return
    log = whole(path)
    model = part(log, "eval", "model")
    for sample in inside(path, log, "samples", source=CARD.source):
        yield {**sample, "model": model} if isinstance(sample, dict) else sample


def unpacked(path: Path) -> Iterator[Any]:
    try:
        with zipfile.ZipFile(path) as packed:
            model = part(json.loads(packed.read("header.json")), "eval", "model")
            for name in fnmatch.filter(packed.namelist(), "samples/*.json"):
                yield {**json.loads(packed.read(name)), "model": model}
    except (KeyError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise DataError(
            f"the log cannot be unpacked: {error}", expected="header.json and samples/*.json",
            do="inspect log convert LOG --to json --output-dir DIR", file=str(path),
        ) from error  # fmt: skip


def ident(raw: Any) -> str:
    return f"{raw.get('model')}/{text(raw, 'id')}/{raw.get('epoch', 1)}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Iterator[Row]:
        given = raw.get("input")
        asked = "" if absent(given) else messages(given, "input", "")
        answered = part(raw, "output", "completion")
        if answered is None and part(raw, "output", "choices"):
            answered = part(raw["output"]["choices"][0], "message", "content")
        said = answered if isinstance(answered, str) else json.dumps(answered or "")
        yield case_row(
            ident(raw), asked, [said], label=None, at=at, cluster=text(raw, "id"),
            systems=[raw.get("model")], reference=texts(raw.get("target")),
        )  # fmt: skip

    yield from each(files, listed, make, columns=COLUMNS)


def scores(raw: Any, _at: int) -> Iterator[Told]:
    if not isinstance(raw["scores"], dict | None):
        raise Wrong("scores", f"{kind(raw['scores'])}: {shown(raw['scores'])}", "an object")
    for judge, score in (raw["scores"] or {}).items():
        value = part(score, "value")
        many = value if isinstance(value, dict) else {"": value}
        for name, one in many.items():
            whose = f"{judge} {name}".strip()
            yield ident(raw), whose, answer(one), part(score, "explanation")


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    return scaled(lambda: each(files, listed, scores, columns=COLUMNS))


BENCH = Bench(CARD, cases, recorded=recorded)
