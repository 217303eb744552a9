"""Code, repairs and unit tests, one of two right by execution."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import Raw, apart, case_row, read, sided, split_name, text
from evenhand.data.rows import Bad, Row

PAIRS = "[ct][oe][ds]*[gai][ei][nr]/*"  # codegen, coderepair, testgen: a file for each generator
COLUMNS = ("question_content", "question_id", "difficulty", "pos_response", "neg_response")
ASKED = {
    "codegen": "",
    "coderepair": "Repair the program so that it solves the task.",
    "testgen": "Write a unit test, with its input and its output.",
}

CARD = Card(
    name="code-judge-bench",
    about="which of two programs, repairs or unit tests is right",
    source="huggingface.co/datasets/mattymchen/codejudgebench",
    revision="unknown; code at github.com/hongcha0/CodeJudgeBench bb88c815",
    licence="unstated (the data), Apache-2.0 (the code)",
    gold="objective",
    view="pairwise",
    metric=Metric("mean_accuracy", orders=2, ties="half"),
    files=(File(PAIRS),),
    split="codegen, coderepair, testgen, each by generating model",
    paper="Jiang et al. 2025, CodeJudgeBench: Benchmarking LLM-as-a-Judge for Coding Tasks, "
    "arXiv:2507.10535",
    hub="mattymchen/codejudgebench",
    notes="columns are those of the source's code; the mean is over all pairs and both orders; "
    "which response stands first is drawn from the id; unchecked: the files' names and counts",
)


def task_of(raw: Raw) -> str:
    return "coderepair" if "wrong_code" in raw else "testgen" if "pos_input" in raw else "codegen"


def prompt_of(raw: Raw, task: str) -> str:
    pieces = [ASKED[task], text(raw, "question_content")]
    if task == "coderepair":
        wrong = raw.get("wrong_meta")
        known = wrong.items() if isinstance(wrong, dict) else ()
        failed = [f"{key}: {value}" for key, value in known if value is not None]
        pieces += ["The program:", text(raw, "wrong_code"), *(["How it failed:"] if failed else [])]
        pieces += failed
    elif code := raw.get("starter_code"):
        pieces += ["Begin with:", str(code)]
    return "\n\n".join(filter(None, pieces))


def answer(raw: Raw, side: str, task: str) -> str:
    said = text(raw, f"{side}_response", empty=True)
    if task != "testgen":
        return said
    return f"Input:\n{text(raw, f'{side}_input', empty=True)}\n\nOutput:\n{said}"


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, PAIRS):

        def make(raw: Any, at: int, generator: str = split_name(path)) -> Row:
            task, question = task_of(raw), text(raw, "question_id")
            ident = f"{task}/{generator}/{at}"
            responses, label = sided(ident, answer(raw, "pos", task), answer(raw, "neg", task))
            return case_row(
                ident, prompt_of(raw, task), responses, label=label, at=at, cluster=question,
                group=f"{task}/{generator}", systems=(generator, generator),
                notes={"difficulty": text(raw, "difficulty"), "question_id": question},
            )  # fmt: skip

        yield from read(one, PAIRS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
