"""What Evenhand raises about the world; mistakes in code stay `TypeError` and `ValueError`.

Error                 what happened, what was expected, what to do next
  Misuse              a name, option or file that the command cannot use
  DataError           a bad row: names file, row and field
  Undecidable         nothing is wrong, but the data are too few to say anything
  BudgetSpent         the next call would exceed the budget; everything so far is saved
  ModelError          no answer from a model; `retryable` says whether trying again can help
    Rejected          the server refuses this one request: the verdict is undecided
    Unavailable       rate limit, time-out, 5xx, broken reply: try again later
    Misconfigured     wrong key, unknown model, nobody listening: every request will fail, so stop
"""

from __future__ import annotations


class Error(Exception):
    """Three parts: what happened with the value, what was expected, what to do next.

    Attributes:
        saved: The run folder that holds everything up to this error; None outside a run.
    """

    saved: str | None = None

    def __init__(self, happened: str, *, expected: str = "", do: str = "") -> None:
        super().__init__(happened)
        self.happened, self.expected, self.do = happened, expected, do

    @property
    def text(self) -> str:
        """What happened and what was expected."""
        return self.happened + (f"\nExpected: {self.expected}" if self.expected else "")

    def __str__(self) -> str:
        return self.text + (f"\nNext: {self.do}" if self.do else "")


class Misuse(Error):
    pass


class DataError(Error):
    """A row that cannot be used.

    Attributes:
        file, row, field: Where it stands; row counts from 1, 0 or "" when it is the whole file.
    """

    def __init__(
        self,
        happened: str,
        *,
        expected: str = "",
        do: str = "",
        file: str = "",
        row: int = 0,
        field: str = "",
    ) -> None:
        super().__init__(happened, expected=expected, do=do)
        self.file, self.row, self.field = file, row, field

    @property
    def text(self) -> str:
        place = self.file + (f":{self.row}" if self.row else "")
        if self.field:
            place = f"{place} field '{self.field}'" if place else f"field '{self.field}'"
        return f"{place}: {super().text}" if place else super().text


class Undecidable(Error):
    pass


class BudgetSpent(Error):
    pass


class ModelError(Error):
    retryable = False


class Rejected(ModelError):
    """Attributes: code is the undecided code that the verdict gets: 'rejected' or 'overflow'."""

    def __init__(
        self, happened: str, *, expected: str = "", do: str = "", code: str = "rejected"
    ) -> None:
        super().__init__(happened, expected=expected, do=do)
        self.code = code


class Unavailable(ModelError):
    """Attributes: status is the HTTP status (0: no HTTP answer); retry_after is in seconds."""

    retryable = True

    def __init__(
        self,
        happened: str,
        *,
        expected: str = "",
        do: str = "",
        status: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(happened, expected=expected, do=do)
        self.status, self.retry_after = status, retry_after


class Misconfigured(ModelError):
    pass
