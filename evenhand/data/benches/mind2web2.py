"""Answers of web agents, checked leaf by leaf of a rubric tree."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, said, whole
from evenhand.data.rows import Bad, Row
from evenhand.errors import DataError
from evenhand.records import Response, Verdict, line

RESULTS, ANSWERS = "eval_results/*/*/*/results/*.json", "answers/*/*/*.md"
COLUMNS = ("agent_name", "answer_name", "final_score", "judge_model", "eval_breakdown")
SCALE = line("completion", 0, 1)

CARD = Card(
    name="mind2web2",
    about="how much of a long task on the web an answer completes, by a tree of checks",
    source="github.com/OSU-NLP-Group/Mind2Web-2",
    revision="1fcbfda98bf5c669daa2ed0a27f1d2f2499475ee",
    licence="MIT",
    gold="none",
    view="pointwise",
    metric=Metric("mean_score"),
    files=(File(RESULTS), File(ANSWERS, needed=False)),
    split="130 tasks; one file an answer, of several the last",
    paper="Gou et al. 2025, Mind2Web 2: Evaluating Agentic Search with Agent-as-a-Judge, "
    "arXiv:2506.21506",
    notes="fields as mind2web2/evaluator.py writes them; no file was seen. The score is that of "
    "the tree's leaves, gated by critical checks: `source` in the marks is what the file says, "
    "which can differ after a failed step of a sequence",
)


def score(node: Any) -> float:
    """0 if a critical child is not whole, else the mean of the others; a sequence stops there."""
    if not node.get("children"):
        if not 0 <= node["score"] <= 1:
            raise ValueError(f"score {node['score']}")
        return float(node["score"])
    scores, failed = list[float](), False
    for child in node["children"]:
        scores.append(0.0 if failed else score(child))
        failed |= scores[-1] < 1.0 and str(node.get("strategy")).endswith("sequential")
    kinds: dict[bool, list[float]] = {True: [], False: []}
    for one, child in zip(scores, node["children"], strict=True):
        kinds[bool(child["critical"])].append(one)
    soft = kinds[False] or [1.0]
    return 0.0 if min(kinds[True], default=1.0) < 1.0 else sum(soft) / len(soft)


def each(files: Files) -> Iterator[tuple[Row, Verdict] | Bad]:
    told = {"/".join((*path.parts[-3:-1], path.stem)): path for path in files.paths[ANSWERS]}
    last = {path.parents[1]: path for path in files.paths[RESULTS]}
    for folder, path in sorted(last.items()):
        raw = whole(path)
        if lacking := [one for one in COLUMNS if one not in raw]:
            due = f"as in {files.card.source} at {files.card.revision}: {', '.join(COLUMNS)}"
            raise DataError(f"there is no column {lacking[0]!r}", expected=due, file=str(path),
                row=1, field=lacking[0])  # fmt: skip
        try:
            tree = raw["eval_breakdown"][0]["verification_tree"]
            value = score(tree)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            found, due = f"{type(error).__name__}: {error}", "a verification_tree of checks"
            yield Bad(str(path), 1, "eval_breakdown", found, due)
            continue
        ident, task = "/".join(folder.parts[-3:]), folder.parts[-2]
        words = told[ident].read_text("utf-8") if ident in told else ""
        answer, prompt = Response((words,), folder.parts[-3]), str(tree.get("desc") or task)
        verdict = said(ident, str(raw["judge_model"]), value, scale=SCALE)
        yield (
            case_row(ident, prompt, (answer,), at=1, label=None, file=str(path), cluster=task,
                rubric=tree),
            verdict.marked(source=raw["final_score"]),
        )  # fmt: skip


def cases(files: Files) -> Iterator[Row | Bad]:
    return (one if isinstance(one, Bad) else one[0] for one in each(files))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    return (one if isinstance(one, Bad) else one[1] for one in each(files))


BENCH = Bench(CARD, cases, recorded=recorded)
