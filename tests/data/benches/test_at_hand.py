"""Adapters whose real files were read, on tiny files of the same columns with invented content."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from evenhand.data.bench import Files, bench, find
from evenhand.data.rows import Bad
from evenhand.errors import DataError
from evenhand.report.bench_boards import boards
from evenhand.report.bench_figures import figure
from evenhand.report.sample import Contents, contents, sample
from tests.commands import evenhand as evenhand  # a fixture
from tests.data.benches.put import put

Raws = list[dict[str, Any]]


def opened(folder: Path, name: str) -> Files:
    return find(bench(name).card, folder)


def read(folder: Path, name: str) -> Contents:
    return contents(bench(name), opened(folder, name))


@dataclass(frozen=True)
class Set:
    """Attributes: broken: a column and what it cannot hold; said: of the cases, by judge."""

    name: str
    file: str
    rows: Raws
    broken: tuple[str, Any]
    labels: list[str | None]
    renamed: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    said: dict[str, list[str | None]] = field(default_factory=dict)
    people: int = 0

    def __str__(self) -> str:
        return self.name


def agent(task: str, done: str) -> dict[str, Any]:
    return {
        "annotator_name": " Ada", "benchmark": "shop", "task_id": task, "model_name": "walker",
        "exp_name": "one", "trajectory_success": done, "trajectory_side_effect": "No",
        "trajectory_optimality": "2. Suboptimal", "trajectory_looping": "Yes",
    }  # fmt: skip


def games(ident: str, *decisions: str | None) -> dict[str, Any]:
    return {"pair_id": ident, "judgments": [{"decision": one} for one in decisions]}


def ordered(idx: int, plain: str, turned: str) -> dict[str, Any]:
    both = {"swap = False": {"winner": plain}, "swap = True": {"winner": turned}}
    return {"subset": "Easy", "idx": idx, "judge": "J", "strategy": "Plain", "results": [both]}


def questions(ident: str, first: int) -> dict[str, Any]:
    rest = {f"Q{n}": 3 for n in range(1, 9)}
    return {"text_id": ident, "annotator_id": "ada", "Q0": first, **rest}


def solved(ident: str, label: str, first: str) -> dict[str, Any]:
    return {
        "id": ident, "question": "2 + 2?", "generator": "adder", "model_output": "2 + 2 = 4.",
        "model_output_step_format": [["Take 2."], ["Add 2.", "That is 4."]],
        "model_output_solution_correctness": label,
        "model_output_solution_first_error_step": first,
    }  # fmt: skip


def pair(idx: int, *votes: int) -> dict[str, Any]:
    three = {f"annotator{n}": vote for n, vote in enumerate(votes, 1)}
    return {
        "idx": idx, "instruction": "Name a bird.", "input": "", "response1": "Wren.",
        "response2": "Trout.", **three,
    }  # fmt: skip


SETS = [
    Set("agent-reward-bench", "annotations.csv", [agent("a", "Successful"), agent("b", "Unsure")],
        ("trajectory_success", "Perhaps"), ["yes", "no", "2", "yes", None, "no", "2", "yes"],
        "annotator_name", people=8),
    Set("alpaca-eval", "preferences_x.csv",
        [{"model": "m", "instruction_idx": n, "preference": p, "len_output_1": 9,
          "len_output_2": 4} for n, p in enumerate((1.75, ""))],
        ("len_output_2", "many"), [None, None], "model",
        said={"weighted_alpaca_eval_gpt4_turbo": ["B", None]}),
    Set("bigbench-mistake", "sums.jsonl",
        [{"input": "1 + 1", "steps": ["Take 1.", "Get 3."], "mistake_index": at}
         for at in (1, None)], ("mistake_index", "two"), ["wrong", "correct"], "mistake_index"),
    Set("devai", "requirement_judgements.jsonl",
        [{"agent": "A", "task": "t", "query": "Make a list.", "requirement_id": n,
          "prerequisites": [], "criteria": "There is a list.", "category": "files",
          "human_consensus": met, "agent_judge_gray_box": True}
         for n, met in enumerate((True, False))],
        ("human_consensus", "maybe"), ["yes", "no"], "criteria",
        said={"agent-as-a-judge gray box": ["yes", "yes"]}),
    Set("fineweb-c", "fineweb_c_xx.jsonl",
        [{"id": f"p{n}", "language": "xx", "labels": labels, "text_first_1000": "A page."}
         for n, labels in enumerate((["Good", "Good"], ["Good", "?"]))],
        ("labels", []), ["Good", None], "labels", people=4),
    Set("ice-score", "humaneval_python.csv",
        [{"task_id": "t", "sample": n, "execution_pass": n, "gpt35_no_ref": 3, "bleu": 0.5}
         for n in (0, 1)], ("execution_pass", "yes"), ["0", "1"], "sample",
        said={"gpt35_no_ref": ["3", "3"], "bleu": ["0.5", "0.5"]}),
    Set("ice-score-conala", "conala_no_step_gpt35.jsonl",
        [{"item": "i", "system": who, "graders": {"x": 2, "y": 4}, "gpt35_text": told}
         for who, told in (("s", "Score: 3"), ("t", "I cannot say"))],
        ("item", None), [None, None], "graders", people=4, said={"gpt-3.5": ["3", None]}),
    Set("judge-bench", "birds.jsonl",
        [{"metric": "charm", "item": n, "scores": [1, None, 3]} for n in (1, 2)],
        ("scores", "3"), [None, None], "scores", people=6),
    Set("judgebench", "pairs_x.jsonl",
        [{"pair_id": ident, "source": "livebench-math", "question": "2 + 2?", "response_A": "4",
          "response_B": "5", "label": "A>B"} for ident in "pq"],
        ("label", "A?B"), ["A", "A"], "label",
        {"judgments_j_on_x.jsonl": [games("p", "A>B", "B>A"), games("q", "A>B", None)]},
        {"j": ["A", None]}),
    Set("llm-rubric", "real_human_judges.tsv", [questions("r", 4), questions("s", 0)],
        ("Q0", 9), ["4", *["3"] * 8, None, *["3"] * 8], "annotator_id", people=18),
    Set("llmbar", "datasets.jsonl",
        [{"subset": "Easy", "idx": n, "input": "Say yes.", "output_1": "Yes.", "output_2": "No.",
          "label": 1} for n in (0, 1)], ("label", 3), ["A", "A"], "output_2",
        {"judgements_J.jsonl": [ordered(0, "1", "1"), ordered(1, "1", "?")]},
        {"J Plain": ["A", None]}),
    Set("llmjudge", "test_labels.tsv",
        [{"query_id": "q", "doc_id": n, "gold": n, "guess": 3, "other": ""} for n in (0, 2)],
        ("gold", "high"), ["0", "2"], "doc_id", said={"guess": ["3", "3"], "other": [None, None]}),
    Set("mt-bench-single", "gpt4_single.jsonl",
        [{"question_id": 1, "model": "m", "turn": n, "judge": ["gpt-4", "single-v1"], "score": s}
         for n, s in ((1, 8), (2, -1))], ("model", None), [None, None], "turn",
        said={"gpt-4": ["8", None]}),
    Set("pandalm", "testset-v1.json", [pair(1, 1, 1, 2), pair(2, 0, 1, 2)],
        ("annotator2", 7), ["A", None], "response1",
        {"pandalm-7b-testset-v1.json": [{"idx": 1, "pandalm_result": "Tie"},
                                        {"idx": 2, "pandalm_result": "?"}]},
        {"pandalm-7b": ["tie", None]}, people=6),
    Set("policy-value", "scores.jsonl",
        [{"policy": "base", "prompt_id": n, "judge_score": 0.5, "oracle_label": oracle}
         for n, oracle in ((1, 0.25), (2, None))],
        ("oracle_label", "good"), ["0.25", None], "judge_score",
        said={"cheap judge": ["0.5", "0.5"]}),
    Set("prometheus-vicuna", "vicuna_eval.jsonl",
        [{"idx": n, "response_source": "r", "category": "c", "instruction": "Grade it.",
          "gpt4_score": scores} for n, scores in ((1, [4, 4, 4]), (2, [2, 2, 5]))],
        ("instruction", None), [None, None], "instruction", said={"gpt-4": ["4", "2"]}),
    Set("reason-eval", "mr-math_invalid_errors.jsonl",
        [solved("a", "correct", "N/A"), solved("b", "wrong", "2")],
        ("model_output_step_format", "text"), ["correct", "wrong"], "question",
        {"x_evaluators.jsonl": [
            {"id": "a", "evaluator": "steps", "scores": [0.9, 0.8, 0.5]},
            {"id": "b", "evaluator": "steps", "scores": [[0.1, 0.2, 0.7], 0.25, 0.5]}]},
        {"steps": ["0.5", "0.25"]}),
    Set("relevance-checklist", "train_ratings.tsv",
        [{"query_id": "q", "doc_id": n, "gold": n, "question_self_ratings": "1|5",
          "nugget_self_ratings": "2|2"} for n in (0, 1)],
        ("gold", 9), ["0", "1"], "nugget_self_ratings",
        said={"best question": ["5", "5"], "mean question": ["3", "3"], "best nugget": ["2", "2"],
              "questions rated 4 or 5": ["1", "1"]}),
    Set("who-and-when", "algorithm-generated.jsonl",
        [{"file": "1", "question": "Who?", "question_ID": ident, "mistake_agent": "ada",
          "mistake_step": "1", "history": [{"name": "ada", "content": "Hm."},
                                           {"name": "bo", "content": "So."}]} for ident in "xy"],
        ("history", "none"), ["ada", "1", "ada", "1"], "mistake_agent"),
    Set("xsum-factuality", "eval_scores.csv",
        [{"system_bbcid": f"s_{n}", "R1": 0.1, "R2": 0.2, "RL": 0.3, "BERTScore": 0.4,
          "Entailment": 0.5, "Faithful": 1, "Factual": n} for n in (0, 1)],
        ("Faithful", "yes"), ["1.0", "0.0", "1.0", "1.0"], "Factual",
        said={"R1": ["0.1"] * 4, "Entailment": ["0.5"] * 4}),
]  # fmt: skip


def written(folder: Path, one: Set, rows: Raws) -> Path:
    for name, other in one.more.items():
        put(folder, name, other)
    return put(folder, one.file, rows)


@pytest.mark.parametrize("one", SETS, ids=str)
def test_cases_labels_and_recorded_verdicts_are_read(tmp_path, one):
    written(tmp_path, one, one.rows)
    found = read(tmp_path, one.name)
    assert found.bad == ()
    assert [fact.label for fact in found.facts] == one.labels
    assert len(found.people) == one.people
    for judge, labels in one.said.items():
        verdicts = [found.verdicts[judge][fact.id] for fact in found.facts]
        assert [verdict.label for verdict in verdicts] == labels


@pytest.mark.parametrize("one", SETS, ids=str)
def test_a_malformed_row_is_named_and_the_others_are_kept(tmp_path, one):
    column, value = one.broken
    path = written(tmp_path, one, [*one.rows, {**one.rows[0], column: value}])
    made = list(bench(one.name).cases(opened(tmp_path, one.name)))
    bad = [row for row in made if isinstance(row, Bad)]
    assert len(bad) == 1
    assert Path(bad[0].file) == path
    assert (bad[0].row, bad[0].field) == (len(one.rows) + 1, column)
    assert bench(one.name).card.revision[:12] in bad[0].expected
    assert len(made) - 1 == len(one.labels)
    read(tmp_path, one.name)  # and nothing raises


@pytest.mark.parametrize("one", SETS, ids=str)
def test_a_renamed_column_is_named_with_file_row_and_revision(tmp_path, one):
    def renamed(row: dict[str, Any]) -> dict[str, Any]:
        return {"old_" + k if k == one.renamed else k: v for k, v in row.items()}

    path = written(tmp_path, one, [renamed(row) for row in one.rows])
    with pytest.raises(DataError) as raised:
        read(tmp_path, one.name)
    found = raised.value
    assert (found.file, found.row, found.field) == (str(path), 1, one.renamed)
    assert bench(one.name).card.revision in str(found)


@pytest.mark.parametrize("one", SETS, ids=str)
def test_a_file_of_something_else_is_refused_with_the_known_revision(tmp_path, one):
    written(tmp_path, one, [{"colour": "blue"}])
    with pytest.raises(DataError, match=bench(one.name).card.revision):
        read(tmp_path, one.name)


# ---- files that are one JSON object --------------------------------------------------------------


def test_annotators_of_alt_test_become_people_and_judges(tmp_path):
    put(tmp_path, "birds_human_annotations.json", {"ada": {"1": 3, "2": 4}, "bo": {"1": 5}})
    put(tmp_path, "birds_llm_annotations.json", {"owl": {"1": 3, "2": 9}})
    found = read(tmp_path, "alt-test")
    assert found.bad == ()
    assert [(fact.id, fact.group) for fact in found.facts] == [
        ("birds/1", "birds"), ("birds/2", "birds")]  # fmt: skip
    told = [(one.case, one.rater, one.label) for one in found.people]
    assert told == [("birds/1", "birds/ada", "3"), ("birds/2", "birds/ada", "4"),
                    ("birds/1", "birds/bo", "5")]  # fmt: skip
    assert found.verdicts["owl"]["birds/2"].label == "9"


def test_an_annotator_without_items_is_a_bad_row_and_the_other_sets_are_kept(tmp_path):
    path = put(tmp_path, "birds_human_annotations.json", {"ada": ["3", "4"]})
    put(tmp_path, "fish_human_annotations.json", {"ada": {"1": 3}})
    found = read(tmp_path, "alt-test")
    assert [fact.id for fact in found.facts] == ["fish/1"]
    assert [(one.file, one.row, one.field) for one in found.bad] == [(str(path), 1, "annotator")]
    assert bench("alt-test").card.revision in found.bad[0].expected


@pytest.mark.parametrize("name", ["birds_human_annotations.json", "birds_llm_annotations.json"])
def test_a_list_is_no_file_of_alt_test(tmp_path, name):
    put(tmp_path, "birds_human_annotations.json", {"ada": {"1": 3}})
    path = put(tmp_path, name, [1, 2])
    found = read(tmp_path, "alt-test").bad
    assert {(one.file, one.field) for one in found} == {(str(path), "annotator")}
    assert bench("alt-test").card.revision in found[0].expected


def biased(**columns: Any) -> dict[str, Any]:
    return {"instruction": "Name a bird.", "response1": "Wren.", "response2": "Trout, a long one.",
            "label": "1", **columns}  # fmt: skip


def test_biases_of_evalbiasbench_are_groups_and_a_bad_pair_is_named(tmp_path):
    rows = {"length": [biased(), biased(label="3")], "empty": [biased(label="2"), "a text"]}
    path = put(tmp_path, "biasbench.json", rows)
    found = read(tmp_path, "evalbiasbench")
    told = [(fact.id, fact.label, fact.group) for fact in found.facts]
    assert told == [("length/0", "A", "length"), ("empty/0", "B", "empty")]
    bad = [(one.file, one.row, one.field) for one in found.bad]
    assert bad == [(str(path), 2, "label"), (str(path), 4, "pair")]
    assert "biasbench.json" in found.files.changed


@pytest.mark.parametrize("form", [[biased()], {"length": "none"}])
def test_evalbiasbench_in_another_shape_is_refused_with_the_known_revision(tmp_path, form):
    path = put(tmp_path, "biasbench.json", form)
    with pytest.raises(DataError, match=bench("evalbiasbench").card.revision) as raised:
        read(tmp_path, "evalbiasbench")
    assert (raised.value.file, raised.value.row) == (str(path), 1)


def test_judge_bench_reads_the_sources_own_object(tmp_path):
    scores = {"charm": {"individual_human_scores": [2, None]}, "wit": {}}
    form = {"instances": [{"id": 7, "instance": "Ha.", "annotations": scores}]}
    put(tmp_path, "data/jokes/jokes.json", form)
    found = read(tmp_path, "judge-bench")
    assert [(fact.id, fact.group) for fact in found.facts] == [
        ("jokes/charm/7", "jokes/charm"), ("jokes/wit/7", "jokes/wit")]  # fmt: skip
    assert [(one.rater, one.label) for one in found.people] == [
        ("rater 1", "2"), ("rater 2", None)]  # fmt: skip


def test_judge_bench_without_instances_is_refused(tmp_path):
    path = put(tmp_path, "data/jokes/jokes.json", {"rows": []})
    with pytest.raises(DataError, match=bench("judge-bench").card.revision) as raised:
        read(tmp_path, "judge-bench")
    assert (raised.value.file, raised.value.field) == (str(path), "instances")


# ---- boards --------------------------------------------------------------------------------------

RATED = [{"index": f"s{n}", "rating": 1000.0 + 50 * n, "rating_q025": 990.0 + 50 * n,
          "rating_q975": 1010.0 + 50 * n} for n in range(12)]  # fmt: skip


def meta(folder: Path, **columns: Any) -> None:
    rows = [{"model": f"M{n}", "score": float(n), "results": [n - 0.1, n, n + 0.1]}
            for n in range(12)]  # fmt: skip
    put(folder, "bootstrap_stats_alpaca.jsonl", [{**row, **columns} for row in rows])
    put(folder, "chatbot_arena_elo_1.json", RATED)
    put(folder, "alpaca_to_arena.json", {f"M{n}": f"s{n}" for n in range(12)})
    put(folder, "arena_to_mt_bench.json", {})
    put(folder, "expected.json", {"alpaca": {
        "separability_pct": 100.0, "agreement_with_confidence": 1.0, "spearman": 1.0,
        "brier": 0.0}})  # fmt: skip


def test_boards_that_agree_throughout_have_the_best_figures(tmp_path):
    meta(tmp_path)
    found = boards(bench("arena-meta"), opened(tmp_path, "arena-meta"))
    values = {one.judge: one.value.estimate for one in found}
    assert values == pytest.approx({
        "alpaca: separability": 1.0,
        "alpaca: agreement_with_confidence (notebook)": 1.0,
        "alpaca: agreement_with_confidence (disjoint)": 1.0,
        "alpaca: spearman_of_boards": 1.0,
        "alpaca: pair_brier": 0.0,
    }, abs=1e-6)  # fmt: skip
    assert read(tmp_path, "arena-meta").facts == ()


def test_scores_that_are_no_list_are_refused_with_file_row_and_column(tmp_path):
    meta(tmp_path, results="none")
    with pytest.raises(DataError, match=bench("arena-meta").card.revision) as raised:
        boards(bench("arena-meta"), opened(tmp_path, "arena-meta"))
    assert (raised.value.row, raised.value.field) == (1, "results")


ARENA = "Arena Elo\n[Feb 2, 2024]"


def test_a_leaderboard_is_compared_over_systems_that_both_rank(tmp_path):
    rows = [{"Model": f"m{n}", ARENA: 1000 + n if n else "", "AlpacaEval 2.0": n,
             "LC AlpacaEval 2.0": -n} for n in range(14)]  # fmt: skip
    put(tmp_path, "benchmarks.csv", rows)
    found = boards(bench("alpaca-eval-arena"), opened(tmp_path, "alpaca-eval-arena"))
    assert [(one.value.estimate, one.value.n) for one in found] == [(1.0, 13), (-1.0, 13)]


def test_a_leaderboard_without_its_column_is_refused(tmp_path):
    path = put(tmp_path, "benchmarks.csv", [{"Model": "m", ARENA: 1000, "AlpacaEval": 1}])
    with pytest.raises(DataError, match=bench("alpaca-eval-arena").card.revision) as raised:
        boards(bench("alpaca-eval-arena"), opened(tmp_path, "alpaca-eval-arena"))
    assert (raised.value.file, raised.value.field) == (str(path), "AlpacaEval 2.0")


# ---- trivial judges ------------------------------------------------------------------------------


def test_responses_of_equal_length_are_for_neither_judge_of_length(tmp_path):
    long = {"response1": "A long one.", "response2": "Short."}
    same = {"response1": "One.", "response2": "Two."}
    rows = [biased(**long), biased(**same), biased(), biased(**long)]
    put(tmp_path, "biasbench.json", {"length": rows})
    whole = sample(read(tmp_path, "evalbiasbench"))
    assert figure("accuracy of the longer", whole).estimate == 0.5
    assert figure("accuracy of the first", whole).estimate == 1.0


LONGER = """
from dataclasses import dataclass
from evenhand.records import PAIR, Verdict

@dataclass(frozen=True)
class Longer:
    \"\"\"Take the longer response.\"\"\"
    view = "pairwise"

    async def __call__(self, case):
        first, second = (len(response.text) for response in case.responses)
        return Verdict(PAIR, {"A" if first > second else "B": 1.0})
"""


def test_with_every_benchmark_that_is_there_a_judge_runs_where_there_are_cases(evenhand, tmp_path):
    meta(tmp_path / "all" / "arena_meta")
    put(tmp_path / "all" / "evalbiasbench", "biasbench.json", {"length": [biased()] * 2})
    (tmp_path / "longer.py").write_text(LONGER)
    done = evenhand("bench", "--all-local", "all", "--judge", "longer.py:Longer", "--json")
    assert done.code == 0, done.out + done.err
    assert (done.json["bench"], done.json["value"]) == ("evalbiasbench", 0.0)
    alone = evenhand(
        "bench", "arena-meta", "--data", "all", "--judge", "longer.py:Longer", "--json"
    )
    assert alone.code == 2
    assert "no cases to judge" in alone.error["message"]
