"""A cheap judge's scores of five policies beside those of a stronger one."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import case_row, number, read, said, text, whole
from evenhand.data.rows import Bad, Row
from evenhand.data.texts import absent
from evenhand.records import Verdict, line

CASES, FIGURES = "scores.jsonl*", "expected.json"
SCALE = line("score", 0, 1)

CARD = Card(
    name="policy-value",
    about="how good is a policy, by a cheap judge and by a stronger one (an LLM too)?",
    source="github.com/fondutech/causal-judge-evaluation",
    revision="6cf6e0ba7d66b38b2b73256bd4cbe8bceba1d039",
    licence="MIT",
    gold="judge",
    view="pointwise",
    metric=Metric("spearman"),
    files=(File(CASES), File(FIGURES, needed=False)),
    rows=504,
    folder="policy_value_sample",
    paper="Landesberg 2025, Causal Judge Evaluation",
    status="verified",
    notes="the oracle is a stronger LLM; one row of each target policy lacks it",
)


def ident(raw: Any) -> str:
    return f"{text(raw, 'policy')}/{text(raw, 'prompt_id')}"


def cases(files: Files) -> Iterator[Row | Bad]:
    def make(raw: Any, at: int) -> Row:
        oracle, policy = raw.get("oracle_label"), text(raw, "policy")
        label = None if absent(oracle) else repr(number(raw, "oracle_label"))
        return case_row(ident(raw), str(raw.get("prompt") or ""), ("",), label=label, at=at,
            cluster=text(raw, "prompt_id"), systems=(policy,), group=policy)  # fmt: skip

    return read(files, CASES, make, columns=("policy", "prompt_id", "judge_score"))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> Verdict:
        return said(ident(raw), "cheap judge", number(raw, "judge_score"), scale=SCALE)

    return read(files, CASES, make, columns=("policy", "prompt_id", "judge_score"))


def published(files: Files) -> Iterator[Published]:
    for policy, told in whole(files.path(FIGURES))["computed"].items():
        for judge, name, key, digits in (
            ("", "rows", "rows", 0),
            ("cheap judge", "mean_score", "mean_judge", 6),
            ("", "mean_label", "mean_oracle", 6),
        ):
            yield Published(judge, name, told[key], digits, policy, standing="computed")


BENCH = Bench(CARD, cases, recorded=recorded, published=published)
