"""Four answers to each of 64,000 prompts, rated by GPT-4 on four aspects."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read_many, text
from evenhand.data.rows import Bad, Row, Wrong

RATED = "*.jsonl*"
ASPECTS = ("instruction_following", "honesty", "truthfulness", "helpfulness")

CARD = Card(
    name="ultra-feedback",
    about="GPT-4's ratings of answers on four aspects, 1 to 5",
    source="huggingface.co/datasets/openbmb/UltraFeedback",
    revision="40b436560ca83a8dba36114c22ab3c66e43f6d5e",
    licence="MIT",
    gold="judge",
    view="pointwise",
    metric=Metric("pearson"),
    files=(File(RATED),),
    split="train, one file a source of prompts",
    paper="Cui et al. 2023, UltraFeedback: Boosting Language Models with Scaled AI Feedback, "
    "arXiv:2310.01377",
    notes="the gold is a model's: agreement with GPT-4, not with people. Columns by the card and "
    "from memory (instruction, completions: model, response, annotations: aspect: Rating); the "
    "files were not seen. Overall scores are not read: many 10s of the first release are wrong. "
    "An aspect rated N/A has no gold",
)


def rated(one: Any, aspect: str) -> str | None:
    """Raises: Wrong when it is neither 1 to 5 nor N/A."""
    known = one.get("annotations")
    given = known.get(aspect) if isinstance(known, dict) else known
    found = str(given.get("Rating") if isinstance(given, dict) else given).strip()
    if found in ("N/A", "None", ""):
        return None
    if found not in ("1", "2", "3", "4", "5"):
        raise Wrong("completions", f"{aspect}: {found[:40]!r}", "a Rating from 1 to 5, or N/A")
    return found


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, RATED):

        def make(raw: Any, at: int, name: str = path.name.split(".")[0]) -> list[Row]:
            prompt, given = text(raw, "instruction"), raw.get("completions")
            if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
                raise Wrong("completions", str(given)[:60], "a list of answers")
            found = []
            for answer in given:
                who, words = text(answer, "model"), text(answer, "response", empty=True)
                found += [
                    case_row(f"{name}/{at}/{who}/{aspect}", prompt, (words,), at=at,
                        label=rated(answer, aspect), cluster=prompt, systems=(who,), group=aspect,
                        rubric=aspect, notes={"source": raw.get("source")})
                    for aspect in ASPECTS
                ]  # fmt: skip
            return found

        yield from read_many(one, RATED, make, columns=("source", "instruction", "completions"))


BENCH = Bench(CARD, cases)
