"""Prompts in eight more languages: what a reader or a template needs is the same in each."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

import evenhand.judges
from evenhand.judges import PUBLISHED
from evenhand.judges.build import build, edited, find
from evenhand.models.scripted import Scripted
from evenhand.prompts import Prompt, beside
from evenhand.records import Case, Completion, Question, Request, Verdict

FOLDER = Path(evenhand.judges.__file__).parent
LANGUAGES = ("ar", "de", "es", "fr", "ja", "ko", "ru", "zh")
PROMPTS = {  # file -> what it is given besides the case
    "pointwise": {},
    "pairwise": {},
    "geval": {"criterion": "Coherence", "steps": "1. Read.", "labels": ("1", "2", "3")},
    "geval.steps": {"criterion": "Coherence", "labels": ("1", "2", "3")},
    "choice": {"question": Question("Right?", ("yes", "no"), ("It is.", "It is not."))},
    "choice.pair": {"question": Question("Which?", ("A", "B"))},
}
# Never translated: readers look for them, or a label follows them.
MARKERS = ("Rating: [[number]]", "[[A]], [[B]], [[C]]", "Score:", "Answer: (")
SCRIPTS = {
    "ar": r"[\u0600-\u06ff]", "ja": r"[\u3040-\u30ff]", "ko": r"[\uac00-\ud7a3]",
    "ru": r"[\u0400-\u04ff]", "zh": r"[\u4e00-\u9fff]",
    "de": r"\b(?:ist|und|mit|die)\b", "es": r"\b(?:una?|que|con)\b",
    "fr": r"\b(?:la|une|par|des|et)\b",
}  # fmt: skip
FENCED = re.compile(r"^<([a-z_]+)>\n(.*?)\n</\1>$", re.MULTILINE | re.DOTALL)
BARE = Case.of("q", "2 + 2?", "It is four.", "Five.")
FULL = Case.of("q", "2 + 2?", "It is four.", "Five.", reference=("4",), context=("Sums.",),
    rubric="Is it right?")  # fmt: skip
JUDGES = ("mt-bench-single", "mt-bench-pair", "g-eval", "choice", "choice-pair")
REPLIES = {
    "mt-bench-single": "Die Antwort stimmt. Rating: [[7]]",
    "mt-bench-pair": "两者都可以。[[A]]",
    "g-eval": "4",
    "choice": "4",
    "choice-pair": "A",
}
each_prompt = pytest.mark.parametrize("name", PROMPTS)
each_language = pytest.mark.parametrize("language", LANGUAGES)


def prompt_of(name: str) -> Prompt:
    stem, _, part = name.partition(".")
    return beside(str(FOLDER / f"{stem}.py"), part)


def text_of(name: str, language: str) -> str:
    return prompt_of(name).languages[language]


def ask(judge, case: Case) -> Verdict:
    return asyncio.run(judge(case))


@each_prompt
def test_every_prompt_has_all_eight_languages(name):
    assert tuple(sorted(prompt_of(name).languages)) == LANGUAGES


@each_prompt
@each_language
@pytest.mark.parametrize("found", [r"\{\{.*?\}\}|\{%.*?%\}", r"(?m)^# .*$", r"\[\[.*?\]\]"])
def test_placeholders_role_lines_and_marks_are_those_of_the_english_prompt(name, language, found):
    english, text = prompt_of(name).text, text_of(name, language)
    assert re.findall(found, text) == re.findall(found, english)
    assert len(text.splitlines()) == len(english.splitlines())


@each_prompt
@each_language
def test_markers_are_never_translated(name, language):
    english, text = prompt_of(name).text, text_of(name, language)
    assert [text.count(marker) for marker in MARKERS] == [english.count(m) for m in MARKERS]
    for marker in MARKERS[2:]:
        assert text.rstrip().endswith(marker) == english.rstrip().endswith(marker)


@each_prompt
@each_language
def test_every_sentence_is_translated(name, language):
    def prose(text: str) -> list[str]:
        lines = (re.sub(r"\{[{%].*?[%}]\}", "", line).strip() for line in text.splitlines())
        return [line for line in lines if re.match(r"[^\W\d_]", line) and line not in MARKERS]

    english, text = prose(prompt_of(name).text), prose(text_of(name, language))
    assert len(text) == len(english)
    assert not set(text) & set(english)
    spoken = re.compile(SCRIPTS[language])
    assert all(spoken.search(line) for line in text if len(line) > 60)


@each_prompt
@each_language
@pytest.mark.parametrize("case", [BARE, FULL], ids=["bare", "full"])
def test_a_case_makes_the_same_messages_and_shows_the_same_material(name, language, case):
    prompt, given = prompt_of(name), PROMPTS[name]
    english = prompt(case=case, **given).messages
    there = prompt(case=case.having(language=language), **given).messages
    assert [message.role for message in there] == [message.role for message in english]
    assert material(there) == material(english)
    assert there != english


def material(messages) -> list[tuple[str, str]]:
    return FENCED.findall("\n\n".join(message.text for message in messages))


@pytest.mark.parametrize("name", JUDGES)
@each_language
def test_the_same_reply_is_read_in_every_language(name, language):
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return REPLIES[name]

    judge = build(find(name), model=Scripted("scripted", answer))
    case = FULL if judge.view == "pairwise" else FULL.only(0)
    english = ask(judge, case)
    asked = [request.messages for request in seen]
    seen.clear()
    there = ask(judge, case.having(language=language))
    assert there.decided
    assert (there.label, there.scores, there.code) == (english.label, english.scores, None)
    assert len(seen) == len(asked)
    assert seen[-1].messages != asked[-1]


@pytest.mark.parametrize("name", JUDGES)
@each_language
def test_a_reply_that_repeats_the_question_is_undecided_in_every_language(name, language):
    def echo(request: Request) -> Completion:
        return Completion(request.messages[-1 if request.messages[-1].role == "user" else -2].text)

    judge = build(find(name), model=Scripted("scripted", echo))
    case = FULL if judge.view == "pairwise" else FULL.only(0)
    assert ask(judge, case.having(language=language)).code == "unread"


@pytest.mark.parametrize("note", ["language", "lang"])
def test_a_german_case_is_judged_in_german(note):
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return (
            "[[A]]" if "Five" in request.messages[-1].text.partition("Antwort B:")[2] else "[[B]]"
        )

    judge = build(find("mt-bench-pair"), model=Scripted("scripted", answer))
    verdict = ask(judge, BARE.having(**{note: "de"}))
    assert verdict.label == "A"
    assert len(seen) == int(PUBLISHED["mt-bench-pair"].calls)
    for request in seen:
        assert "Du urteilst unparteiisch." in request.messages[0].text
        assert "Antwort A:\n<response_a>" in request.messages[1].text
        assert request.messages[1].text.endswith("A ist besser, B ist besser, keine ist besser.")


@pytest.mark.parametrize(
    ("judge", "field", "said"),
    [
        ("mt-bench-single", "prompt", "Vous êtes un juge impartial."),
        ("g-eval", "steps_prompt", "Quelqu'un va évaluer des réponses"),
    ],
)
def test_a_judge_may_be_held_to_one_language(judge, field, said):
    seen: list[Request] = []

    def answer(request: Request) -> str:
        seen.append(request)
        return REPLIES[judge]

    form = edited(find(judge), sets=[f"{field}.language=fr"])
    ask(build(form, model=Scripted("scripted", answer)), BARE.only(0))
    assert seen[0].messages[0].text.startswith(said)
