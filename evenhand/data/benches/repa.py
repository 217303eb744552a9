"""Russian answers compared by people on ten kinds of error and as a whole."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, one_of, read_many, rows, text
from evenhand.data.rows import Bad, Row
from evenhand.errors import DataError
from evenhand.records import Response

ANSWERS = "repa_dataset.tsv"
SIDES = {"bot_1": "A", "bot_2": "B", "both_good": "tie", "both_bad": "tie"}
ERRORS = (
    *("request_following", "factuality", "repetition", "code_switching", "relevance"),
    *("harmfulness", "fluency", "contradiction", "sudden_interruption", "refusal"),
)
COLUMNS = ("query", "query_category", "model_name_1", "model_name_2", "model_output_1",
           "model_output_2", *ERRORS, "overall")  # fmt: skip

CARD = Card(
    name="repa",
    about="which of two Russian answers has less of an error, of ten kinds, and is better overall",
    source="huggingface.co/datasets/RussianNLP/repa",
    revision="50780d9",
    licence="MIT",
    gold="human",
    view="pairwise",
    metric=Metric("mean_accuracy", orders=2, ties="separate", mean="subsets"),
    files=(File(ANSWERS),),
    split="1,000 queries; a case for each of them and each kind of error",
    paper="Pugachev et al. 2025, REPA: Russian Error Types Annotation for Evaluating Text "
    "Generation and Judgment Capabilities, arXiv:2503.13102",
    hub="RussianNLP/repa",
    notes="columns and labels are those of the data card; a file with others is refused, never "
    "guessed at; good and bad alike is a tie",
)


def header_known(files: Files) -> None:
    """Raises: DataError with the header, when it is not that of the data card."""
    for at, raw in rows(files, ANSWERS):
        if isinstance(raw, Bad):
            continue
        if lacking := [column for column in COLUMNS if column not in raw]:
            raise DataError(
                f"the header is not the known one: {', '.join(raw)}",
                expected=f"columns as in {CARD.source} at {CARD.revision}: {', '.join(COLUMNS)}",
                do="rename the columns, or take the file of that revision",
                file=str(files.path(ANSWERS)),
                row=at,
                field=lacking[0],
            )
        return


def cases(files: Files) -> Iterator[Row | Bad]:
    header_known(files)

    def make(raw: Any, at: int) -> list[Row]:
        prompt = text(raw, "query")
        both = [
            Response((text(raw, f"model_output_{k}", empty=True),), text(raw, f"model_name_{k}"))
            for k in (1, 2)
        ]
        return [
            case_row(
                f"{at}/{error}", prompt, both, label=one_of(raw, error, SIDES), at=at,
                cluster=prompt, group=error, rubric=error.replace("_", " "),
                notes={"category": raw["query_category"], "label": raw[error]},
            )
            for error in (*ERRORS, "overall")
        ]  # fmt: skip

    return read_many(files, ANSWERS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
