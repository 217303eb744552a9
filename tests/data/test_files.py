"""Files of every format become the same rows; what is wrong with one is said exactly."""

import csv
import gzip
import hashlib
import json
import sys
from pathlib import Path

import pytest

from evenhand.data import Bad, open_data
from evenhand.errors import DataError, Misuse
from evenhand.records import Case

ROWS = [
    {"id": "a", "prompt": "p1, or;\n\"so\"", "response": "é"},
    {"id": "b", "prompt": "p2", "response": ""},
    {"id": "c", "prompt": "p3", "response": "x" * 300_000},
]  # fmt: skip
SHARED = Path(__file__).resolve().parents[2] / "../shared/data"


def write(path: Path, text: str | bytes) -> Path:
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def jsonl(rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(rows, delimiter) -> str:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [rows[0], *(row.values() for row in rows)]
    return "\r\n".join(delimiter.join(map(cell, line)) for line in lines) + "\r\n"


def trouble(path, **options) -> DataError:
    with pytest.raises(DataError) as caught:
        list(open_data(path, **options))
    error = caught.value
    assert error.file == str(path)
    assert error.expected
    assert error.do
    return error


# ---- formats ---------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.jsonl", jsonl(ROWS)),
        ("x.ndjson", jsonl(ROWS)),
        ("x.json", json.dumps(ROWS)),
        ("x.json", json.dumps(ROWS, indent=2)),
        ("x.json", jsonl(ROWS)),
        *(("x.csv", table(ROWS, sign)) for sign in ",;\t|"),
        ("x.tsv", table(ROWS, "\t")),
    ],
)
def test_every_text_format_gives_the_same_rows(tmp_path, name, text, mark, packed):
    path = write(tmp_path / (name + packed), mark + text)
    opened = open_data(path)
    for _ in range(2):  # a file can be read again
        found = list(opened)
        assert [row.case.id for row in found] == ["a", "b", "c"]
        assert [row.case.prompt[0].text for row in found] == [row["prompt"] for row in ROWS]
        assert [row.case.responses[0].text for row in found] == [row["response"] for row in ROWS]
        assert [row.row for row in found] == [1, 2, 3]
        assert {row.file for row in found} == {str(path)}
    assert opened.count == 3
    assert opened.name == path.name
    assert opened.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert opened.taken == {"id": "id", "prompt": "prompt", "response": "response"}
    assert opened.notices == ()


