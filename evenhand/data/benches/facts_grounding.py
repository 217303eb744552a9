"""Requests with a long document: is the answer grounded in it?"""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import RESPONSES, answered, case_row, text
from evenhand.data.rows import Bad, Row
from evenhand.records import Message

ASKED = "examples.csv"
COLUMNS = ("system_instruction", "user_request", "context_document", "full_prompt")

CARD = Card(
    name="facts-grounding",
    about="is every claim of an answer supported by the document that was given?",
    source="huggingface.co/datasets/google/FACTS-grounding-public",
    revision="11b6961370aa0ac73c91d58e35317e724b2ac765",
    licence="CC-BY-4.0",
    gold="none",
    view="pointwise",
    metric=Metric("pass_rate", options={"positive": "yes"}),
    files=(File(ASKED), File(RESPONSES)),
    rows=860,
    split="public",
    paper="Jacovi et al. 2025, The FACTS Grounding Leaderboard: Benchmarking LLMs' Ability to "
    "Ground Responses to Long-Form Input, arXiv:2501.03200",
    hub="google/FACTS-grounding-public",
    notes="questions alone: the answers of your systems come from responses.jsonl (id, response, "
    "system), where the id is the number of the row of examples.csv, from 1. Columns by the card; "
    "the file was not seen. The source has three judges and sets answers to 0 that do not do "
    "what was asked; its own templates are in evaluation_prompts.csv, not read here",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        system, user = (text(raw, name) for name in ("system_instruction", "user_request"))
        prompt = (Message("system", (system,)), Message("user", (user,)))
        document = text(raw, "context_document")
        return case_row(str(at), prompt, (), label=None, at=at, context=(document,))

    return answered(files, ASKED, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
