import asyncio
import importlib.util
import random

import pytest

from evenhand.errors import Misuse
from evenhand.judges import Overlap
from evenhand.judges.overlap import rouge_l
from evenhand.records import Case


def ask(response: str, *reference: str, **settings):
    return asyncio.run(Overlap(**settings)(Case.of("q", "p", response, reference=reference)))


@pytest.mark.parametrize(
    ("response", "reference", "score"),
    [
        ("police killed the gunman", "police kill the gunman", 2 / 3),
        ("the gunman kill police", "police kill the gunman", 1 / 3),
        ("one two three", "one two three", 1.0),
        ("One, two: three!", "one two three", 1.0),
        ("one three", "one two three", 4 / 5),
        ("four", "one two three", 0.0),
        ("", "one", 0.0),
        ("我爱北京", "我爱上海", 1 / 2),
        ("c d b e", "b c d e", 3 / 4),
    ],
)
def test_shared_words_in_order_are_measured(response, reference, score):
    assert ask(response, reference).score == pytest.approx(score)


def test_the_length_of_the_longest_common_subsequence_is_that_of_the_textbook():
    def table(one: list[str], other: list[str]) -> int:
        rows = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
        for i, a in enumerate(one):
            for j, b in enumerate(other):
                best = max(rows[i][j + 1], rows[i + 1][j])
                rows[i + 1][j + 1] = rows[i][j] + 1 if a == b else best
        return rows[-1][-1]

    draw = random.Random(3)
    for _ in range(100):
        one = draw.choices("bcdef", k=draw.randrange(1, 80))
        other = draw.choices("bcdef", k=draw.randrange(1, 80))
        expected = 2 * table(one, other) / (len(one) + len(other))
        assert rouge_l(" ".join(one), " ".join(other)) == pytest.approx(expected)


def test_the_nearest_reference_counts_and_none_is_undecided():
    assert ask("one two", "three", "one two").score == 1.0
    for nothing in ((), ("  ",)):
        assert ask("one", *nothing).reason == "empty: the case has no reference"


def test_long_texts_take_no_time():
    words = " ".join(random.Random(0).choices("bcdefghijk", k=20_000))
    assert rouge_l(words, words) == 1.0


@pytest.mark.parametrize(
    ("metric", "library"), [("bleu", "sacrebleu"), ("bertscore", "bert_score")]
)
def test_a_metric_whose_library_is_missing_says_how_to_get_it(metric, library):
    if importlib.util.find_spec(library):
        pytest.skip(f"{library} is installed")
    with pytest.raises(Misuse) as error:
        ask("one", "one", metric=metric)
    assert f"{library} is not installed" in str(error.value)
    assert "pip install 'evenhand[metrics]'" in str(error.value)


def test_bleu_is_that_of_sacrebleu_between_0_and_1():
    pytest.importorskip("sacrebleu", reason="pip install 'evenhand[metrics]'")
    same = "there is a cat on the mat"
    assert ask(same, same, metric="bleu").score == pytest.approx(1.0)
    assert 0.0 <= ask("there is a dog", same, metric="bleu").score < 0.5
