"""Judges on a benchmark: values that can be worked out by hand, trivial judges, differences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published, bench, find
from evenhand.data.reading import case_row, in_orders, said
from evenhand.data.rows import Bad, Row
from evenhand.errors import DataError
from evenhand.intervals import clustered_t
from evenhand.records import YES_NO, Verdict
from evenhand.report.bench import difference, jackknife, mean_of, scored
from evenhand.report.bench_text import junit as suites
from evenhand.report.bench_text import markdown, scored_text
from evenhand.report.sample import contents, sample
from evenhand.report.terminal import printed
from tests import benches_by_hand as made

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
N = 24
CARD = Card(
    "mine", "words", "here", "1", "none", "human", "pointwise", Metric("accuracy"), (File("x"),),
    status="verified",
)  # fmt: skip
FILES = Files(CARD, {"x": ()})


def gold(at: int) -> str:
    return "A" if at % 3 == 0 else "B"


def turned(label: str) -> str:
    """What a judge writes of a pair shown the other way round."""
    return {"A": "B>A", "B": "A>B"}[label]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made.judgebench(tmp_path, N)
    made.judgments(tmp_path, "first", [("A>B", "A>B")] * N)
    made.judgments(tmp_path, "last", [("B>A", "B>A")] * N)
    made.judgments(
        tmp_path, "knows", [({"A": "A>B", "B": "B>A"}[gold(n)], turned(gold(n))) for n in range(N)]
    )
    made.judgments(tmp_path, "silent", [(None, None)] * N)
    return tmp_path


def read(folder: Path):  # type: ignore[no-untyped-def]
    one = bench("judgebench")
    return contents(one, find(one.card, folder=folder))


def test_trivial_and_perfect_judges_land_where_theory_says(folder: Path) -> None:
    found = {one.judge: one for one in scored(read(folder), ["knows", "first", "last", "silent"])}
    # A judge of places is right in exactly one of the two orders of every pair.
    for name in ("first", "last"):
        further = {key: one.estimate for key, one in found[name].further.items()}
        assert further == {"mean_accuracy": 0.5, "consistent_accuracy": 0.0, "consistency": 0.0}
        assert found[name].value.estimate == 0.0  # net votes: a pair with one vote each is a tie
    assert found["knows"].value.estimate == 1.0
    assert {one.estimate for one in found["knows"].further.values()} == {1.0}
    assert found["silent"].value.estimate == 0.0
    assert found["silent"].coverage.estimate == 0.0
    assert found["silent"].undecided_by == {"unread": N}
    assert found["knows"].coverage.estimate == 1.0


def test_baselines_are_counted_by_hand(folder: Path) -> None:
    [one] = scored(read(folder), ["knows"])
    # The right answer stands first in every third pair, where it is as long as the wrong one;
    # elsewhere the wrong one is longer.
    assert one.baselines["always the first"].estimate == pytest.approx(1 / 3)
    assert one.baselines["the longer"].estimate == 0.0
    assert f"{N // 3} pairs of equal length: the longer response is neither" in one.warnings


def test_subsets_are_parts_of_the_whole(folder: Path) -> None:
    [one] = scored(read(folder), ["knows"])
    assert set(one.subsets) == {"math", "reasoning", "coding", "knowledge"}
    assert sum(part.n for part in one.subsets.values()) == one.value.n == N


def test_the_second_judge_is_compared_pair_by_pair(folder: Path) -> None:
    first, second = scored(read(folder), ["knows", "first"])
    assert first.over_first is None
    assert second.over_first is not None
    assert second.over_first.estimate == -1.0
    assert second.over_first.n == N


def test_a_judge_less_itself_is_zero(folder: Path) -> None:
    gap = difference(read(folder), ("knows", "knows"))
    assert (gap.estimate, gap.low, gap.high) == (0.0, 0.0, 0.0)


def test_the_jackknife_of_a_mean_is_the_interval_of_clustered_t() -> None:
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(400), 3)
    values = rng.normal(size=400).repeat(3) + rng.normal(size=1200)
    ours = jackknife(lambda kept: float(values[kept].mean()), clusters, 0.95)
    theirs = clustered_t(values, clusters)
    assert ours.estimate == pytest.approx(theirs.estimate)
    assert None not in (ours.low, ours.high, theirs.low, theirs.high)
    # 20 groups: the width itself varies by 1 / sqrt(2 * 19), and t has 19 degrees of freedom.
    ratios = []
    for _ in range(40):
        order = rng.permutation(1200)
        one = jackknife(lambda kept, v=values[order]: float(v[kept].mean()), clusters, 0.95)
        other = clustered_t(values[order], clusters)
        ratios.append((one.high - one.low) / (other.high - other.low))  # type: ignore[operator]
    assert np.mean(ratios) == pytest.approx(2.093 / 1.966, rel=0.06)


def test_few_clusters_have_a_difference_without_an_interval() -> None:
    gap = jackknife(lambda kept: 0.5, np.arange(9), 0.95)
    assert (gap.estimate, gap.low) == (0.5, None)
    assert "9 clusters" in gap.reason


def test_the_mean_of_subsets_adds_their_variances() -> None:
    parts = [replace(clustered_t([0.0, 1.0], [0, 1]), low=0.4, high=0.6),
             replace(clustered_t([0.0, 1.0], [0, 1]), low=0.1, high=0.9)]  # fmt: skip
    found = mean_of(parts)
    assert found.estimate == 0.5
    assert found.high is not None
    assert found.high - 0.5 == pytest.approx((0.1**2 + 0.4**2) ** 0.5 / 2)


def test_a_subset_without_an_interval_leaves_the_mean_without_one() -> None:
    part = clustered_t([0.0, 1.0], [0, 1])
    found = mean_of([part, replace(part, low=None, high=None)])
    assert (found.estimate, found.low) == (0.5, None)


# ---- words ---------------------------------------------------------------------------------------


def words(verdicts: list[str | None], golds: list[str | None]) -> Bench:
    def cases(_files: Files) -> Iterator[Row | Bad]:
        for at, label in enumerate(golds):
            yield case_row(str(at), "?", ("!",), label=label, at=at, group=f"g{at % 2}")

    def recorded(_files: Files) -> Iterator[Verdict | Bad]:
        for at, label in enumerate(verdicts):
            yield said(str(at), "j", label, scale=YES_NO)
        yield Bad("x", 9, "label", "nonsense", "yes or no")

    return Bench(CARD, cases, recorded=recorded)


def test_undecided_is_wrong_in_the_headline_and_left_out_of_what_was_answered() -> None:
    golds: list[str | None] = ["yes", "no"] * 10
    verdicts = ["yes", "no"] * 8 + [None, None, "no", "yes"]
    [one] = scored(contents(words(verdicts, golds), FILES), ["j"])
    assert one.value.estimate == pytest.approx(16 / 20)
    assert one.answered.estimate == pytest.approx(16 / 18)
    assert one.coverage.estimate == pytest.approx(18 / 20)
    assert one.baselines["commonest label"].estimate == 0.5


def test_cases_never_asked_are_left_out_and_said() -> None:
    golds: list[str | None] = ["yes", "no"] * 10 + ["no"] * 20
    [one] = scored(contents(words(["yes", "no"] * 10, golds), FILES), ["j"])
    assert (one.value.estimate, one.value.n) == (1.0, 20)
    assert one.baselines["commonest label"].estimate == 0.5  # of the same 20 cases
    assert "20 of 40 cases have no verdict and are left out" in one.warnings


def test_a_mean_of_subsets_is_of_those_that_were_asked() -> None:
    card = replace(CARD, metric=Metric("accuracy", mean="subsets"))
    golds: list[str | None] = ["yes"] * 40
    made_ = replace(words(["yes", "no"] * 10, golds), card=card)
    [one] = scored(contents(made_, FILES), ["j"])
    assert one.value.estimate == 0.5


def test_bad_rows_and_unverified_adapters_are_said() -> None:
    made_ = replace(words(["yes"] * 12, ["yes"] * 12), card=replace(CARD, status="unverified"))
    [one] = scored(contents(made_, FILES), ["j"])
    text = " ".join(one.warnings)
    assert "unverified: this adapter has never read the real file" in text
    assert "1 rows could not be read, the first: x:9 field 'label': nonsense" in text


def test_a_changed_file_is_said(tmp_path: Path) -> None:
    made.llmbar(tmp_path)
    one = bench("llmbar")
    files = find(one.card, folder=tmp_path)
    assert files.changed == ("datasets.jsonl.gz",)
    read_ = contents(one, files)
    verdicts = [in_orders(said(fact.id, "j", "A"), said(fact.id, "j", "A")) for fact in read_.facts]
    [found] = scored(read_.having("j", verdicts), ["j"])
    assert "datasets.jsonl.gz is not the known file: its hash differs" in found.warnings


def test_published_figures_stand_beside_ours_only_for_their_judge() -> None:
    def published(_files: Files) -> Iterator[Published]:
        yield Published("other", "accuracy", 0.1, 1)
        yield Published("j", "accuracy", 0.2, 1, subset="g0")
        yield Published("j", "accuracy", 0.9, 1)

    made_ = replace(words(["yes"] * 12, ["yes"] * 12), published=published)
    [one] = scored(contents(made_, FILES), ["j"])
    assert one.expected is not None
    assert one.expected.value == 0.9


def test_a_sample_of_a_subset_holds_only_its_cases() -> None:
    held = contents(words(["yes"] * 12, ["yes"] * 12), FILES)
    part = sample(held, "j", "g1")
    assert part.n == 6
    assert {fact.group for fact in part.facts} == {"g1"}
    assert sample(held, "nobody").asked.sum() == 0


# ---- as text and files ---------------------------------------------------------------------------


def test_json_is_whole_and_finite(folder: Path) -> None:
    for one in scored(read(folder), ["knows", "silent"]):
        form = json.loads(json.dumps(one.json(), allow_nan=False))
        assert form["metric"] == "net_vote_accuracy (ties wrong, both orders)"
        assert form["bench"] == "judgebench"
        assert set(form["baselines"]) == {"always the first", "the longer"}


def test_markdown_is_one_table_with_a_line_a_judge(folder: Path) -> None:
    found = scored(read(folder), ["knows", "first"])
    lines = markdown([found[0], replace(found[1], judge="a|b")]).splitlines()
    assert lines[0].startswith("| bench | judge | value |")
    assert len([line for line in lines if line.startswith("| judgebench")]) == 2
    assert "a\\|b" in lines[3]
    assert lines[-1] == "- judgebench: net_vote_accuracy (ties wrong, both orders)"


def test_junit_fails_a_judge_that_is_surely_worse_than_a_trivial_one(folder: Path) -> None:
    tree = ElementTree.fromstring(suites(scored(read(folder), ["knows", "first"])))
    [suite] = tree.iter("testsuite")
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == (
        "judgebench", "2", "1"
    )  # fmt: skip
    failed = [
        case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None
    ]
    assert failed == ["first"]


def test_the_text_names_metric_data_and_differences(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    printed(scored_text(scored(read(folder), ["knows", "first"])))
    text = capsys.readouterr().out
    assert "net_vote_accuracy (ties wrong, both orders); undecided counts as wrong" in text
    assert "first less knows: -1.000" in text
    assert "(always the first)" in text


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/data is not there")
def test_recorded_judges_of_judgebench_give_the_published_figures() -> None:
    one = bench("judgebench")
    held = contents(one, find(one.card, folder=SHARED))
    for found in scored(held, held.judges):
        assert found.expected is not None
        assert round(100 * found.value.estimate, 2) == found.expected.value


def test_a_name_that_xml_cannot_hold_is_written_with_escapes(folder: Path) -> None:
    name = "a\x00b\x1b\ufffe\ud800"
    [found] = scored(read(folder).having(name, []), [name])
    case = ElementTree.fromstring(suites([found])).find("testsuite/testcase")
    assert case is not None
    assert case.get("name") == r"a\x00b\x1b\ufffe\ud800"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("biasbench.json", b"[" * 100_000, "not JSON"),
        ("biasbench.json", b'{"length": []', "not JSON"),
        ("biasbench.json", b"\xff\xfe", "not JSON"),
        ("biasbench.json", b"[1]", "lists of pairs"),
    ],
)
def test_a_file_that_is_something_else_is_an_error_of_the_data(
    tmp_path: Path, name: str, text: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(text)
    one = bench("evalbiasbench")
    with pytest.raises(DataError, match=told) as caught:
        contents(one, find(one.card, tmp_path))
    assert name in caught.value.text


def test_a_byte_order_mark_is_no_part_of_the_json(tmp_path: Path) -> None:
    pair = {"instruction": "q", "response1": "a", "response2": "b", "label": "1"}
    held = b"\xef\xbb\xbf" + json.dumps({"length": [pair]}).encode()
    (tmp_path / "biasbench.json").write_bytes(held)
    one = bench("evalbiasbench")
    assert len(contents(one, find(one.card, tmp_path)).facts) == 1


def test_a_row_of_another_shape_is_told_with_its_own_file_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    game = {"decision": "A>B"}
    pair = {"pair_id": "p", "source": "livebench-math", "question": "q", "response_A": "a",
            "response_B": "b", "label": "A>B"}  # fmt: skip
    (tmp_path / "pairs_x.jsonl").write_text(json.dumps(pair) + "\n")
    (tmp_path / "pairs_y.jsonl").write_text(json.dumps({**pair, "pair_id": None}) + "\n")
    rows = [{"pair_id": "p", "judgments": [game, game]}, {"pair_id": "p", "judgments": 5}]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "judgments_j_on_x.jsonl").write_text(text)
    one = bench("judgebench")
    read = contents(one, find(one.card, tmp_path))
    assert [(Path(bad.file).name, bad.row) for bad in read.bad] == [
        ("pairs_y.jsonl", 1), ("judgments_j_on_x.jsonl", 2)
    ]  # fmt: skip
    assert list(read.verdicts["j"]) == ["p"]
    assert read.verdicts["j"]["p"].label == "tie"  # A first, and B once they trade places
