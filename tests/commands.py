"""The command line, run in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evenhand.cli import main


@dataclass(frozen=True)
class Ended:
    """Attributes: out and err are what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        found = self.json
        assert set(found) == {"error"}
        assert set(found["error"]) == {"kind", "message", "next"}
        return found["error"]  # type: ignore[no-any-return]


Command = Callable[..., Ended]


@contextmanager
def arguments(*words: str) -> Iterator[None]:
    before, sys.argv = sys.argv, ["evenhand", *words]
    try:
        yield
    finally:
        sys.argv = before


@pytest.fixture
def evenhand(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """`evenhand("judge", DATA, …)` in an empty folder of its own, 80 columns wide."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: object) -> Ended:
        capsys.readouterr()
        with arguments(*map(str, words)), pytest.raises(SystemExit) as ended:
            main()
        seen = capsys.readouterr()
        return Ended(int(ended.value.code or 0), seen.out, seen.err)

    return run


def write_rows(name: str, rows: list[dict[str, Any]]) -> str:
    """JSONL in the working folder."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    Path(name).write_text(text, encoding="utf-8")
    return name


def answers(n: int = 3, **more: Any) -> list[dict[str, Any]]:
    """Rows with one response each."""
    return [{"id": f"q{i}", "prompt": f"ask ITEM-{i}", "response": f"answer {i}", **more}
            for i in range(n)]  # fmt: skip


def pairs(n: int = 3, **more: Any) -> list[dict[str, Any]]:
    return [{"id": f"q{i}", "prompt": f"ask {i}", "output_1": f"old {i}", "output_2": f"new {i}",
             "model_a": "old", "model_b": "new", **more} for i in range(n)]  # fmt: skip


def write_model(body: str, name: str = "m.py") -> str:
    """A file with the model `it`, whose reply to `request` is the expression `body`."""
    lines = ["from evenhand import Completion, ModelError",
             "from evenhand.models.scripted import Scripted",
             f"it = Scripted({name!r}, lambda request: {body})"]  # fmt: skip
    Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"{name}:it"
