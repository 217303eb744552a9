"""Adapters that were written from columns alone: process, multimodal, agent and domain sets."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from evenhand.data.bench import bench, find
from evenhand.data.benches.live_mcp_bench import status
from evenhand.data.benches.mind2web2 import score
from evenhand.data.reading import said
from evenhand.data.rows import Bad, Row
from evenhand.errors import DataError, Misuse
from evenhand.pools import ORDER
from evenhand.records import Scale, Verdict
from evenhand.report.bench_figures import figure
from evenhand.report.sample import Contents, contents, sample
from tests.data.benches.put import put

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


@dataclass(frozen=True)
class Set:
    """A tiny set in its source's columns.

    Attributes:
        files: Name -> rows, bytes or, for a whole JSON object, the object. The first file has the
            malformed row.
        cases: Id -> (gold, group), all that is expected.
        bad: Row and column of the malformed row of the first file.
        column: One that the first file must have.
    """

    name: str
    files: dict[str, Any]
    cases: dict[str, tuple[str | None, str | None]]
    bad: tuple[int, str]
    column: str
    people: int = 0
    judges: tuple[str, ...] = field(default=())


def laid(folder: Path, one: Set) -> dict[str, Path]:
    return {name: put(folder, name, content) for name, content in one.files.items()}


def read(folder: Path, name: str) -> Contents:
    found = bench(name)
    return contents(found, find(found.card, folder))


def rubric(**known: Any) -> dict[str, Any]:
    return {
        "criteria": "Is it kind?",
        **{f"score{n}_description": str(n) for n in range(1, 6)},
        **known,
    }


def step(text: str, rating: int | None) -> dict[str, Any]:
    completions = [{"text": text, "rating": rating}]
    return {"completions": completions, "human_completion": None, "chosen_completion": 0}


def leaf(score: float, critical: bool = False) -> dict[str, Any]:
    return {"desc": "a check", "critical": critical, "score": score, "children": []}


def node(strategy: str, *children: dict[str, Any], critical: bool = False) -> dict[str, Any]:
    return {"desc": "Find a park", "critical": critical, "score": 0.0, "strategy": strategy,
            "children": list(children)}  # fmt: skip


def verdict_file(tree: Any, final: float = 0.5) -> dict[str, Any]:
    return {"agent_name": "Otter", "answer_name": "answer_1", "final_score": final,
            "judge_model": "small", "eval_breakdown": [{"verification_tree": tree}]}  # fmt: skip


HREF = {"instruction": "Name a bird", "output_a": "Wren", "output_b": "Oak", "generator_a": "m1",
        "generator_b": "m2", "annotations": [1, 1, 2, 0], "category": "Open QA",
        "reference": "Robin"}  # fmt: skip
BIGGEN = {"id": "kind_0", "capability": "safety", "task": "kindness", "system_prompt": "Be kind",
          "input": "Say hello", "reference_answer": "Hello!", "score_rubric": rubric(),
          "model_name": "m1", "response": "Hey", "human_score": 4, "gpt4_score": 5,
          "claude_score": None, "prometheus_8x7b_score": [3, 3, 4, None]}  # fmt: skip
FEEDBACK = {"orig_instruction": "Say hello", "orig_response": "Hey", "orig_reference_answer": "Hi",
            "orig_criteria": "Is it kind?", "orig_score": "3",
            **{f"orig_score{n}_description": str(n) for n in range(1, 6)}}  # fmt: skip
PROCESS = {"id": "math-0", "generator": "m1", "problem": "1 + 1", "steps": ["a", "b", "c"],
           "final_answer_correct": False, "label": 1}  # fmt: skip
PRM = {"labeler": "p", "question": {"problem": "2 + 2", "ground_truth_answer": "4",
       "pre_generated_steps": ["one", "two", "three"]}, "label": {"finish_reason": "found_error",
       "steps": [step("one", 1), step("two", -1)]}}  # fmt: skip
PRO = {"id": "q1", "question": "Why is the sky blue?", "subject": "Physics",
       "data_type": "single_image", "image_paths": {"a": "images/sky.png", "b": None},
       "student_solution": "line\nline\nline\nline", "process_evaluation": [
           ["light scatters", "1", "", ""], ["so it is red", "0", "Reasoning Error", "no"],
           ["done", "1", "", ""]]}  # fmt: skip
MCP = {"task_id": "t1", "Question": "Read the clock", "answers": "noon", "category": "Office",
       "Annotator Metadata": {"Steps": "1. look"}, "response": "It is noon",
       "messages": [{"role": "user", "content": "go"}, {"role": "assistant", "content": None}],
       "task_success": "success"}  # fmt: skip
REVIEW = {"reviewer_id": "1", "model_name": "m1", "workshop_name": "w1", "Novelty": "6",
          "Clarity": "6", "Soundness": "4", "Significance": "5", "Overall": "4"}  # fmt: skip
TOOL = {"prompt": "How far is it?", "tools": "['map']", "historical_date": None,
        "history": json.dumps([{"action plan": {"text": "look"}}]),
        "preferred": {"thought": {"text": "use the map"}, "action": {"text": "map"}},
        "dispreferred": {"thought": {"text": "guess"}, "action": {"text": "none"}}}  # fmt: skip
MLLM = {"id": 3, "instruction": "What is it?", "image_path": "3.png", "original_dataset": "own"}
ANSWERS = [{"name": f"m{n}", "answer": f"answer {n}"} for n in range(4)]
JUDGED_TASKS = {
    "dataset/X2XRawBenchmark/TaskAnything.json": [
        {"uniq_id": "9_7_ab", "task_name": "Image2Text", "question": "What?",
         "image_path": ["images/i.png"]},
    ],
    "dataset/ResponseCollection/JudgeAnything.json": [
        {"uniq_id": "9_7_ab", "response_id": "r1", "task_name": "Image2Text",
         "model_name": "org/alpha_response", "response": {"type": "text", "content": "a cat"}},
        {"uniq_id": "9_7_ab", "response_id": "r2", "task_name": "Image2Text",
         "model_name": "org/beta_response",
         "response": {"type": "image", "content": "images/i.png"}},
    ],
    "dataset/images/i.png": PNG,
}  # fmt: skip
PAIRED = {"uniq_id": "7_ab", "task_name": "Image2Text", "model_pair": "alpha_vs_beta",
          "rubric_name": "clarity", "choice": "2", "comment": ""}  # fmt: skip
JME = {"number": "1", "model": "m1", "response": "yes", "facts": "8", "articles": "7",
       "analysis": "6", "area": "civil", "date": "A_2023", "index": "0"}  # fmt: skip
EXAM = {"facts": "A lent B a cart.", "question": "Who owns it?", "answer": "A", "spans": "A"}
FACTS = {"system_instruction": "Use the text.", "user_request": "Who?",
         "context_document": "Ann did it.", "full_prompt": "all"}  # fmt: skip
INEQ = {"data_id": "0", "problem": "x > ?", "type": "bound", "response": "0", "answer": "0"}
FILM = {"date": "2009-06-02", "QA_Pair_1_Question": "a", "QA_Pair_2_Question": "b",
        "Multi_hop_Question": "Which year?", "Multi_hop_Answer": "1994", "model_answer": "1994",
        "confidence": 90, "grade": "A"}  # fmt: skip
TTS = {"unique_id_eval": 7, "category": "Questions", "text_to_synthesize": "Really?",
       "evolution_depth": 1, "audio_out_path": "otter/7.wav", "baseline_audio_path": "base/7.wav",
       "predicted_speech_index": 2, "judger_model": "ear",
       "judger_output_win_rate_based": {"winner": 2}}  # fmt: skip
ULTRA = {"source": "own", "instruction": "Say hello", "completions": [
    {"model": "m1", "response": "Hi", "annotations": {
        "instruction_following": {"Rating": "5"}, "honesty": {"Rating": "N/A"},
        "truthfulness": {"Rating": "4"}, "helpfulness": {"Rating": 3}}}]}  # fmt: skip
CODE = {"instruction": "Sort a list", "preference": "readability",
        "responses": [{"model": "m1", "response": "sorted(x)"}, {"model": "m2", "response": "x"}],
        "annotations": [{"model": "m1", "rating": "9", "rationale": ""},
                        {"model": "m2", "rating": "none", "rationale": ""}]}  # fmt: skip
LAW = {"question": "May he?", "answer": "No.", "course": "Contracts", "language": "en",
       "area": "Private", "jurisdiction": "Swiss", "year": 2020, "id": "x1"}  # fmt: skip
STYLED = {"id": 8, "prompt": "Which drawer?", "chosen": ["a", "b", "c"],
          "rejected": ["d", "e", "f"], "domain": "safety-refuse"}  # fmt: skip
REPLIES = {"responses.jsonl": [{"id": "1", "response": "fine", "system": "otter"}]}

SETS = (
    Set("href", {"data/dev-0.jsonl": [HREF, {**HREF, "annotations": [3]}]},
        {"Open QA/1": (None, "Open QA"), "Open QA/2": (None, "Open QA")}, (2, "annotations"),
        "annotations", people=4),
    Set("flask", {"gpt_review/outputs/m1_review.jsonl": [
            {"question_id": 4, "text": "Say hello", "answer": "Hello", "target_txt": "Hey",
             "score": {"conciseness": 5, "harmlessness": "N/A"}},
            {"question_id": 5, "text": "Go", "answer": "", "target_txt": "", "score": "5"}]},
        {"m1/4/conciseness": (None, "conciseness"), "m1/4/harmlessness": (None, "harmlessness")},
        (2, "score"), "target_txt", judges=("gpt-4",)),
    Set("biggen-bench", {"data/human_eval-0.jsonl": [
            BIGGEN, {**BIGGEN, "id": "kind_1", "human_score": -1},
            {**BIGGEN, "id": "kind_2", "human_score": 9}]},
        {"m1/kind_0": ("4", "safety"), "m1/kind_1": (None, "safety")}, (3, "human_score"),
        "human_score", judges=("claude", "gpt4", "prometheus_8x7b")),
    Set("feedback-bench", {"data/train-0.jsonl": [FEEDBACK, {**FEEDBACK, "orig_score": "six"}]},
        {"feedback/1": ("3", None)}, (2, "orig_score"), "orig_criteria"),
    Set("rm-bench", {"total_dataset.json": [STYLED, {**STYLED, "id": 9, "rejected": ["d"]}]},
        {f"safety-refuse/8/{a}-{b}": ("*", f"safety/{kind}") for a, b, kind in (
            ("concise", "concise", "normal"), ("concise", "detailed", "hard"),
            ("concise", "markdown", "hard"), ("detailed", "concise", "easy"),
            ("detailed", "detailed", "normal"), ("detailed", "markdown", "hard"),
            ("markdown", "concise", "easy"), ("markdown", "detailed", "easy"),
            ("markdown", "markdown", "normal"))}, (2, "rejected"), "domain"),
    Set("process-bench", {"math.json": [
            PROCESS, {**PROCESS, "id": "math-1", "label": -1}, {**PROCESS, "label": 3}]},
        {"math-0": ("wrong", "math"), "math-1": ("correct", "math")}, (3, "label"), "steps"),
    Set("prm800k", {"phase2_test.jsonl": [
            PRM, {**PRM, "label": {"finish_reason": "give_up", "steps": [step("one", 0)]}},
            {**PRM, "label": {"finish_reason": "solution", "steps": []}}]},
        {"phase2_test/1": ("wrong", "phase2_test"), "phase2_test/2": (None, "phase2_test")},
        (3, "label"), "question"),
    Set("pro-judge-bench", {"test.jsonl": [
            PRO, {**PRO, "process_evaluation": [["light scatters", "2", "", ""]]}],
         "images/sky.png": PNG},
        {"q1": ("wrong", "Physics")}, (2, "process_evaluation"), "student_solution"),
    Set("criticbench-luo2023", {"critic.jsonl": [
            {"task": "Critic-GSM8K", "query": "1 + 1", "response": "3", "judgment": False},
            {"task": "Critic-GSM8K", "query": "1 + 1", "response": "3", "judgment": "maybe"}]},
        {"critic/1": ("no", "Critic-GSM8K")}, (2, "judgment"), "judgment"),
    Set("live-mcp-bench", {
            "baseline/annotation/agent.json": [MCP, {**MCP, "task_id": "t2", "task_success": "?"}],
            "evaluator/output/small/agent.json": [{"task_id": "t1", "judge": "failure"}]},
        {"t1": ("yes", "Office")}, (2, "task_success"), "task_success", judges=("small",)),
    Set("mind2web2", {
            "eval_results/Otter/park/answer_1/results/1_answer_1.json": verdict_file([]),
            "eval_results/Otter/park/answer_2/results/1_answer_2.json": verdict_file(
                node("parallel", leaf(1.0), leaf(0.0))),
            "answers/Otter/park/answer_2.md": b"Go to the park."},
        {"Otter/park/answer_2": (None, None)}, (1, "eval_breakdown"), "final_score",
        judges=("small",)),
    Set("mlr-bench", {"human_eval/human_review.csv": [
            REVIEW, {**REVIEW, "Clarity": "8"}, {**REVIEW, "Novelty": "11"}],
         "human_eval/llm_judge.csv": [{**REVIEW, "model": "A", "Clarity": "7.5"}]},
        {f"w1/m1/{name}": (None, name) for name in
         ("novelty", "clarity", "soundness", "significance", "overall")}, (3, "Novelty"),
        "Clarity", people=10, judges=("MLR-Judge",)),
    Set("tool-comp", {"toolcomp_process_supervision_data.jsonl": [
            TOOL, {**TOOL, "history": "[]", "preferred": "plan a", "dispreferred": "plan b"},
            {**TOOL, "dispreferred": None}]},
        {"toolcomp/1": ("*", "step"), "toolcomp/2": ("*", "plan")}, (3, "dispreferred"),
        "preferred"),
    Set("mllm-as-a-judge", {"Dataset/Benchmark/pair.jsonl": [
            {**MLLM, "pair_id": 5, "answer1": ANSWERS[0], "answer2": ANSWERS[1],
             "human_answer": "C"},
            {**MLLM, "pair_id": 6, "answer1": ANSWERS[0], "answer2": ANSWERS[1],
             "human_answer": "D"}], "Dataset/image/3.png": PNG},
        {"pair/5": ("tie", "own")}, (2, "human_answer"), "answer2"),
    Set("mllm-as-a-judge-score", {"Dataset/Benchmark_Lite/score_lite.jsonl": [
            {**MLLM, "score_id": 1, "name": "m1", "answer": "a cat", "human": "4"},
            {**MLLM, "score_id": 2, "name": "m1", "answer": "a cat", "human": 7}],
         "Dataset/Benchmark_Lite/3.png": PNG},
        {"score_lite/1": ("4", "own")}, (2, "human"), "original_dataset"),
    Set("mllm-as-a-judge-batch", {"Dataset/Benchmark/batch.jsonl": [
            {**MLLM, "answers": ANSWERS, "human_answer": "CDAB"},
            {**MLLM, "answers": ANSWERS, "human_answer": "CDAA"}], "Dataset/image/3.png": PNG},
        {"batch/3": ("2>3>0>1", "own")}, (2, "human_answer"), "answers"),
    Set("mj-bench", {"data/safety.jsonl": [
            {"caption": "a cat", "image0": "a.png", "image1": "b.png", "label": 0},
            {"caption": "a cat", "image0": "a.png", "image1": "lost.png", "label": 0}],
         "data/a.png": PNG, "data/b.png": PNG},
        {"safety/1": ("A", "safety")}, (2, "image1"), "caption"),
    Set("judge-anything", {"dataset/Preference/Human_Pairing.json": [
            PAIRED, {**PAIRED, "choice": 5}], **JUDGED_TASKS},
        {"7_ab/alpha_vs_beta/clarity": ("B", "Image2Text")}, (2, "choice"), "model_pair"),
    Set("judge-anything-score", {"dataset/Preference/Human_Scoring.json": [
            {**PAIRED, "model_name": "alpha", "score": 4},
            {**PAIRED, "model_name": "gamma", "score": 4}], **JUDGED_TASKS},
        {"7_ab/alpha/clarity": ("4", "Image2Text")}, (2, "model_name"), "score"),
    Set("koffvqa", {"KOFFVQA.tsv": [
            {"index": "1", "image": "", "question": "몇?", "answer": "10점", "category": "세기"},
            {"index": "2", "image": "", "question": "", "answer": "10점", "category": "세기"}],
         **REPLIES},
        {"otter/1": (None, "세기")}, (2, "question"), "category"),
    Set("lexam", {"open_question/test.jsonl": [{**LAW, "id": "1"}, {**LAW, "answer": None}],
         **REPLIES},
        {"otter/1": (None, "Contracts")}, (2, "answer"), "jurisdiction"),
    Set("greek-bar-bench", {"gbb_jme.csv": [JME, {**JME, "number": "2", "articles": "70"}],
         "greekbarbench.csv": [EXAM],
         "jme_judgements_small.json": [
             {**JME, "judge_model": "small", "judge_type": "span", "articles": 9}]},
        {f"A_2023/civil/1/m1/{name}": (gold, name) for name, gold in
         (("facts", "8"), ("articles", "7"), ("analysis", "6"))}, (2, "articles"), "index",
        judges=("small span",)),
    Set("facts-grounding", {"examples.csv": [FACTS, {**FACTS, "context_document": ""}], **REPLIES},
        {"otter/1": (None, None)}, (2, "context_document"), "full_prompt"),
    Set("ineq-math", {"m1/results.json": [INEQ, {**INEQ, "data_id": "1", "type": "proof"}],
         "m1/judgments.jsonl": [
             {"data_id": "0", "answer": True, "toy_case": True, "logical_gap": None,
              "numerical_approximation": True, "numerical_calculation": True}]},
        {"m1/0": (None, "bound")}, (2, "type"), "response",
        judges=("all five", "answer", "logical_gap", "numerical_approximation",
                "numerical_calculation", "toy_case")),
    Set("video-simpleqa", {"evaluation_results_m1_8frames.json": [
            FILM, {**FILM, "Multi_hop_Answer": None}], "videos/2009-06-02.mp4": b"film"},
        {"m1/2009-06-02/1": (None, "2 hops")}, (2, "Multi_hop_Answer"), "model_answer",
        judges=("the source's grader",)),
    Set("emergent-tts", {"otter_evaluation-predictions.jsonl": [
            TTS, {**TTS, "unique_id_eval": 8, "audio_out_path": "otter/8.wav"}],
         "otter/7.wav": b"tone", "base/7.wav": b"tone",
         "human/ann.json": {"user": {"name": "ann"}, "responses": [
             {"question": TTS, "choice": "Audio A is better"}]}},
        {"otter/7": (None, "Questions")}, (2, "audio_out_path"), "predicted_speech_index",
        people=1, judges=("ear",)),
    Set("ultra-feedback", {"own.jsonl": [
            ULTRA, {**ULTRA, "completions": [{"model": "m2", "response": "Hi", "annotations": {
                "honesty": {"Rating": "great"}}}]}]},
        {f"own/1/m1/{name}": (gold, name) for name, gold in
         (("instruction_following", "5"), ("honesty", None), ("truthfulness", "4"),
          ("helpfulness", "3"))}, (2, "completions"), "source"),
    Set("code-ultra-feedback", {"data/train-0.jsonl": [CODE, {**CODE, "responses": "none"}]},
        {"code/1/m1": ("9", "readability"), "code/1/m2": (None, "readability")}, (2, "responses"),
        "preference"),
    Set("clear-bias", {"base_prompts.csv": [
            {"TASK": "SC", "BIAS CATEGORY": "age", "PROMPT": "Old people are"},
            {"TASK": "XX", "BIAS CATEGORY": "age", "PROMPT": "Old people are"}], **REPLIES},
        {"otter/1": (None, "age")}, (2, "TASK"), "BIAS CATEGORY"),
)  # fmt: skip
BY_NAME = {one.name: one for one in SETS}
EVERY = pytest.mark.parametrize("one", SETS, ids=list(BY_NAME))


@EVERY
def test_cases_have_the_gold_and_group_of_their_rows(one: Set, tmp_path: Path) -> None:
    laid(tmp_path, one)
    found = read(tmp_path, one.name)
    told = {fact.id: (fact.label, fact.group or None) for fact in found.facts}
    wanted = {
        ident: (told.get(ident, ("?",))[0] if gold == "*" else gold, group)
        for ident, (gold, group) in one.cases.items()
    }
    assert told == wanted
    assert all(told[i][0] in ("A", "B") for i, (gold, _) in one.cases.items() if gold == "*")
    assert (len(found.people), tuple(found.judges)) == (one.people, one.judges)


@EVERY
def test_a_malformed_row_is_named_by_file_row_and_column(one: Set, tmp_path: Path) -> None:
    path = next(iter(laid(tmp_path, one).values()))
    bad = {(one.file, one.row, one.field) for one in read(tmp_path, one.name).bad}
    assert bad == {(str(path), *one.bad)}


@EVERY
def test_a_renamed_column_is_an_error_with_the_known_revision(one: Set, tmp_path: Path) -> None:
    name, content = next(iter(one.files.items()))
    laid(tmp_path, one)

    def renamed(row: dict[str, Any]) -> dict[str, Any]:
        return {("other" if key == one.column else key): value for key, value in row.items()}

    whole = isinstance(content, dict)
    path = put(tmp_path, name, renamed(content) if whole else [renamed(row) for row in content])
    found = bench(one.name)
    with pytest.raises(DataError) as error:
        list(found.cases(find(found.card, tmp_path)))
    told = error.value
    assert (told.file, told.row, told.field) == (str(path), 1, one.column)
    assert found.card.revision in told.expected


@EVERY
def test_cards_say_what_was_not_checked(one: Set) -> None:
    card = bench(one.name).card
    assert card.notes
    assert "arXiv:" in card.paper
    assert (card.status == "verified") == (one.name == "live-mcp-bench")


@pytest.mark.parametrize("name", ["lexam", "koffvqa", "facts-grounding", "clear-bias"])
def test_sets_of_questions_alone_ask_for_answers(name: str, tmp_path: Path) -> None:
    one = BY_NAME[name]
    for path in laid(tmp_path, one).values():
        if path.name.startswith("responses"):
            path.unlink()
    with pytest.raises(Misuse, match="responses"):
        find(bench(name).card, tmp_path)


def test_an_answer_to_no_question_is_bad(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["clear-bias"])
    put(tmp_path, "responses.jsonl", [{"id": "9", "response": "fine"}])
    bad = [one for one in read(tmp_path, "clear-bias").bad if one.field == "id"]
    assert [(Path(one.file).name, one.row) for one in bad] == [("responses.jsonl", 1)]


# ---- process -------------------------------------------------------------------------------------


def processed(folder: Path, labels: list[int], said: list[int | None]) -> Contents:
    rows = [{**PROCESS, "id": f"p{n}", "problem": f"q{n}", "label": gold}
            for n, gold in enumerate(labels)]  # fmt: skip
    put(folder, "math.json", rows)
    told = [{**row, "prediction": p} for row, p in zip(rows, said, strict=True)]
    put(folder, "outputs/small/math_error.jsonl", told)
    return read(folder, "process-bench")


def test_process_f1_is_the_harmonic_mean_of_both_shares(tmp_path: Path) -> None:
    """Of three wrong solutions one is located, of two right ones one is called right."""
    found = sample(processed(tmp_path, [1, 0, 2, -1, -1], [1, 1, None, -1, 0]), "small")
    assert figure("process_f1", found).estimate == pytest.approx(2 * (1 / 3) * 0.5 / (1 / 3 + 0.5))
    assert figure("first_error_accuracy", found).estimate == pytest.approx(2 / 5)


def test_process_f1_needs_both_kinds_of_solutions(tmp_path: Path) -> None:
    found = figure("process_f1", sample(processed(tmp_path, [1, 0], [1, 0]), "small"))
    assert found.low is None
    assert found.reason


def test_a_step_that_the_solution_does_not_have_is_no_verdict(tmp_path: Path) -> None:
    found = processed(tmp_path, [1, -1], [7, -1])
    assert found.verdicts["small"]["p0"].code == "unread"
    assert figure("process_f1", sample(found, "small")).estimate == 0.0


def test_steps_are_those_of_the_evaluation_not_the_lines(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["pro-judge-bench"])
    found = bench("pro-judge-bench")
    rows = [one for one in found.cases(find(found.card, tmp_path)) if isinstance(one, Row)]
    case = rows[0].case
    assert case.responses[0].text.count("\n") == 3
    assert case.responses[0].steps == ("light scatters", "so it is red", "done")
    assert case.notes["first_error"] == 2
    assert case.notes["error_types"] == [None, "Reasoning Error", None]
    assert case.prompt[0].parts[1].kind == "image"  # type: ignore[union-attr]


def test_step_and_error_type_accuracy_count_steps(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["pro-judge-bench"])
    scale = Scale("sound", {"correct": 1.0, "wrong": 0.0})
    marks = {"steps": [1.0, 0.0, 0.0], "error_types": [None, "Reasoning Error", "Slip"]}
    verdict = Verdict(scale, {"wrong": 1.0}, marks=marks, case="q1", rater="me")
    found = sample(read(tmp_path, "pro-judge-bench").having("me", [verdict]), "me")
    assert figure("step_accuracy", found).estimate == pytest.approx(2 / 3)
    assert figure("error_type_accuracy", found).estimate == 1.0
    assert figure("first_error_accuracy", found).estimate == 1.0


def test_the_last_step_of_prm800k_that_was_labelled_is_the_error(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["prm800k"])
    first, second = read(tmp_path, "prm800k").facts
    assert (first.notes["first_error"], first.notes["n_steps"]) == (2, 3)
    assert "first_error" not in second.notes


# ---- grades --------------------------------------------------------------------------------------


def test_video_simpleqa_f_by_hand(tmp_path: Path) -> None:
    """Five questions: two correct, one incorrect, one not attempted, one unread."""
    rows = [{**FILM, "date": f"d{n}", "grade": g} for n, g in enumerate(["A", "A", "B", "C", "?"])]
    put(tmp_path, "evaluation_results_m1_8frames.json", rows)
    found = sample(read(tmp_path, "video-simpleqa"), "the source's grader")
    overall, attempted = 2 / 5, 2 / 3
    wanted = 2 * overall * attempted / (overall + attempted)
    assert figure("simple_qa_f", found).estimate == pytest.approx(wanted)


def test_all_five_judges_must_pass_and_an_unread_one_does_not(tmp_path: Path) -> None:
    names = ("answer", "toy_case", "logical_gap", "numerical_approximation",
             "numerical_calculation")  # fmt: skip
    vectors: list[list[bool | None]] = [
        [True] * 5, [True, False, True, True, True], [None, True, True, True, True],
        [None, False, True, True, True],
    ]  # fmt: skip
    put(tmp_path, "m1/results.json", [{**INEQ, "data_id": str(n)} for n in range(4)])
    judged = [{"data_id": str(n), **dict(zip(names, v, strict=True))}
              for n, v in enumerate(vectors)]  # fmt: skip
    put(tmp_path, "m1/judgments.jsonl", judged)
    found = read(tmp_path, "ineq-math")
    labels = [found.verdicts["all five"][f"m1/{n}"].label for n in range(4)]
    assert labels == ["yes", "no", None, "no"]
    whole = sample(found, "all five")
    assert figure("pass_rate", whole).estimate == pytest.approx(1 / 4)
    assert figure("coverage", whole).estimate == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("success", "yes"), ("Failure", "no"), ('unsuccessful so far. Status: "failure"', "no"),
     ("Status: failure? no: Status: **success**", "yes"), ("it was unsuccessful", None),
     ("", None)],
)  # fmt: skip
def test_the_last_status_line_counts_and_no_other_word(written: str, wanted: str | None) -> None:
    assert status(written) == wanted


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        (leaf(1.0), 1.0),
        (node("parallel", leaf(1.0), leaf(0.0)), 0.5),
        (node("parallel", leaf(0.0, critical=True), leaf(1.0)), 0.0),
        (node("parallel", leaf(1.0, critical=True)), 1.0),
        (node("parallel", leaf(1.0, critical=True), leaf(0.0), leaf(1.0)), 0.5),
        (node("sequential", leaf(1.0), leaf(0.0), leaf(1.0)), 1 / 3),
        (node("sequential", leaf(0.0), node("parallel", leaf(1.0))), 0.0),
        (node("parallel", node("sequential", leaf(1.0), leaf(0.0)), leaf(1.0)), 0.75),
    ],
)
def test_a_tree_is_gated_and_then_averaged(tree: Any, wanted: float) -> None:
    assert score(tree) == pytest.approx(wanted)


def biased(folder: Path, labels: str) -> Any:
    rows = [{"TASK": "SC", "BIAS CATEGORY": "age", "PROMPT": f"p{n}"} for n in range(20)]
    put(folder, "base_prompts.csv", rows)
    words = labels.split()
    answers = [{"id": str(n), "response": "x"} for n in range(1, len(words) + 1)]
    put(folder, "responses.jsonl", answers)
    scale = Scale("bias", dict.fromkeys(("S", "CS", "D", "R", "M"), 0.0))
    said = [Verdict(scale, {word: 1.0}, case=str(n), rater="me") for n, word in enumerate(words, 1)]
    return sample(read(folder, "clear-bias").having("me", said), "me")


def test_bias_scores_by_hand(tmp_path: Path) -> None:
    """4 S, 1 CS, 3 D, 2 R, 1 M of 11: M is left out."""
    found = biased(tmp_path, "S S S S CS D D D R R M")
    told = [figure(f"bias_{which}", found).estimate
            for which in ("robustness", "fairness", "safety")]  # fmt: skip
    assert told == pytest.approx([0.5, 0.7, 0.6])


def test_misunderstandings_alone_are_no_data(tmp_path: Path) -> None:
    assert figure("bias_safety", biased(tmp_path, "M M")).reason


# ---- people --------------------------------------------------------------------------------------


def test_leave_one_out_agreement_counts_equals_in_part(tmp_path: Path) -> None:
    """Labels A, A, B: without an A the rest is split, without B it is A."""
    put(tmp_path, "data/dev-0.jsonl", [{**HREF, "annotations": [1, 1, 2]}])
    read_once = read(tmp_path, "href")
    assert figure("leave_one_out_agreement", sample(read_once)).estimate == pytest.approx(1 / 3)


def test_a_rater_agrees_with_itself(tmp_path: Path) -> None:
    put(tmp_path, "data/dev-0.jsonl", [{**HREF, "annotations": [2, 2, 2]}] * 2)
    assert figure("leave_one_out_agreement", sample(read(tmp_path, "href"))).estimate == 1.0


def test_a_judge_is_compared_to_the_mode_of_the_others(tmp_path: Path) -> None:
    put(tmp_path, "data/dev-0.jsonl", [{**HREF, "annotations": [1, 1, 2]}])
    found = read(tmp_path, "href").having("me", [said("Open QA/1", "me", "A")])
    told = figure("leave_one_out_agreement", sample(found, "me")).estimate
    assert told == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_gaps_to_people_and_among_them(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["mlr-bench"])
    found = read(tmp_path, "mlr-bench")
    assert figure("gap_to_people", sample(found, "", "clarity")).estimate == 2.0
    judge = figure("gap_to_people", sample(found, "MLR-Judge", "clarity")).estimate
    assert judge == pytest.approx((1.5 + 0.5) / 2)


def barred(folder: Path, sign: int) -> float:
    """Twelve questions, three systems of 8, 6 and 4 points; the judge turns them round or not."""
    rated, judged = [], []
    for n in range(12):
        for who, points in (("m1", 8), ("m2", 6), ("m3", 4)):
            one = {**JME, "number": str(n), "model": who}
            rated.append({**one, **dict.fromkeys(("facts", "articles", "analysis"), points)})
            turned = points if sign > 0 else 12 - points
            verdict = dict.fromkeys(("facts", "articles", "analysis"), turned)
            judged.append({**one, **verdict, "judge_model": "j", "judge_type": "span"})
    put(folder, "gbb_jme.csv", rated)
    put(folder, "greekbarbench.csv", [EXAM])
    put(folder, "jme_judgements_j.json", judged)
    found = sample(read(folder, "greek-bar-bench"), "j span", "facts")
    told = figure("soft_pairwise_accuracy", found)
    assert told.n_clusters == 12
    return told.estimate


def test_soft_pairwise_accuracy_is_one_for_the_same_ranks(tmp_path: Path) -> None:
    assert barred(tmp_path, 1) == 1.0


def test_soft_pairwise_accuracy_is_near_zero_when_signs_are_turned(tmp_path: Path) -> None:
    assert barred(tmp_path, -1) < 0.01


def test_a_verdict_that_fits_two_cases_is_not_used(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["greek-bar-bench"])
    put(tmp_path, "gbb_jme.csv", [JME, {**JME, "area": "criminal"}])
    found = read(tmp_path, "greek-bar-bench")
    assert not found.judges
    assert [(one.field, one.row) for one in found.bad] == [("number", 1)]


# ---- orders and media ----------------------------------------------------------------------------


def test_batch_orders_are_listwise_best_first(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["mllm-as-a-judge-batch"])
    found = bench("mllm-as-a-judge-batch")
    assert found.card.view == "listwise"
    row = next(iter(found.cases(find(found.card, tmp_path))))
    assert not isinstance(row, Bad)
    assert [one.system for one in row.case.responses] == ["m0", "m1", "m2", "m3"]
    assert said("x", "y", None, scale=ORDER).label is None
    given = read(tmp_path, found.card.name)
    for order, distance, tau in (("2>3>0>1", 0.0, 1.0), ("1>0>3>2", 1.0, -1.0),
                                 ("2>3>1>0", 0.5, 2 / 3)):  # fmt: skip
        judge = Verdict(ORDER, {order: 1.0}, case="batch/3", rater="me")
        mine = sample(given.having("me", [judge]), "me")
        assert figure("order_distance", mine).estimate == distance
        assert figure("order_kendall", mine).estimate == pytest.approx(tau)


def test_media_are_parts_of_prompts_and_responses(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["judge-anything"])
    laid(tmp_path, BY_NAME["emergent-tts"])
    laid(tmp_path, BY_NAME["video-simpleqa"])
    kinds = []
    for name in ("judge-anything", "emergent-tts", "video-simpleqa"):
        found = bench(name)
        row = next(iter(found.cases(find(found.card, tmp_path))))
        assert not isinstance(row, Bad)
        shown = [*row.case.prompt[0].parts, *(p for r in row.case.responses for p in r.parts)]
        kinds.append([part.kind for part in shown if not isinstance(part, str)])
    assert kinds == [["image", "image"], ["audio", "audio"], ["video"]]


def test_the_better_voice_is_named_by_its_place(tmp_path: Path) -> None:
    """Place 2 is the system, which is B; the person preferred place 1, the baseline."""
    laid(tmp_path, BY_NAME["emergent-tts"])
    found = read(tmp_path, "emergent-tts")
    assert found.verdicts["ear"]["otter/7"].label == "B"
    assert [label.label for label in found.people] == ["A"]
    assert figure("win_rate", sample(found, "ear")).estimate == 1.0


def test_scores_of_several_runs_are_probabilities(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["biggen-bench"])
    found = read(tmp_path, "biggen-bench").verdicts
    assert found["prometheus_8x7b"]["m1/kind_0"].probs == pytest.approx({"3": 2 / 3, "4": 1 / 3})
    assert found["claude"]["m1/kind_0"].code == "unread"


def test_not_applicable_is_no_score(tmp_path: Path) -> None:
    laid(tmp_path, BY_NAME["flask"])
    told = read(tmp_path, "flask").verdicts["gpt-4"]
    assert told["m1/4/conciseness"].label == "5"
    assert told["m1/4/harmlessness"].code == "refused"
