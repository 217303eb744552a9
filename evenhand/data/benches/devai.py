"""Requirements of programming tasks: met or not, by people and by an agent that judges."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, one_of, read, said, text
from evenhand.data.rows import Bad, Row
from evenhand.records import YES_NO, Verdict

CASES = "requirement_judgements.jsonl*"
MET: dict[Any, str] = {True: "yes", False: "no"}
COLUMNS = ("agent", "task", "requirement_id", "criteria", "human_consensus")

CARD = Card(
    name="devai",
    about="does an agent's work meet a requirement?",
    source="github.com/metauto-ai/agent-as-a-judge",
    revision="43c2fa7b84ef0c1522e8250576e6798bace29dd0",
    licence="MIT",
    gold="human",
    view="pointwise",
    metric=Metric("accuracy"),
    files=(File(CASES),),
    rows=732,
    split="OpenHands and GPT-Pilot, gray-box judge",
    paper="Zhuge et al. 2024, Agent-as-a-Judge: Evaluate Agents with Agents, arXiv:2410.10934",
    status="verified",
    notes="the agents' workspaces are not among the files; one file a task in the source",
)


def ident(raw: Any) -> str:
    return f"{text(raw, 'agent')}/{text(raw, 'task')}/{text(raw, 'requirement_id')}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        label, who = one_of(raw, "human_consensus", MET), text(raw, "agent")
        notes = {"prerequisites": raw.get("prerequisites"), "category": raw.get("category")}
        return case_row(ident(raw), text(raw, "query"), ("",), label=label, at=at, systems=(who,),
            cluster=text(raw, "task"), group=who, rubric=text(raw, "criteria"),
            notes=notes)  # fmt: skip

    return read(files, CASES, make, columns=COLUMNS)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> Verdict:
        met = MET.get(raw.get("agent_judge_gray_box"))
        return said(ident(raw), "agent-as-a-judge gray box", met, scale=YES_NO)

    return read(files, CASES, make, columns=("agent", "task", "agent_judge_gray_box"))


def published(_files: Files) -> Iterator[Published]:
    told = {"OpenHands": (90.16, 42.90, 80), "GPT-Pilot": (86.61, 44.54, 73)}
    for agent, values in told.items():
        judge = "agent-as-a-judge gray box"
        for name, value, digits in zip(("accuracy", "mean_label", "cohen_kappa"), values,
                                       (2, 2, 0), strict=True):  # fmt: skip
            yield Published(judge, name, value, digits, agent, unit="%", standing="computed")


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
