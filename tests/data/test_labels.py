"""A person's label beside a pair."""

import pytest

from evenhand.data import Row, open_data
from evenhand.errors import DataError


def one(**row) -> Row:
    (found,) = open_data([row])
    return found


@pytest.mark.parametrize(
    ("value", "label"),
    [
        *((v, "A") for v in (1, 1.0, "1", "A", "a ", "model_a", "response_1", "first", "A>B", "x")),
        *((v, "B") for v in (2, 2.0, "2.0", "B", "model_b", "system_b", "B>>A", "[[B]]", "y")),
        *((v, "tie") for v in ("tie", "Tie", "tie (bothbad)", "A=B", 1.5)),
        *((v, None) for v in (None, "", float("nan"))),
    ],
)
def test_labels_of_a_pair_are_understood(value, label):
    row = one(prompt="p", response_a="1", response_b="2", model_a="x", model_b="y", winner=value)
    assert (row.label, row.case.notes) == (label, {})


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (0, "which means the first response in some files and a tie in others"),
        ("maybe", "which names neither response"),
        (True, "which names neither response"),
        (1.99, "which names neither response"),
    ],
)
def test_labels_that_cannot_be_understood_stop_even_when_bad_rows_are_skipped(value, why):
    rows = [{"prompt": "p", "output_1": "x", "output_2": "y", "winner": value}]
    with pytest.raises(DataError) as caught:
        list(open_data(rows, on_bad=lambda bad: None))
    assert (caught.value.row, caught.value.field) == (1, "label")
    assert caught.value.happened == f"column 'winner' holds {value!r}, {why}"
    assert "A, B or tie; 1 or 2" in caught.value.expected
    assert "--map label=" in caught.value.do
    assert next(iter(open_data(rows, columns={"label": ""}))).label is None


def test_a_label_that_names_both_systems_is_refused():
    with pytest.raises(DataError, match="could mean either response"):
        one(prompt="p", responses=["x", "y"], systems=["s", "s"], label="s")


def test_the_chosen_response_stands_first_and_a_notice_says_so():
    table = open_data([{"prompt": "p", "chosen": "x", "rejected": "y"}])
    (row,) = table
    assert ([r.text for r in row.case.responses], row.label) == (["x", "y"], "A")
    assert any("'chosen' always stands first" in notice for notice in table.notices)
    assert table.taken["label"] == "chosen"
