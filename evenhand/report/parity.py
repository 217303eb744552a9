"""Every figure that a source gives for its own files, beside ours.

`python -m evenhand.report.parity DIR docs/parity.md` writes the page; a test compares it with what
stands there where the files are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from evenhand.data.bench import Bench, Card, Files, Published, Standing, bench, find, names
from evenhand.errors import Error, Misuse
from evenhand.intervals import Interval
from evenhand.report import bench_boards
from evenhand.report.bench_figures import figure
from evenhand.report.parity_readers import readings
from evenhand.report.sample import Sample, contents, sample
from evenhand.report.tables import table

COMMAND = "python -m evenhand.report.parity DIR docs/parity.md"
MADE = f"<!-- made from the files of the sources by: {COMMAND} -->"
READ = "recorded verdicts read"
COMPACT = "llmbar"  # a line a judge and subset: it has more figures than all others together
DOMAINS = {
    ("llmbar", "LLMBar/Natural"): "Natural (in domain)",
    ("llmbar", "LLMBar/Adversarial"): "Adversarial (out of domain)",
    ("llmbar", "Processed"): "Processed (from other sets)",
    ("llm-rubric", "real"): "Real conversations (out of domain)",
    ("llm-rubric", "synth"): "Synthetic conversations (in domain: calibrations are fitted on them)",
}


@dataclass(frozen=True, slots=True)
class Parity:
    """One figure.

    Attributes:
        judge: "" for people alone.
        ours: In the unit and with all digits; NaN where there is none.
        equal: To the digits printed.
        why: Where it is not equal; or what else is to be known.
    """

    bench: str
    judge: str
    figure: str
    subset: str
    published: float
    ours: float
    digits: int
    unit: str
    standing: Standing
    rule: str
    equal: bool
    why: str = ""


# ---- figures -------------------------------------------------------------------------------------


def parity(folder: Path, named: Sequence[str] = ()) -> tuple[Parity, ...]:
    """Of every benchmark whose files lie below a folder, or of those named.

    Raises:
        Misuse: There is none, or not one that was named.
    """
    there = list(_there(folder, named))
    console = Console(stderr=True)
    if not there:
        raise Misuse(
            f"no benchmark's files lie in {folder}",
            expected="a folder with the benchmarks' folders",
            do="evenhand bench lists benchmarks; each card says which files it needs",
        )
    bar = track(there, "parity", console=console, transient=True, disable=not console.is_terminal)
    return tuple(row for one, files in bar for row in _rows(one, files))


def _there(folder: Path, named: Sequence[str]) -> Iterator[tuple[Bench, Files]]:
    for name in named or names():
        one = bench(name)
        try:
            yield one, find(one.card, folder=folder)
        except Misuse:
            if named:
                raise


def _rows(one: Bench, files: Files) -> Iterator[Parity]:
    figures = _published(one, files)
    if figures and one.card.name in bench_boards.BOARDS:
        for each in figures:
            yield compared(one.card.name, each, lambda p: bench_boards.board_figure(files, p))
    elif figures:
        read, known = contents(one, files), dict[tuple[str, str], Sample]()

        def made(each: Published) -> Interval:
            place = each.judge, each.subset
            if place not in known:
                known[place] = sample(read, *place)
            return figure(each.figure, known[place], each.options)

        for each in figures:
            yield compared(one.card.name, each, made)
    for got in readings(files):
        yield Parity(
            one.card.name, got.judge, READ, "", got.n, got.read, 0, "", "script", got.rule,
            got.read == got.n, got.why,
        )  # fmt: skip


def _published(one: Bench, files: Files) -> list[Published]:
    """None where the files that hold them are not there."""
    try:
        return list(one.published(files)) if one.published else []
    except Misuse:
        return []


def compared(name: str, each: Published, made: Callable[[Published], Interval]) -> Parity:
    try:
        found = made(each)
        ours, why = found.estimate * (100 if each.unit == "%" else 1), found.reason
    except Error as error:
        ours, why = float("nan"), error.text
    same = equal(ours, each.value, each.digits)
    why = "" if same else why if ours != ours else f"ours is {ours:.{each.digits + 3}f}"
    title = each.figure + told(each.options)
    return Parity(
        name, each.judge, title, each.subset, each.value, ours, each.digits, each.unit,
        each.standing, each.rule, same, why,
    )  # fmt: skip


def equal(ours: float, published: float, digits: int) -> bool:
    """To the digits printed; a source may have rounded half a unit either way.

    Example:
        >>> equal(0.92549, 0.93, 2), equal(0.92451, 0.93, 2)
        (True, False)
    """
    if abs(round(ours, digits) - published) < 10.0 ** -(digits + 3):
        return True
    return abs(ours - published) <= 0.5 * 10.0**-digits + 1e-9


def told(options: Mapping[str, Any]) -> str:
    """As in ' (within, gold mean)'; what the rule says already is left out."""
    words = [
        name if value is True else f"{name} {_value(value)}"
        for name, value in options.items()
        if value is not False and name not in ("unread", "ties")
    ]
    return f" ({', '.join(words)})" if words else ""


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        joint = " against " if value and isinstance(value[0], list) else ", "
        return joint.join(map(_value, value))
    return str(value)


# ---- summary -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Count:
    """Of one benchmark: figures by where they come from, and those equal."""

    bench: str
    figures: int
    equal: int
    reproduced: int
    script: int
    computed: int


def counts(rows: Iterable[Parity]) -> list[Count]:
    by: dict[str, list[Parity]] = {}
    for row in rows:
        by.setdefault(row.bench, []).append(row)
    made = []
    for name, mine in by.items():
        kinds = [row.standing for row in mine]
        each = (kinds.count(kind) for kind in ("reproduced", "script", "computed"))
        made.append(Count(name, len(mine), sum(row.equal for row in mine), *each))
    return made


def summary(rows: Sequence[Parity]) -> str:
    """A line a benchmark, and what is different."""
    lines = [f"{one.bench}: {one.equal} of {one.figures} equal" for one in counts(rows)]
    lines += [f"different: {_said(row)}" for row in rows if not row.equal]
    return "\n".join([*lines, f"all: {sum(row.equal for row in rows)} of {len(rows)} equal"])


def parity_json(rows: Sequence[Parity]) -> dict[str, Any]:
    return {
        "benches": [asdict(one) for one in counts(rows)],
        "different": [
            {**asdict(row), "ours": row.ours if row.ours == row.ours else None}
            for row in rows
            if not row.equal
        ],
        "equal": sum(row.equal for row in rows),
        "figures": len(rows),
    }


def _said(row: Parity) -> str:
    place = ", ".join(filter(None, (row.bench, row.judge, row.subset)))
    return f"{place}: {row.figure} {shown(row.published, row)}, {row.why}"


def shown(value: float, row: Parity) -> str:
    return "none" if value != value else f"{value:.{row.digits}f}{row.unit}"


# ---- the page ------------------------------------------------------------------------------------

INTRO = f"""# Parity with published figures

