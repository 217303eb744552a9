"""Rubrics in their common shapes, and from files."""

import asyncio
import json
import sys

import pytest

from evenhand.errors import DataError, Misuse
from evenhand.identity import identity, plain
from evenhand.judges import Rubric
from evenhand.judges.build import build, edited, find
from evenhand.judges.rubrics import Criterion, criteria_of, from_file, levels_of
from evenhand.models.scripted import Scripted
from evenhand.records import Case, ints

MODEL = Scripted("s", lambda request: "[[met]]")
TWO = (Criterion("Is right", 5.0, ("fact",)), Criterion("Is rude", -2.0))
SHAPES = {
    "HealthBench": [
        {"criterion": "Is right", "points": 5, "tags": ["fact"]},
        {"criterion": "Is rude", "points": -2, "tags": []},
    ],
    "requirement and weight": [
        {"requirement": "Is right", "weight": 5.0, "tags": "fact"},
        {"requirement": "Is rude", "weight": -2},
    ],
    "inside a table": {
        "rubrics": [
            {"description": "Is right", "points": "5", "tags": ["fact"]},
            {"text": "Is rude", "points": -2},
        ]
    },
    "JSON in a table": '[{"criterion": "Is right", "points": 5, "tags": ["fact"]}, '
    '{"criterion": "Is rude", "points": -2}]',
    "already read": TWO,
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_weighted_criteria_are_read_in_their_common_shapes(shape):
    assert criteria_of(shape) == TWO


@pytest.mark.parametrize(
    ("rubric", "read"),
    [
        ("Is it right?\nIs it short?", [("Is it right?\nIs it short?", 1.0)]),
        (["Is right", "Is short"], [("Is right", 1.0), ("Is short", 1.0)]),
        (
            {"Right": "It is true", "Short": "Few words"},
            [("Right: It is true", 1.0), ("Short: Few words", 1.0)],
        ),
        ({"Right": 3, "Short": 1}, [("Right", 3.0), ("Short", 1.0)]),
        ({"Right": {"criterion": "It is true", "weight": 2}}, [("Right: It is true", 2.0)]),
        ([{"name": "Right", "points": 2}], [("Right", 2.0)]),
        ({"criteria": "Is right", "score1_description": "no"}, [("Is right", 1.0)]),
        ("[Is it right?]", [("[Is it right?]", 1.0)]),
        (None, []),
        ("  ", []),
        ([], []),
        ({}, []),
    ],
)
def test_names_texts_and_single_criteria_are_read(rubric, read):
    assert [(one.criterion, one.points) for one in criteria_of(rubric)] == read


@pytest.mark.parametrize(
    "rubric",
    [
        [{"points": 3}],
        [{"criterion": "", "points": 3}],
        [{"criterion": "x", "points": "many"}],
        [{"criterion": "x", "points": float("nan")}],
        [{"criterion": "x", "points": [1]}],
        [3],
        [None],
    ],
)
def test_a_criterion_without_text_or_number_is_named(rubric):
    with pytest.raises(DataError, match="criterion 1") as caught:
        criteria_of(rubric)
    assert caught.value.field == "rubric"


LEVELS = (("1", "rude"), ("2", "polite"))


@pytest.mark.parametrize(
    "rubric",
    [
        {"criteria": "Polite?", "score1_description": "rude", "score2_description": "polite"},
        {"criterion": "Polite?", "score2": "polite", "score1": "rude"},
        {"criterion": "Polite?", "levels": {"1": "rude", "2": "polite"}},
        {"criterion": "Polite?", "1": "rude", "2": "polite"},
        "Polite?\nScore 1: rude\nScore 2: polite",
        "Polite?\n1: rude\n2: polite",
        "Polite?\n- **2**: polite\n- **1**: rude",
    ],
)
def test_described_scores_are_read_lowest_first(rubric):
    found = levels_of(rubric)
    assert (found.criterion, found.meanings) == ("Polite?", LEVELS)
    assert found.scale(ints("score", 1, 5)).labels == {"1": 1.0, "2": 2.0}


@pytest.mark.parametrize(
    ("rubric", "criterion"),
    [
        ("Is it polite?", "Is it polite?"),
        ("At 12: 30, is it polite?", "At 12: 30, is it polite?"),
        ("Polite?\n1: rude", "Polite?\n1: rude"),
        ([{"criterion": "Is right", "points": 5}, "Is short"], "Is right\nIs short"),
        (None, ""),
    ],
)
def test_a_rubric_without_described_scores_is_a_criterion(rubric, criterion):
    found = levels_of(rubric)
    assert (found.criterion, found.meanings, found.text) == (criterion, (), criterion)
    assert found.scale(default := ints("score", 1, 5)) is default


# ---- files -----------------------------------------------------------------------------------

TOML = """
[[criteria]]
criterion = "Is right"
points = 5
tags = ["fact"]

[[criteria]]
criterion = "Is rude"
points = -2
"""
YAML = """
- criterion: Is right
  points: 5
  tags: [fact]
- criterion: Is rude
  points: -2
"""


@pytest.fixture
def toml(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(TOML)
    return str(file)


def test_a_rubric_is_read_from_toml_and_yaml(tmp_path, toml):
    pytest.importorskip("yaml")
    yaml = tmp_path / "mine.yaml"
    yaml.write_text(YAML)
    assert from_file(toml) == from_file(str(yaml)) == TWO


def test_a_judge_is_the_same_whichever_way_its_rubric_was_given(tmp_path, toml):
    set_here = build(edited(find("rubric"), sets=[f"criteria={toml}"]), model=MODEL)
    (tmp_path / "judge.toml").write_text('is = "Rubric"\ncriteria = "mine.toml"\n')
    in_file = build(find(str(tmp_path / "judge.toml")), model=MODEL)
    inline = build({"is": "Rubric", "criteria": SHAPES["requirement and weight"]}, model=MODEL)
    again = json.loads(json.dumps(plain(inline)))
    rebuilt = build({**again, "model": MODEL}, model=MODEL)
    assert set_here == in_file == inline == rebuilt == Rubric(MODEL, TWO)
    assert len({identity(one) for one in (set_here, in_file, inline, rebuilt)}) == 1
    assert identity(inline) != identity(Rubric(MODEL))
    assert asyncio.run(set_here(Case.of("q", "p", "r"))).score == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("none.toml", None, "cannot be read"),
        ("bad.toml", "criteria = [", "cannot be read"),
        ("empty.toml", "", "holds no criteria"),
        ("number.yaml", "3", "holds no criteria"),
        ("bad.yaml", "a: [", "cannot be read"),
        ("rubric.json", "[]", "no rubric file"),
        ("text.toml", "criteria = [{ points = 3 }]", "criterion 1"),
    ],
)
def test_a_file_that_holds_no_rubric_says_so(tmp_path, name, text, told):
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises((Misuse, DataError), match=told) as caught:
        from_file(str(tmp_path / name))
    assert name in str(caught.value)


def test_yaml_without_its_library_says_how_to_install_it(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text(YAML)
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(Misuse, match=r"pip install 'evenhand\[yaml\]'"):
        from_file(str(tmp_path / "mine.yaml"))
