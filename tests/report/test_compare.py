"""Two judges on the same cases."""

import random
from itertools import pairwise

import numpy as np
import pytest

import evenhand
from evenhand import Case
from evenhand.errors import Misuse
from evenhand.models.scripted import Scripted
from evenhand.report.compare import compare, compare_text
from evenhand.report.terminal import printed

N = 60
TRUTH = {f"q{n}": random.Random(n).choice("AB") for n in range(N)}


def rows():
    return [
        {"id": case, "prompt": f"ITEM {case}?", "output_1": "x", "output_2": "y", "label": label}
        for case, label in TRUTH.items()
    ]


def judged(tmp_path, name: str, wrong: set[str], unread: frozenset[str] = frozenset()):
    """A judge that knows the truth except on some cases; written for one order."""

    def answer(request):
        case = request.messages[-1].text.split("ITEM ")[1].split("?")[0]
        label = TRUTH[case]
        if case in unread:
            return "who knows"
        return f"[[{'AB'[label == 'A'] if case in wrong else label}]]"

    form = {"is": "Pairwise"}
    return evenhand.judge(rows(), form, Scripted(name, answer), out=tmp_path / name).folder


def test_agreement_difference_and_partings_are_those_that_were_planted(tmp_path):
    one = judged(tmp_path, "one", {"q1", "q2", "q3"})
    two = judged(tmp_path, "two", {"q3", "q4"}, frozenset({"q9"}))
    (pair,) = compare([one, two]).pairs
    assert (pair.common, pair.both) == (N, N - 1)
    assert pair.agreement.estimate == pytest.approx((N - 1 - 3) / (N - 1))
    assert sorted(case for case, *_ in pair.parted) == ["q1", "q2", "q4"]
    assert pair.accuracies[0].estimate == pytest.approx((N - 1 - 3) / (N - 1))
    assert pair.accuracies[1].estimate == pytest.approx((N - 1 - 2) / (N - 1))
    gains = np.zeros(N - 1)
    gains[:3] = (1, 1, -1)  # q1 and q2 are gained, q4 is lost
    half = 2.0017 * gains.std(ddof=1) / np.sqrt(N - 1)  # t(58) at 97.5 %
    assert pair.gain.estimate == pytest.approx(gains.mean())
    assert pair.gain.high - pair.gain.low == pytest.approx(2 * half, rel=1e-3)


def test_the_paired_difference_is_antisymmetric(tmp_path):
    one, two = judged(tmp_path, "one", {"q1"}), judged(tmp_path, "two", {"q2", "q5"})
    there, back = compare([one, two]).pairs[0], compare([two, one]).pairs[0]
    assert there.gain.estimate == pytest.approx(-back.gain.estimate)
    assert there.difference.low == pytest.approx(-back.difference.high)


def test_a_judge_against_itself_never_parts(tmp_path):
    one = judged(tmp_path, "one", {"q1"})
    (pair,) = compare([one, one]).pairs
    assert pair.agreement.estimate == 1.0
    assert pair.agreement.low < 1.0
    assert pair.parted == ()


def test_runs_without_a_common_case_are_refused(tmp_path):
    one = judged(tmp_path, "one", set())
    other = evenhand.judge(
        [Case.of("z", "p", "x", "y")], {"is": "Pairwise"}, Scripted("m", lambda r: "[[A]]"),
        out=tmp_path / "other",
    ).folder  # fmt: skip
    with pytest.raises(Misuse, match="no case is in both runs"):
        compare([one, other])
    with pytest.raises(Misuse, match="one run alone"):
        compare([one])


def test_the_text_fits_eighty_columns(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    folders = [judged(tmp_path, name, {name}) for name in ("q1", "q2", "q3")]
    printed(compare_text(compare(folders)))
    text = capsys.readouterr().out
    assert all(len(line) <= 80 for line in text.splitlines())
    assert text.count("against") == 2
    assert all(name in text for name, _ in pairwise(["q1", "q2", "q3"]))
