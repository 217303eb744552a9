"""Fits: what was learnt, in a file."""

import json
from dataclasses import FrozenInstanceError

import pytest

from evenhand.checklists import checklist_key
from evenhand.errors import DataError, Misuse
from evenhand.fits import Fit, calibrated, made_from, overlap
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


# ---- the kinds that change verdicts ----------------------------------------------------------

CURVE = {"map": "beta", "of": "label:yes", "a": 1.0, "b": 0.5, "c": 0.1}
STEPS = {"map": "isotonic", "of": "mode", "x": [0.2, 0.8], "y": [0.1, 0.9]}
HEAD = {"head": "LS", "labels": [], "span": [1, 5], "hashed": 2, "weights": [[1.0, 0.2, -0.3]]}
HEAD |= {"intercept": [0.5]}
EMBEDDER = {"name": "dir/e.py:embed", "size": 2, "sha256": "ab" * 32}
OTHER = {key: value for key, value in HEAD.items() if key != "hashed"} | {"embedder": EMBEDDER}
MODEL = {"name": "sentence-transformers:a/b", "size": 2, "sha256": None}
GRADES = {**HEAD, "head": "MN", "labels": ["1", "2"], "span": None, "hashed": 0}
GRADES |= {"weights": [[1.0], [2.0]], "intercept": [0.0, 1.0]}
ROCKET = {"ab12": {"intercept": 1.0, "weights": [4.5, 4.5]}}
TREE = {"feature": [1, -1, -1], "threshold": [0.5, 0.0, 0.0], "left": [1, -1, -1],
        "right": [2, -1, -1], "value": [5.0, 3.0, 8.0]}  # fmt: skip
