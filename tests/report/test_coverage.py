"""The map of the field names every judge and command, and nothing that is not there."""

from functools import cache

import pytest

from evenhand.cli import app
from evenhand.data.bench import names
from evenhand.judges import PUBLISHED
from evenhand.report.coverage import AXES, MISSING, commands, coverage, topics
from evenhand.report.papers import PACKAGE


@cache
def made() -> str:
    return coverage()


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_judge_answers_to_some_topic(name):
    assert f"[{name}](judges/{name}.md)" in made()
    assert any(name in topic.judges.split() for topic in topics())


def test_the_commands_are_those_of_the_command_line():
    known = {one.name or one.callback.__name__ for one in app.registered_commands}
    assert set(commands()) == known
    assert all(commands().values())


def test_every_command_answers_to_some_topic():
    used = {name for topic in topics() for name in topic.commands.split()}
    assert used == set(commands())


def test_every_name_is_of_something():
    for topic in topics():
        assert set(topic.judges.split()) <= set(PUBLISHED), topic.name
        assert set(topic.commands.split()) <= set(commands()), topic.name
        assert set(topic.benches.split()) <= set(names()), topic.name


def test_every_benchmark_is_listed():
    for name in names():
        assert f"| `{name}` |" in made()


@pytest.mark.parametrize("told", MISSING)
def test_what_is_said_to_be_missing_is_missing_and_said(told):
    assert not (PACKAGE / MISSING[told]).exists()
    assert f"- {told}\n" in made()


def test_the_five_axes_stand_in_their_order():
    places = [made().index(f"### {axis}") for axis in AXES]
    assert len(places) == 5
    assert places == sorted(places)


def test_a_line_that_lacks_judges_commands_and_benchmarks_says_what_is_missing():
    for topic in topics():
        assert topic.judges or topic.commands or topic.lacks, topic.name
