"""What a public judge benchmark gives: a card, cases with their gold, labels, recorded verdicts.

Nothing of a benchmark is kept here or passed on: its files are read where the user has them, or
fetched from the hub by its name.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib
import os
import pkgutil
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, TypeVar
from zipfile import BadZipFile

from evenhand.data.raters import Label
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.errors import DataError, Misuse
from evenhand.records import Verdict, View

Gold = Literal["human", "objective", "constructed", "judge", "none"]
Standing = Literal["reproduced", "script", "computed"]
T = TypeVar("T")
FORMAT = "format/"
# What code that takes a file for what it should be stumbles over when it is something else.
MISSHAPEN = (
    *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    *(BadZipFile, EOFError, OSError, zlib.error),
)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a benchmark.

    Attributes:
        name: Below the benchmark's folder; `*` stands for anything, for one file a judge or split.
        sha256: At the card's revision; "" where it was never seen, and for patterns.
        needed: Without it there are no cases. Others hold recorded verdicts or figures.
        hub: Its path in the hub's repository, where that is another.
    """

    name: str
    sha256: str = ""
    needed: bool = True
    hub: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """The headline figure, with its rules; `str()` is how it is named on reports.

    Attributes:
        name: Of `evenhand.report.bench_figures`: net_vote_accuracy, cohen_kappa, spearman, …
        orders: How often each pair is judged: 2 is both orders.
        ties: half, drop, wrong or separate.
        mean: Over all cases, or the mean of the subsets' means.
        options: What the figure needs to know besides.
    """

    name: str
    orders: Literal[1, 2] = 1
    ties: Literal["half", "drop", "wrong", "separate", ""] = ""
    mean: Literal["cases", "subsets"] = "cases"
    options: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        told = [f"ties {self.ties}"] if self.ties else []
        told += ["both orders"] if self.orders == 2 else []
        told += ["mean of subsets"] if self.mean == "subsets" else []
        plain = (str, int, float, bool)
        told += [f"{k} {v}" for k, v in self.options.items() if isinstance(v, plain)]
        return f"{self.name} ({', '.join(told)})" if told else self.name