TREES = {"ab12": {"questions": 2, "mixing": 0.5, "trees": [TREE, TREE]}}
NAN = float("nan")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("calibrate", CURVE),
        ("calibrate", STEPS),
        ("calibrate", {**STEPS, "map": "histogram", "y": [0.1, 0.4, 0.3]}),
        ("calibrate", {**CURVE, "map": "temperature", "of": "labels"}),
        ("quantitative", HEAD),
        ("quantitative", GRADES),
        ("quantitative", OTHER),
        ("quantitative", {**OTHER, "embedder": MODEL}),
        ("rocketeval", ROCKET),
        ("rocketeval-trees", TREES),
    ],
)
def test_every_kind_comes_back_from_its_file(tmp_path, kind, data):
    fit = Fit(kind, data, made_from("people", ["a", "b"]))
    fit.write(tmp_path / "fit.json")
    assert Fit.read(tmp_path / "fit.json") == fit


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("calibrate", {**CURVE, "map": "magic"}, r"data\.map"),
        ("calibrate", {**CURVE, "of": "all"}, r"data\.of"),
        ("calibrate", {**CURVE, "of": "labels"}, r"data\.of"),
        ("calibrate", {**CURVE, "a": -1.0}, r"data\.a"),
        ("calibrate", {**CURVE, "c": NAN}, r"data\.c"),
        ("calibrate", {**CURVE, "c": True}, r"data\.c"),
        ("calibrate", {**CURVE, "more": 1}, "more"),
        ("calibrate", {**STEPS, "x": [0.8, 0.2]}, r"data\.x"),
        ("calibrate", {**STEPS, "y": [0.9, 0.1]}, r"data\.x"),
        ("calibrate", {**STEPS, "y": [0.1, 1.5]}, r"data\.y"),
        ("calibrate", {**STEPS, "y": [0.1]}, r"data\.y"),
        ("calibrate", {**STEPS, "x": [], "y": []}, r"data\.y"),
        ("quantitative", {**HEAD, "head": "XX"}, r"data\.head"),
        ("quantitative", {**HEAD, "hashed": True}, r"data\.hashed"),
        ("quantitative", {**HEAD, "hashed": 3}, r"data\.weights\.0"),
        ("quantitative", {**HEAD, "embedder": EMBEDDER}, "'hashed' is not known here"),
        ("quantitative", {**OTHER, "embedder": "e.py:embed"}, r"data\.embedder'"),
        ("quantitative", {**OTHER, "embedder": {"name": "x"}}, "size is missing"),
        ("quantitative", {**OTHER, "embedder": {**EMBEDDER, "name": 3}}, r"embedder\.name"),
        ("quantitative", {**OTHER, "embedder": {**EMBEDDER, "name": "hashed"}}, r"embedder\.name"),
        ("quantitative", {**OTHER, "embedder": {**EMBEDDER, "size": 3}}, r"data\.weights\.0"),
        ("quantitative", {**OTHER, "embedder": {**EMBEDDER, "size": -1}}, r"embedder\.size"),
        ("quantitative", {**OTHER, "embedder": {**EMBEDDER, "sha256": None}}, r"embedder\.sha256"),
        ("quantitative", {**OTHER, "embedder": {**EMBEDDER, "sha256": "ab"}}, r"embedder\.sha256"),
        ("quantitative", {**OTHER, "embedder": {**MODEL, "sha256": "ab" * 32}}, "for files only"),
        ("quantitative", {**HEAD, "weights": [[1.0, NAN, 0.0]]}, r"data\.weights\.0"),
        ("quantitative", {**HEAD, "weights": []}, r"data\.weights"),
        ("quantitative", {**HEAD, "span": None}, r"data\.span"),
        ("quantitative", {**HEAD, "span": [5, 1]}, r"data\.span"),
        ("quantitative", {**HEAD, "head": "BTL"}, r"data\.span"),
        ("quantitative", {**HEAD, "head": "BTL2", "span": None}, r"data\.intercept"),
        ("quantitative", {**HEAD, "labels": ["1", "2"]}, r"data\.labels"),
        ("quantitative", {**GRADES, "labels": ["good", "bad"]}, r"data\.labels"),
        ("quantitative", {**GRADES, "labels": ["1", "1"]}, r"data\.labels"),
        ("rocketeval", {"no hex!": ROCKET["ab12"]}, "hexadecimal"),
        ("rocketeval", {"ab": [1.0]}, r"data\.ab"),
        ("rocketeval", {"ab": {"intercept": 1.0}}, "weights is missing"),
        ("rocketeval", {"ab": {"intercept": 1.0, "weights": [-1.0]}}, r"data\.ab\.weights"),
        ("rocketeval-trees", ROCKET, "questions is missing"),
        ("rocketeval-trees", {"ab": {**TREES["ab12"], "mixing": 1.5}}, r"data\.ab\.mixing"),
        ("rocketeval-trees", {"ab": {**TREES["ab12"], "questions": 0}}, r"data\.ab\.questions"),
        ("rocketeval-trees", {"ab": {**TREES["ab12"], "questions": 1}}, "features from 0 to 0"),
        ("rocketeval-trees", {"ab": {**TREES["ab12"], "trees": []}}, r"data\.ab\.trees"),
    ],
)
def test_data_of_another_shape_are_refused_with_the_field(kind, data, told):
    with pytest.raises(DataError, match=told):
        Fit(kind, data, FROM)


def test_a_fit_knows_which_cases_it_was_learnt_from(tmp_path):
    fit = Fit("calibrate", CURVE, made_from("people", ["b", "a", "a", "ü\ud800"]))
    assert fit.made_from["n"] == 3
    assert fit.made_from["hash"] == made_from("x", ["a", "ü\ud800", "b"])["hash"]
    assert all(len(digits) == 8 for digits in fit.made_from["cases"])
    assert overlap(fit, ["a", "c", "a", "b"]) == 2
    assert overlap(fit, []) == 0
    assert overlap(ROUTES, ["a"]) is None
    with pytest.raises(DataError, match="eight hexadecimal digits"):
        Fit("calibrate", CURVE, {**FROM, "cases": ["abc"]})


def test_curves_are_what_their_formula_says_and_never_quite_zero_or_one():
    same = {**CURVE, "map": "platt", "a": 1.0, "b": 1.0, "c": 0.0}
    assert calibrated(same, [0.2, 0.7]) == pytest.approx([0.2, 0.7])
    assert 0 < calibrated(same, 0.0) < calibrated(same, 1.0) < 1
    assert calibrated(CURVE, 0.5) == pytest.approx(
        1 / (1 + 2.718281828 ** -(0.1 - 0.5 * 0.6931472))
    )


def test_a_checklist_has_its_key_by_its_questions_in_order():
    assert checklist_key(["A?", "B?"]) == checklist_key(("A?", "B?"))
    assert checklist_key(["A?", "B?"]) != checklist_key(["B?", "A?"])
