"""Solutions of MATH problems with every step rated by a person."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Response

CASES = "phase*.jsonl*"

CARD = Card(
    name="prm800k",
    about="is there a wrong step in a solution, and which is the first?",
    source="github.com/openai/prm800k",
    revision="7ecc794703b2877f63226f2477a49b34f9b25163",
    licence="unstated",
    gold="human",
    view="pointwise",
    metric=Metric("process_f1"),
    files=(File(CASES),),
    split="phase1 and phase2, train and test",
    paper="Lightman et al. 2023, Let's Verify Step by Step, arXiv:2305.20050",
    notes="columns by the README; the files are behind Git LFS and were not seen. A step rated 0 "
    "(neutral) is not wrong; solutions given up and problems called bad have no gold. Phase 2 "
    "shows the whole solution that was made beforehand, phase 1 the steps that were chosen",
)


def step(raw: Any, made: bool) -> tuple[str, int | None]:
    """Text and rating of the step that is in the solution; people's own steps have no rating."""
    if not made and raw["chosen_completion"] is None and raw.get("human_completion"):
        human = raw["human_completion"]
        return str(human["text"] if isinstance(human, dict) else human), None
    one = raw["completions"][0 if made else raw["chosen_completion"] or 0]
    return str(one["text"]), one["rating"]


def steps(raw: Any) -> tuple[list[str], int | None]:
    """The solution, and the place of its first wrong step, from 1."""
    made = raw["question"].get("pre_generated_steps") or []
    try:
        found = [step(one, bool(made)) for one in raw["label"]["steps"]]
        whole = [str(one) for one in made] or [said for said, _ in found]
    except (AttributeError, LookupError, TypeError) as error:
        due = "steps with completions, one of them chosen"
        raise Wrong("label", f"{type(error).__name__}: {error}"[:60], due) from error
    if not found or len(found) > len(whole):
        raise Wrong("label", f"{len(found)} labels of {len(whole)} steps", "a label for a step")
    return whole, next((n for n, (_, rating) in enumerate(found, 1) if rating == -1), None)


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, CASES):

        def make(raw: Any, at: int, name: str = path.name.split(".")[0]) -> Row:
            if not isinstance(raw.get("question"), dict):
                raise Wrong("question", str(raw.get("question"))[:60], "an object with a problem")
            problem = text(raw["question"], "problem")
            found, first = steps(raw)
            ended = raw["label"].get("finish_reason")
            label = "correct" if first is None else "wrong"
            whole = ended in ("solution", "found_error")
            known = {"n_steps": len(found), "finish_reason": ended, "labeler": raw.get("labeler")}
            notes = {**known, "first_error": first} if whole else known
            answer = Response(("\n".join(found),), None, tuple(found))
            reference = raw["question"].get("ground_truth_answer")
            return case_row(f"{name}/{at}", problem, (answer,), label=label if whole else None,
                at=at, cluster=problem, group=name, notes=notes,
                reference=(str(reference),) if reference else ())  # fmt: skip

        yield from read(one, CASES, make, columns=("labeler", "question", "label"))


BENCH = Bench(CARD, cases)
