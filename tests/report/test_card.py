from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import evenhand
from evenhand import Case, DataError, Message, Misuse, Request, Response
from evenhand.fits import Fit, made_from
from evenhand.judges.fitted import Calibrated
from evenhand.judges.pairwise import Pairwise
from evenhand.models.scripted import Scripted
from evenhand.report.card import Asked, Card, judge_card
from evenhand.report.card_page import card_page
from evenhand.report.card_text import answer, card_text, sureness
from evenhand.report.terminal import printed
from evenhand.trust.confidence import compare_sources
from tests.report.made import better, rating

KEYS = {"claim", "result", "gates", "agreement", "alt_test", "estimates", "warnings"}
GATE = {"name", "result", "estimate", "low", "high", "n", "reason"}


def pair_run(folder: Path, n: int = 120) -> list[int]:
    """Pairs judged in both orders; the truth, 1 where the first response is better."""
    rng = random.Random(5)
    truth = [rng.randint(0, 1) for _ in range(n)]
    data = [_pair(f"q{i}", better_first) for i, better_first in enumerate(truth)]
    evenhand.judge(data, "mt-bench-pair", Scripted("m", better), out=folder)
    return truth


def _pair(ident: str, better_first: int) -> Case:
    a, b = ("9", "2") if better_first else ("2", "9")
    asked = (Message("user", (f"prompt {ident}",)),)
    return Case(ident, asked, (Response((a,), "old"), Response((b,), "new")), group=f"g{a}")


def grade_run(folder: Path, n: int = 80, reply: Callable[[Request], str] = rating) -> list[int]:
    rng = random.Random(6)
    truth = [rng.randint(2, 8) for _ in range(n)]
    data = [
        Case(f"p{i // 2}-{i % 2}", (Message("user", (f"ask {i // 2}",)),),
             (Response((str(t),), ("old", "new")[i % 2]),))
        for i, t in enumerate(truth)
    ]  # fmt: skip
    evenhand.judge(data, "mt-bench-single", Scripted("m", reply), out=folder)
    return truth


