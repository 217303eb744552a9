"""Pairs that set off the known biases of judges: the better response always stands first."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, one_of, text, whole
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.errors import DataError

FILE = "biasbench.json"

CARD = Card(
    name="evalbiasbench",
    about="pairs that set off six known biases",
    source="github.com/ncsoft/offsetbias",
    revision="0bd16e4ac935315999ed23480c69673b675884b0",
    licence="BSD-3-Clause",
    gold="constructed",
    view="pairwise",
    metric=Metric("consistent_accuracy", orders=2, ties="wrong"),
    files=(File(FILE, sha256="766684b9fedbd38ae3b5595a8ab0a7ea1abc51683d6e3a0cf8583688eaa09544"),),
    rows=80,
    paper="Park et al. 2024, OffsetBias: Leveraging Debiased Data for Tuning Evaluators, "
    "arXiv:2407.06551",
    status="verified",
    notes="every gold label is the first response, so that one order alone means nothing",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    """Biases -> lists of pairs; the row counts through all of them."""
    path, form = files.path(FILE), whole(files.path(FILE))
    known = f"as in {CARD.source} at {CARD.revision}"
    if not isinstance(form, dict) or not all(isinstance(one, list) for one in form.values()):
        due = f"{{bias: [pairs]}}, {known}"
        raise DataError("no lists of pairs", expected=due, file=str(path), row=1, field="bias")
    pairs = [(bias, n, raw) for bias, found in form.items() for n, raw in enumerate(found)]
    for at, (bias, place, raw) in enumerate(pairs, 1):
        try:
            yield _row(raw, bias, place, at)
        except Wrong as wrong:
            yield Bad(str(path), at, wrong.field, wrong.found, f"{wrong.expected}, {known}")


def _row(raw: Any, bias: str, place: int, at: int) -> Row:
    if not isinstance(raw, dict):
        raise Wrong("pair", str(raw)[:60], "an object")
    responses = (text(raw, "response1", empty=True), text(raw, "response2", empty=True))
    label = one_of(raw, "label", {"1": "A", "2": "B", 1: "A", 2: "B"})
    name = f"{bias}/{place}"
    return case_row(name, text(raw, "instruction"), responses, label=label, at=at, group=bias)


def published(_files: Files) -> Iterator[Published]:
    """Of judges that read nothing: the first response is always right, the longer one is not."""
    told = {"length bias": (17, 0), "concreteness": (14, 29), "empty reference": (13, 46),
            "content_continuation": (12, 33), "nested_instruction": (12, 25),
            "familiar knowledge preference bias": (12, 33)}  # fmt: skip
    for bias, (count, percent) in told.items():
        yield Published("", "rows", count, 0, bias, standing="computed")
        for judge, value in (("longer", percent), ("first", 100)):
            name = f"accuracy of the {judge}"
            yield Published(judge, name, value, 0, bias, "%", "computed")


BENCH = Bench(CARD, cases, published=published)
