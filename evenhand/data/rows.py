"""One row of data once it is read, and one that could not be."""

from __future__ import annotations

from dataclasses import dataclass

from evenhand.errors import DataError
from evenhand.records import Case


@dataclass(frozen=True, slots=True)
class Row:
    """A case and where it came from.

    Attributes:
        row: Counts from 1. Lines of JSONL (blank ones too), rows of a table below its header,
            elements of a list.
        cluster: The original prompt: what rows and cases about the same prompt share.
        label: A person's label, never shown to the judge: 'A', 'tie' or 'B' beside a pair, else
            its text; None when there is none.
        file: As it was given; "" for Python records.
    """

    case: Case
    row: int
    cluster: str
    label: str | None
    file: str


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be used. `field` is the column; "" when it is the whole row."""

    file: str
    row: int
    field: str
    found: str
    expected: str

    def error(self) -> DataError:
        return DataError(
            self.found,
            expected=self.expected,
            do="mend the row, or pass --skip-bad",
            file=self.file,
            row=self.row,
            field=self.field,
        )


class Wrong(Exception):
    """A value that does not fit its field; whoever knows file and row makes a `Bad` of it."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        super().__init__(found)
        self.field, self.found, self.expected = field, found, expected
