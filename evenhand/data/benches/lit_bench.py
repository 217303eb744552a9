"""Stories of a forum, the one with more votes against another to the same prompt."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import Raw, apart, case_row, read, rows, sided, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import absent, as_text

PAIRS, STORIES = "data/train*", "stories.*"
SIDES = ("chosen", "rejected")
COLUMNS = tuple(f"{side}_comment_id" for side in SIDES)

CARD = Card(
    name="lit-bench",
    about="which of two stories had more votes",
    source="huggingface.co/datasets/SAA-Lab/LitBench-Test",
    revision="unknown; code at github.com/drfein/LitBench c1017dbe",
    licence="unstated",
    gold="human",
    view="pairwise",
    metric=Metric("accuracy", orders=2, ties="half"),
    files=(File(PAIRS, hub="data/train-00000-of-00001.parquet"), File(STORIES, needed=False)),
    rows=2381,
    split="test; the paper says 2,480",
    paper="Fein et al. 2025, LitBench: A Benchmark and Dataset for Reliable Evaluation of Creative "
    "Writing, arXiv:2507.00769",
    hub="SAA-Lab/LitBench-Test",
    notes="the source gives the ids of comments alone; their texts come from a file 'stories' of "
    "your own with the columns id, story and prompt, or give the source's rehydrated_test_data.csv "
    "in place of the ids; pairs without both texts are left out and counted; the votes are read as "
    "a preference; which story stands first is drawn from the ids; lengths were balanced over all "
    "pairs, not over those that are left",
)


def told(raw: Raw, side: str, stories: dict[str, Raw]) -> str:
    """The story, or "" where nobody has it."""
    found = raw.get(f"{side}_story")
    if absent(found):
        found = stories.get(text(raw, f"{side}_comment_id"), {}).get("story")
    return "" if absent(found) else as_text(found)


def read_stories(files: Files) -> dict[str, Raw]:
    if not files.has(STORIES):
        return {}
    found = rows(files, STORIES, ("id", "story"))
    return {as_text(raw["id"]): raw for _, raw in found if not isinstance(raw, Bad)}


def recovered(files: Files, stories: dict[str, Raw]) -> tuple[int, int]:
    """Pairs with both texts, and all pairs."""
    both = [
        all(told(raw, side, stories) for side in SIDES)
        for _, raw in rows(files, PAIRS, COLUMNS)
        if not isinstance(raw, Bad) and not any(absent(raw.get(one)) for one in COLUMNS)
    ]
    return sum(both), len(both)


def cases(files: Files) -> Iterator[Row | Bad]:
    stories = read_stories(files)
    there, pairs = recovered(files, stories)

    def make(raw: Any, at: int) -> Row:
        ids = [text(raw, column) for column in COLUMNS]
        both = [told(raw, side, stories) for side in SIDES]
        for column, ident, story in zip(COLUMNS, ids, both, strict=True):
            if not story:
                found = f"no text of comment {ident}: {there} of {pairs} pairs have both texts"
                raise Wrong(column, found, f"its text in {STORIES}")
        name = "/".join(ids)
        known = (
            stories.get(ids[0], {}).get("prompt") if absent(raw.get("prompt")) else raw["prompt"]
        )
        prompt = "" if absent(known) else as_text(known)
        responses, label = sided(name, *both)
        return case_row(name, prompt, responses, label=label, at=at, cluster=prompt or name)

    for _, one in apart(files, PAIRS):
        yield from read(one, PAIRS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
