"""Papers as the modules cite them: read from their docstrings, without importing anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
_PARAGRAPH = re.compile(r"^Paper:\s+(.*?)(?=\n\n|\n\S|\Z)", re.DOTALL | re.MULTILINE)
# Name et al. 2023, "Title", section 3. arXiv:2306.05685
_CITATION = re.compile(
    r'(?:^|[.;:]\s)\s*(?P<authors>(?:[^"\d.;:()]|(?<=et al)\.)+?),? (?P<year>\d{4}),? '
    r'"(?P<title>[^"]+)",?(?P<where>(?:(?!arXiv:|doi:)(?:[^".]|\.(?=\S)))*)'
    r"[.\s]*(?P<ident>arXiv:\d{4}\.\d{4,5}|doi:\S+[^\s.,;:)])?"
)
_SMALL = ("an", "the", "on")
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper.

    Attributes:
        authors: As cited: 'Zheng et al.', 'Bradley and Terry' or 'Wilson'.
        where: The section or equation that is followed; "" when the citation names none.
        ident: 'arXiv:…' or 'doi:…'; "" for neither.
    """

    authors: str
    year: str
    title: str
    where: str = ""
    ident: str = ""

    @property
    def key(self) -> str:
        """authorYEARword, as bibliographies name it."""
        first = re.split(r" et al\.| and |, ", self.authors)[0].split()[-1]
        words = re.findall(r"[^\W_]+", self.title)
        word = next((w for w in words if len(w) > 1 and w.lower() not in _SMALL), "")
        return re.sub(r"[\W_]", "", f"{first}{self.year}{word}").lower()

    @property
    def address(self) -> str:
        kind, _, number = self.ident.partition(":")
        known = {"arXiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
        return known[kind] + number if number else ""

    @property
    def cited(self) -> str:
        """In Markdown, without the place inside the paper."""
        stop = "" if self.title.endswith((".", "?", "!")) else "."
        told = f"{self.authors} {self.year}, *{self.title}*{stop}"
        return f"{told} [{self.ident}]({self.address})" if self.ident else told

    def bibtex(self) -> str:
        kind, _, number = self.ident.partition(":")
        names = self.authors.replace(" et al.", " and others")
        fields = {"title": f"{{{self.title}}}", "author": names, "year": self.year}
        if kind == "arXiv":
            fields |= {"eprint": number, "archivePrefix": "arXiv"}
        elif kind:
            fields |= {"doi": number}
        lines = [f"  {name:<13} = {{{value}}}," for name, value in fields.items()]
        return "\n".join([f"@misc{{{self.key},", *lines, "}"])


def citations(text: str) -> list[Paper]:
    """Every paper that a text cites in full.

    Example:
        >>> citations('Wilson 1927, "Probable Inference". doi:10.2307/2276774.')[0].key
        'wilson1927probable'
    """
    found = _CITATION.finditer(" ".join(text.split()))
    return [
        Paper(**{name: (said or "").strip(" ,(") for name, said in match.groupdict().items()})
        for match in found
    ]


def paragraphs(folder: Path = PACKAGE) -> Iterator[tuple[str, str]]:
    """(path inside the folder, what follows `Paper:`) for each docstring that has such a part."""
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            doc = ast.get_docstring(node) if isinstance(node, _DOCUMENTED) else None
            for match in _PARAGRAPH.finditer(doc or ""):
                yield path.relative_to(folder).as_posix(), " ".join(match[1].split())


def followed(cited: list[tuple[str, str]]) -> list[tuple[Paper, list[str]]]:
    """Each paper once, with who follows it and where: sorted by first author, year and title.

    Args:
        cited: (who follows, the text that cites) each.
    """
    papers: dict[str, Paper] = {}
    by: dict[str, list[str]] = {}
    for who, text in cited:
        for paper in citations(text):
            same = paper.ident.lower() or paper.title.casefold()
            papers.setdefault(same, paper)
            told = f"{who} ({paper.where})" if paper.where else who
            if told not in by.setdefault(same, []):
                by[same].append(told)
    order = sorted(papers, key=lambda k: (papers[k].key, papers[k].title))
    return [(papers[same], sorted(by[same])) for same in order]
