"""Two images for a caption, and which one is better."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, one_of, read, split_name, text
from evenhand.data.rows import Bad, Row
from evenhand.data.texts import media
from evenhand.records import Response

PAIRS = "data/*.*[lt]"  # .jsonl and .parquet
SIDES = {0: "A", 1: "B"}

CARD = Card(
    name="mj-bench",
    about="which of two images is right, safe or better made for a caption",
    source="huggingface.co/datasets/MJ-Bench/MJ-Bench",
    revision="main of 2025 (gated); code: github.com/MJ-Bench/MJ-Bench at eb269ad",
    licence="unstated",
    gold="human",
    view="pairwise",
    metric=Metric("accuracy", ties="wrong", mean="subsets"),
    files=(File(PAIRS),),
    split="alignment, safety, quality, and what else lies in data/; one file each",
    paper="Chen et al. 2024, MJ-Bench: Is Your Multimodal Reward Model Really a Good Judge for "
    "Text-to-Image Generation?, arXiv:2407.04842",
    notes="columns by the card; the set is gated and was not seen. The part on bias holds single "
    "images with scores and is not read: leave its file out. The card says that the label is 0 "
    "everywhere in its present form, so judge in both orders. Images are read from the file, or "
    "by their paths from its folder",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, PAIRS):

        def make(raw: Any, at: int, path: Path = path) -> Row:
            folder, subset = str(path.parent), split_name(path)
            images = [media(raw.get(side), side, folder) for side in ("image0", "image1")]
            notes = {key: raw[key] for key in ("info", "category", "subcategory") if key in raw}
            return case_row(f"{subset}/{at}", text(raw, "caption"),
                [Response((image,)) for image in images], label=one_of(raw, "label", SIDES),
                at=at, cluster=text(raw, "caption"), group=subset, notes=notes)  # fmt: skip

        yield from read(one, PAIRS, make, columns=("caption", "image0", "image1", "label"))


BENCH = Bench(CARD, cases)
