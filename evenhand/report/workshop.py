"""Where an import works, so that nothing half made is seen and no two work at once."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from evenhand.errors import Misuse
from evenhand.store import Store

WORKSHOP, LOCK = ".import", ".lock"
RUN = {"run.json", "run.lock", "run.sqlite"}


@contextlib.contextmanager
def workshop(out: Path) -> Iterator[Path]:
    """An empty folder in `out` that goes at the end, and `out` with it if it is new and unused.

    What a killed import left there is removed first.

    Raises:
        Misuse: Another import works there, or `out` cannot be written.
    """
    new, place = not out.exists(), out / WORKSHOP
    lock = _locked(out, place)
    try:
        for left in place.iterdir():
            if left.is_dir() and left.name != LOCK:
                shutil.rmtree(left)
            elif left.name != LOCK:
                left.unlink()
        yield place
    finally:
        lock.close()
        shutil.rmtree(place, ignore_errors=True)
        if new:
            with contextlib.suppress(OSError):
                out.rmdir()  # of an import that failed; nothing else may be in it


def _locked(out: Path, place: Path) -> Store:
    """A run's lock dies with its process."""
    try:
        return Store(place / LOCK)
    except Misuse as error:
        if (place / LOCK / "run.lock").exists():
            raise Misuse(
                f"another import is writing to {out}",
                expected="one at a time",
                do="wait for it to end, or give another --out",
            ) from error
        raise Misuse(
            f"{out} cannot be written: {error.happened}", expected="a folder", do=error.do
        ) from error


def folder_name(judge: str, taken: set[str]) -> str:
    """Of a judge's run; no two are the same where case does not count, and none is a run's file."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", judge).strip("-.")[:80] or "judge"
    found, number = name, 2
    while found.casefold() in taken | RUN:
        found, number = f"{name}-{number}", number + 1
    return found
