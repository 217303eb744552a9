"""Published and recorded figures, recomputed from the files beside the repository."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from evenhand.correlations import spearman
from evenhand.intervals import clustered_t
from evenhand.rank.battles import Battles
from evenhand.rank.constant import constant_systems
from evenhand.rank.meta import (
    Standings,
    agreement_with_confidence,
    pair_rank_brier,
    separability,
)
from evenhand.rank.win_rate import length_controlled, win_rate

DATA = (Path(__file__).resolve().parents[2] / "../shared/data").resolve()


def needs(folder: str) -> pytest.MarkDecorator:
    there = (DATA / folder).is_dir()
    return pytest.mark.skipif(not there, reason=f"needs ../shared/data/{folder}")


def table(path: Path) -> list[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def numbers(rows: list[dict[str, str]], column: str) -> np.ndarray:
    return np.array([float(row[column]) if row[column] else np.nan for row in rows])


# ---- AlpacaEval ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def preferences() -> Battles:
    """Of 58 systems against one baseline, with the difference in length."""
    rows = table(DATA / "alpacaeval" / "preferences_weighted_gpt4_turbo.csv.gz")
    return Battles.of(
        [row["model"] for row in rows],
        ["the baseline"] * len(rows),
        numbers(rows, "preference") - 1,
        clusters=numbers(rows, "instruction_idx"),
        covariates={"length": numbers(rows, "len_output_2") - numbers(rows, "len_output_1")},
    )


@pytest.fixture(scope="module")
def leaderboard() -> dict[str, dict[str, str]]:
    rows = table(DATA / "alpacaeval" / "leaderboard_weighted_gpt4_turbo.csv")
    return {row[""]: row for row in rows}


@needs("alpacaeval")
def test_raw_win_rates_of_57_systems_are_those_of_the_leaderboard(preferences, leaderboard):
    names = [name for name in preferences.systems if name in leaderboard]
    found = [100 * win_rate(preferences, name).raw.estimate for name in names]
    expected = [float(leaderboard[name]["win_rate"]) for name in names]
    assert len(names) == 57
    np.testing.assert_allclose(found, expected, atol=1e-9)


@needs("alpacaeval")
def test_the_plain_standard_error_is_that_of_the_leaderboard(preferences, leaderboard):
    found = win_rate(preferences, "NullModel").raw
    half = 100 * (found.high - found.low) / 2
    assert half / 1.963 == pytest.approx(
        float(leaderboard["NullModel"]["standard_error"]), rel=1e-3
    )


def controlled(battles: Battles, name: str):
    one = battles.where(battles.a == battles.systems.index(name))
    return length_controlled(one.outcome, one.covariates[:, 0], clusters=one.clusters)


@needs("alpacaeval")
def test_length_control_agrees_with_the_leaderboard_near_the_baselines_strength(
    preferences, leaderboard
):
    names = [n for n in preferences.systems if n in leaderboard]
    near = [n for n in names if 25 < float(leaderboard[n]["win_rate"]) < 75]
    assert len(near) == 6
    for name in near:
        expected = float(leaderboard[name]["length_controlled_winrate"])
        found = controlled(preferences, name)
        assert 100 * found.controlled.estimate == pytest.approx(expected, abs=0.7)
        assert found.warnings == ()


@needs("alpacaeval")
def test_far_from_it_length_control_differs_and_the_terse_are_named_as_extrapolated(
    preferences, leaderboard
):
    found = controlled(preferences, "alpaca-7b")
    published = float(leaderboard["alpaca-7b"]["length_controlled_winrate"])
    assert 100 * found.controlled.estimate == pytest.approx(19.84, abs=0.01)
    assert published == pytest.approx(5.88, abs=0.01)
    assert "extrapolation" in found.warnings[0]


@needs("alpacaeval")
def test_the_null_models_error_is_a_point_and_not_the_seventh_of_it_that_was_published(
    preferences, leaderboard
):
    published = float(leaderboard["NullModel"]["lc_standard_error"])
    assert published == pytest.approx(0.1418, abs=1e-4)
    found = controlled(preferences, "NullModel").controlled
    assert 0.9 < 100 * (found.high - found.low) / 2 / 1.963 < 1.2


@needs("alpacaeval")
def test_the_null_model_alone_gives_one_constant_answer():
    rows = table(DATA / "alpacaeval" / "preferences_weighted_gpt4_turbo.csv.gz")
    names, systems = np.unique([row["model"] for row in rows], return_inverse=True)
    flagged = constant_systems(systems, numbers(rows, "len_output_2"))
    assert [names[at] for at in flagged] == ["NullModel"]


@needs("alpacaeval")
@pytest.mark.parametrize(
    ("column", "expected"), [("AlpacaEval 2.0", 0.931), ("LC AlpacaEval 2.0", 0.975)]
)
def test_spearman_with_arena_ratings_over_37_systems(column, expected):
    rows = table(DATA / "alpacaeval" / "benchmarks_vs_arena.csv")
    arena = next(name for name in rows[0] if name.startswith("Arena Elo") and "Feb 2" in name)
    found = spearman(numbers(rows, column), numbers(rows, arena))
    assert found.n_used == 37
    assert found.interval.estimate == pytest.approx(expected, abs=5e-4)
    assert found.interval.low < found.interval.estimate < found.interval.high


# ---- benchmarks against human ratings ------------------------------------------------------------


def plain(name: str) -> object:
    return json.loads((DATA / "arena_meta" / name).read_text(encoding="utf-8"))


def shared_systems(benchmark: str) -> tuple[np.ndarray, np.ndarray, Standings]:
    """Bootstrap scores, published scores and Arena's ratings of the 20 shared systems."""
    to_arena, from_arena = plain("alpaca_to_arena.json"), plain("arena_to_mt_bench.json")
    path = DATA / "arena_meta" / f"bootstrap_stats_{benchmark}.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    back = {there: here for here, there in from_arena.items()}
    for row in rows:
        low = row["model"].lower()
        row["arena"] = back.get(low, low) if benchmark == "mt_bench" else to_arena[row["model"]]
    rows = [row for row in rows if row["arena"] in set(to_arena.values())]
    rated = {row["index"]: row for row in plain("chatbot_arena_elo_20240329.json")}
    columns = ("rating", "rating_q025", "rating_q975")
    arena = (np.array([rated[row["arena"]][c] for row in rows]) for c in columns)
    draws = np.array([row["results"] for row in rows])
    return draws, np.array([row["score"] for row in rows]), Standings(*arena)


