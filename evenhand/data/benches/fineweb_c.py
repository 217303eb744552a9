"""Educational value of web pages in Danish, by two or three annotators."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, read, read_many, text
from evenhand.data.rows import Bad, Row, Wrong

CASES = "fineweb_c_*.jsonl*"
GRADES = ("None", "Minimal", "Basic", "Good", "Excellent")
PROBLEM = "problematic"

CARD = Card(
    name="fineweb-c",
    about="how much can be learnt from a web page (Danish)?",
    source="github.com/Shadoughcake/Enhancing-Multilingual-AI-Analyzing-and-Modeling-Educational-"
    "Content-with-the-FineWeb-C",
    revision="6e6f2948aab1f27d5e6bf9c553754bbe397810d7",
    licence="unstated",
    gold="human",
    view="pointwise",
    metric=Metric("krippendorff_alpha", options={"level": "nominal"}),
    files=(File(CASES),),
    rows=1000,
    split="dan_Latn, relabelled",
    folder="fineweb_c_danish",
    status="verified",
    notes="some pages keep one agreed label, so that labels can be fewer than annotators; texts "
    "are cut to 1,000 characters",
)


def labels(raw: Any) -> list[str]:
    found = raw.get("labels")
    if not isinstance(found, list) or not found:
        raise Wrong("labels", str(found)[:60], "a list of labels")
    return [one if one in GRADES else PROBLEM for one in found]


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        found = labels(raw)
        gold = found[0] if len(set(found)) == 1 else None
        return case_row(text(raw, "id"), "", (text(raw, "text_first_1000", empty=True),),
            label=gold, at=at, group=text(raw, "language"))  # fmt: skip

    return read(files, CASES, make, columns=("id", "labels", "language"))


def people(files: Files) -> Iterator[Label | Bad]:
    """Labels are not told apart by annotator: their places are the raters."""

    def make(raw: Any, _at: int) -> list[Label]:
        ident = text(raw, "id")
        return [Label(ident, f"label {n}", one) for n, one in enumerate(labels(raw), 1)]

    return read_many(files, CASES, make, columns=("id", "labels"))


def published(_files: Files) -> Iterator[Published]:
    totals = {"None": 1200, "Minimal": 656, PROBLEM: 370, "Basic": 125, "Good": 16, "Excellent": 5}
    for label, count in totals.items():
        yield Published("", "people_label_count", count, 0, options={"label": label},
            standing="computed")  # fmt: skip
    for n, pages in ((3, 484), (2, 404), (1, 112)):
        yield Published("", "cases_with_labels", pages, 0, options={"n": n}, standing="computed")


BENCH = Bench(CARD, cases, people=people, published=published)
