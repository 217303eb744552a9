"""The command line: one function a command. `--json` prints one value on standard output."""

from __future__ import annotations

import io
import os
import shlex
import sys
from typing import Annotated, Any

import typer

from evenhand.cli import bench, fit, importing, judge, label, look, rank, tools, trust
from evenhand.cli.shared import DONE, WRONG_USE, Interrupted, app, fail
from evenhand.errors import Error, Misuse

__all__ = ["bench", "fit", "importing", "judge", "label", "look", "main", "rank", "tools", "trust"]

# As people meet them; `--help` lists them so.
ORDER = ("demo", "doctor", "judges", "judge", "show", "compare", "label", "trust", "plan", "fit",
         "rank", "bench", "import", "export")  # fmt: skip
app.registered_commands.sort(
    key=lambda one: ORDER.index(one.name or getattr(one.callback, "__name__", ""))
)
BY_KEYBOARD = 130  # what typer makes of Ctrl-C
# ClickException: newer typer holds a click of its own, so it is reached through typer.
_CLICK_ERROR: Any = typer.BadParameter.__mro__[2]


def main() -> None:
    """Runs a command; every error is printed whole, or as JSON, with its exit code."""
    as_json = "--json" in sys.argv
    for stream in (sys.stdout, sys.stderr):  # a terminal that knows no "·" gets an escape
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(standalone_mode=False)
        if code == BY_KEYBOARD:
            raise KeyboardInterrupt
        sys.stdout.flush()
    except _CLICK_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
            sys.exit(WRONG_USE)
        command = error.ctx.command_path if error.ctx else "evenhand"
        code = fail(Misuse(error.format_message(), do=f"{command} --help"), as_json)
    except (KeyboardInterrupt, typer.Abort):
        code = fail(Interrupted("stopped by the keyboard", do=_again()), as_json)
    except Error as error:
        code = fail(error, as_json)
    except (BrokenPipeError, SystemExit):  # `| head` has seen enough, and typer would exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        code = fail(Misuse(what, do="check the path"), as_json)
    sys.exit(code)


def _again() -> str:
    if "judge" not in sys.argv[1:2]:
        return "run the command again"
    command = shlex.join(["evenhand", *sys.argv[1:]])
    return f"everything so far is saved; the same command goes on:\n  {command}"


@app.callback(invoke_without_command=True)
def version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        print(f"evenhand {installed('evenhand')}")
