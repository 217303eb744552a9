"""One judge of every family on two real cases with the small local model.

What is checked is the path: the calls are made, stored and not made again. The model does not
judge: most of its prose is cut or unread, and label reading always decides.
"""

from __future__ import annotations

import gzip
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import evenhand
from evenhand.judges.rocketeval import RocketEval
from evenhand.models import find
from evenhand.models.scripted import Scripted
from evenhand.store import Store, read_calls

pytest.importorskip("xllamacpp", reason="pip install 'evenhand[local]'")
SHARED = Path(__file__).resolve().parents[2] / "../shared/data/llmbar/datasets.jsonl.gz"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not beside the project"),
]
SHORT = {"temperature": 0.0, "max_tokens": 48}
RUBRIC = [{"criterion": "It answers.", "points": 3}, {"criterion": "It is wrong.", "points": -2}]


def cases(n_responses: int) -> list[dict[str, Any]]:
    """Two short cases of LLMBar, with as many responses as the view needs."""
    with gzip.open(SHARED, "rt", encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        short = [r for r in rows if len(r["input"] + r["output_1"] + r["output_2"]) < 400]
    found = []
    for row in islice(short, 2):
        texts = [row["output_1"], row["output_2"], row["input"]][:n_responses]
        one = {"id": f"{row['subset']}/{row['idx']}", "prompt": row["input"], "rubric": RUBRIC}
        found.append({**one, "responses": texts})
    return found


PAIR = {"is": "Pairwise", "decode": SHORT}
FAMILIES: dict[str, tuple[int, dict[str, Any], int, bool]] = {
    # family: responses, form, calls a case, whether label reading decides every case
    "pointwise": (1, {"is": "Choice"}, 1, True),
    "pointwise in prose": (1, {"is": "Pointwise", "decode": SHORT}, 1, False),
    "pair": (2, {"is": "Swap", "pool": "mean", "judge": {"is": "ChoicePair"}}, 2, True),
    "pair in prose": (2, {"is": "Swap", "judge": PAIR}, 2, False),
    "list": (3, {"is": "Rotate", "judge": {"is": "ListRank", "decode": SHORT}}, 3, False),
    "best of n": (3, {"is": "Each", "over": "responses", "pool": "rank",
        "judge": {"is": "Choice"}}, 3, True),
    "rubric": (1, {"is": "Rubric", "decode": SHORT}, 2, False),
    "panel": (2, {"is": "Panel", "pool": "mean", "families": "any", "judges": [
        {"is": "ChoicePair"}, {"is": "ChoicePair", "question": "Which is shorter?"}]}, 2, True),
    "cascade": (2, {"is": "Cascade", "threshold": 1.0, "first": {"is": "ChoicePair"},
        "then": {"is": "ChoicePair", "question": "Which is more helpful?"}}, 2, True),
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return find("local/gemma3-270m")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_asks_a_real_model_and_pays_once(family, model, tmp_path):
    n, form, calls, decides = FAMILIES[family]
    run = evenhand.judge(cases(n), form, model, out=tmp_path / "r")
    done = run.manifest
    assert done["counts"]["cases"] == 2
    assert done["counts"]["failed"] == 0
    assert done["invocations"][-1]["calls"] == 2 * calls
    if decides:
        assert done["counts"]["decided"] == 2
    store = Store(run.folder, read=True)
    assert len(list(read_calls(store))) == 2 * calls
    store.close()
    again = evenhand.judge(cases(n), form, model, out=tmp_path / "r")
    assert again.manifest["invocations"][-1]["calls"] == 0
    assert len(again.table()) == 2


def test_a_checklist_is_written_once_a_prompt_and_read_by_probability(model, tmp_path):
    """The small model writes no questions, so the checklist is scripted and the reading real."""
    writer = Scripted("writer", lambda request: "1. Is it on topic?\n2. Is it correct?")
    judge = RocketEval(model=model, writer=writer)
    run = evenhand.judge(cases(2), judge, out=tmp_path / "r")
    done = run.manifest
    assert done["counts"]["decided"] == 4  # two cases of two responses
    assert done["invocations"][-1]["calls"] == 2 * (1 + 2 * 2)
    again = evenhand.judge(cases(2), judge, out=tmp_path / "r")
    assert again.manifest["invocations"][-1]["calls"] == 0
