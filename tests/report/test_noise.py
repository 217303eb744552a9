"""Runs whose judge was asked several times."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import evenhand as library
from evenhand import Request
from evenhand.models.scripted import Scripted
from evenhand.report.compare import compare, compare_text
from evenhand.report.terminal import printed
from tests.commands import Command
from tests.commands import evenhand as evenhand  # a fixture

N, FLIP, SKILL = 400, 0.2, 0.9


def repeated(folder: Path, *, labelled: bool = True, ties: bool = False) -> Path:
    """Settled on the truth in 90 % of cases; each single verdict flips in 20 %."""
    rng = random.Random(0)
    truth = {f"q{i}": rng.choice("AB") for i in range(N)}
    settled = {q: t if rng.random() < SKILL else "AB"[t == "A"] for q, t in truth.items()}

    def answer(request: Request) -> str:
        case = request.messages[-1].text.split("ITEM ")[1].split("?")[0]
        own = random.Random(f"{case} {request.draw}")
        if ties and case == "q0":
            return "[[C]]"
        label = settled[case]
        return f"[[{'AB'[label == 'A'] if own.random() < FLIP else label}]]"

    rows = [{"id": q, "prompt": f"ITEM {q}?", "output_1": "x", "output_2": "y",
             **({"label": t} if labelled else {})} for q, t in truth.items()]  # fmt: skip
    form = {"is": "Repeat", "times": 5, "judge": {"is": "Pairwise"}}
    return library.judge(rows, form, Scripted("m", answer), out=folder).folder


def test_accuracy_without_the_judges_own_flips_is_what_was_planted(tmp_path: Path) -> None:
    run = repeated(tmp_path / "r")
    noise = compare([run, run]).noise[0]
    assert noise is not None
    single = SKILL * (1 - FLIP) + (1 - SKILL) * FLIP
    for figure, truth in ((noise.raw, single), (noise.denoised, SKILL), (noise.flip_rate, FLIP)):
        assert figure.interval.low <= truth <= figure.interval.high  # type: ignore[operator]
    assert noise.denoised.estimate > noise.raw.estimate + 0.1


def test_the_text_and_the_json_say_it(
    tmp_path: Path, evenhand: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    run = repeated(tmp_path / "r")
    made = evenhand("compare", "r", "r", "--json").json["noise"]
    assert set(made[0]) == {"raw", "denoised", "flip_rate"}
    assert made[0]["denoised"]["n"] == N
    capsys.readouterr()
    printed(compare_text(compare([run, run])))
    text = capsys.readouterr().out
    assert "without its own noise" in text
    assert "one verdict in 5 flips" in text
    assert max(map(len, text.splitlines())) <= 80


def test_more_than_two_labels_or_none_by_people_have_no_figure(tmp_path: Path) -> None:
    bare, tied = repeated(tmp_path / "a", labelled=False), repeated(tmp_path / "b", ties=True)
    found = compare([bare, tied])
    assert found.noise[0] is None
    assert found.noise[1] is not None
    assert "over two labels" in found.noise[1].denoised.interval.reason
    assert found.json()["noise"][1]["denoised"]["estimate"] is None


def test_a_judge_asked_once_has_no_noise_to_take_out(tmp_path: Path) -> None:
    rows = [{"id": "q", "prompt": "p", "output_1": "x", "output_2": "y", "label": "A"}]
    run = library.judge(rows, {"is": "Pairwise"}, Scripted("m", lambda _: "[[A]]"),
                        out=tmp_path / "r").folder  # fmt: skip
    assert compare([run, run]).noise == (None, None)
