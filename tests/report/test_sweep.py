"""Three runs or more of the same cases, together."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_1samp

import evenhand as library
from evenhand import Case
from evenhand.models.scripted import Scripted
from evenhand.report.compare import compare, compare_text
from evenhand.report.sweep import holm
from evenhand.report.terminal import printed
from evenhand.trust.coefficients import krippendorff_alpha
from evenhand.trust.ratings import Ratings
from tests.commands import Command
from tests.commands import evenhand as evenhand  # a fixture
from tests.report.made import rating, summary_of
from tests.report.test_compare import TRUTH, N, judged

WRONG = {
    "one": {"q1", "q2", "q3", "q4", "q5", "q6"},
    "two": {"q3", "q4"},
    "three": {"q4", "q7", "q8", "q9"},
}
UNREAD = {"three": frozenset({"q20", "q21"})}


def three(folder: Path) -> list[Path]:
    return [judged(folder, name, wrong, UNREAD.get(name, frozenset()))
            for name, wrong in WRONG.items()]  # fmt: skip


def said(name: str, case: str) -> float:
    if case in UNREAD.get(name, ()):
        return math.nan
    return float((TRUTH[case] == "A") != (case in WRONG[name]))


def test_all_runs_together_say_what_was_planted(tmp_path: Path) -> None:
    found = compare(three(tmp_path)).sweep
    assert found is not None
    assert (found.cases, found.decided) == (N, N - 2)
    values = [[said(name, case) for name in WRONG] for case in TRUTH]
    alpha = krippendorff_alpha(Ratings.from_values(values), "nominal")
    assert found.coefficient == "Krippendorff's alpha (nominal)"
    assert found.agreement.estimate == pytest.approx(alpha.estimate)
    assert found.agreement.low == pytest.approx(alpha.interval.low)
    apart = len(set().union(*WRONG.values()) - {"q4"})
    assert found.unanimous is not None
    assert found.unanimous.estimate == pytest.approx(1 - apart / (N - 2))


def test_flip_rates_are_those_of_each_pair_and_the_same_both_ways(tmp_path: Path) -> None:
    found = compare(three(tmp_path)).sweep
    assert found is not None
    names = list(WRONG)
    for i, one in enumerate(names):
        assert found.flips[i][i] is None
        for j, other in enumerate(names):
            if i != j:
                apart = len(WRONG[one] ^ WRONG[other])
                lost = len(UNREAD.get(one, ()) or UNREAD.get(other, ()))
                cell = found.flips[i][j]
                assert cell is not None
                assert (cell.estimate, cell.n) == (pytest.approx(apart / (N - lost)), N - lost)
                assert found.flips[j][i] == cell


def test_accuracy_spreads_and_undecided_counts_as_wrong(tmp_path: Path) -> None:
    found = compare(three(tmp_path)).sweep
    assert found is not None
    assert found.accuracy is not None
    right = [(N - 6) / N, (N - 2) / N, (N - 6) / N]  # 'three': four wrong, two undecided
    assert [one.estimate for one in found.accuracy.by_run] == pytest.approx(right)
    assert (found.accuracy.min, found.accuracy.max) == (min(right), max(right))
    assert found.accuracy.sd == pytest.approx(np.std(right, ddof=1))


def test_the_best_run_is_paired_with_the_rest_and_the_choice_is_warned_of(tmp_path: Path) -> None:
    found = compare(three(tmp_path)).sweep
    assert found is not None
    assert found.best is not None
    assert found.best.run.endswith("two")
    first, last = found.best.against
    assert (first.run.endswith("one"), last.run.endswith("three")) == (True, True)
    gaps = [[float(case in WRONG["one"]) - float(case in WRONG["two"]) for case in TRUTH]]
    lost = WRONG["three"] | UNREAD["three"]
    gaps += [[float(case in lost) - float(case in WRONG["two"]) for case in TRUTH]]
    p = [float(ttest_1samp(gap, 0).pvalue) for gap in gaps]
    assert first.difference.estimate == pytest.approx(np.mean(gaps[0]))
    assert [first.p, last.p] == pytest.approx(holm(p))
    assert any("best of 3 was chosen on these cases" in one for one in found.warnings)


def test_equal_runs_share_the_first_place_and_no_difference_is_claimed(tmp_path: Path) -> None:
    one = judged(tmp_path, "one", {"q1"})
    found = compare([one, one, one]).sweep
    assert found is not None
    assert found.best is not None
    assert [it.p for it in found.best.against] == [1.0, 1.0]
    assert all(it.difference.estimate == 0 < it.difference.high for it in found.best.against)
    assert found.unanimous is not None
    assert found.unanimous.estimate == 1.0
    assert any("equally good" in one for one in found.warnings)


def test_numbers_on_a_line_agree_by_distance_and_have_a_mean(tmp_path: Path) -> None:
    folders = []
    rows = [{"id": f"q{i}", "prompt": f"p {i}", "response": str(1 + i % 9)} for i in range(30)]
    for name, more in (("one", 0.0), ("two", 0.5), ("three", 1.0)):

        def answer(request: Any, more: float = more) -> str:
            number = float(str(rating(request)).strip("[]"))
            return f"Rating: [[{number + more}]]"

        summary_of(tmp_path / name, rows, "mt-bench-single", answer, name=name)
        folders.append(tmp_path / name)
    found = compare(folders).sweep
    assert found is not None
    assert found.coefficient == "Krippendorff's alpha (interval)"
    assert found.agreement.estimate > 0.9
    assert found.unanimous is not None
    assert found.unanimous.estimate == 0.0
    assert found.score is not None
    assert found.score.max - found.score.min == pytest.approx(1.0)
    assert found.score.sd == pytest.approx(0.5)
    assert (found.accuracy, found.best) == (None, None)


def test_two_runs_or_no_common_case_make_no_sweep(tmp_path: Path) -> None:
    one, two = judged(tmp_path, "one", {"q1"}), judged(tmp_path, "two", {"q2"})
    made = compare([one, two]).json()
    assert (made["sweep"], made["sweep_reason"]) == (None, "fewer than three runs")
    cases = [Case.of("q1", "p", "x", "y"), Case.of("z", "p", "x", "y")]
    scripted = Scripted("m", lambda _: "[[A]]")
    parts = [library.judge([case], {"is": "Pairwise"}, scripted, out=tmp_path / case.id).folder
             for case in cases]  # fmt: skip
    both = library.judge(cases, {"is": "Pairwise"}, scripted, out=tmp_path / "both").folder
    made = compare([both, *parts]).json()
    assert (made["sweep"], made["sweep_reason"]) == (None, "no case is in all runs")


def test_the_json_has_no_nan_and_the_text_fits_eighty_columns(
    tmp_path: Path,
    evenhand: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = [folder.rename(tmp_path / folder.name) for folder in three(tmp_path / "runs")]
    made = evenhand("compare", *(folder.name for folder in folders), "--json").json["sweep"]
    assert made["runs"] == ["one", "two", "three"]
    assert made["best"]["run"] == "two"
    assert made["flips"][0][0] is None
    assert made["flips"][0][1]["estimate"] == pytest.approx(4 / N)
    alike = compare([folders[0]] * 3)
    json.dumps(alike.json()["sweep"], allow_nan=False)
    capsys.readouterr()
    printed(compare_text(compare(folders)))
    text = capsys.readouterr().out
    assert "3 runs together: 60 common cases, 58 decided by all" in text
    assert max(map(len, text.splitlines())) <= 80


def test_holm_adjusts_step_by_step_and_keeps_what_is_unknown() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    found = holm([math.nan, 0.02])
    assert math.isnan(found[0])
    assert found[1] == 0.02
