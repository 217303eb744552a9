"""One row of a benchmark, the table of them, and where the table is kept."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

RESULTS = Path(__file__).resolve().with_name("RESULTS.md")


@dataclass(frozen=True)
class Line:
    """Attributes: value is None when it was not measured, and note says why; limits are the floor
    and the target, None where none is set."""

    what: str
    value: float | None
    limits: tuple[float, float] | None
    unit: str
    note: str
    more_is_better: bool = False

    @property
    def result(self) -> str:
        if self.value is None:
            return "not run"
        if self.limits is None:
            return "no floor"
        sign = -1 if self.more_is_better else 1
        floor, target = (sign * limit for limit in self.limits)
        if sign * self.value <= target:
            return "PASS, target"
        return "PASS" if sign * self.value <= floor else "FAIL"

    def cells(self) -> list[str]:
        value = "" if self.value is None else f"{self.value:,.3g}{self.unit}"
        if self.value is not None and self.value >= 1000:
            value = f"{self.value:,.0f}{self.unit}"
        limits = [f"{limit:,g}{self.unit}" for limit in self.limits or ()] or ["", ""]
        return [self.what, value, *limits, self.result, self.note]

    def told(self) -> str:
        return f"{self.result:12}  {self.what}: {self.cells()[1]}  {self.note}"


def table(lines: Sequence[Line]) -> list[str]:
    rows = [["what", "measured", "floor", "target", "result", ""]] + [x.cells() for x in lines]
    rows.insert(1, ["---"] * 6)
    return ["| " + " | ".join(row) + " |" for row in rows]


def machine(load_before: float) -> str:
    load = f"load {load_before:.1f} before and {os.getloadavg()[0]:.1f} after"
    return f"{os.cpu_count()} CPUs, Python {sys.version.split()[0]}, {load}"


def peak() -> float:
    """MB; ru_maxrss would begin with what the parent process had."""
    return int(re.findall(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[0]) / 1024


def write_section(title: str, lines: Sequence[str], *, path: Path = RESULTS) -> None:
    """The lines under "## title", in place of what stood there; other sections stay."""
    old = path.read_text(encoding="utf-8") if path.exists() else "# Results\n"
    before, *sections = re.split(r"^(?=## )", old, flags=re.MULTILINE)
    new = "\n".join([f"## {title}", "", *lines]).rstrip() + "\n\n"
    at = [i for i, text in enumerate(sections) if text.partition("\n")[0] == f"## {title}"]
    sections = [text.rstrip() + "\n\n" for text in sections]
    if at:
        sections[at[0]] = new
    else:
        sections.append(new)
    temporary = path.with_suffix(".new")
    temporary.write_text(
        before.rstrip() + "\n\n" + "".join(sections).rstrip() + "\n", encoding="utf-8"
    )
    shutil.move(temporary, path)


def reported(title: str, parts: Iterable[Iterable[Line]], rest: str, *, write: bool) -> int:
    """Prints lines as they are measured, then the table; 1 as the exit code when a floor is missed.

    Args:
        parts: Measured while they are gone through.
        rest: What kind of time the figures are of.
        write: Also into RESULTS.md.
    """
    lines: list[Line] = []
    before = os.getloadavg()[0]
    for line in (line for part in parts for line in part):
        lines.append(line)
        print(line.told(), flush=True)
    text = [*table(lines), "", f"{machine(before)}; {rest}"]
    print("\n" + "\n".join(text))
    if write:
        write_section(title, [f"`python bench/{title.lower()}.py --write`", "", *text])
    return int(any(line.result == "FAIL" for line in lines))
