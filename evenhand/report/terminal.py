"""What goes to a terminal: text by others is shown, never obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

# Control characters, marks that turn the reading direction or break lines, invisible tags, and
# lone surrogates, which no terminal can be sent.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
LONG = 20_000


def visible(text: str) -> str:
    r"""Text with what a terminal would obey as escapes.

    Example:
        >>> print(visible("\x1b[31mred"))
        \x1b[31mred
    """
    return _OBEYED.sub(lambda m: repr(m.group())[1:-1], text)


def shown(text: str, style: str = "") -> Text:
    return Text(visible(text), style)


def indented(text: str) -> RenderableType:
    """Long text is left to the terminal to wrap: 5 MB would take ten seconds here."""
    if len(text) <= LONG:
        return Padding(shown(text), (0, 0, 0, 2))
    return Text(visible("  " + text.replace("\n", "\n  ")), overflow="ignore", no_wrap=True)


def listed(rows: Iterable[tuple[str, str]], style: str = "") -> Table:
    """Names and texts in two columns; texts wrap in theirs."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(shown(name, style), shown(text, style))
    return table


def printed(what: RenderableType) -> None:
    what = Group(what)  # a bare text would lose its no_wrap
    console = Console(highlight=False, markup=False)
    if console.is_terminal:
        console.print(what, crop=False)
        return
    with console.capture() as text:
        console.print(what, crop=False)
    print("\n".join(line.rstrip() for line in text.get().rstrip("\n").split("\n")))
