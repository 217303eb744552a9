from __future__ import annotations

import json
import re
import tomllib

import pytest

from evenhand import Misuse
from evenhand.judges import PUBLISHED, Pairwise, Panel, build
from evenhand.models.scripted import Scripted
from evenhand.records import Case
from evenhand.report.methods import (
    Nobody,
    methods,
    methods_text,
    prompts,
    prompts_in,
    prompts_text,
)
from evenhand.report.terminal import printed

PAIR = Case.of("q", "2 + 2?", "Four.", "Five.")
SCALES = {
    "mt-bench-single": "1 to 10",
    "mt-bench-pair": "A, tie, B",
    "arena-hard": "A>>B, A>B, A=B, B>A, B>>A",
    "g-eval": "1, 2, 3, 4, 5",
    "choice": "1, 2, 3, 4, 5",
    "choice-pair": "A, B",
    "exact": "yes, no",
    "contains": "yes, no",
}


def test_every_published_judge_is_listed_with_all_that_was_promised() -> None:
    found = methods()
    assert [method.name for method in found] == list(PUBLISHED)
    for method in found:
        form = method.json()
        assert {"name", "view", "scale", "calls", "needs", "paper", "status"} <= set(form)
        assert all(form[key] for key in ("name", "view", "scale", "calls", "paper", "status"))
        assert form["view"] in ("pointwise", "pairwise", "listwise")
        json.dumps(form)


@pytest.mark.parametrize("name", SCALES)
def test_the_scale_is_told_in_words(name: str) -> None:
    assert methods(name)[0].scale == SCALES[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_form_that_is_shown_makes_the_same_judge_from_a_file(
    name: str, tmp_path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    printed(methods_text(methods(name), whole=True))
    page = capsys.readouterr().out
    assert page.splitlines()[0].split() == ["judge", name]
    toml = page.partition("# as judge.toml\n")[2]
    assert tomllib.loads(toml) == PUBLISHED[name].form
    file = tmp_path / "judge.toml"
    file.write_text(toml, encoding="utf-8")
    model = Scripted("m", lambda request: "")
    assert build.build(build.find(str(file)), model=model) == build.build(
        build.find(name), model=model
    )


def test_pages_and_the_table_fit_into_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    printed(methods_text(methods(), whole=False))
    for name in PUBLISHED:
        printed(methods_text(methods(name), whole=True))
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "own wording" in out


def test_a_judge_without_a_model_needs_none(capsys: pytest.CaptureFixture[str]) -> None:
    printed(methods_text(methods("exact"), whole=True))
    out = capsys.readouterr().out
    assert "needs    no model" in out
    assert "wording" not in out.partition("departs")[0]


def test_an_unknown_name_is_told_with_near_ones() -> None:
    with pytest.raises(Misuse, match="no judge is called 'mt-bench-pear'") as raised:
        methods("mt-bench-pear")
    assert "mt-bench-pair" in raised.value.do


def test_a_prompt_is_printed_as_it_is_ready_for_a_template(
    tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed(prompts_text(prompts("mt-bench-pair")))
    text = capsys.readouterr().out
    assert text.strip() == Pairwise(Nobody()).prompt.text.strip()
    form = build.edited(build.find("mt-bench-pair"), template=text)
    judge = build.build(form, model=Nobody())
    assert judge.judge.prompt(case=PAIR) == Pairwise(Nobody()).prompt(case=PAIR)


def test_several_prompts_are_printed_under_the_names_of_their_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed(prompts_text(prompts("g-eval")))
    out = capsys.readouterr().out
    assert re.findall(r"^---- (\w+) ----$", out, re.MULTILINE) == ["prompt", "steps_prompt"]


def test_prompts_come_by_field_and_language() -> None:
    found = prompts("mt-bench-pair")
    assert (found["name"], list(found["prompts"])) == ("mt-bench-pair", ["prompt"])
    assert " ".join(sorted(found["prompts"]["prompt"])) == "ar de en es fr ja ko ru zh"
    assert "Antwort B:" in found["prompts"]["prompt"]["de"]
    json.dumps(found)


def test_prompts_whose_fields_share_a_name_come_by_their_paths() -> None:
    panel = Panel((Pairwise(Nobody()), Pairwise(Nobody())))
    assert list(prompts_in(panel)) == ["judges.0.prompt", "judges.1.prompt"]


@pytest.mark.parametrize(
    ("name", "told"), [(None, "of one judge"), ("exact", "has no prompt"), ("x", "no judge")]
)
def test_what_has_no_prompt_is_told(name: str | None, told: str) -> None:
    with pytest.raises(Misuse, match=told):
        prompts(name)
