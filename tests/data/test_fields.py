"""Columns and their values become fields of a case."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.data import Row, open_data
from evenhand.data.fields import ALIASES, PAIRS, SYSTEM_PAIRS
from evenhand.errors import DataError, Misuse
from evenhand.records import Case, Message

TEXT = st.text(st.characters())  # lone surrogates as well


def one(**row) -> Row:
    (found,) = open_data([row])
    return found


def case(**row) -> Case:
    return one(**row).case


def texts(found: Case) -> list[str]:
    return [response.text for response in found.responses]


@given(TEXT, TEXT, st.dictionaries(TEXT.map("note ".__add__), TEXT))
def test_any_prompt_and_response_keep_their_texts(prompt, response, notes):
    found = case(prompt=prompt, response=response, **notes)
    assert [(m.role, m.text) for m in found.prompt] == [("user", prompt)]
    assert texts(found) == [response]
    assert found.notes == notes


@given(TEXT, TEXT)
def test_a_line_of_json_keeps_its_texts(tmp_path_factory, prompt, response):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text(json.dumps({"prompt": prompt, "response": response}) + "\n")
    (row,) = open_data(path)
    assert (row.case.prompt[0].text, texts(row.case)) == (prompt, [response])


@pytest.mark.parametrize("name", ALIASES["prompt"])
def test_every_known_name_of_a_prompt_is_read(name):
    assert case(**{name: "asked", "response": "r"}).prompt == (Message("user", ("asked",)),)
    assert case(**{name.upper(): "asked", "Response": "r"}).prompt[0].text == "asked"


@pytest.mark.parametrize("name", ["responses", *ALIASES["responses"]])
def test_every_known_name_of_a_response_is_read(name):
    assert texts(case(prompt="p", **{name: "said"})) == ["said"]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("systems", SYSTEM_PAIRS)
def test_every_known_pair_is_read_with_its_systems(pair, systems):
    said, named = dict(zip(pair, "xy", strict=True)), dict(zip(systems, "st", strict=True))
    if pair[0].startswith("conversation"):
        said = {key: [{"role": "assistant", "content": text}] for key, text in said.items()}
    found = case(prompt="p", **said, **named)
    assert texts(found) == ["x", "y"]
    assert [r.system for r in found.responses] == ["s", "t"]


@pytest.mark.parametrize("name", ["responses", "completions", "outputs"])
@pytest.mark.parametrize("systems", ["systems", "models"])
def test_lists_of_responses_are_read_with_their_systems(name, systems):
    found = case(prompt="p", **{name: ["x", "y", "z"], systems: ["s", "t", None]})
    assert texts(found) == ["x", "y", "z"]
    assert [r.system for r in found.responses] == ["s", "t", None]


@pytest.mark.parametrize("name", ALIASES["systems"])
def test_every_known_name_of_a_system_is_read(name):
    assert case(prompt="p", response="r", **{name: "s"}).responses[0].system == "s"


@pytest.mark.parametrize("name", ALIASES["reference"])
def test_every_known_name_of_a_reference_is_read(name):
    assert case(prompt="p", response="r", **{name: ["x", 4]}).reference == ("x", "4")
    assert case(prompt="p", response="r", **{name: None}).reference == ()


@pytest.mark.parametrize("name", ALIASES["context"])
def test_every_known_name_of_a_context_is_read(name):
    found = case(prompt="p", response="r", **{name: [{"text": "one", "rank": 1}, "two"]})
    assert found.context == ("one", "two")


@pytest.mark.parametrize("name", ALIASES["rubric"])
def test_every_known_name_of_a_rubric_is_read(name):
    criteria = [{"criterion": "clear", "points": 2}]
    assert case(prompt="p", response="r", **{name: criteria}).rubric == criteria


@pytest.mark.parametrize("name", ALIASES["group"])
def test_every_known_name_of_a_group_is_read(name):
    assert case(prompt="p", response="r", **{name: "math"}).group == "math"


@pytest.mark.parametrize("name", ALIASES["label"])
def test_every_known_name_of_a_label_is_read_and_kept_from_the_judge(name):
    row = one(prompt="p", response="r", **{name: 4.0})
    assert (row.label, row.case.notes) == ("4", {})


@pytest.mark.parametrize("name", ALIASES["id"])
def test_every_known_name_of_an_id_is_read(name):
    assert case(prompt="p", response="r", **{name: 7}).id == "7"


@pytest.mark.parametrize("name", ["idx", "index"])
def test_positions_are_never_ids(name):
    found = case(prompt="p", response="r", **{name: 7})
    assert (found.id, found.notes) == ("rows:1", {name: 7})


def test_the_first_name_present_wins_and_the_others_are_notes():
    found = case(question="q", prompt="p", answer="a", output="o")
    assert (found.prompt[0].text, texts(found)) == ("p", ["o"])
    assert found.notes == {"question": "q", "answer": "a"}


def test_unused_label_columns_are_not_notes():
    row = one(prompt="p", response="r", winner="model_a", score=3, oracle_label=1)
    assert (row.label, row.case.notes) == ("model_a", {})


def test_a_score_is_no_label_of_a_pair():
    assert one(prompt="p", output_1="x", output_2="y", score=0.3).label is None
    assert one(prompt="p", responses=["x", "y"], score=0.3).label is None


def test_instruction_and_input_make_one_prompt():
    table = open_data([{"instruction": "Add.", "input": "2 2", "output": "4"}])
    assert next(iter(table)).case.prompt[0].text == "Add.\n\n2 2"
    assert "a prompt is 'instruction' followed by 'input'" in table.notices
    assert case(instruction="Add.", input="", output="4").prompt[0].text == "Add."


def test_prometheus_score_descriptions_join_the_rubric():
    found = case(prompt="p", response="r", criteria="Clear?", score1_description="no",
                 score5_description="yes")  # fmt: skip
    assert found.rubric == "Clear?\nScore 1: no\nScore 5: yes"


# ---- shapes of values ------------------------------------------------------------------------


def test_messages_keep_roles_and_parts():
    image = "data:image/png;base64," + base64.b64encode(b"png").decode()
    sound = {"data": base64.b64encode(b"wav").decode(), "format": "wav"}
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": image}},
        {"type": "image_url", "image_url": {"url": "https://127.0.0.1/a.jpg"}},
        {"type": "input_audio", "input_audio": sound},
    ]
    found = case(
        prompt=[{"role": "developer", "content": "be kind"}, {"role": "user", "content": parts}],
        response="r",
    )
    system, user = found.prompt
    assert (system.role, system.text, user.text) == ("system", "be kind", "look")
    media = user.parts[1:]
    assert [(m.kind, m.mime) for m in media] == [
        ("image", "image/png"), ("image", "image/jpeg"), ("audio", "audio/wav"),
    ]  # fmt: skip
    assert [media[0].data, media[1].url, media[2].data] == [
        b"png",
        "https://127.0.0.1/a.jpg",
        b"wav",
    ]


def test_tool_calls_are_seen_by_the_judge():
    turns = [
        {"role": "user", "content": "weather?"},
        {"role": "assistant", "content": None, "tool_calls": [{"name": "look_up"}]},
        {"role": "tool", "content": "rain"},
    ]
    assert case(messages=turns, response="r").prompt[1].text == '[{"name": "look_up"}]'


def test_messages_alone_end_with_the_response():
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    found = case(messages=turns, model="m")
    assert [m.text for m in found.prompt] == ["hi"]
    assert [(r.text, r.system) for r in found.responses] == [("hello", "m")]


def test_chosen_and_rejected_conversations_share_the_prompt():
    hi, first = {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}
    more = {"role": "user", "content": "more"}
    row = one(
        chosen=[hi, first, more, {"role": "assistant", "content": "good"}],
        rejected=[hi, first, more, {"role": "assistant", "content": "bad"}],
    )
    assert [m.text for m in row.case.prompt] == ["hi", "hello", "more"]
    assert (texts(row.case), row.label) == (["good", "bad"], "A")


def test_conversations_that_part_early_keep_the_turns_between_as_steps():
    hi = {"role": "user", "content": "hi"}

    def talk(a, b, c):
        return [
            hi,
            *(
                {"role": r, "content": t}
                for r, t in zip(("assistant", "user", "assistant"), (a, b, c), strict=True)
            ),
        ]

    found = case(chosen=talk("a", "b", "c"), rejected=talk("x", "y", "z"))
    assert [(r.text, r.steps) for r in found.responses] == [("c", ("a", "b")), ("z", ("x", "y"))]


def test_a_prompt_column_beside_conversations_is_the_prompt():
    hi = [{"role": "user", "content": "hi"}]
    said = [{"role": "assistant", "content": "good"}]
    found = case(prompt=hi, chosen=said, rejected=[{"role": "assistant", "content": "bad"}])
    assert ([m.text for m in found.prompt], texts(found)) == (["hi"], ["good", "bad"])


def test_turns_of_lmsys_are_read_from_json_texts():
    row = one(prompt='["q1","q2"]', response_a='["a1","a2"]', response_b='["b1",null]',
              model_a="s", model_b="t", winner="model_b")  # fmt: skip
    assert [m.text for m in row.case.prompt] == ["q1", "q2"]
    assert [(r.text, r.steps) for r in row.case.responses] == [
        ("a1\n\na2", ("a1", "a2")), ("b1\n\n", ("b1", "")),
    ]  # fmt: skip
    assert row.label == "B"
    assert case(prompt='["q1"]', response="r").prompt[0].text == '["q1"]'


def test_a_response_may_be_an_object():
    said = {"text": "so", "system": "s", "steps": ["1", "2"], "seconds": 3}
    (found,) = case(prompt="p", response=said).responses
    assert (found.text, found.system, found.steps, found.notes) == (
        "so",
        "s",
        ("1", "2"),
        {"seconds": 3},
    )
    assert texts(case(inputs={"question": "q"}, outputs={"answer": "a"})) == ["a"]
    both = case(prompt="p", completions=[{"response": "x", "model": "s"}, {"content": "y"}])
    assert [(r.text, r.system) for r in both.responses] == [("x", "s"), ("y", None)]


def test_empty_responses_are_kept():
    assert texts(case(prompt="p", response="")) == [""]


def test_images_are_appended_to_the_last_user_message(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    path = tmp_path / "x.jsonl"
    turns = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "what?"}]}]
    row = {"prompt": turns, "response": "r", "images": ["a.png", "https://127.0.0.1/b.webp"]}
    path.write_text(json.dumps(row) + "\n")
    (found,) = open_data(path)
    text, first, second = found.case.prompt[0].parts
    assert (text, first.path, first.mime) == ("what?", str(tmp_path / "a.png"), "image/png")
    assert (second.url, second.mime) == ("https://127.0.0.1/b.webp", "image/webp")
    raw = case(prompt="p", response="r", image={"bytes": b"\x89PNG..", "path": None})
    assert (raw.prompt[0].parts[1].data, raw.prompt[0].parts[1].mime) == (b"\x89PNG..", "image/png")


@pytest.mark.parametrize(
    ("row", "field", "found"),
    [
        ({"prompt": "p", "response": 4.2}, "response", "a number where text is due: 4.2"),
        ({"prompt": "p", "response": True}, "response", "true or false where text is due: True"),
        ({"prompt": "p", "response": None}, "response", "nothing (null) where text is due"),
        ({"prompt": "p", "response": ["a"]}, "response", "a list where text is due: ['a']"),
        ({"prompt": 3, "response": "r"}, "prompt", "a number where text is due: 3"),
        ({"prompt": [], "response": "r"}, "prompt", "a list where text is due: []"),
        (
            {"prompt": "p", "output_1": "x", "output_2": 2},
            "output_2",
            "a number where text is due: 2",
        ),
        ({"prompt": "p", "responses": ["x", 2]}, "responses", "a number where text is due: 2"),
        ({"prompt": "p", "response": {"a": 1}}, "response", "an object with a"),
        (
            {"instruction": "p", "input": [1], "output": "r"},
            "input",
            "a list where text is due: [1]",
        ),
        ({"prompt": [{"role": "x", "content": "p"}]}, "prompt", "a message of role 'x'"),
        (
            {"prompt": "p", "responses": ["x", "y"], "systems": ["s"]},
            "systems",
            "1 systems for 2 responses",
        ),
        ({"prompt": "p", "response": "r", "image": "no.png"}, "image", "no file at no.png"),
        (
            {"prompt": "p", "response": "r", "image": "data:image/png;base64,!"},
            "image",
            "media that is not base64",
        ),
        (
            {"prompt": "p", "response": [{"role": "user", "content": "x"}]},
            "response",
            "messages without a last assistant turn",
        ),
        (
            {"prompt": [{"role": "user", "content": [{"type": "image"}]}]},
            "prompt",
            "a content part with neither text nor media",
        ),
        ({"verdict": "x"}, "prompt", "neither a prompt nor a response; columns: verdict"),
    ],
)
def test_values_that_do_not_fit_say_what_was_found(row, field, found):
    good = {"prompt": "p", "response": "r"}
    with pytest.raises(DataError) as caught:
        list(open_data([good, row]))
    assert (caught.value.row, caught.value.field) == (2, field)
    assert caught.value.happened.startswith(found)
    assert caught.value.expected
    assert caught.value.do == "mend the row, or pass --skip-bad"


# ---- the map ---------------------------------------------------------------------------------


def test_mapped_columns_are_taken_and_joined():
    rows = [{"set": "s", "idx": i, "ask": "q", "a": "x", "b": "y", "by": ["m", "n"], "kind": "k"}
            for i in range(2)]  # fmt: skip
    columns = {"id": "set+idx", "prompt": "ask", "responses": "a+b", "cluster": "set",
               "systems": "by", "group": "set+kind"}  # fmt: skip
    table = open_data(rows, columns=columns)
    found = list(table)
    assert [row.case.id for row in found] == ["s/0", "s/1"]
    assert {row.cluster for row in found} == {"s"}
    assert texts(found[0].case) == ["x", "y"]
    assert [r.system for r in found[0].case.responses] == ["m", "n"]
    assert found[0].case.group == "s/k"
    assert table.taken["id"] == "set/idx"
    assert table.taken["responses"] == "a, b"


def test_a_mapped_column_is_no_alias_of_another_field():
    row = {"question": "q", "answer": "gold", "output": "o"}
    (found,) = open_data([row], columns={"reference": "answer"})
    assert (found.case.reference, texts(found.case)) == (("gold",), ["o"])


def test_an_unknown_column_is_misuse_with_what_there_is():
    with pytest.raises(Misuse) as caught:
        open_data([{"prompt": "p", "response_text": "r"}], columns={"response": "respons_text"})
    assert "there is no column 'respons_text' (near: response_text)" in str(caught.value)
    assert "prompt, response_text" in caught.value.expected
    with pytest.raises(Misuse, match="there is no column 'x'"):
        list(open_data(iter([{"prompt": "p"}]), columns={"response": "x"}))


def test_an_unknown_field_is_misuse():
    with pytest.raises(Misuse, match=r"the field 'promt' \(near: prompt"):
        open_data([{"a": "p"}], columns={"promt": "a"})
    with pytest.raises(Misuse, match="both 'response' and 'responses'"):
        open_data([{"a": "p"}], columns={"response": "a", "responses": "a"})
