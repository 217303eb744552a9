"""Two answers about an image, and which one people prefer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, one_of, read, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import media
from evenhand.records import Media, Message, Response

PAIRS = "Dataset/Benchmark*/pair*.jsonl"
SIDES = {"A": "A", "B": "B", "C": "tie"}
SOURCE, REVISION = "github.com/Dongping-Chen/MLLM-Judge", "df088771f4bd635cd23a759415141d912feef8d1"
PAPER = (
    "Chen et al. 2024, MLLM-as-a-Judge: Assessing Multimodal LLM-as-a-Judge with Vision-Language "
    "Benchmark, arXiv:2402.04788"
)

CARD = Card(
    name="mllm-as-a-judge",
    about="which of two answers about an image people prefer",
    source=SOURCE,
    revision=REVISION,
    licence="MIT",
    gold="human",
    view="pairwise",
    metric=Metric("accuracy", ties="separate"),
    files=(File(PAIRS),),
    split="pair; the scores are mllm-as-a-judge-score, the orders mllm-as-a-judge-batch",
    paper=PAPER,
    notes="columns as seen in pair_lite.jsonl of the repository; whole files were not read. "
    "Images are looked for beside the file and one folder up, in image/ too",
)


def asked(raw: Any, path: Path) -> tuple[Message, ...]:
    """The question with its image."""
    name, problem = text(raw, "image_path"), text(raw, "instruction")
    return (Message("user", (problem, image(name, path.parent))),)


def image(name: str, folder: Path) -> Media:
    for place in (folder, folder / "image", folder.parent, folder.parent / "image"):
        if (place / name).is_file():
            return media(name, "image_path", str(place))
    return media(name, "image_path", str(folder))


def answer(value: Any, column: str) -> Response:
    if not isinstance(value, dict) or not isinstance(value.get("answer"), str):
        raise Wrong(column, str(value)[:60], "an object with name and answer")
    return Response((value["answer"],), str(value.get("name")))


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, PAIRS):

        def make(raw: Any, at: int, path: Path = path) -> Row:
            both = [answer(raw.get(side), side) for side in ("answer1", "answer2")]
            return case_row(f"{path.stem}/{text(raw, 'pair_id')}", asked(raw, path), both,
                label=one_of(raw, "human_answer", SIDES), at=at, cluster=text(raw, "image_path"),
                group=text(raw, "original_dataset"))  # fmt: skip

        columns = ("pair_id", "image_path", "original_dataset", "instruction", "answer1",
                   "answer2", "human_answer")  # fmt: skip
        yield from read(one, PAIRS, make, columns=columns)


BENCH = Bench(CARD, cases)
