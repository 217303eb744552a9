"""Files of people's labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evenhand.data.label_columns import read_ids
from evenhand.data.raters import Label, Labels, mapping_of, merged, read_labels
from evenhand.errors import DataError, Misuse

LONG = [
    {"id": "q1", "rater": "anna", "label": "4"},
    {"id": "q1", "rater": "ben", "label": "3"},
    {"id": "q2", "rater": "anna", "label": ""},
    {"id": "q2", "rater": "ben", "label": "skip"},
]
READ = (
    Label("q1", "anna", "4"),
    Label("q1", "ben", "3"),
    Label("q2", "anna", None, "missing"),
    Label("q2", "ben", None, "refused"),
)


def table(file: Path, rows: list[dict[str, Any]], sign: str = ",") -> Path:
    lines = [sign.join(rows[0]), *(sign.join(map(str, row.values())) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def jsonl(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def said(labels: Labels) -> list[str | None]:
    return [row.label for row in labels.rows]


# ---- formats and columns ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["l.csv", "l.tsv", "l.jsonl", "l.json", "l.parquet"])
def test_one_row_a_case_and_rater_in_any_format(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name.endswith(".parquet"):
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.Table.from_pylist(LONG), file)
    elif name == "l.json":
        file.write_text(json.dumps(LONG), encoding="utf-8")
    elif name == "l.jsonl":
        jsonl(file, LONG)
    else:
        table(file, LONG, "\t" if name == "l.tsv" else ",")
    labels = read_labels(file)
    assert labels.rows == READ
    assert labels.raters == ("anna", "ben")
    assert len(labels.sha256) == 64
    assert labels.notices == ()


@pytest.mark.parametrize("ident", ["id", "case", "Case_ID", "question_id"])
@pytest.mark.parametrize("rater", ["rater", "annotator", "worker", "User"])
@pytest.mark.parametrize("label", ["label", "winner", "score", "preference", "rating", "Verdict"])
def test_columns_of_known_names_are_found(
    tmp_path: Path, ident: str, rater: str, label: str
) -> None:
    file = table(tmp_path / "l.csv", [{"time": 1, label: "x", rater: "anna", ident: "q1"}])
    assert read_labels(file).rows == (Label("q1", "anna", "x"),)


def test_without_a_rater_the_file_names_one(tmp_path: Path) -> None:
    file = table(tmp_path / "anna.v2.csv", [{"id": "q1", "label": "x"}])
    assert read_labels(file).raters == ("anna",)


def test_other_columns_are_named_and_ids_joined(tmp_path: Path) -> None:
    file = table(tmp_path / "l.csv", [{"set": "math", "n": 7, "who": "anna", "gut": "yes"}])
    columns = {"id": "set+n", "rater": "WHO", "label": "gut"}
    assert read_labels(file, columns=columns).rows == (Label("math/7", "anna", "yes"),)


def test_one_column_a_rater_is_read_as_well(tmp_path: Path) -> None:
    rows = [{"id": "q1", "anna": "4", "ben": ""}, {"id": "q2", "anna": "2", "ben": "5"}]
    labels = read_labels(table(tmp_path / "l.csv", rows), columns={"rater": "anna+ben"})
    assert labels.rows == (
        Label("q1", "anna", "4"),
        Label("q1", "ben", None, "missing"),
        Label("q2", "anna", "2"),
        Label("q2", "ben", "5"),
    )


# ---- what is written -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "label", "why"),
    [
        (4, "4", ""),
        (4.0, "4", ""),
        ("4.0", "4", ""),
        (" 4.50 ", "4.50", ""),
        (True, "true", ""),
        (None, None, "missing"),
        ("  ", None, "missing"),
        ("NaN", None, "missing"),
        (float("nan"), None, "missing"),
        ("Cannot_Judge", None, "refused"),
        ("can’t judge", None, "refused"),
        ("skipped", None, "refused"),
    ],
)
def test_what_a_cell_means(tmp_path: Path, value: Any, label: str | None, why: str) -> None:
    file = jsonl(tmp_path / "l.jsonl", [{"id": "q1", "rater": "anna", "label": value}])
    assert read_labels(file).rows == (Label("q1", "anna", label, why),)  # type: ignore[arg-type]


def test_other_scales_are_mapped(tmp_path: Path) -> None:
    written = ["good", "GOOD", "bad", "99", "skip", "other"]
    file = table(tmp_path / "l.csv", [{"id": i, "label": w} for i, w in enumerate(written)])
    scale = {"good": "1", "bad": "0", "99": "skip", "skip": "skip", "ugly": "0"}
    labels = read_labels(file, scale=scale)
    assert said(labels) == ["1", "1", "0", None, "skip", "other"]
    assert labels.rows[3].why == "refused"
    assert labels.notices == ("--map-labels ugly: no row holds that",)


@pytest.mark.parametrize(
    ("written", "label"),
    [("A", "A"), ("1", "A"), ("model_b", "B"), ("tie", "tie"), ("small", "A"), ("BIG", "B"),
     ("same", "tie")],
)  # fmt: skip
def test_labels_of_pairs_become_a_tie_or_b(tmp_path: Path, written: str, label: str) -> None:
    file = table(tmp_path / "l.csv", [{"id": "q1", "winner": written}])
    systems = {"q1": ("small", "BIG")}
    assert said(read_labels(file, scale={"same": "tie"}, systems=systems)) == [label]


def test_a_label_that_names_neither_response_is_refused_with_its_place(tmp_path: Path) -> None:
    rows = [{"id": "q1", "winner": "A"}, {"id": "q2", "winner": "gpt"}]
    file = table(tmp_path / "l.csv", rows)
    with pytest.raises(DataError, match="names neither response") as raised:
        read_labels(file, systems={"q1": ("x", "y"), "q2": ("x", "y")})
    assert (raised.value.row, raised.value.field) == (2, "winner")
    assert "--map-labels" in raised.value.do
    assert said(read_labels(file, systems={"q1": ("x", "y")})) == ["A", "gpt"]  # q2 is no pair


@pytest.mark.parametrize(
    ("texts", "scale"),
    [
        (["good=1 bad=0"], {"good": "1", "bad": "0"}),
        (["model_a=A", "not sure=tie"], {"model_a": "A", "not sure": "tie"}),
        (["A=B=tie"], {"A=B": "tie"}),
        (["3="], {"3": ""}),
        ([], {}),
    ],
)
def test_map_labels_is_written_in_words(texts: list[str], scale: dict[str, str]) -> None:
    assert mapping_of(texts) == scale


@pytest.mark.parametrize("texts", [["good"], ["=1"], ["good=1 good=2"], ["a=1", "a=2"]])
def test_map_labels_that_says_nothing_clear_is_refused(texts: list[str]) -> None:
    with pytest.raises(Misuse, match="--map-labels"):
        mapping_of(texts)


# ---- bad input -------------------------------------------------------------------------------


def test_the_same_case_and_rater_twice_is_refused(tmp_path: Path) -> None:
    file = table(tmp_path / "l.csv", [*LONG, LONG[1]])
    with pytest.raises(
        DataError, match="'ben' has a label of case 'q1' in row 2 already"
    ) as raised:
        read_labels(file)
    assert (raised.value.row, raised.value.field) == (5, "rater")


@pytest.mark.parametrize(
    ("rows", "message", "field"),
    [
        ([{"name": "q1", "label": "x"}], "no column holds the case; columns: name, label", "id"),
        ([{"id": "q1", "text": "x"}], "no column holds the label; columns: id, text", "label"),
        ([{"id": "", "label": "x"}], "text", "id"),
        ([{"id": "q1", "rater": " ", "label": "x"}], "text", "rater"),
        ([{"id": "q1", "label": "x"}, {"id": "q2"}], "1 cells", ""),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, rows: list[dict[str, Any]], message: str, field: str
) -> None:
    with pytest.raises(DataError, match=message) as raised:
        read_labels(table(tmp_path / "l.csv", rows))
    assert raised.value.field == field
    assert str(raised.value).startswith(str(tmp_path / "l.csv"))
    assert "--skip-bad" not in str(raised.value)


def test_a_list_is_no_label(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "l.jsonl", [{"id": "q1", "label": ["A"]}])
    with pytest.raises(DataError, match="a list where a label is due") as raised:
        read_labels(file)
    assert (raised.value.row, raised.value.field) == (1, "label")


@pytest.mark.parametrize("text", ["", "id,label\n"])
def test_a_file_without_rows_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "l.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"empty|no row"):
        read_labels(tmp_path / "l.csv")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"who": "rater"}, "names the field 'who'"),
        ({"rater": "nobody"}, "there is no column 'nobody'"),
        ({"label": "id+label"}, "a label stands in one column"),
    ],
)
def test_columns_that_are_not_there_are_refused(
    tmp_path: Path, columns: dict[str, str], message: str
) -> None:
    with pytest.raises(Misuse, match=message):
        read_labels(table(tmp_path / "l.csv", LONG), columns=columns)


def test_a_saved_dataset_holds_labels_too(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.Dataset.from_list(LONG).save_to_disk(str(tmp_path / "saved"))
    assert read_labels(tmp_path / "saved").rows == READ


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="there is no file"):
        read_labels(tmp_path / "l.csv")


# ---- several files, and files of ids ---------------------------------------------------------


def test_files_are_merged_once_each(tmp_path: Path) -> None:
    anna = read_labels(table(tmp_path / "anna.csv", [{"id": "q1", "label": "x"}]))
    ben = read_labels(table(tmp_path / "ben.csv", [{"id": "q1", "label": "y"}]))
    both = merged({"anna.csv": anna, "ben.csv": ben})
    assert both.rows == (*anna.rows, *ben.rows)
    assert both.raters == ("anna", "ben")
    assert both.sha256 == merged({"b": ben, "a": anna}).sha256 != anna.sha256
    assert merged({"anna.csv": anna}) is anna
    with pytest.raises(DataError, match=r"'anna' has a label of case 'q1' in anna\.csv already"):
        merged({"anna.csv": anna, "copy.csv": anna})


def test_ids_are_lines_or_a_column(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("q2\n\n q1 \nq2\n", encoding="utf-8")
    assert read_ids(tmp_path / "ids.txt") == ["q2", "q1"]
    file = table(tmp_path / "ids.csv", [{"probability": 0.5, "case": "q2"}])
    assert read_ids(file) == ["q2"]
    (tmp_path / "ids.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match="empty"):
        read_ids(tmp_path / "ids.txt")
    with pytest.raises(DataError, match="no column holds the case"):
        read_ids(table(tmp_path / "no.csv", [{"probability": 0.5}]))
    (tmp_path / "ids.txt").write_bytes(b"q1\n\xff\n")
    with pytest.raises(DataError, match="can't decode"):
        read_ids(tmp_path / "ids.txt")
    with pytest.raises(Misuse, match="there is no file"):
        read_ids(tmp_path / "none.txt")


# ---- sheets ----------------------------------------------------------------------------------

KEY = {
    "pairs": True,
    "words": {"first": "A", "about equal": "tie", "second": "B"},
    "span": None,
    "items": {
        "k1": {"case": "q1", "rater": "r", "swapped": False},
        "k2": {"case": "q2", "rater": "r", "swapped": True},
    },
}


def filled(folder: Path, *labels: str, **changes: Any) -> Path:
    (folder / "key.json").write_text(json.dumps({**KEY, **changes}), encoding="utf-8")
    rows = [{"item": f"k{i}", "rater": "r", "label": label, "note": ""}
            for i, label in enumerate(labels, 1)]  # fmt: skip
    return table(folder / "r.csv", rows)


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("first", ["A", "B"]),
        ("SECOND", ["B", "A"]),
        ("about equal", ["tie", "tie"]),
        ("1", ["A", "B"]),
        ("B", ["B", "A"]),
        ("cannot judge", [None, None]),
        ("", [None, None]),
    ],
)
def test_a_sheet_of_pairs_is_read_through_its_key(
    tmp_path: Path, written: str, labels: list[str | None]
) -> None:
    found = read_labels(filled(tmp_path, written, written))
    assert said(found) == labels
    assert [row.case for row in found.rows] == ["q1", "q2"]


def test_a_sheet_with_a_label_it_does_not_offer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names neither response") as raised:
        read_labels(filled(tmp_path, "first", "frist"))
    assert (raised.value.row, raised.value.field) == (2, "label")
    words = filled(tmp_path, "yes", "perhaps", pairs=False, words={"yes": "yes", "no": "no"})
    with pytest.raises(DataError, match="'perhaps' is not one of the sheet") as raised:
        read_labels(words)
    assert raised.value.expected == "one of yes, no"
    numbers = filled(tmp_path, "7.5", "11", pairs=False, words={}, span=[1, 10])
    with pytest.raises(DataError, match="'11' is not one of the sheet") as raised:
        read_labels(numbers)
    assert raised.value.expected == "a number from 1 to 10"


def test_a_sheet_without_its_own_key_is_refused(tmp_path: Path) -> None:
    file = filled(tmp_path, "first", "first", items={"k1": KEY["items"]["k1"]})  # type: ignore[index]
    with pytest.raises(DataError, match="the item 'k2' is not in the key") as raised:
        read_labels(file)
    assert raised.value.row == 2
    (tmp_path / "key.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="not a key of labelling sheets"):
        read_labels(file)
    (tmp_path / "key.json").unlink()
    with pytest.raises(Misuse, match=r"its key\.json is not beside it"):
        read_labels(file)