BOARDS = ("alpaca_LC", "alpaca", "mt_bench")


@needs("arena_meta")
@pytest.mark.parametrize("benchmark", BOARDS)
def test_the_notebooks_figures_come_out_to_all_digits(benchmark):
    expected = plain("expected.json")[benchmark.lower()]
    draws, score, arena = shared_systems(benchmark)
    ours = Standings.of(draws, score=score)
    separable = separability(ours)
    agreed = agreement_with_confidence(ours, arena, form="notebook")
    brier = pair_rank_brier(draws, arena.score)
    rho = spearman(score, arena.score).interval
    assert 100 * separable.interval.estimate == pytest.approx(
        expected["separability_pct"], abs=0.005
    )
    assert (separable.n_pairs, agreed.n_pairs, brier.n_pairs) == (190, 177, 190)
    figures = agreed.interval.estimate, brier.interval.estimate, rho.estimate
    published = (expected[key] for key in ("agreement_with_confidence", "brier", "spearman"))
    assert figures == pytest.approx(tuple(published), abs=1e-12)
    for found in (separable, agreed, brier):
        assert found.interval.low < found.interval.estimate < found.interval.high


@needs("arena_meta")
@pytest.mark.parametrize(
    ("benchmark", "expected"), [("alpaca_LC", 0.8793), ("alpaca", 0.7960), ("mt_bench", 0.6983)]
)
def test_agreement_over_truly_disjoint_pairs(benchmark, expected):
    draws, score, arena = shared_systems(benchmark)
    ours = Standings.of(draws, score=score)
    found = agreement_with_confidence(ours, arena)
    assert found.n_pairs == 174
    assert found.interval.estimate == pytest.approx(expected, abs=5e-5)
    paper = agreement_with_confidence(ours, arena, form="paper").interval.estimate
    assert paper == pytest.approx(2 * found.interval.estimate - 1)


# ---- agents and policies -------------------------------------------------------------------------


@needs("agentrewardbench")
def test_success_rates_of_agents_follow_from_the_experts_labels():
    """52 of 100 for Claude 3.7 Sonnet on WebArena; one label in 1,408 is unsure, so undecided."""
    rows = table(DATA / "agentrewardbench" / "annotations.csv")
    points = {"Successful": 1.0, "Unsuccessful": 0.0, "Unsure": np.nan}
    success = np.array([points[row["trajectory_success"]] for row in rows])
    assert (len(rows), int(np.isnan(success).sum())) == (1408, 1)
    pairs = {(row["model_name"], row["benchmark"], row["task_id"]) for row in rows}
    assert len(pairs) == 1302
    claude = np.array([
        "claude-3.7-sonnet" in row["model_name"] and row["benchmark"] == "webarena" for row in rows
    ])  # fmt: skip
    rate = clustered_t(success[claude], np.arange(claude.sum()), span=(0, 1))
    assert (rate.n, rate.estimate) == (100, pytest.approx(0.52))
    agents = sorted({row["model_name"] for row in rows})
    who = np.array([row["model_name"] for row in rows])
    rates = [np.nanmean(success[who == agent]) for agent in agents]
    assert len(agents) == 4
    assert "claude-3.7-sonnet" in agents[int(np.argmax(rates))]


@needs("policy_value_sample")
def test_policies_stand_in_the_order_of_their_recorded_means():
    path = DATA / "policy_value_sample"
    lines = (path / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    told = json.loads((path / "expected.json").read_text(encoding="utf-8"))["computed"]
    oracle = {}
    for policy, expected in told.items():
        mine = [row for row in rows if row["policy"] == policy]
        judged = [row["judge_score"] for row in mine]
        truth = [row["oracle_label"] for row in mine if row.get("oracle_label") is not None]
        means = [clustered_t(v, np.arange(len(v)), span=(0, 1)) for v in (judged, truth)]
        assert [m.n for m in means] == [expected["rows"], expected["with_oracle"]]
        assert means[0].estimate == pytest.approx(expected["mean_judge"], abs=5e-7)
        assert means[1].estimate == pytest.approx(expected["mean_oracle"], abs=5e-7)
        oracle[policy] = means[1].estimate
    assert min(oracle, key=oracle.get) == "unhelpful"
    assert max(oracle, key=oracle.get) == "parallel_universe_prompt"
