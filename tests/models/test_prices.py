"""What a call costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from evenhand.errors import Misuse
from evenhand.models.prices import known, price


@pytest.mark.parametrize(
    ("name", "usd"),
    [
        ("gpt-4.1", 2.8),
        ("gpt-4.1-2025-04-14", 2.8),
        ("openai/gpt-4.1", 2.8),
        ("gpt-4.1-mini", 0.56),
        ("openrouter/openai/gpt-4.1-mini-2025-04-14", 0.56),
        ("claude-haiku-4-5-20251001", 1.5),
        ("models/gemini-2.5-flash", 0.55),
    ],
)
def test_prefixes_and_dates_do_not_hide_a_price(name: str, usd: float) -> None:
    assert price(name, 1_000_000, 100_000) == pytest.approx(usd)


@pytest.mark.parametrize(
    "name", ["gpt-4.1-turbo", "gpt-4", "claude-opus-5-5", "x/y", "", "gpt-4.1:x"]
)
def test_a_price_is_never_guessed(name: str) -> None:
    assert price(name, 1, 1) is None
    assert not known(name)


@pytest.mark.parametrize(
    "name",
    [
        "local/gemma3-270m", "replay:calls.jsonl", "scripted",
        "http://127.0.0.1:8000/v1#m", "http://localhost:8000/v1#m", "systemone:http://[::1]:8000#m",
    ],
)  # fmt: skip
def test_what_runs_here_costs_nothing(name: str) -> None:
    assert price(name, None, None) == 0.0
    assert known(name)


def test_a_name_that_only_looks_local_is_not_free() -> None:
    assert price("http://localhost.example.org/v1#m", 1, 1) is None


def test_unknown_token_counts_have_no_price() -> None:
    assert price("gpt-4.1", None, 3) is None


def test_the_users_prices_stand_above_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = '[models]\n"gpt-4.1" = { in = 1, out = 1 }\n"lab/tiny" = { in = 3.0, out = 0.0 }\n'
    (tmp_path / "prices.toml").write_text(own)
    monkeypatch.chdir(tmp_path)
    assert price("gpt-4.1", 1_000_000, 1_000_000) == 2.0
    assert price("vllm/lab/tiny", 1_000_000, 5) == 3.0
    assert price("gpt-4.1-mini", 1_000_000, 0) == 0.40


def test_a_table_elsewhere_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.toml").write_text('[models]\n"x" = { in = 1.0, out = 2.0 }\n')
    monkeypatch.setenv("EVENHAND_PRICES", str(tmp_path / "p.toml"))
    assert price("x", 0, 1_000_000) == 2.0


@pytest.mark.parametrize("text", ["x = ", '[models]\n"x" = 3\n', "other = 1\n"])
def test_a_table_that_is_none_is_misuse(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.toml").write_text(text)
    monkeypatch.setenv("EVENHAND_PRICES", str(tmp_path / "p.toml"))
    with pytest.raises(Misuse, match=r"p\.toml"):
        known("x")


def test_a_missing_table_is_misuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_PRICES", "/no/such.toml")
    with pytest.raises(Misuse, match="EVENHAND_PRICES"):
        known("x")
