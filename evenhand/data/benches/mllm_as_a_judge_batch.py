"""Four answers about an image, put in order by people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.benches.mllm_as_a_judge import PAPER, REVISION, SOURCE, answer, asked
from evenhand.data.reading import apart, case_row, read, text
from evenhand.data.rows import Bad, Row, Wrong

BATCHES = "Dataset/Benchmark*/batch*.jsonl"

CARD = Card(
    name="mllm-as-a-judge-batch",
    about="the order of four answers about an image, best first",
    source=SOURCE,
    revision=REVISION,
    licence="MIT",
    gold="human",
    view="listwise",
    metric=Metric("order_distance"),
    files=(File(BATCHES),),
    split="batch",
    paper=PAPER,
    notes="columns as seen in batch.jsonl of the repository; the whole file was not read. The "
    "source gives the distance alone, 0 is best; order_kendall is the other figure",
)


def order(raw: Any, n: int) -> str:
    """'CDAB', which is best first, as '2>3>0>1'."""
    given = text(raw, "human_answer").strip()
    letters = [chr(ord("A") + at) for at in range(n)]
    if sorted(given) != letters:
        raise Wrong("human_answer", repr(given)[:60], f"each of {''.join(letters)} once")
    return ">".join(str(letters.index(letter)) for letter in given)


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, BATCHES):

        def make(raw: Any, at: int, path: Path = path) -> Row:
            given = raw.get("answers")
            if not isinstance(given, list) or len(given) < 2:
                raise Wrong("answers", str(given)[:60], "a list of answers")
            answers = [answer(each, "answers") for each in given]
            return case_row(f"{path.stem}/{text(raw, 'id')}", asked(raw, path), answers, at=at,
                label=order(raw, len(answers)), cluster=text(raw, "image_path"),
                group=text(raw, "original_dataset"))  # fmt: skip

        columns = ("id", "instruction", "image_path", "original_dataset", "answers", "human_answer")
        yield from read(one, BATCHES, make, columns=columns)


BENCH = Bench(CARD, cases)