@dataclass(frozen=True, slots=True)
class Published:
    """A figure that the source gives for its own files.

    Attributes:
        judge: Whose verdicts: a `rater` of `recorded`; "" for the people alone, and 'longer',
            'first' for the trivial judges.
        figure: Of `evenhand.report.bench_figures`; `options` are what it needs to know.
        digits: After the point, as printed.
        unit: The value is in hundredths for '%'.
        standing: 'reproduced' from what the source prints; 'script': what its script gives on
            these files; 'computed': nobody printed it.
        rule: In words, where it is not the usual one.
    """

    judge: str
    figure: str
    value: float
    digits: int
    subset: str = ""
    unit: Literal["", "%"] = ""
    standing: Standing = "reproduced"
    rule: str = ""
    options: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Card:
    """Where a benchmark comes from, and how it is to be read.

    Attributes:
        folder: Of its files below `--data DIR`; the name unless set.
        source, revision: A repository and its commit, or a hub id and its revision.
        licence: 'unstated' where there is none.
        view: What a judge must see; None where the benchmark holds no cases to judge.
        rows: Cases at that revision; None where nobody has counted.
        paper: Author, year, title and arXiv number.
        hub: Repository of the hub, 'org/name'; "" when it is not there.
        status: 'unverified' until the adapter has read the real files.
    """

    name: str
    about: str
    source: str
    revision: str
    licence: str
    gold: Gold
    view: View | None
    metric: Metric
    files: tuple[File, ...]
    rows: int | None = None
    split: str = ""
    paper: str = ""
    folder: str = ""
    hub: str = ""
    status: Literal["verified", "unverified"] = "unverified"
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one benchmark, where they lie.

    Attributes:
        paths: Name or pattern of the card -> files found, in the order of their names.
        changed: Files whose hash is not that of the card.
    """

    card: Card
    paths: Mapping[str, tuple[Path, ...]]
    changed: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        return bool(self.paths.get(name))

    def path(self, name: str) -> Path:
        """Raises: Misuse when it is not there."""
        if not self.paths.get(name):
            raise absent(self.card, name)
        return self.paths[name][0]

    @property
    def sha256(self) -> str:
        """Of the needed files, for reports; of all of them where none is needed by itself."""
        needed = [one for one in self.card.files if one.needed] or self.card.files
        paths = (path for one in needed for path in self.paths.get(one.name, ()))
        return hashlib.sha256("".join(map(digest, paths)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Bench:
    """One benchmark.

    Attributes:
        cases: Cases with their gold, and the rows that could not be read.
        people: What each person said, where the source names them.
        recorded: Verdicts that the source keeps, signed with the case and, as rater, the judge.
        published: Figures to which ours are compared.
    """

    card: Card
    cases: Callable[[Files], Iterator[Row | Bad]]
    people: Callable[[Files], Iterator[Label | Bad]] | None = None
    recorded: Callable[[Files], Iterator[Verdict | Bad]] | None = None
    published: Callable[[Files], Iterator[Published]] | None = None


# ---- by name -------------------------------------------------------------------------------------


def names() -> list[str]:
    """Of this package and of others that offer `evenhand.data`."""
    from evenhand.data import benches

    own = [one.name.replace("_", "-") for one in pkgutil.iter_modules(benches.__path__)]
    return sorted({*own, *(one.name for one in entry_points(group="evenhand.data"))})


def formats() -> list[str]:
    """The formats of other tools, which `bench` knows as 'format/NAME'."""
    from evenhand.data import formats as room

    return sorted(one.name.replace("_", "-") for one in pkgutil.iter_modules(room.__path__))


def bench(name: str) -> Bench:
    """Raises: Misuse for an unknown name, with the nearest ones."""
    import difflib

    module = name.replace("-", "_")
    if name.removeprefix(FORMAT) in formats() and name.startswith(FORMAT):
        one = importlib.import_module(f"evenhand.data.formats.{module.removeprefix(FORMAT)}")
        return _guarded(one.BENCH)
    for offered in entry_points(group="evenhand.data"):
        if offered.name == name:
            return _guarded(offered.load())
    if name not in names():
        near = difflib.get_close_matches(name, names(), 3, 0.4)
        raise Misuse(
            f"no benchmark is called {name!r}" + (f" (near: {', '.join(near)})" if near else ""),
            expected="a name that `evenhand bench` lists",
            do="evenhand bench",
        )
    found = importlib.import_module(f"evenhand.data.benches.{module}")
    return _guarded(found.BENCH)


def _guarded(one: Bench) -> Bench:
    """A file that is not what the adapter takes it for is an error of the data."""

    def guard(of: Callable[[Files], Iterator[T]]) -> Callable[[Files], Iterator[T]]:
        def made(files: Files) -> Iterator[T]:
            with in_shape(files):
                yield from of(files)

        return made

    more: dict[str, Any] = {
        name: guard(of)
        for name in ("cases", "people", "recorded", "published")
        if (of := getattr(one, name)) is not None
    }
    return replace(one, **more)


@contextmanager
def in_shape(files: Files) -> Iterator[None]:
    """Raises: DataError where the code within stumbles over what the files hold."""
    try:
        yield
    except (*MISSHAPEN, StopIteration, Wrong) as error:
        card = files.card
        where = [str(path) for paths in files.paths.values() for path in paths]
        told = error.found if isinstance(error, Wrong) else f"{type(error).__name__}: {error}"
        raise DataError(
            f"the files do not have the known shape ({told[:200]})",
            expected=f"the files of {card.source} at {card.revision}",
            do="take the files of that revision as they are",
            file=", ".join(where[:3]) + (", …" if len(where) > 3 else ""),
            field=error.field if isinstance(error, Wrong) else "",
        ) from error


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of a benchmark as a source of rows. `file` is 'bench:NAME@DIR'."""

    file: str
    bench: Bench
    files: Files

    def rows(self, only: Collection[str] | None = None) -> Iterator[tuple[int, Row | Bad]]:
        for found in self.bench.cases(self.files):
            yield found.row, found


def opened(named: str) -> tuple[Bench, Files]:
    """Of 'NAME@DIR', 'NAME@FILE' or 'NAME@FILE:FILE'; of 'NAME' alone from the hub."""
    name, _, place = named.partition("@")
    found, where = bench(name), [Path(one) for one in place.split(os.pathsep) if one]
    if name.startswith(FORMAT) or any(one.is_file() for one in where):
        return found, placed(found.card, where)
    return found, find(found.card, folder=where[0] if where else None)


