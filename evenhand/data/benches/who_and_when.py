"""Failed runs of several agents, with the agent and the step that people blame."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, read, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Response

CASES = "*enerated.jsonl*"

CARD = Card(
    name="who-and-when",
    about="which agent, at which step, made a run of several agents fail?",
    source="github.com/ag2ai/Agents_Failure_Attribution",
    revision="f4d2b6da464a826580e59b3a0eae15ea2d642d7c",
    licence="MIT",
    gold="human",
    view="pointwise",
    metric=Metric("accuracy"),
    files=(File(CASES),),
    rows=252,
    split="algorithm-generated",
    folder="who_and_when",
    paper="Zhang et al. 2025, Which Agent Causes Task Failures and When? On Automated Failure "
    "Attribution of LLM Multi-Agent Systems, arXiv:2505.00212",
    status="verified",
    notes="a case for the agent and one for the step of each run; the tasks come from GAIA and "
    "AssistantBench: keep their answers out of whatever is trained on",
)


def cases(files: Files) -> Iterator[Row | Bad]:
    for found in read(files, CASES, _both, columns=("question", "history", "mistake_agent")):
        if isinstance(found, Bad):
            yield found
        else:
            yield from found


def _both(raw: Any, at: int) -> list[Row]:
    history = raw.get("history")
    if not isinstance(history, list) or not history:
        raise Wrong("history", str(history)[:60], "a list of turns")
    agents = sorted({str(turn.get("name") or turn.get("role")) for turn in history})
    steps = tuple(str(turn.get("content", "")) for turn in history)
    answer = Response(("\n\n".join(steps),), None, steps)
    ident, asked = text(raw, "question_ID"), text(raw, "question")
    gold = {"agent": text(raw, "mistake_agent"), "step": text(raw, "mistake_step")}
    chance = {"agent": 1 / len(agents), "step": 1 / len(steps)}
    return [
        case_row(f"{text(raw, 'file')}/{ident}/{what}", asked, (answer,), label=gold[what], at=at,
            cluster=ident, group=what, notes={"chance": chance[what], "agents": agents})
        for what in ("agent", "step")
    ]  # fmt: skip


def published(_files: Files) -> Iterator[Published]:
    rule = "one of the run's agents, or of its steps, at random"
    for what, value in (("agent", 29.10), ("step", 12.00)):
        yield Published("", "chance", value, 2, what, "%", "computed", rule)
        yield Published("", "rows", 126, 0, what, standing="computed")


BENCH = Bench(CARD, cases, published=published)
