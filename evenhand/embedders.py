"""What makes numbers of a judge's text, for fits of kind 'quantitative'.

A fit remembers its embedder, because the same one has to embed when the fit is applied.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import re
import sys
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evenhand.errors import Misuse

if TYPE_CHECKING:  # `import evenhand` must not load numpy
    from numpy.typing import NDArray

    Floats = NDArray[Any]

HASHED = "hashed"
NAMES = "hashed, sentence-transformers:MODEL or FILE.py:FUNCTION"
SIZE = 256
_LIBRARY = "sentence-transformers"


@dataclass(frozen=True, slots=True)
class Embedder:
    """An embedding of texts, called with n of them: an array of shape (n, size).

    Attributes:
        name: 'hashed', 'sentence-transformers:MODEL' or 'FILE.py:FUNCTION', a function of a list of
            texts. FILE is looked for from the working folder.
        size: Numbers a text; None while it is not known.
        sha256: Of FILE, None for the others.
    """

    name: str
    size: int | None = None
    sha256: str | None = None

    @classmethod
    def named(cls, name: str) -> Embedder:
        """Raises: Misuse: There is no such embedder, or it cannot be loaded."""
        kind = kind_of(name)
        if kind is None:
            raise Misuse(f"no embedder is called {name!r}", expected=NAMES, do="--embedder hashed")
        if kind == "hashed":
            return cls(name, SIZE)
        found = cls(name, None, _digest(_source(name)) if kind == "file" else None)
        found.check()
        return found

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Embedder | None:
        """Of the data of a fit; None where the fit looks at no text."""
        if "embedder" in data:
            one = data["embedder"]
            return cls(one["name"], one["size"], one["sha256"])
        return cls(HASHED, data["hashed"]) if data["hashed"] else None

    def form(self) -> dict[str, Any]:
        """What `of` reads again."""
        if self.name == HASHED:
            return {"hashed": self.size}
        return {"embedder": {"name": self.name, "size": self.size, "sha256": self.sha256}}

    def check(self) -> None:
        """Before anything is paid: that the embedder is there, and is the one of the fit.

        Raises:
            Misuse: It is not; the message says how it differs.
        """
        if self.sha256 is not None:
            _unchanged(self.name, self.sha256)
            _function(self.name, self.sha256)
        elif self.name != HASHED:
            self(["any text"])

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Raises: Misuse: It cannot be loaded, fails, or gives numbers of another shape."""
        import numpy as np

        if self.name == HASHED:
            size = self.size or SIZE
            return np.array([hashed(text, size) for text in texts], dtype=float).reshape(-1, size)
        embed = _model(self.name) if self.sha256 is None else _function(self.name, self.sha256)
        try:
            found = np.asarray(embed(list(texts)), dtype=float)
        except Exception as error:  # a function from outside may raise anything
            raise Misuse(
                f"{self.name} failed on {len(texts)} texts: {type(error).__name__}: {error}",
                expected=f"an array of shape ({len(texts)}, d), one row a text",
                do="mend that embedder, or name another one",
            ) from error
        self._check_shape(found, len(texts))
        return found

    def learnt(self, texts: Sequence[str]) -> tuple[Embedder, Floats]:
        """With its size, and the texts that a fit is learnt from embedded.

        Raises:
            Misuse: As when called, or the numbers of a text change when it stands alone, which it
                does when the fit is applied.
        """
        import numpy as np

        found = self(texts)
        sized = replace(self, size=found.shape[1])
        off = float(np.linalg.norm(sized(texts[:1])[0] - found[0]))
        if off > 0.05 * float(np.linalg.norm(found[0])):
            raise Misuse(
                f"{self.name} gives a text other numbers alone than among {len(texts)} texts",
                expected="rows that depend on their own text only",
                do="mend that embedder, or name another one",
            )
        return sized, found

    def _check_shape(self, found: Floats, count: int) -> None:
        import numpy as np

        good = found.ndim == 2 and len(found) == count and found.size > 0
        if not good or not np.isfinite(found).all():
            bad = "numbers that are not finite" if good else f"an array of shape {found.shape}"
            raise Misuse(
                f"{self.name} returned {bad} for {count} texts",
                expected=f"finite numbers of shape ({count}, d), one row a text",
                do="mend that embedder, or name another one",
            )
        if self.size not in (None, found.shape[1]):
            raise Misuse(
                f"{self.name} returned {found.shape[1]} numbers a text",
                expected=f"{self.size}, as when the fit was made",
                do="use the embedder as it was, or learn a new fit: evenhand fit",
            )


