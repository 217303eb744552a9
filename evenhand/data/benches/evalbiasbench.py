"""Pairs that set off the known biases of judges: the better response always stands first."""

from collections.abc import Iterator

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, one_of, text, whole
from evenhand.data.rows import Bad, Row, Wrong

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
    path, at = files.path(FILE), 0
    for bias, pairs in whole(path).items():
        for place, raw in enumerate(pairs):
            at += 1
            try:
                responses = (text(raw, "response1", empty=True), text(raw, "response2", empty=True))
                label = one_of(raw, "label", {"1": "A", "2": "B", 1: "A", 2: "B"})
                prompt, ident = text(raw, "instruction"), f"{bias}/{place}"
            except Wrong as wrong:
                due = f"{wrong.expected}, as in {CARD.source} at {CARD.revision}"
                yield Bad(str(path), at, wrong.field, wrong.found, due)
                continue
            yield case_row(ident, prompt, responses, label=label, at=at, file=str(path), group=bias)


BENCH = Bench(CARD, cases)
