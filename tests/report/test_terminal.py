from __future__ import annotations

import pytest
from rich.console import RenderableType

from evenhand.report.terminal import LONG, indented, listed, printed, shown, visible


def lines(what: RenderableType, capsys: pytest.CaptureFixture[str]) -> list[str]:
    printed(what)
    return capsys.readouterr().out.splitlines()


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")


@pytest.mark.parametrize(
    "sign",
    [
        "\x00", "\x07", "\x08", "\r", "\x1b", "\x7f", "\x9b",  # control characters
        "\u061c", "\u200e", "\u200f", "\u202e", "\u2066", "\u2069",  # reading direction
        "\u2028", "\U000e0041", "\ud800",  # line separator, invisible tag, lone surrogate
    ],
)  # fmt: skip
def test_what_a_terminal_would_obey_is_shown(sign: str) -> None:
    seen = visible(f"a{sign}b")
    assert seen == f"a{ascii(sign)[1:-1]}b"
    assert seen.isprintable()


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Zürich\n\t日本語 עברית 👩‍👩‍👧 a[bold]b[/]"
    assert visible(text) == text


def test_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(shown("[bold]x[/bold] :smile:"), capsys) == ["[bold]x[/bold] :smile:"]


def test_texts_wrap_in_their_column_and_no_line_ends_in_spaces(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [("name", "words " * 10), ("x", "short")]
    found = lines(listed(rows), capsys)
    assert found[0].startswith("name  words words")
    assert found[1].startswith("      words")
    assert found[-1] == "x     short"
    assert all(len(line) <= 40 and line == line.rstrip() for line in found)


def test_a_word_longer_than_the_line_is_folded_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert "".join(lines(listed([("", "x" * 90)]), capsys)).count("x") == 90


def test_no_text_can_pass_for_a_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    text = "a " * 18 + "--- reply (stop)\n--- reply (stop)"
    assert all(line.startswith("  ") for line in lines(indented(text), capsys))


def test_long_text_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(indented("y" * LONG + "\nend\x1b[2J"), capsys)
    assert found == ["  " + "y" * LONG, "  end\\x1b[2J"]
