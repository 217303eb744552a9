"""Pairs of answers with the preferences of several people, in eleven categories."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, read, read_many, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import texts

PAIRS = "data/dev-*"
SIDES = {0: "tie", 1: "A", 2: "B"}
COLUMNS = ("instruction", "output_a", "output_b", "generator_a", "generator_b", "annotations",
           "category", "reference")  # fmt: skip

CARD = Card(
    name="href",
    about="which of two answers people prefer, with a person's answer as reference",
    source="huggingface.co/datasets/allenai/href_preference",
    revision="386e582",
    licence="ODC-BY",
    gold="human",
    view="pairwise",
    metric=Metric("leave_one_out_agreement"),
    files=(File(PAIRS, hub="data/dev-00000-of-00001.parquet"),),
    split="dev",
    paper="Lyu et al. 2024, HREF: Human Response-Guided Evaluation of Instruction Following in "
    "Language Models, arXiv:2412.15524",
    hub="allenai/href_preference",
    notes="columns as read by github.com/Alrope123/humanIF at "
    "395bdb6850a0ea82e1e6fbadf215cd01c008eb1b; that 1 is output_a and 0 a tie follows from its "
    "script and was not seen in the file; people have no names there, so they are counted",
)  # fmt: skip


def ident(raw: Any, at: int) -> str:
    return f"{text(raw, 'category')}/{at}"


def cases(files: Files) -> Iterator[Row | Bad]:
    """No gold: it is the people's labels, whose commonest may be shared."""

    def make(raw: Any, at: int) -> Row:
        outputs = (text(raw, "output_a", empty=True), text(raw, "output_b", empty=True))
        prompt = text(raw, "instruction")
        return case_row(ident(raw, at), prompt, outputs, label=None, at=at, cluster=prompt,
            systems=(text(raw, "generator_a"), text(raw, "generator_b")),
            group=text(raw, "category"), reference=texts(raw.get("reference")))  # fmt: skip

    return read(files, PAIRS, make, columns=COLUMNS)


def people(files: Files) -> Iterator[Label | Bad]:
    def make(raw: Any, at: int) -> list[Label]:
        given = raw.get("annotations")
        if not isinstance(given, list) or any(str(one) not in ("0", "1", "2") for one in given):
            raise Wrong("annotations", str(given)[:60], "a list of 0, 1 and 2")
        return [
            Label(ident(raw, at), f"annotator {n}", SIDES[int(one)], row=at)
            for n, one in enumerate(given, 1)
        ]

    return read_many(files, PAIRS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases, people=people)
