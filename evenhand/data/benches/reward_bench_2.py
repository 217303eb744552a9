"""One right answer among four, and prompts with several right ones."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read_many, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import kind, shown
from evenhand.records import Response

PROMPTS = "data/test*"

CARD = Card(
    name="reward-bench-2",
    about="whether the right answer is scored above three wrong ones",
    source="huggingface.co/datasets/allenai/reward-bench-2",
    revision="unknown; code at github.com/allenai/reward-bench 05a9005e",
    licence="ODC-BY",
    gold="constructed",
    view="pointwise",
    metric=Metric("best_of", options={"ties_in": "Ties"}),
    files=(File(PROMPTS, hub="data/test-00000-of-00001.parquet"),),
    split="test",
    paper="Malik et al. 2025, RewardBench 2: Advancing Reward Model Evaluation, arXiv:2506.01937",
    hub="allenai/reward-bench-2",
    notes="1,865 prompts; every response is a case, labelled 1 or 0, and the prompt its cluster; "
    "columns and the scoring are those of the data card and the code; unchecked: the spelling of "
    "the subsets, of which 'Ties' has ids such as tied:3 and ref:3",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    """The right responses of a prompt come first, as in the source."""

    def make(raw: Any, at: int) -> list[Row]:
        ident, group = text(raw, "id"), text(raw, "subset")
        known = {"prompt": ident}
        # ref:3 and tied:3 ask the same
        cluster = ident.partition(":")[2] or ident
        found = [("1", one) for one in texts(raw, "chosen")]
        found += [("0", one) for one in texts(raw, "rejected")]
        models = raw.get("models") or []
        who = models if len(models) == len(found) else [None] * len(found)
        return [
            case_row(
                f"{ident}/{place}", text(raw, "prompt"), (Response((answer,), who[place]),),
                label=label, at=at, cluster=f"{group}/{cluster}", group=group, notes=known,
            )
            for place, (label, answer) in enumerate(found)
        ]  # fmt: skip

    columns = ("id", "prompt", "chosen", "rejected", "subset")
    for _, one in apart(files, PROMPTS):
        yield from read_many(one, PROMPTS, make, columns=columns)


def texts(raw: Any, column: str) -> list[str]:
    value = raw.get(column)
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise Wrong(column, f"{kind(value)}: {shown(value)}", "a list of texts")
    return value


BENCH = Bench(CARD, cases)
