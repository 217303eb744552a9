"""Name -> model, and the settings behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evenhand.errors import Misuse
from evenhand.models import find
from evenhand.models.anthropic import Anthropic
from evenhand.models.openai import OpenAI
from evenhand.models.replay import Replay
from evenhand.models.settings import setting
from evenhand.models.systemone import SystemOne

VARIABLES = (
    "OPENAI_BASE_URL", "OPENAI_API_KEY", "VLLM_BASE_URL", "OLLAMA_BASE_URL", "OLLAMA_HOST",
    "GEMINI_API_KEY", "GOOGLE_API_KEY", "EVENHAND_API_KEY", "VLLM_API_KEY", "TYPESAFE_BASE_URL",
    "ANTHROPIC_BASE_URL",
)  # fmt: skip


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those of the test; the working folder is empty."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def found(name: str, **fields: Any) -> tuple[str, str, str]:
    model = find(name, **fields)
    assert isinstance(model, OpenAI)
    return model.name, model.base_url, model.key_env


GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai/gpt-4.1", ("gpt-4.1", "https://api.openai.com/v1", "OPENAI_API_KEY")),
        ("openrouter/meta/llama", ("meta/llama", "https://openrouter.ai/api/v1",
                                   "OPENROUTER_API_KEY")),
        ("together/x", ("x", "https://api.together.xyz/v1", "TOGETHER_API_KEY")),
        ("gemini/g", ("g", GOOGLE, "GEMINI_API_KEY")),
        ("google/g", ("g", GOOGLE, "GEMINI_API_KEY")),
        ("vllm/org/m", ("org/m", "http://127.0.0.1:8000/v1", "")),
        ("ollama/llama3:8b", ("llama3:8b", "http://127.0.0.1:11434/v1", "")),
        ("http://h:1/v1#org/m", ("org/m", "http://h:1/v1", "")),
        ("https://h/v1#m", ("m", "https://h/v1", "")),
    ],
)  # fmt: skip
def test_a_name_says_model_address_and_key(name: str, expected: tuple[str, str, str]) -> None:
    assert found(name) == expected


def test_addresses_and_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "OPENAI_BASE_URL": "http://proxy/v1", "VLLM_BASE_URL": "http://box:9/v1",
        "VLLM_API_KEY": "k", "GOOGLE_API_KEY": "k", "EVENHAND_API_KEY": "k",
        "TYPESAFE_BASE_URL": "http://jev", "ANTHROPIC_BASE_URL": "http://claude",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert found("openai/m")[1] == "http://proxy/v1"
    assert found("vllm/m")[1:] == ("http://box:9/v1", "VLLM_API_KEY")
    assert found("gemini/m")[2] == "GOOGLE_API_KEY"
    assert found("http://h/v1#m")[2] == "EVENHAND_API_KEY"
    assert find("typesafe/m") == SystemOne("m")
    assert getattr(find("typesafe/m"), "base_url", "") == "http://jev"
    assert getattr(find("decisions/m"), "base_url", "") == "http://proxy/v1"
    assert getattr(find("anthropic/m"), "base_url", "") == "http://claude"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("box:1234", "http://box:1234/v1"),
        ("https://box/", "https://box:11434/v1"),
        ("http://box:1/v1", "http://box:1/v1"),
    ],
)
def test_ollama_host_is_read_as_ollama_writes_it(
    host: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)
    assert found("ollama/m")[1] == address


def test_other_wires_have_their_own_classes() -> None:
    assert find("anthropic/claude") == Anthropic("claude")
    assert find("typesafe/jev-latest") == SystemOne("jev-latest")
    assert find("decisions/gpt-6-luna") == SystemOne("gpt-6-luna", "decisions")
    decider = find("systemone:http://127.0.0.1:8000#laya")
    assert decider == SystemOne("laya")
    assert getattr(decider, "base_url", "") == "http://127.0.0.1:8000"


def test_a_timeout_reaches_the_model() -> None:
    assert getattr(find("openai/m", timeout=3.0), "timeout", 0) == 3.0
    assert getattr(find("openai/m"), "timeout", 0) == 120.0


def test_a_recording_is_found_with_and_without_a_name(tmp_path: Path) -> None:
    line = {"model": {"name": "m"}, "request": {"messages": []}, "completion": {"text": "x"}}
    (tmp_path / "r.jsonl").write_text(json.dumps(line) + "\n")
    for name in ("replay:r.jsonl", "replay:r.jsonl#m"):
        model = find(name)
        assert isinstance(model, Replay)
        assert model.name == "m"


def test_a_model_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from evenhand.records import Completion, Request\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class Mine:\n"
        "    name: str = 'mine'\n"
        "    async def __call__(self, request: Request) -> Completion:\n"
        "        return Completion('x')\n"
        "@dataclass(frozen=True)\n"
        "class Needy(Mine):\n"
        "    other: str = None\n"
        "    def __init__(self, other): ...\n"
        "model = Mine('made')\n"
        "number = 3\n"
    )
    assert find("mine.py:Mine").name == "mine"
    assert find(f"{tmp_path}/mine.py:model").name == "made"
    for thing in ("Needy", "number", "absent"):
        with pytest.raises(Misuse, match=thing):
            find(f"mine.py:{thing}")
    (tmp_path / "broken.py").write_text("1 / 0")
    with pytest.raises(Misuse, match="ZeroDivisionError"):
        find("broken.py:x")
    with pytest.raises(Misuse, match="no file"):
        find("absent.py:x")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("opnai/gpt-4.1", "openai/…"),
        ("gpt-4.1", "names no provider"),
        ("openai/", "openai/NAME"),
        ("http://127.0.0.1:8000/v1", "#"),
        ("systemone:127.0.0.1#m", "lacks the address"),
        ("", "names no provider"),
    ],
)
def test_a_name_that_means_nothing_is_told_with_near_ones(name: str, says: str) -> None:
    with pytest.raises(Misuse) as caught:
        find(name)
    assert says in str(caught.value)


def test_dotenv_is_read_and_never_overrides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "# keys\n\nEH_A=plain # note\nexport EH_B = \"two\\nlines # kept\"\nEH_C='raw \\n'\n"
        "EH_D=a#b\nEH_E=\nEH_F=x\nnot a line\n"
    )
    monkeypatch.setenv("EH_F", "environment")
    values = [setting(f"EH_{letter}") for letter in "ABCDEFG"]
    assert values == ["plain", "two\nlines # kept", "raw \\n", "a#b", None, "environment", None]
    (tmp_path / ".env").write_text("EH_A=changed at once")
    assert setting("EH_A") == "changed at once"


def test_importing_models_loads_no_http_library() -> None:
    program = (
        "import sys, evenhand.models as m; m.find; "
        "print([x for x in ('aiohttp', 'numpy', 'jinja2') if x in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"
