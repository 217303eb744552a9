"""Options that change the judge: examples, languages, long cases, several models, comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

import evenhand as library
from tests.commands import Command, answers, pairs, write_rows
from tests.commands import evenhand as evenhand  # a fixture

MODEL = """
from evenhand.models.scripted import Scripted
{name} = Scripted("{name}", lambda request: {answer})
"""


def model(name: str, answer: str) -> str:
    """A file with a scripted model; `answer` is an expression of `request`."""
    Path(f"{name}.py").write_text(MODEL.format(name=name, answer=answer), encoding="utf-8")
    return f"{name}.py:{name}"


def asked(run: str, case: str, evenhand: Command) -> str:
    return evenhand("show", run, "--case", case).out


def test_examples_are_shown_but_never_the_case_itself(evenhand: Command) -> None:
    shots = write_rows("shots.jsonl", answers(2, label=7))
    data = write_rows("d.jsonl", answers(3))
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model("m", '"[[5]]"')]
    done = evenhand(*words, "--shots", shots, "--out", "r", "--json")
    assert done.code == 0
    assert done.json["judge"]["name"] == "mt-bench-single --shots"
    own, other = asked("r", "q0", evenhand), asked("r", "q2", evenhand)
    assert (own.count("ask ITEM-0"), own.count("ask ITEM-1")) == (1, 1)
    assert (other.count("ask ITEM-0"), other.count("ask ITEM-1")) == (1, 1)
    assert "Verdict: 7" in other


def test_examples_without_labels_are_refused(evenhand: Command) -> None:
    data = write_rows("d.jsonl", answers(2))
    ended = evenhand("judge", data, "--judge", "mt-bench-single", "--model", "x/y", "--shots", data)
    assert ended.code == 2
    lexical = evenhand("judge", data, "--judge", "exact", "--shots", data)
    assert lexical.code == 2
    assert "no row of d.jsonl has a person's label" in lexical.err


def test_the_prompt_follows_the_language_of_the_case_or_the_option(evenhand: Command) -> None:
    data = write_rows("d.jsonl", [*answers(1, language="de"), *answers(2)[1:]])
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model("m", '"[[5]]"')]
    assert evenhand(*words, "--out", "r").code == 0
    assert "Du bist" in asked("r", "q0", evenhand) or "Sie sind" in asked("r", "q0", evenhand)
    assert "You are an impartial judge" in asked("r", "q1", evenhand)
    assert evenhand(*words, "--language", "fr", "--out", "f").code == 0
    assert "You are" not in asked("f", "q1", evenhand)
    unknown = evenhand(*words, "--language", "xx", "--out", "x")
    assert unknown.code == 2
    assert "no prompt of Pointwise is in 'xx'" in unknown.err


@pytest.mark.parametrize(
    ("policy", "decided", "told"),
    [("refuse:200", 0, "overflow 1"), ("truncate:200", 1, "characters left out here")],
)
def test_long_cases_are_refused_or_shortened_as_asked(
    evenhand: Command, policy: str, decided: int, told: str
) -> None:
    data = write_rows("d.jsonl", [{"id": "q0", "prompt": "p", "response": "word " * 400}])
    words = ["judge", data, "--judge", "mt-bench-single", "--model", model("m", '"[[5]]"')]
    done = evenhand(*words, "--overflow", policy, "--out", "r")
    assert done.code == 0
    assert f"decided {decided}" in done.out
    assert told in done.out + asked("r", "q0", evenhand)


def test_a_policy_that_nobody_knows_is_refused(evenhand: Command) -> None:
    data = write_rows("d.jsonl", answers(1))
    ended = evenhand("judge", data, "--judge", "exact", "--overflow", "shorten")
    assert ended.code == 2
    assert "--overflow truncate:20000" in ended.err


def test_several_models_sit_on_a_panel(evenhand: Command) -> None:
    data = write_rows("d.jsonl", pairs(2))
    models = ",".join(model(name, f'"[[{said}]]"') for name, said in (("a", "A"), ("b", "A"),
        ("c", "B")))  # fmt: skip
    done = evenhand("judge", data, "--judge", "poll", "--model", models, "--out", "r", "--json")
    assert done.code == 0, done.err
    assert done.json["decided"] == 2
    assert [one["name"] for one in done.json["models"]] == ["a", "b", "c"]


def test_two_runs_are_compared(evenhand: Command) -> None:
    data = write_rows("d.jsonl", pairs(4, winner="model_a"))
    for name, said in (("a", "A"), ("b", "B")):
        words = ["judge", data, "--judge", "mt-bench-pair", "--order", "given", "--out", name]
        assert evenhand(*words, "--model", model(name, f'"[[{said}]]"')).code == 0
    text = evenhand("compare", "a", "b").out
    assert "b against a: 4 common cases, both decided 4" in text
    (pair,) = evenhand("compare", "a", "b", "--json").json["pairs"]
    assert pair["agreement"]["estimate"] == 0.0
    assert pair["gain"]["estimate"] == -1.0
    assert evenhand("compare", "a").code == 2


def test_a_judge_has_one_identity_however_it_is_written(evenhand: Command) -> None:
    data = write_rows("d.jsonl", pairs(1))
    Path("j.toml").write_text(
        'is = "Swap"\npool = "net"\n[judge]\nis = "Pairwise"\ndecode = {temperature = 0.5}\n',
        encoding="utf-8",
    )
    said = model("m", '"[[A]]"')
    names = {
        "set": ["--judge", "mt-bench-pair", "--set", "pool=net", "--set", "decode.temperature=0.5",
            "--set", "decode.max_tokens=99"],
        "toml": ["--judge", "j.toml", "--set", "decode.max_tokens=99"],
    }  # fmt: skip
    runs = [evenhand("judge", data, *words, "--model", said, "--out", name, "--json").json
        for name, words in names.items()]  # fmt: skip
    assert runs[0]["judge"]["identity"] == runs[1]["judge"]["identity"]
    form = {"is": "Swap", "pool": "net", "judge": {"is": "Pairwise",
        "decode": {"temperature": 0.5, "max_tokens": 99}}}  # fmt: skip
    again = library.judge(data, form, said, out="again")
    assert again.manifest["judge"]["identity"] == runs[0]["judge"]["identity"]
