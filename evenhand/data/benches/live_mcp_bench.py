"""Trajectories of an agent with many tools: did they do the task, by people and by ten judges?"""

import re
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import apart, case_row, one_of, read, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import as_text
from evenhand.records import YES_NO, Response, Verdict

CASES, RECORDED = "baseline/annotation/*.json", "evaluator/output/*/*.json"
DONE = {"success": "yes", "failure": "no"}
STATUS = re.compile(r"status\W+(success|failure)\b", re.IGNORECASE)

CARD = Card(
    name="live-mcp-bench",
    about="did an agent do a task of everyday life with tools?",
    source="github.com/icip-cas/LiveMCPBench",
    revision="a928e57d1ee7a25579b9a7036030faffff72d15b",
    licence="Apache-2.0",
    gold="human",
    view="pointwise",
    metric=Metric("accuracy"),
    files=(File(CASES), File(RECORDED, needed=False)),
    rows=95,
    split="one agent, claude-sonnet-4-20250514",
    paper="Mo et al. 2025, LiveMCPBench: Can Agents Navigate an Ocean of MCP Tools?, "
    "arXiv:2508.01780",
    status="verified",
    notes="where a judge's answer was not parsed, the whole reply stands in its place: the last "
    "status line of it counts here. The source looks for 'success' anywhere, in 'unsuccessful' "
    "too: five of its ten agreements differ by that (58.95 to 74.74, ours 60.00 to 76.84)",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, CASES):

        def make(raw: Any, at: int, system: str = path.stem) -> Row:
            turns = raw.get("messages")
            if not isinstance(turns, list) or not all(isinstance(x, dict) for x in turns):
                raise Wrong("messages", str(turns)[:60], "a list of messages")
            steps = tuple(f"{x.get('role')}: {as_text(x.get('content') or '')}" for x in turns)
            answer = Response((text(raw, "response", empty=True),), system, steps)
            known = raw.get("Annotator Metadata")
            return case_row(text(raw, "task_id"), text(raw, "Question"), (answer,), at=at,
                label=one_of(raw, "task_success", DONE), group=text(raw, "category"),
                rubric=known.get("Steps") if isinstance(known, dict) else None,
                notes={"answers": raw.get("answers")})  # fmt: skip

        columns = ("task_id", "Question", "category", "response", "messages", "task_success")
        yield from read(one, CASES, make, columns=columns)


def status(written: str) -> str | None:
    """Of a whole reply its last status line."""
    found = [written.strip().casefold()]
    if found[0] not in DONE:
        found = [word.casefold() for word in STATUS.findall(written)]
    return DONE[found[-1]] if found else None


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for path, one in apart(files, RECORDED):

        def make(raw: Any, _at: int, judge: str = path.parent.name) -> Verdict:
            met = status(str(raw.get("judge") or ""))
            return said(text(raw, "task_id"), judge, met, scale=YES_NO)

        yield from read(one, RECORDED, make, columns=("task_id", "judge"))


def published(_files: Files) -> Iterator[Published]:
    """Of the judges whose replies read the same under both rules."""
    told = {"openai_gpt-4.1-mini": 85.26, "qwen25_72b_int4_instruct": 84.21,
            "deepseek_deepseek-chat-v3-0324": 81.05, "qwen_qwen3-32b": 73.68,
            "openai_gpt-4.1": 71.58}  # fmt: skip
    for judge, value in told.items():
        yield Published(judge, "accuracy", value, 2, unit="%", standing="script")


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