# ---- files ---------------------------------------------------------------------------------------


def find(card: Card, given: Path | None = None, folder: Path | None = None) -> Files:
    """The files of a benchmark.

    Args:
        given: Its folder, or the file itself where it needs only one.
        folder: One that holds the folders of several benchmarks.

    Raises:
        Misuse: A needed file is not there; the message says which one, and where to put it.
    """
    paths = _places(card, given, folder)
    lacking = [one for one in card.files if one.needed and not paths[one.name]]
    if lacking and given is None and folder is None and card.hub:
        paths |= {one.name: (_fetched(card, one),) for one in lacking}
    elif lacking:
        raise absent(card, lacking[0].name, given or folder)
    elif not any(paths.values()):  # where no file is needed by itself, one of them is
        raise absent(card, card.files[0].name, given or folder)
    return Files(card, paths, _changed(card, paths))


def placed(card: Card, given: Sequence[Path]) -> Files:
    """The files of a card among those given; a needed one that is not is looked for beside them.

    Raises:
        Misuse: One of them does not exist, or a needed file is not there.
    """
    for path in given:
        if not path.is_file():
            raise Misuse(f"there is no file '{path}'", expected="a file", do="mend the path")
    names = {one.name: Path(one.name).name for one in card.files}
    paths = {
        name: tuple(path for path in given if fnmatch.fnmatch(path.name, end))
        for name, end in names.items()
    }
    needed = [one.name for one in card.files if one.needed]
    if not any(paths.values()) and len(needed) == 1:
        paths[needed[0]] = tuple(given)
    for name in needed:
        paths[name] = paths[name] or tuple(sorted(given[0].parent.glob(names[name])))
        if not paths[name]:
            raise absent(card, name, given[0].parent)
    return Files(card, paths, _changed(card, paths))


def _changed(card: Card, paths: Mapping[str, tuple[Path, ...]]) -> tuple[str, ...]:
    known = [(one, paths[one.name][0]) for one in card.files if one.sha256 and paths[one.name]]
    return tuple(one.name for one, path in known if digest(path) != one.sha256)


def _places(card: Card, given: Path | None, folder: Path | None) -> dict[str, tuple[Path, ...]]:
    """Of the first folder that holds any of the files: files of two folders are two revisions."""
    if given is not None and given.is_file():
        needed = [one.name for one in card.files if one.needed]
        fits = {one: fnmatch.fnmatch(given.name, Path(one).name) for one in needed}
        taken = needed if len(needed) == 1 else [one for one in needed if fits[one]]
        return {one.name: (given,) if one.name in taken else () for one in card.files}
    roots = [given] if given is not None else []
    if folder is not None:
        names = (card.folder or card.name, card.name.replace("-", "_"))
        roots += [*(folder / name for name in names), folder]
    for root in roots:
        paths = {one.name: tuple(sorted(root.glob(one.name))) for one in card.files}
        if any(paths.values()):
            return paths
    return {one.name: () for one in card.files}


def absent(card: Card, name: str, looked: Path | None = None) -> Misuse:
    where = f" in {looked}" if looked else ""
    return Misuse(
        f"{card.name} needs the file {name!r}, which is not there{where}",
        expected=f"the files of {card.source} at {card.revision}",
        do=f"evenhand bench {card.name} --data DIR, with DIR/{card.folder or card.name}/{name}",
    )


def _fetched(card: Card, one: File) -> Path:
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise Misuse(
            f"{card.name} is fetched from the hub, and huggingface_hub is not installed",
            do=f"pip install 'evenhand[hub]', or put {one.name!r} into a folder and pass --data",
        ) from error
    try:
        found = hf_hub_download(card.hub, one.hub or one.name, repo_type="dataset")
    except Exception as error:  # the hub's errors share no class
        raise Misuse(
            f"{card.hub} could not be fetched: {type(error).__name__}: {error}",
            expected=f"the network, and access to {card.hub}",
            do=f"put {one.name!r} into DIR/{card.folder or card.name}/ and pass --data DIR",
        ) from error
    return Path(found)


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
