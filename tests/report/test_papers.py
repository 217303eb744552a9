from __future__ import annotations

from pathlib import Path

import pytest

from evenhand.report.papers import Paper, citations, followed, paragraphs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'Zheng et al. 2023, "Judging with MT-Bench", section 3.1. arXiv:2306.05685. The last '
            "marked one counts.",
            [Paper("Zheng et al.", "2023", "Judging with MT-Bench", "section 3.1",
                "arXiv:2306.05685")],
        ),
        (
            'Bradley and Terry 1952, "Rank Analysis". doi:10.1093/biomet/39.3-4.324.',
            [Paper("Bradley and Terry", "1952", "Rank Analysis", "",
                "doi:10.1093/biomet/39.3-4.324")],
        ),
        (
            'Wilson 1927, "Probable Inference", Journal 22, doi:10.1080/0162.1927.105',
            [Paper("Wilson", "1927", "Probable Inference", "Journal 22",
                "doi:10.1080/0162.1927.105")],
        ),
        (
            'Li et al. 2024, "One". arXiv:2406.11939: as told. van der Laan et al. 2020, "Two?"',
            [Paper("Li et al.", "2024", "One", "", "arXiv:2406.11939"),
                Paper("van der Laan et al.", "2020", "Two?")],
        ),
        ("In the manner of SQuAD (Rajpurkar et al. 2016, arXiv:1606.05250).", []),
    ],
)  # fmt: skip
def test_papers_are_read_from_the_way_modules_cite_them(text, expected):
    assert citations(text) == expected


def test_every_paper_line_of_the_package_can_be_read():
    found = list(paragraphs())
    assert ("judges/pairwise.py", "arXiv:2306.05685") in {
        (path, paper.ident) for path, text in found for paper in citations(text)
    }
    for path, text in found:
        assert citations(text), (
            f"{path}: write 'Paper: Name et al. 2023, \"Title\", section 3. arXiv:2306.05685', "
            f"not {text[:80]!r}"
        )


def test_docstrings_are_read_without_importing_their_modules(tmp_path: Path):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "one.py").write_text(
        '"""About.\n\nPaper: A 2020, "T",\n    section 2. arXiv:2001.00001.\n"""\n'
        'raise SystemExit("imported")\n'
        'def f():\n    """F\n\n    Paper: B et al. 2021, "U". doi:10.1/2\n\n    X\n    """\n',
        encoding="utf-8",
    )
    assert list(paragraphs(tmp_path)) == [
        ("room/one.py", 'A 2020, "T", section 2. arXiv:2001.00001.'),
        ("room/one.py", 'B et al. 2021, "U". doi:10.1/2'),
    ]


def test_a_paper_that_several_follow_stands_once_sorted_by_its_first_author():
    cited = [
        ("b.py", 'Zheng et al. 2023, "Z", section 3. arXiv:2306.05685.'),
        ("c.py", 'Bradley and Terry 1952, "B". doi:10.1/b'),
        ("a.py", 'Zheng et al. 2023, "Z". arXiv:2306.05685.'),
    ]
    assert [(paper.title, by) for paper, by in followed(cited)] == [
        ("B", ["c.py"]),
        ("Z", ["a.py", "b.py (section 3)"]),
    ]


def test_bibtex_names_authors_year_and_where_the_paper_is():
    paper = Paper("Zheng et al.", "2023", "A Way of Judging", "section 3", "arXiv:2306.05685")
    assert paper.bibtex() == (
        "@misc{zheng2023way,\n"
        "  title         = {{A Way of Judging}},\n"
        "  author        = {Zheng and others},\n"
        "  year          = {2023},\n"
        "  eprint        = {2306.05685},\n"
        "  archivePrefix = {arXiv},\n"
        "}"
    )
    assert "  doi           = {10.1/2}," in Paper("A and B", "1952", "T", "", "doi:10.1/2").bibtex()
    assert paper.address == "https://arxiv.org/abs/2306.05685"
