"""Code snippets judged by GPT-3.5, against several graders."""

import re
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, read, read_many, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Verdict, ints

GRADED = "conala_*_gpt35.jsonl*"
SCALE = ints("usefulness", 0, 4)
SAID = re.compile(r"score\W*(?:is\W*)?([0-4])\b|^\W*([0-4])\b", re.IGNORECASE)

CARD = Card(
    name="ice-score-conala",
    about="how useful is a code snippet, 0 to 4",
    source="github.com/terryyz/ice-score",
    revision="4e45c6dcd0a31cf62488619ce23cecc032263d8b",
    licence="MIT",
    gold="human",
    view="pointwise",
    metric=Metric("kendall", options={"gold": "mean"}),
    files=(File(GRADED),),
    rows=5000,
    split="CoNaLa, judged with and without steps",
    folder="ice_score",
    paper="Zhuo 2023, ICE-Score: Instructing Large Language Models to Evaluate Code, "
    "arXiv:2304.14317",
    status="verified",
    notes="16 graders, 2 to 8 a snippet, counted by their mean: the published values rest on "
    "another aggregate that is not in the source",
)


def each(files: Files) -> Iterator[tuple[str, Files]]:
    for path in files.paths[GRADED]:
        name = path.name.split(".")[0].removesuffix("_gpt35").removeprefix("conala_")
        yield name, Files(files.card, {GRADED: (path,)})


def cases(files: Files) -> Iterator[Row | Bad]:
    for name, one in each(files):

        def make(raw: Any, at: int, name: str = name) -> Row:
            item, who = f"{name}/{text(raw, 'item')}", text(raw, "system")
            return case_row(f"{item}/{who}", item, ("",), label=None, at=at, cluster=item,
                systems=(who,), group=name)  # fmt: skip

        yield from read(one, GRADED, make, columns=("item", "system", "graders"))


def people(files: Files) -> Iterator[Label | Bad]:
    for name, one in each(files):

        def make(raw: Any, _at: int, name: str = name) -> list[Label]:
            if not isinstance(raw["graders"], dict):
                raise Wrong("graders", str(raw["graders"]), "{grader: 0 to 4}")
            ident = f"{name}/{raw['item']}/{raw['system']}"
            return [Label(ident, who, f"{grade:g}") for who, grade in raw["graders"].items()]

        yield from read_many(one, GRADED, make, columns=("item", "system", "graders"))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    """The last grade that the text names."""
    for name, one in each(files):

        def make(raw: Any, _at: int, name: str = name) -> Verdict:
            found = list(SAID.finditer(text(raw, "gpt35_text", empty=True)))
            grade = next(filter(None, found[-1].groups())) if found else None
            ident = f"{name}/{raw['item']}/{raw['system']}"
            return said(ident, "gpt-3.5", grade, scale=SCALE)

        yield from read(one, GRADED, make, columns=("item", "system", "gpt35_text"))


def published(_files: Files) -> Iterator[Published]:
    """Only of the form without steps, where the grade is all that is said."""
    values = {"kendall": (0.574, 0.556), "pearson": (0.69, 0.706), "spearman": (0.635, 0.693)}
    for name, both in values.items():
        for within, value in zip((True, False), both, strict=True):
            yield Published("gpt-3.5", name, value, 3, "no_step_no_ref", standing="computed",
                options={"gold": "mean", "within": within})  # fmt: skip


BENCH = Bench(CARD, cases, people=people, recorded=recorded, published=published)
