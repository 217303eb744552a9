from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import evenhand
from evenhand import Completion, Media, Request
from evenhand.data import open_data
from evenhand.judges import PUBLISHED, build
from evenhand.manifest import Job
from evenhand.models.openai import OpenAI
from evenhand.models.scripted import Scripted
from evenhand.report.dryrun import TRIED, foresee, foreseen_text
from evenhand.report.terminal import printed
from evenhand.run import Options
from tests.report.made import case


def cases(n: int, view: str) -> list[Any]:
    count = {"pointwise": 1, "pairwise": 2}.get(view, 3)
    texts = [f"answer {i} of" for i in range(count)]
    more = {"reference": ("a",), "rubric": "be good", "context": ("c",)}
    return [case(f"q{i}", *(f"{text} {i}" for text in texts), **more) for i in range(n)]


def even(request: Request) -> Completion:
    """As unsure as a dry run assumes."""
    labels = request.question.labels if request.question else tuple("12345")
    tops = {label: math.log(1 / len(labels)) for label in labels}
    return Completion("even", (tops,), tokens_in=1, tokens_out=1, usd=0.0)


def job(judge: Any, data: Any, **options: Any) -> Job:
    return Job(judge, "name", open_data(data), Options(**options), {})


@pytest.fixture
def nothing_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("n", [7, TRIED + 13])
def test_as_many_calls_are_foreseen_as_are_made(name: str, n: int, tmp_path: Path) -> None:
    judge = build.build(build.find(name), model=Scripted("m", even))
    data = cases(n, judge.view)
    foreseen = foresee(job(judge, data))
    run = evenhand.judge(data, judge, out=tmp_path)
    assert foreseen.calls == pytest.approx(run.manifest["invocations"][-1]["calls"])
    assert foreseen.cases == n
    assert foreseen.usd == 0.0


@pytest.mark.usefixtures("nothing_written")
def test_nothing_is_written_and_the_model_is_not_asked() -> None:
    def never(request: Request) -> str:
        raise AssertionError("asked")

    judge = build.build(build.find("mt-bench-pair"), model=Scripted("m", never))
    assert foresee(job(judge, cases(3, "pairwise"))).calls == 6


def test_a_limit_and_pairs_are_counted() -> None:
    judge = build.build(build.find("mt-bench-pair"), model=Scripted("m", even))
    data = cases(40, "listwise")
    assert foresee(job(judge, data)).cases == 120
    assert foresee(job(judge, data, limit=50)).calls == pytest.approx(100)
    assert foresee(job(judge, data, pairs="baseline:1")).cases == 80


def test_a_price_that_is_known_is_foreseen_and_another_is_null() -> None:
    def usd(model: Any) -> float | None:
        judge = build.build(build.find("mt-bench-single"), model=model)
        return foresee(job(judge, cases(10, "pointwise"))).usd

    paid = usd(OpenAI("gpt-4.1"))
    assert paid is not None
    # 10 x 300 tokens out at 8 USD per million, and the prompts at 2.
    assert 0.024 < paid < 0.1
    assert usd(OpenAI("nobody-knows-it")) is None
    assert usd(OpenAI("nobody-knows-it", base_url="http://127.0.0.1:8000/v1")) == 0.0


def test_a_picture_that_is_not_there_is_no_call() -> None:
    judge = build.build(build.find("mt-bench-single"), model=Scripted("m", even))
    seen = evenhand.Message("user", ("look", Media("image", path="/nowhere.png")))
    lost = evenhand.Case("q", (seen,), cases(1, "pointwise")[0].responses)
    assert foresee(job(judge, [lost])).calls == 0


def test_the_prompts_are_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    judge = build.build(build.find("mt-bench-single"), model=Scripted("m", even))
    found = foresee(job(judge, [case("q", "an \x1b[2J answer")]))
    printed(foreseen_text(found))
    out = capsys.readouterr().out
    assert "=== prompt 1\n--- system\n  You are" in out
    assert r"  an \x1b[2J answer" in out
    assert "\ncalls   about 1\n" in out
    assert out.endswith("nothing was asked or written\n")
    form = found.json()
    assert form["prompts"][0][1]["role"] == "user"
    assert set(form) == {"dry_run", "cases", "tried", "calls", "tokens", "usd", "prompts"}
