import asyncio

import pytest

from evenhand.judges import Contains, Exact
from evenhand.judges.lexical import normalised
from evenhand.records import Case


def ask(judge, response: str, *reference: str):
    return asyncio.run(judge(Case.of("q", "p", response, reference=reference)))


@pytest.mark.parametrize(
    ("response", "reference", "exact", "contains"),
    [
        ("Paris", "paris", "yes", "yes"),
        ("It is Paris.", "Paris", "no", "yes"),
        ("the Eiffel-Tower", "Eiffel Tower", "yes", "yes"),
        ("I know it", "no", "no", "no"),
        ("no, never", "no", "no", "yes"),
        ("15 metres", "5", "no", "no"),
        ("3.5", "5", "no", "no"),
        ("-5", "5", "no", "no"),
        ("\u22125", "-5", "yes", "yes"),
        ("pages 3-5", "5", "no", "yes"),
        ("1,000 people", "1000", "no", "yes"),
        ("1000", "1,000", "yes", "yes"),
        ("It costs $5.", "5", "no", "yes"),
        ("ＰＡＲＩＳ", "Paris", "yes", "yes"),
        ("Straße", "STRASSE", "yes", "yes"),
        ("答案是北京。", "北京", "no", "yes"),
        ("答案是15米", "5米", "no", "no"),
        ("答案是5米", "5米", "no", "yes"),
        ("東京タワーです", "東京タワー", "no", "yes"),
        ("คำตอบคือกรุงเทพครับ", "กรุงเทพ", "no", "yes"),
        ("हिन्दी भाषा", "हिन्दी", "no", "yes"),
        ("हिन्दी", "हिन", "no", "no"),
        ("A", "A", "yes", "yes"),
        ("The", "the", "yes", "yes"),
        ("+", "+", "yes", "yes"),
        ("-", "+", "no", "no"),
        ("", "Paris", "no", "no"),
        ("don't know", "dont", "no", "no"),
        ("no no yes", "yes", "no", "yes"),
        ("Paris\n\n" + " " * 10_000 + "Berlin", "paris berlin", "yes", "yes"),
    ],
)
def test_lexical_judges_compare_normalised_words(response, reference, exact, contains):
    assert ask(Exact(), response, reference).label == exact
    assert ask(Contains(), response, reference).label == contains


@pytest.mark.parametrize("judge", [Exact(), Contains()])
def test_any_reference_will_do_and_none_is_undecided(judge):
    assert ask(judge, "Lutetia", "Paris", "Lutetia").reason == "a reference was found"
    assert ask(judge, "Rome", "Paris", "Lutetia").reason == "no reference was found"
    for nothing in ((), ("",), (" \n",)):
        assert ask(judge, "Rome", *nothing).reason == "empty: the case has no reference"
    assert ask(judge, "Rome", "", "Rome").label == "yes"
    assert ask(judge, "", "", "Rome").label == "no"


def test_words_are_normalised_by_name():
    assert normalised("The  cat_sat, on an (old) mat!") == "cat sat on old mat"
    assert normalised("version 2.0.") == "version 2.0"
