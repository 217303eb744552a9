"""Fits: what was learnt, in a file."""

import json
from dataclasses import FrozenInstanceError

import pytest

from evenhand.errors import DataError, Misuse
from evenhand.fits import Fit
from evenhand.identity import identity, plain

FROM = {"what": "verdicts of three people", "hash": "0a1b", "n": 120}
ROUTES = Fit("routing", {"Open QA": "similarity", "Réécriture": "reference"}, FROM)
FORM = {"fit": 1, "kind": "routing", "made_from": FROM, "data": {"x": "reference"}}


def saved(tmp_path, form) -> str:
    path = tmp_path / "fit.json"
    path.write_text(form if isinstance(form, str) else json.dumps(form), encoding="utf-8")
    return str(path)


def test_a_fit_comes_back_from_its_file_as_it_was(tmp_path):
    path = tmp_path / "routes.json"
    ROUTES.write(path)
    again = Fit.read(path)
    assert again == ROUTES
    assert identity(again) == identity(ROUTES)
    assert "Réécriture" in path.read_text(encoding="utf-8")
    assert list(json.loads(path.read_text(encoding="utf-8"))) == [
        "fit",
        "kind",
        "made_from",
        "data",
    ]


def test_a_fit_is_frozen_and_its_data_count_in_identity():
    with pytest.raises(FrozenInstanceError):
        ROUTES.kind = "other"
    other = Fit("routing", {"Open QA": "reference"}, FROM)
    assert identity(other) != identity(ROUTES)
    assert plain(ROUTES)["is"] == "Fit"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("[1]", "Expected: a fit, a JSON object"),
        ("{", "fit.json:1: no JSON"),
        ('{"fit": 1,\n"kind" "routing"}', "fit.json:2: no JSON"),
        ({k: v for k, v in FORM.items() if k != "data"}, "field 'data': data is missing"),
        ({**FORM, "more": 1}, "'more' is not known here"),
        ({**FORM, "fit": 2}, "field 'fit': found 2"),
        ({**FORM, "kind": "guess"}, "field 'kind': found 'guess'\nExpected: one of routing"),
        ({**FORM, "data": {}}, "at least one entry"),
        ({**FORM, "data": ["x"]}, "field 'data': found ['x']"),
        ({**FORM, "data": {"x": "BERTScore"}}, "field 'data.x': found 'BERTScore'"),
        ({**FORM, "data": {"x": ["reference"]}}, "field 'data.x'"),
        ({**FORM, "data": {" ": "reference"}}, "names of categories"),
        ({**FORM, "made_from": "people"}, "field 'made_from'"),
        ({**FORM, "made_from": {"what": "x", "n": 3}}, "hash is missing"),
        ({**FORM, "made_from": {**FROM, "what": ""}}, "in words"),
        ({**FORM, "made_from": {**FROM, "hash": "xyz"}}, "hexadecimal"),
        ({**FORM, "made_from": {**FROM, "n": 0}}, "field 'made_from.n': found 0"),
        ({**FORM, "made_from": {**FROM, "n": True}}, "field 'made_from.n'"),
        ('{"fit": 1, "kind": "routing", "data": {"x": "reference", "x": "similarity"}}', "twice"),
    ],
)
def test_what_is_no_fit_is_refused_with_file_and_field(tmp_path, form, told):
    with pytest.raises(DataError) as error:
        Fit.read(saved(tmp_path, form))
    assert "fit.json" in str(error.value)
    assert told in str(error.value)


def test_files_that_cannot_be_read_or_written_are_misuse(tmp_path):
    with pytest.raises(Misuse, match="evenhand fit"):
        Fit.read(tmp_path / "nothing.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Misuse, match="cannot be read"):
        Fit.read(tmp_path / "bytes.json")
    with pytest.raises(Misuse, match="cannot be written"):
        ROUTES.write(tmp_path / "no" / "where.json")


def test_a_fit_made_in_code_is_checked_too():
    with pytest.raises(DataError, match=r"data\.x"):
        Fit("routing", {"x": "nearest"}, FROM)
    assert Fit("routing", {"x": "reference"}, {**FROM, "hash": None, "n": None}).data
