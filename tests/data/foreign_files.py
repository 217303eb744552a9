"""Tiny files in the formats of other tools, written by hand: content of ours, their columns."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

ALPACA: list[dict[str, Any]] = [
    {"instruction": "Name a colour.", "output_1": "Blue.", "generator_1": "base",
     "dataset": "mine", "output_2": "A colour is red.", "generator_2": "red",
     "annotator": "gpt", "preference": 1.1, "raw_completion": {"tops": [0.1]}, "price": None},
    {"instruction": "Name a fruit.", "output_1": "Pear.", "generator_1": "base",
     "dataset": "mine", "output_2": "Fig\u200b.", "generator_2": "red",
     "annotator": "gpt", "preference": 1.7300000000000002, "raw_completion": "2", "price": 0.1},
    {"instruction": "Name a day.", "output_1": "Monday.", "generator_1": "base",
     "dataset": "other", "output_2": "", "generator_2": "red",
     "annotator": "gpt", "preference": None, "raw_completion": None, "price": 0.1},
    {"instruction": "Name a day.", "output_1": "Monday.", "generator_1": "base",
     "dataset": "other", "output_2": "Friday", "generator_2": "blue",
     "annotator": "gpt", "preference": 0, "raw_completion": None, "price": 0.1},
]  # fmt: skip


def talk(asked: str, said: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]


BATTLES: list[dict[str, Any]] = [
    {"question_id": "q1", "model_a": "m1", "model_b": "m2", "winner": "model_a",
     "judge": "gpt-4", "turn": 1, "anony": True, "language": "English", "tstamp": 1682351654.6,
     "conversation_a": talk("Why?", "So."), "conversation_b": talk("Why?", "Because.")},
    {"question_id": "q2", "model_a": "m2", "model_b": "m1", "winner": "tie (bothbad)",
     "judge": "gpt-4", "turn": 1, "anony": True, "language": "Danish", "tstamp": 1682351655.0,
     "conversation_a": talk("How?", ""), "conversation_b": talk("How?", "Well.")},
    {"question_id": "q2", "model_a": "m3", "model_b": "m1", "winner": None,
     "judge": "gpt-4", "turn": 1, "anony": False, "language": "Danish", "tstamp": 1682351656.0,
     "conversation_a": talk("How?", "x"), "conversation_b": talk("How?", "Well.")},
]  # fmt: skip
VOTES = [
    {"question_id": "q1", "model_a": "m1", "model_b": "m2", "winner": "tie",
     "judge": "expert_1", "turn": 1},
    {"question_id": "q1", "model_a": "m1", "model_b": "m2", "winner": "model_a",
     "judge": "expert_2", "turn": 1},
]  # fmt: skip
ARENA_HARD = [
    {"question_id": "u1", "model": "mine", "judge": "gpt-4",
     "games": [{"score": "A>>B", "judgment": "no"}, {"score": "A>B", "judgment": "yes"}]},
    {"question_id": "u2", "model": "mine", "judge": "gpt-4",
     "games": [{"score": "B>A"}, {"score": None}]},
]  # fmt: skip
SINGLE = [
    {"question_id": 81, "model": "mine", "judge": ["gpt-4", "single-v1"], "judgment": "[[7]]",
     "user_prompt": "rate", "score": 7, "turn": 1, "tstamp": 1.0},
    {"question_id": 81, "model": "mine", "judge": ["gpt-4", "single-v1-multi-turn"],
     "judgment": "none", "user_prompt": "rate", "score": -1, "turn": 2, "tstamp": 1.0},
]  # fmt: skip
PAIR = [
    {"question_id": 81, "model_1": "m1", "model_2": "m2", "g1_winner": "model_1",
     "g2_winner": "model_1", "judge": ["gpt-4", "pair-v2"], "g1_judgment": "[[A]]",
     "g2_judgment": "[[B]]", "turn": 1},
    {"question_id": 82, "model_1": "m1", "model_2": "m2", "g1_winner": "model_1",
     "g2_winner": "model_2", "judge": ["gpt-4", "pair-v2"], "turn": 1},
    {"question_id": 83, "model_1": "m1", "model_2": "m2", "g1_winner": "model_1",
     "g2_winner": "error", "judge": ["gpt-4", "pair-v2"], "turn": 1},
]  # fmt: skip
REWARD = {
    "model": "rm", "model_type": "Seq. Classifier", "id": [1, 2, 3], "subset": ["a", "a", "b"],
    "results": [1, 0, 1], "scores_chosen": [2.5, [0.1], 1.0], "scores_rejected": [1.5, [0.4], 1.0],
}  # fmt: skip
INSPECT: dict[str, Any] = {
    "version": 2, "status": "success", "eval": {"task": "t", "model": "openai/x"},
    "samples": [
        {"id": 1, "epoch": 1, "input": "2 + 2?", "target": "4",
         "output": {"completion": "four"},
         "scores": {"model_graded_qa": {"value": "C", "explanation": "right"},
                    "both": {"value": {"style": 3, "truth": 5}}}},
        {"id": 2, "epoch": 1, "input": [{"role": "user", "content": "3?"}], "target": ["3"],
         "output": {"choices": [{"message": {"content": "5"}}]},
         "scores": {"model_graded_qa": {"value": "I"}, "both": {"value": {"style": 1}}}},
    ],
}  # fmt: skip
PROMPTFOO: dict[str, Any] = {"evalId": "e", "results": {"version": 3, "results": [
    {"promptIdx": 0, "testIdx": 0, "provider": {"id": "openai:x", "label": ""},
     "prompt": {"raw": "Say hi"}, "vars": {"who": "you"}, "response": {"output": "hi"},
     "gradingResult": {"pass": True, "score": 1, "reason": "ok", "componentResults": [
         {"pass": True, "score": 0.75, "reason": "kind", "assertion": {"type": "llm-rubric"}},
         {"pass": True, "score": 1, "reason": "", "assertion": {"type": "contains"}}]}},
    {"promptIdx": 0, "testIdx": 1, "provider": {"id": "openai:x"}, "vars": {},
     "prompt": {"raw": "Say ho"}, "response": {"output": "no"},
     "gradingResult": {"pass": False, "score": 0, "reason": "bad", "componentResults": [
         {"pass": False, "score": 0, "reason": "rude", "assertion": {"type": "llm-rubric"}}]}},
]}}  # fmt: skip
DEEPEVAL: dict[str, Any] = {"testCases": [
    {"name": "t0", "input": "Why?", "actualOutput": "So.", "expectedOutput": "Because.",
     "metricsData": [{"name": "Faithfulness", "score": 0.5, "threshold": 0.7, "success": False,
                      "reason": "half", "evaluationModel": "gpt-4o"},
                     {"name": "Bias", "score": None, "error": "timed out", "threshold": 0.5,
                      "success": False}]},
]}  # fmt: skip
MLFLOW: dict[str, Any] = {
    "columns": ["inputs", "outputs", "targets", "similarity/v1/score",
                "similarity/v1/justification", "latency"],
    "data": [["Why?", "So.", "Because.", 4, "close", 0.1], ["How?", "Well.", "Thus.", None, "", 1]],
}  # fmt: skip
CJE = [
    {"prompt_id": "p1", "prompt": "Why?", "response": "So.", "judge_score": 0.85,
     "oracle_label": 0.7, "draw_idx": 0},
    {"prompt_id": "p2", "prompt": "How?", "response": "Well.", "judge_score": 0.25, "draw_idx": 0},
]  # fmt: skip
VERDICTS = [
    {"id": "a", "judge": "j1", "label": "yes", "prompt": "?", "response": "!", "system": "s",
     "reason": "because", "human_label": "no", "probs": {"yes": 0.75, "no": 0.25}},
    {"id": "a", "judge": "j2", "label": "no", "system": "s", "human_label": "no", "human": "ann"},
    {"id": "b", "judge": "j1", "label": None, "system": "s", "human_label": None},
]  # fmt: skip
WINNERS = [
    {"id": "a", "judge": "j", "winner": "m1", "model_a": "m1", "model_b": "m2",
     "response_a": "x", "response_b": "y", "human_label": "B"},
    {"id": "b", "judge": "j", "winner": "tie", "model_a": "m1", "model_b": "m2",
     "response_a": "x", "response_b": "y", "human_label": "B"},
]  # fmt: skip


def lines(path: Path, rows: list[dict[str, Any]], *extra: str) -> Path:
    texts = [json.dumps(row) for row in rows]
    path.write_text("\n".join([*texts, *extra]) + "\n", encoding="utf-8")
    return path


def value(path: Path, held: Any) -> Path:
    path.write_text(json.dumps(held), encoding="utf-8")
    return path


def packed(path: Path, log: dict[str, Any]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps({"eval": log["eval"]}))
        for sample in log["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
        archive.writestr("_journal/start.json", "{}")
    return path
