"""Embedders: one name, one size, one source, or a refusal that says which of them differs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evenhand.embedders import Embedder, hashed, kind_of
from evenhand.errors import Misuse

GOOD = (
    "import numpy as np\n\ndef embed(texts):\n    return np.array([[len(t), 1.0] for t in texts])\n"
)
BAD = {
    "ragged": "return [[1.0], [1.0, 2.0]]",
    "flat": "return [1.0 for t in texts]",
    "short": "return [[1.0]]",
    "empty": "return [[] for t in texts]",
    "nan": "return [[float('nan')] for t in texts]",
    "words": "return [['x'] for t in texts]",
    "none": "return None",
    "raises": "raise KeyError(texts[0])",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "e.py"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_a_function_of_a_file_embeds_and_is_remembered_by_its_source(file: Path) -> None:
    name = f"{file}:embed"
    used, found = Embedder.named(name).learnt(["a", "abc"])
    assert found.tolist() == [[1.0, 1.0], [3.0, 1.0]]
    assert (used.name, used.size) == (name, 2)
    assert len(used.sha256 or "") == 64
    again = Embedder.of(used.form())
    assert again == used
    assert again(["xy"]).tolist() == [[2.0, 1.0]]


def test_the_hashed_one_is_remembered_by_its_size_alone() -> None:
    used, found = Embedder.named("hashed").learnt(["a text", ""])
    assert used.form() == {"hashed": 256}
    assert found.tolist() == [hashed("a text"), [0.0] * 256]
    assert Embedder.of({"hashed": 32}) == Embedder("hashed", 32)
    assert Embedder.of({"hashed": 0}) is None


@pytest.mark.parametrize("name", ["", "glove", "sentence-transformers:", "e.py", "e.py:a b", ":x"])
def test_a_name_that_says_nothing_is_refused_with_the_names_there_are(name: str) -> None:
    assert kind_of(name) is None
    with pytest.raises(Misuse, match=r"no embedder is called(.|\n)*sentence-transformers:MODEL"):
        Embedder.named(name)


def test_a_file_that_changed_is_refused_even_where_it_was_loaded_before(file: Path) -> None:
    used, _ = Embedder.named(f"{file}:embed").learnt(["a"])
    file.write_text(GOOD.replace("1.0", "2.0"), encoding="utf-8")
    with pytest.raises(Misuse, match="is not the file that the fit was made with") as told:
        used.check()
    assert (told.value.expected, told.value.do) == (
        f"{(used.sha256 or '')[:12]}…",
        "put the old file back, or learn a new fit: evenhand fit",
    )
    assert Embedder.named(f"{file}:embed")(["a"]).tolist() == [[1.0, 2.0]]
    file.unlink()
    with pytest.raises(Misuse, match=r"cannot be read(.|\n)*run where it is"):
        used.check()


def test_what_runs_is_the_source_that_was_hashed(file: Path) -> None:
    """Two versions of one size within one second, which Python's own cache takes for one."""
    for number in ("3.0", "4.0", "5.0"):
        file.write_text(GOOD.replace("1.0", number), encoding="utf-8")
        assert Embedder.named(f"{file}:embed")([""]).tolist() == [[0.0, float(number)]]


def test_another_size_than_that_of_the_fit_is_refused(file: Path) -> None:
    used, _ = Embedder.named(f"{file}:embed").learnt(["a"])
    other = Embedder(used.name, 5, used.sha256)
    with pytest.raises(Misuse, match=r"returned 2 numbers a text\nExpected: 5, as when the fit"):
        other(["a"])


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_what_is_no_table_of_numbers_is_refused(tmp_path: Path, body: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(f"def embed(texts):\n    {body}\n", encoding="utf-8")
    with pytest.raises(Misuse, match=r"bad\.py:embed (failed on|returned)(.|\n)*shape \(2, d\)"):
        Embedder.named(f"{path}:embed").learnt(["a", "b"])


def test_an_embedding_that_depends_on_its_neighbours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "near.py"
    path.write_text("def embed(texts):\n    return [[float(len(texts))] for _ in texts]\n")
    with pytest.raises(Misuse, match="other numbers alone than among 2 texts"):
        Embedder.named(f"{path}:embed").learnt(["a", "b"])


@pytest.mark.parametrize(
    ("source", "attribute", "told"),
    [
        (GOOD, "other", "has no function 'other'"),
        ("embed = 3", "embed", "has no function 'embed'"),
        ("def embed(", "embed", "cannot be imported: SyntaxError"),
        ("1 / 0", "embed", "cannot be imported: ZeroDivisionError"),
    ],
)
def test_a_file_without_the_function_is_refused(
    tmp_path: Path, source: str, attribute: str, told: str
) -> None:
    path = tmp_path / "no.py"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(Misuse, match=told) as error:
        Embedder.named(f"{path}:{attribute}")
    assert error.value.do
    assert error.value.expected


def test_a_missing_library_is_named_with_the_command_that_installs_it() -> None:
    code = (
        "import sys\n"
        "from evenhand.embedders import Embedder\n"
        "assert 'numpy' not in sys.modules\n"
        "sys.modules['sentence_transformers'] = None\n"
        "Embedder.named('sentence-transformers:any/model')\n"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Misuse: sentence-transformers is not installed" in ended.stderr
    assert "Expected: the library behind the embedder sentence-transformers:any/" in ended.stderr
    assert "Next: pip install 'evenhand[embed]'" in ended.stderr


TINY = """
import sys
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import StaticEmbedding
from tokenizers import Tokenizer, models, pre_tokenizers
from evenhand.embedders import Embedder
from evenhand.errors import Misuse

tokens = Tokenizer(models.WordLevel({"?": 0, "good": 1, "bad": 2}, unk_token="?"))
tokens.pre_tokenizer = pre_tokenizers.Whitespace()
weights = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
import numpy as np
static = StaticEmbedding(tokens, embedding_weights=np.array(weights, dtype=np.float32))
SentenceTransformer(modules=[static], device="cpu").save(sys.argv[1])
name = "sentence-transformers:" + sys.argv[1]
used, found = Embedder.named(name).learnt(["good", "bad", "good bad"])
assert found.tolist() == [[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]], found
assert used.form() == {"embedder": {"name": name, "size": 3, "sha256": None}}
Embedder.of(used.form()).check()
for other, told in ((Embedder(name, 4), "returned 3 numbers"),
                    (Embedder(name + "-none", 3), "cannot be loaded")):
    try:
        other.check()
    except Misuse as error:
        assert told in str(error), error
    else:
        raise AssertionError(told)
print("all right")
"""


def test_a_model_of_the_library_embeds(tmp_path: Path) -> None:
    """In a process of its own: the library brings warnings, threads and a second of imports."""
    if importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("needs the extra embed")
    command = [sys.executable, "-W", "ignore", "-c", TINY, str(tmp_path / "tiny")]
    env = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "HOME": str(tmp_path)}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert ended.stdout.endswith("all right\n"), ended.stderr


def test_rows_are_numbers_of_double_precision(file: Path) -> None:
    assert Embedder.named(f"{file}:embed")(["a"]).dtype == np.float64