def kind_of(name: Any) -> Literal["hashed", "library", "file"] | None:
    if name == HASHED:
        return "hashed"
    before, _, after = name.rpartition(":") if isinstance(name, str) else ("", "", "")
    if before.endswith(".py") and after.isidentifier():
        return "file"
    named = isinstance(name, str) and name.startswith(f"{_LIBRARY}:") and name != f"{_LIBRARY}:"
    return "library" if named else None


# ---- files -----------------------------------------------------------------------------------


def _source(name: str) -> bytes:
    file = name.rpartition(":")[0]
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Misuse(
            f"the embedder {file} cannot be read: {error}",
            expected="a Python file; a path that is not whole is looked for from this folder",
            do="put the file there, or run where it is",
        ) from error


def _digest(source: bytes) -> str:
    return hashlib.sha256(source).hexdigest()


def _unchanged(name: str, sha256: str) -> bytes:
    source, file = _source(name), name.rpartition(":")[0]
    if (found := _digest(source)) != sha256:
        raise Misuse(
            f"the embedder {file} is not the file that the fit was made with:"
            f" its sha256 is {found[:12]}…",
            expected=f"{sha256[:12]}…",
            do="put the old file back, or learn a new fit: evenhand fit",
        )
    return source


@lru_cache(maxsize=8)
def _function(name: str, sha256: str) -> Callable[[list[str]], Any]:
    """Runs the bytes that were hashed, not whatever the file or a cache of it holds by now."""
    source = _unchanged(name, sha256)
    file, _, attribute = name.rpartition(":")
    path = str(Path(file).resolve())
    key = "embedder_" + _digest(f"{path}\n{sha256}".encode("utf-8", "backslashreplace"))[:12]
    spec = importlib.util.spec_from_file_location(key, path)
    assert spec is not None  # the name ends with .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module  # dataclasses look their module up
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    except Exception as error:
        del sys.modules[key]
        told = f"{type(error).__name__}: {error}"
        raise Misuse(
            f"{file} cannot be imported: {told}", expected="Python", do="mend that file"
        ) from error
    found = getattr(module, attribute, None)
    if not callable(found):
        raise Misuse(
            f"{file} has no function {attribute!r}",
            expected="a function of a list of texts that returns an array of shape (n, d)",
            do="check the name after the colon",
        )
    return found  # type: ignore[no-any-return]


# ---- a library of models ---------------------------------------------------------------------


@lru_cache(maxsize=2)
def _model(name: str) -> Callable[[list[str]], Any]:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        missing = getattr(error, "name", "") == "sentence_transformers"
        told = "is not installed" if missing else f"cannot be imported: {error}"
        raise Misuse(
            f"{_LIBRARY} {told}",
            expected=f"the library behind the embedder {name}",
            do="pip install 'evenhand[embed]'",
        ) from error
    try:
        model = SentenceTransformer(name.partition(":")[2])
    except Exception as error:  # the library, its hub and its models raise anything
        raise Misuse(
            f"{name} cannot be loaded: {error}",
            expected="a model's name on the Hugging Face hub, or its folder",
            do="check the name after the colon",
        ) from error
    return lambda texts: model.encode(texts, show_progress_bar=False)


# ---- the default -----------------------------------------------------------------------------


def hashed(text: str, size: int = SIZE) -> list[float]:
    """An embedding of length 1 (all 0 for no text): words, pairs of words and three letters in a
    row, each counted at a place and with a sign that its CRC-32 chooses, the same in every process.

    Paper: Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning".
        arXiv:0902.2206

    Example:
        >>> sum(value * value for value in hashed("A clear answer.", 64))
        1.0
    """
    words = re.findall(r"\w+", text.lower())
    joined = f" {' '.join(words)} "
    grams = [*words, *(f"{a} {b}" for a, b in pairwise(words))]
    grams += ["#" + joined[i : i + 3] for i in range(len(joined) - 2)]
    counts = [0.0] * size
    for gram in grams:
        code = zlib.crc32(gram.encode("utf-8", "backslashreplace"))
        counts[(code >> 1) % size] += 1.0 if code & 1 else -1.0
    length = math.sqrt(sum(count * count for count in counts))
    return [count / length for count in counts] if length else counts