def test_parquet_gives_the_same_rows(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    rows = [{**row, "systems": None, "n": i} for i, row in enumerate(ROWS)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    opened = open_data(str(path))
    assert [row.case.responses[0].text for row in opened] == [row["response"] for row in ROWS]
    assert (opened.count, next(iter(opened)).case.notes) == (3, {"n": 0})
    broken = write(tmp_path / "broken.parquet", path.read_bytes()[:-20])
    assert "not a whole Parquet file" in trouble(broken).happened
    with pytest.raises(Misuse, match="packed once more"):
        open_data(write(tmp_path / "x.parquet.gz", b""))


def test_parquet_without_ids_is_counted(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([{"prompt": "p", "response": "r"}] * 3), path)
    assert [row.case.id for row in open_data(path)] == [f"x.parquet:{i}" for i in (1, 2, 3)]
    assert open_data(path).count == 3
    parquet.write_table(pyarrow.Table.from_pydict({"prompt": pyarrow.array([], "string")}), path)
    assert trouble(path).happened == "there are no rows"


def test_a_saved_dataset_gives_the_same_rows(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    saved = datasets.Dataset.from_list(ROWS)
    saved.select([2, 0, 1]).save_to_disk(tmp_path / "one")
    opened = open_data(tmp_path / "one")
    assert [row.case.id for row in opened] == ["c", "a", "b"]
    assert (opened.name, opened.count, len(opened.sha256 or "")) == ("one", 3, 64)
    datasets.DatasetDict({"train": saved}).save_to_disk(tmp_path / "split")
    with pytest.raises(Misuse, match="holds train") as caught:
        open_data(tmp_path / "split")
    assert caught.value.do == f"pass {tmp_path / 'split' / 'train'}"


@pytest.mark.parametrize(
    ("library", "name", "extra"), [("pyarrow", "x.parquet", "parquet"), ("datasets", "x", "hf")]
)
def test_a_missing_library_names_the_install_command(tmp_path, monkeypatch, library, name, extra):
    path = tmp_path / name
    if path.suffix:
        path.touch()
    else:
        path.mkdir()
        (path / "state.json").write_text("{}")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(Misuse) as caught:
        open_data(path)
    assert caught.value.do == f"pip install 'evenhand[{extra}]'"


def test_python_rows_are_read_like_files():
    rows = [{"id": 1, "prompt": "p", "response": "r"}, Case.of("c", "p", "x", "y")]
    opened = open_data(rows)
    first, second = opened
    assert (first.case.id, first.cluster, first.file, first.row) == ("1", "1", "", 1)
    assert (second.case, second.cluster, second.label) == (rows[1], "c", None)
    assert (opened.count, opened.name) == (2, "rows")
    assert opened.sha256 == open_data(tuple(rows)).sha256
    assert opened.sha256 != open_data(rows[:1]).sha256
    assert len(open_data([{"prompt": "\ud800", "response": "r", "n": 2**80}]).sha256) == 64


def test_iterators_stay_lazy():
    def endless():
        at = 0
        while True:
            at += 1
            yield {"question_id": 1, "prompt": "p", "response": str(at)}

    opened = open_data(endless())
    assert (opened.sha256, opened.count, opened.taken) == (None, None, {})
    rows = iter(opened)
    first, second = next(rows), next(rows)
    assert [first.case.id, second.case.id] == ["rows:1", "rows:2"]
    assert first.cluster == second.cluster == "1"


def test_an_iterator_that_is_used_up_is_said():
    opened = open_data(iter([{"id": 1, "prompt": "p", "response": "r"}]))
    assert len(list(opened)) == 1
    with pytest.raises(DataError) as caught:
        list(opened)
    assert caught.value.happened == "there are no rows"
    assert "iterators are read once" in caught.value.do


def test_something_that_is_no_row_is_said():
    with pytest.raises(DataError, match="row is due: 'prompt'") as caught:
        open_data(["prompt"])
    assert "to_dict('records')" in caught.value.expected


# ---- decoding --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.jsonl", "x.json"])
def test_lone_surrogates_and_nan_are_kept(tmp_path, name):
    row = '{"prompt": "\\ud800", "response": "r", "n": [NaN, -Infinity, 1e999]}\n'
    path = write(tmp_path / name, row if name == "x.jsonl" else f"[{row}]")
    (found,) = open_data(path)
    assert found.case.prompt[0].text == "\ud800"
    assert str(found.case.notes["n"]) == "[nan, -inf, inf]"


def test_a_response_of_five_megabytes_is_read(tmp_path):
    row = {"prompt": "p", "response": 'a"\\[{' * 1_000_000}
    for name, text in (("x.jsonl", jsonl([row])), ("x.json", json.dumps([row, row]))):
        found = list(open_data(write(tmp_path / name, text)))
        assert {one.case.responses[0].text for one in found} == {row["response"]}


def test_blank_lines_count_as_lines_but_not_as_rows(tmp_path):
    path = write(tmp_path / "x.jsonl", '\n{"prompt": "p"}\n  \n{"prompt": "q"}\n')
    assert [(row.row, row.case.id) for row in open_data(path)] == [
        (2, "x.jsonl:2"),
        (4, "x.jsonl:4"),
    ]
    assert open_data(path).count == 2


GOOD = '{"prompt": "p", "response": "r"}\n'


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('{"prompt": "p", "resp', 'a row that breaks off: ...\'{"prompt": "p", "resp\''),
        ('{"prompt": "p",, "a": 1}', "broken JSON (Expecting property name"),
        ("[1, 2]", "a list: [1, 2]"),
        ('"prompt"', "text: 'prompt'"),
        (
            b'{"prompt": "p", "response": "caf\xe9"}',
            "bytes that are not UTF-8: b'\\xe9\"}' at byte 32",
        ),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, found):
    line = line if isinstance(line, bytes) else line.encode()
    path = write(tmp_path / "x.jsonl", GOOD.encode() + line)
    error = trouble(path)
    assert (error.row, error.field) == (2, "")
    assert error.happened.startswith(found)
    assert error.do == "mend the row, or pass --skip-bad"
    assert str(error).startswith(f"{path}:2: ")
    bad: list[Bad] = []
    opened = open_data(path, on_bad=bad.append)
    assert bad == []  # handed over while reading, once
    assert len(list(opened)) == 1
    assert [(one.file, one.row, one.found) for one in bad] == [(str(path), 2, error.happened)]
    assert opened.count == 2


@pytest.mark.parametrize(
    ("text", "row", "found"),
    [
        ('[{"prompt": "p"}, {"prompt": "q', 2, "a row that breaks off"),
        ('[{"prompt": "p"}', 2, "a row that breaks off"),
        ('[{"prompt": "p"}, 7, {"prompt": "q"}]', 2, "a number: 7"),
        ('[{"prompt": "p"}, ["q"]]', 2, "a list: ['q']"),
        ('["p"]', 1, "text: 'p'"),
        ('[{"prompt": "p"}] {}', 2, "neither a prompt nor a response"),
        ("[]", 0, "there are no rows"),
        ('{\n "a": []}', 0, "the file is one object over many lines"),
    ],
)
def test_a_broken_list_is_named(tmp_path, text, row, found):
    error = trouble(write(tmp_path / "x.json", text))
    assert error.row == row
    assert error.happened.startswith(found)


@pytest.mark.parametrize(
    ("text", "row", "found", "expected"),
    [
        (b"prompt,response\np,r\np\n", 2, "1 cells: 'p'", "2, as the header has"),
        (b"prompt,response\np,r,s\n", 1, "3 cells: 'p,r,s'", "2, as the header has"),
        (
            b'prompt,response\np,r\np,"r\n',
            2,
            "a row that breaks off inside quotes",
            "a closing quote",
        ),
        (b'prompt,response\n"p"x,r\n', 1, "broken quoting", 'quotes doubled: ""'),
        (
            b"prompt,response\np,caf\xe9\n",
            1,
            "bytes that are not UTF-8: b'\\xe9\\n'",
            "text in UTF-8",
        ),
        (b"prompt,response\n", 1, "there is no row below the header", "at least one row"),
        (b"prompt,a,a\np,r,s\n", 0, "the header names 'a' twice", "one column of a name"),
        (b"prompt,caf\xe9\np,r\n", 0, "bytes that are not UTF-8", "text in UTF-8"),
    ],
)
def test_a_broken_table_is_named(tmp_path, text, row, found, expected):
    error = trouble(write(tmp_path / "x.csv", text))
    assert (error.row, error.expected) == (row, expected)
    assert error.happened.startswith(found)


def test_a_bad_row_of_a_table_does_not_lose_the_next(tmp_path):
    path = write(tmp_path / "x.csv", b"prompt,response\np,\xff\np\nq,r\n")
    bad: list[Bad] = []
    assert [row.row for row in open_data(path, on_bad=bad.append)] == [3]
    assert [one.row for one in bad] == [1, 2]


def test_the_cell_limit_of_csv_is_lifted(tmp_path):
    csv.field_size_limit(131072)
    path = write(tmp_path / "x.csv", "prompt,response\np," + "x" * 200_000 + "\n")
    assert len(next(iter(open_data(path))).case.responses[0].text) == 200_000


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv", "x.jsonl.gz"])
def test_an_empty_file_is_said(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"")
    error = trouble(path)
    assert (error.happened, error.row) == ("the file is empty", 0)


def test_a_packed_file_that_breaks_off_is_named_even_when_bad_rows_are_skipped(tmp_path):
    rows = [{"prompt": f"{i} {hashlib.sha256(b'%d' % i).hexdigest()}"} for i in range(5000)]
    path = write(tmp_path / "x.jsonl.gz", jsonl(rows))
    path.write_bytes(path.read_bytes()[:-50_000])
    error = trouble(path, on_bad=lambda bad: None)
    assert error.row > 100
    assert error.happened.startswith(f"the file cannot be read further than row {error.row - 1}")
    assert error.do == "copy it again, or write it again"
    path.write_bytes(jsonl(rows).encode())
    assert "Not a gzipped file" in trouble(path).happened


def test_a_file_that_is_not_there_is_misuse_with_near_names(tmp_path):
    write(tmp_path / "answers.jsonl", GOOD)
    with pytest.raises(
        Misuse, match=r"there is no file '.*answer\.jsonl' \(near: answers\.jsonl\)"
    ):
        open_data(tmp_path / "answer.jsonl")
    with pytest.raises(Misuse, match="there is no folder"):
        open_data(tmp_path / "no" / "answer.jsonl")
    with pytest.raises(Misuse, match="ending") as caught:
        open_data(write(tmp_path / "x.xlsx", b""))
    assert ".jsonl" in caught.value.expected
    with pytest.raises(Misuse, match=r"holds answers\.jsonl, x\.xlsx"):
        open_data(tmp_path)


# ---- public files ----------------------------------------------------------------------------

PUBLIC = {  # rows, responses a row, labels
    "llmbar/datasets.jsonl.gz": (685, 2, {"A", "B"}),
    "judgebench/pairs_gpt-4o-2024-05-13.jsonl.gz": (350, 2, {"A", "B"}),
    "alpacaeval/instructions.jsonl": (805, 0, {None}),
    "bigbench_mistake/multistep_arithmetic.jsonl": (300, 1, {None}),
    "bigbench_mistake/tracking_shuffled_objects.jsonl": (300, 1, {None}),
    "bigbench_mistake/word_sorting.jsonl.gz": (300, 1, {None}),
    "reasoneval/mr-math_invalid_errors.jsonl": (159, 1, {None}),
    "devai/requirement_judgements.jsonl": (732, 0, {None}),
    "prometheus_rubric/vicuna_eval.jsonl.gz": (320, 0, {None}),
    "who_and_when/algorithm-generated.jsonl.gz": (126, 0, {None}),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_files_open_as_they_are(name):
    path = SHARED / name
    if not path.is_file():
        pytest.skip("shared data are not here")
    opened = open_data(path)
    rows = list(opened)
    expected, responses, labels = PUBLIC[name]
    assert (len(rows), opened.count) == (expected, expected)
    assert {len(row.case.responses) for row in rows} == {responses}
    assert {row.label for row in rows} == labels


def test_every_public_jsonl_file_opens_or_says_what_it_lacks():
    files = sorted([*SHARED.glob("*/*.jsonl"), *SHARED.glob("*/*.jsonl.gz")])
    if not files:
        pytest.skip("shared data are not here")
    for path in files:
        if str(path.relative_to(SHARED)) not in PUBLIC:
            first = trouble(path)
            assert first.happened.startswith(("neither a prompt nor", "the id '")), path


def test_a_public_pair_file_with_two_bad_rows_opens_but_for_these():
    path = SHARED / "pandalm/testset-v1.json"
    if not path.is_file():
        pytest.skip("shared data are not here")
    bad: list[Bad] = []
    opened = open_data(path, on_bad=bad.append)
    rows = list(opened)
    assert (len(rows) + len(bad), opened.count) == (999, 999)
    assert {one.found for one in bad} == {"true or false where text is due: True"}
    assert rows[0].case.prompt[0].text.count("\n\n") >= 1
