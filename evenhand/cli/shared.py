"""What every command shares: the application, options, exit codes, printing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evenhand.errors import BudgetSpent, Error, Misuse, ModelError, Undecidable

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run LLM judges over model outputs, and prove how far each judge may be believed.",
)
DONE, GATE_FAILED, WRONG_USE, CANNOT_DECIDE, STOPPED = range(5)
AsJson = Annotated[bool, typer.Option("--json", help="Prints one JSON value and nothing else.")]


def opt(metavar: str, text: str, panel: str | None = None, *names: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


def flag(name: str, text: str, panel: str | None = None) -> Any:
    return typer.Option(name, help=text, rich_help_panel=panel)


RUN = typer.Argument(metavar="RUN", help="A run folder.")
MODELS = "openai/NAME, http://HOST:PORT/v1#NAME, local/NAME, …"


class Interrupted(Error):
    """Ctrl-C."""


def fail(error: Error, as_json: bool) -> int:
    """Prints it and returns its exit code."""
    from evenhand.report.terminal import visible

    if as_json:
        form = {"kind": type(error).__name__, "message": error.text, "next": error.do}
        print(json.dumps({"error": form}))
    else:
        print(f"error: {visible(str(error))}", file=sys.stderr)
    if isinstance(error, Undecidable):
        return CANNOT_DECIDE
    return STOPPED if isinstance(error, ModelError | BudgetSpent | Interrupted) else WRONG_USE


def mapping(columns: list[str]) -> dict[str, str]:
    """Of --map."""
    wrong = [text for text in columns if "=" not in text.strip("=")]
    if wrong:
        raise Misuse(f"--map {wrong[0]}", expected="FIELD=COLUMN", do="--map prompt=question")
    return dict(text.split("=", 1) for text in columns)


def say(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, default=str, allow_nan=False))


def show_(as_json: bool, value: Callable[[], Any], text: Callable[[], RenderableType]) -> int:
    from evenhand.report.terminal import printed

    if as_json:
        say(value())
    else:
        printed(text())
    return DONE