Does Evenhand read the same files to the same figures as those who made them? Each line is a figure
that a source gives for its own files and what `evenhand bench` computes from them, compared to the
digits printed. It is a check of our readers, rules and statistics, and says nothing about how good
a judge is. *expected* is the source's value unless the standing says *computed*; figures of no
judge are of the gold or of people's labels alone.

- *reproduced*: the source prints the value, in its README, paper, notebook or result files.
- *script*: what the source's own script or rule gives on the files; the paper's table, if there is
  one, was not read again.
- *computed*: nobody published it. It was computed once, apart from this package, and is here so
  that a change does not go unseen. It is no evidence of agreement with anybody.

Made by `{COMMAND}`, where DIR holds the files of the
sources; they are not part of the package. `evenhand bench --parity DIR` prints the
summary and ends with exit code 1 if a figure differs."""


def page(rows: Sequence[Parity]) -> str:
    by: dict[str, list[Parity]] = {}
    for row in rows:
        by.setdefault(row.bench, []).append(row)
    pieces = [MADE, INTRO, "## Summary", _summary_table(rows)]
    for name, mine in by.items():
        pieces += [_title(bench(name).card), *_sections(name, mine), *_notes(mine)]
    return "\n\n".join(pieces) + "\n"


def _summary_table(rows: Sequence[Parity]) -> str:
    lines = [
        (f"[{one.bench}](#{one.bench})", one.figures, one.equal, one.reproduced, one.script,
         one.computed) for one in counts(rows)
    ]  # fmt: skip
    whole = ("all", *(sum(line[at] for line in lines) for at in range(1, 6)))  # type: ignore[misc]
    return table(("bench", "figures", "equal", "reproduced", "script", "computed"),
                  [*lines, whole])  # fmt: skip


def _title(card: Card) -> str:
    paper = f" {card.paper}." if card.paper else ""
    about = card.about[0].upper() + card.about[1:].rstrip("?.")
    stop = "?" if card.about.endswith("?") else "."
    return f"## {card.name}\n\n{about}{stop} `{card.source}` at `{card.revision[:12]}`.{paper}"


def _sections(name: str, mine: Sequence[Parity]) -> Iterator[str]:
    """Apart for each domain, where a benchmark has several."""
    parts: dict[str, list[Parity]] = {}
    for row in mine:
        parts.setdefault(_domain(row), []).append(row)
    for title, rows in parts.items():
        if title:
            yield f"### {title}"
        compact = name == COMPACT and rows[0].figure != READ
        yield _compact(rows) if compact else _plain(rows)


def _domain(row: Parity) -> str:
    for (name, start), title in DOMAINS.items():
        if row.bench == name and row.subset.startswith(start):
            return title
    return "Readers" if row.figure == READ else ""


def _plain(rows: Sequence[Parity]) -> str:
    lines = (
        (row.judge or "(none)", row.figure, row.subset, shown(row.published, row),
         shown(row.ours, row), row.standing, "yes" if row.equal else f"**no**: {row.why}")
        for row in rows
    )  # fmt: skip
    return table(("judge", "figure", "subset", "expected", "ours", "standing", "equal"), lines)


def _compact(rows: Sequence[Parity]) -> str:
    """A line a judge and subset. '=' is equal to the digits printed."""
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        mark = " =" if row.equal else f" **≠ {shown(row.ours, row)}**"
        place = row.judge, row.subset.rpartition("/")[2]
        cells.setdefault(place, {})[row.figure] = shown(row.published, row) + mark
    figures = list(dict.fromkeys(row.figure for row in rows))
    lines = ((*place, *(found.get(one, "") for one in figures)) for place, found in cells.items())
    return table(("judge", "subset", *figures), lines)


def _notes(rows: Sequence[Parity]) -> Iterator[str]:
    told = [f"- {row.figure}: {row.rule}." for row in rows if row.rule]
    told += [f"- {row.figure}: {row.why}." for row in rows if row.equal and row.why]
    if told:
        yield "\n".join(dict.fromkeys(told))


def main(given: Sequence[str]) -> int:
    if len(given) != 2:
        print(f"a folder and a file are expected: {COMMAND}", file=sys.stderr)
        return 2
    rows = parity(Path(given[0]))
    Path(given[1]).write_text(page(rows), encoding="utf-8")
    print(summary(rows))
    return int(not all(row.equal for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