def write(path: Path, rows: Sequence[tuple[str, str, Any]]) -> Path:
    lines = ["id,rater,label", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def by_three(truth: Sequence[int], path: Path, n: int | None = None) -> Path:
    """Three people who err in one of ten."""
    rng, rows = random.Random(7), []
    for i, first in enumerate(truth[:n]):
        for rater in ("anna", "ben", "eva"):
            right = rng.random() < 0.9
            rows.append((f"q{i}", rater, "A" if bool(first) == right else "B"))
    return write(path, rows)


def whole(card: Card) -> dict[str, Any]:
    return json.loads(json.dumps(card.json(), allow_nan=False, default=str))  # type: ignore[no-any-return]


def test_a_good_judge_of_pairs_may_replace_an_annotator(tmp_path: Path) -> None:
    labels = by_three(pair_run(tmp_path / "run"), tmp_path / "labels.csv")
    form = whole(card := judge_card(tmp_path / "run", [labels]))
    results = {gate["name"]: gate["result"] for gate in form["gates"]}
    assert set(form) >= KEYS
    assert all(set(gate) >= GATE for gate in form["gates"])
    assert results["agreement"] == results["alt_test"] == results["consistency"] == "PASS"
    assert results["probes"] == "NOT RUN"
    assert [one["rater"] for one in form["alt_test"]["per_rater"]] == ["anna", "ben", "eva"]
    assert form["alt_test"]["winning_rate"]["estimate"] == 1.0
    assert form["judge"]["identity"]
    assert len(form["policy"]["sha256"]) == len(form["labels"]["sha256"]) == 64
    assert "ceiling: judge over person" in form["agreement"]
    assert answer(card).startswith(("Yes", "Not known"))


def test_the_corrected_win_rate_is_that_of_one_system_whatever_its_place(tmp_path: Path) -> None:
    truth = pair_run(tmp_path / "run")
    labels = by_three(truth, tmp_path / "labels.csv")
    card = judge_card(tmp_path / "run", [labels], Asked("compare"))
    found = card.estimates["new over old"]
    assert found.interval.estimate == pytest.approx(1 - sum(truth) / len(truth), abs=0.1)
    assert found.interval.low is not None


def test_cases_of_labels_that_the_run_lacks_are_counted_and_three_are_shown(tmp_path: Path) -> None:
    truth = pair_run(tmp_path / "run", 30)
    labels = by_three(truth, tmp_path / "labels.csv")
    more = write(tmp_path / "more.csv", [(f"other{i}", "anna", "A") for i in range(5)])
    card = judge_card(tmp_path / "run", [labels, more])
    told = "5 labelled cases are not in the run: 'other0', 'other1', 'other2', …"
    assert told in card.warnings
    assert whole(card)["labels"]["unknown_cases"] == 5
    with pytest.raises(
        Misuse, match=r"none of the 5 labelled cases is in .*: 'other0', 'other1', 'other2'"
    ):
        judge_card(tmp_path / "run", [more])


def test_one_label_of_a_rater_and_constant_labels_are_said(tmp_path: Path) -> None:
    pair_run(tmp_path / "run", 30)
    rows = [(f"q{i}", "anna", "A") for i in range(30)]
    labels = write(tmp_path / "labels.csv", [*rows, ("q0", "ben", "A")])
    card = judge_card(tmp_path / "run", [labels])
    assert "rater ben has one label" in card.warnings
    assert any("every label is the same" in one for one in card.warnings)
    assert card.certificate.result != "PASS"
    agreement = next(gate for gate in card.certificate.gates if gate.name == "agreement")
    assert agreement.result == "INCONCLUSIVE"  # kappa is 0 whatever the judge says
    assert "every label is the same" in agreement.reason


def test_a_confidence_without_an_error_to_find_says_so() -> None:
    one = compare_sources({"probabilities": [0.6, 0.7, 0.8] * 10}, [1.0] * 30)[0]
    assert "tells right from wrong not known (" in sureness(one)
    assert "nan" not in sureness(one)


def test_raters_who_cannot_be_tested_are_named(tmp_path: Path) -> None:
    pair_run(tmp_path / "run", 40)
    rows = [(f"q{i}", who, "AB"[i % 2]) for i in range(40) for who in ("anna", "ben")]
    labels = write(tmp_path / "labels.csv", [*rows, ("q0", "eva", "A"), ("q1", "eva", "B")])
    told = judge_card(tmp_path / "run", [labels]).warnings
    assert any(one.startswith("raters not tested: eva (2 items") for one in told)


def test_undecided_verdicts_are_no_agreement_and_no_traceback(tmp_path: Path) -> None:
    truth = grade_run(tmp_path / "run", 40, lambda request: "I cannot say.")
    rows = [(f"p{i // 2}-{i % 2}", "anna", t) for i, t in enumerate(truth)]
    for claim in ("replace", "level", "compare"):
        asked = Asked(claim)  # type: ignore[arg-type]
        labels = write(tmp_path / "l.csv", rows)
        card = judge_card(tmp_path / "run", [labels], asked)
        gates = {gate.name: gate.result for gate in card.certificate.gates}
        assert gates["coverage"] == "FAIL"
        assert gates["agreement"] == "INCONCLUSIVE"
        assert any("decided no case" in one for one in card.warnings)
        whole(card)


@pytest.mark.parametrize("claim", ["replace", "level", "compare"])
def test_three_labels_decide_nothing(tmp_path: Path, claim: Any) -> None:
    labels = by_three(pair_run(tmp_path / "run", 30), tmp_path / "labels.csv", 3)
    card = judge_card(tmp_path / "run", [labels], Asked(claim))
    assert card.certificate.result == "INCONCLUSIVE"
    whole(card)


def test_a_case_labelled_twice_by_one_rater_is_refused(tmp_path: Path) -> None:
    pair_run(tmp_path / "run", 4)
    labels = write(tmp_path / "labels.csv", [("q0", "anna", "A"), ("q0", "anna", "B")])
    with pytest.raises(DataError, match="already"):
        judge_card(tmp_path / "run", [labels])


def test_labels_off_the_scale_are_refused_until_they_are_mapped(tmp_path: Path) -> None:
    truth = grade_run(tmp_path / "run")
    rows = [(f"p{i // 2}-{i % 2}", "anna", "good" if t > 5 else "bad") for i, t in enumerate(truth)]
    labels = write(tmp_path / "labels.csv", rows)
    with pytest.raises(Misuse, match="not on the judge's scale") as error:
        judge_card(tmp_path / "run", [labels])
    assert "--map-labels" in error.value.do
    card = judge_card(tmp_path / "run", [labels], Asked("level", scale={"good": "8", "bad": "2"}))
    assert card.gathered.n_labels == 80


def test_grades_are_compared_by_system_and_the_worst_cases_are_listed(tmp_path: Path) -> None:
    truth = grade_run(tmp_path / "run")
    rows = [(f"p{i // 2}-{i % 2}", r, t) for i, t in enumerate(truth) for r in ("anna", "ben")]
    rows[0] = ("p0-0", "anna", 10 if truth[0] < 6 else 1)
    labels = write(tmp_path / "l.csv", rows)
    card = judge_card(tmp_path / "run", [labels], Asked("level", by="system"))
    assert card.worst[0]["case"] == "p0-0"
    assert [one.name for one in card.slices] == ["new", "old"]
    assert set(card.estimates) >= {"new", "old"}
    gates = {gate.name: gate.result for gate in card.certificate.gates}
    assert gates["transport"] == "PASS"
    assert gates["precision"] == "PASS"


def test_the_card_leads_with_its_answer_and_fits_60_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    truth = pair_run(tmp_path / "run")
    for n in (None, 3):
        labels = by_three(truth, tmp_path / "labels.csv", n)
        for claim in ("replace", "level", "compare"):
            asked = Asked(claim)  # type: ignore[arg-type]
            printed(card_text(judge_card(tmp_path / "run", [labels], asked)))
            lines = capsys.readouterr().out.splitlines()
            assert lines[0].startswith(("Yes:", "No:", "Not known:"))
            assert len(lines) <= 60
            assert max(map(len, lines)) <= 80


def test_a_cluster_field_groups_the_cases(tmp_path: Path) -> None:
    labels = by_three(pair_run(tmp_path / "run"), tmp_path / "labels.csv")
    card = judge_card(tmp_path / "run", [labels], Asked(cluster="group"))
    agreement = next(gate for gate in card.certificate.gates if gate.name == "agreement")
    assert agreement.result == "INCONCLUSIVE"  # two groups say nothing of their spread


def test_the_page_needs_nothing_else_and_escapes_every_text(tmp_path: Path) -> None:
    truth = pair_run(tmp_path / "run")
    labels = by_three(truth, tmp_path / "labels.csv")
    more = [("<script>alert(1)</script>", "<b>mallory</b>", "A"), ("q0", "<b>mallory</b>", "A")]
    other = write(tmp_path / "<i>more.csv", more)
    for claim in ("replace", "level", "compare"):
        asked = Asked(claim, by="group")  # type: ignore[arg-type]
        page = card_page(judge_card(tmp_path / "run", [labels, other], asked))
        assert "&lt;script&gt;alert(1)" in page
        assert "&lt;b&gt;mallory" in page
        assert "&lt;i&gt;more.csv" in page
        for alien in ("<script", "<b>mallory", "<i>more", "http:", "https:", "url(", "src=", "nan"):
            assert alien not in page, alien
        assert page.count("<svg") == page.count("</svg>") > 3
        assert page.rstrip().endswith("</html>")


def test_the_page_of_a_judge_without_a_verdict_is_whole(tmp_path: Path) -> None:
    truth = grade_run(tmp_path / "run", 12, lambda request: "I cannot say.")
    rows = [(f"p{i // 2}-{i % 2}", "anna", t) for i, t in enumerate(truth)]
    page = card_page(judge_card(tmp_path / "run", [write(tmp_path / "l.csv", rows)]))
    assert "Not known:" in page or "No:" in page
    assert "the judge decided no case" in page


def test_labels_that_the_judge_was_fitted_to_are_refused(tmp_path: Path) -> None:
    curve = {"map": "temperature", "of": "mode", "a": 0.5, "b": 0.5, "c": 0.0}
    fit = Fit("calibrate", curve, made_from("people", ["q0", "q1"]))
    judge = Calibrated(Pairwise(Scripted("m", better)), fit)
    data = [_pair(f"q{i}", i % 2) for i in range(6)]
    evenhand.judge(data, judge, out=tmp_path / "run")
    own = write(tmp_path / "own.csv", [(f"q{i}", "anna", "A") for i in range(4)])
    with pytest.raises(Misuse, match="2 of the 4 labelled cases"):
        judge_card(tmp_path / "run", [own])
    fresh = write(tmp_path / "fresh.csv", [(f"q{i}", "anna", "A") for i in range(2, 6)])
    assert judge_card(tmp_path / "run", [fresh]).certificate.result == "INCONCLUSIVE"


def test_labels_of_failed_cases_only_are_a_plain_message(tmp_path: Path) -> None:
    def say(request: Request) -> str:
        if "prompt q3" in " ".join(message.text for message in request.messages):
            raise RuntimeError("no answer")
        return better(request)

    data = [_pair(f"q{i}", i % 2) for i in range(6)]
    evenhand.judge(data, "mt-bench-pair", Scripted("m", say), out=tmp_path / "run")
    labels = write(tmp_path / "l.csv", [("q3", "anna", "A")])
    with pytest.raises(Misuse, match="all labels are of cases that failed"):
        judge_card(tmp_path / "run", [labels])
    more = write(tmp_path / "m.csv", [(f"q{i}", "anna", "A") for i in range(6)])
    card = judge_card(tmp_path / "run", [more])
    assert any("1 of 6 cases failed" in one for one in card.warnings)


def test_a_card_with_more_than_fits_keeps_the_answer_and_what_it_rests_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    truth = pair_run(tmp_path / "run", 60)
    labels = by_three(truth, tmp_path / "labels.csv")
    rows = [(f"strange-{i}", f"rater with a long name {i}", "A") for i in range(8)]
    rows += [(f"q{i}", f"rater with a long name {i}", "A") for i in range(8)]
    more = write(tmp_path / "more.csv", rows)
    asked = Asked("compare", by="case")
    card = judge_card(tmp_path / "run", [labels, more], asked)
    assert len(card.warnings) > 8
    printed(card_text(card))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80
    assert any("further warnings" in line for line in lines)
    assert lines[-1].startswith("sha256")
