"""Parquet files and saved Hugging Face datasets -> rows as dicts, batch by batch."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from evenhand.data.files import Found
from evenhand.errors import DataError, Misuse

BATCH_BYTES = 1 << 22
BATCH_ROWS = 1024


def _missing(what: str, library: str, extra: str) -> Misuse:
    return Misuse(
        f"{what} needs the library {library}, which is not installed",
        expected=f"the extra '{extra}'",
        do=f"pip install 'evenhand[{extra}]'",
    )


def _broken(happened: str, file: str) -> DataError:
    return DataError(
        happened, expected="a whole one", do="copy it again, or write it again", file=file
    )


def _batch(size: int, rows: int) -> int:
    """Rows a batch, so that rows of megabytes are taken one by one."""
    return max(1, min(BATCH_ROWS, BATCH_BYTES * rows // max(size, 1)))


@dataclass(frozen=True, slots=True)
class Parquet:
    file: str

    def rows(self, only: Collection[str] | None = None) -> Iterator[Found]:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise _missing("reading Parquet", "pyarrow", "parquet") from error
        try:
            # Without a buffer size, a whole row group (often the whole file) is read at once.
            table = parquet.ParquetFile(self.file, buffer_size=1 << 20, pre_buffer=False)
        except (pyarrow.ArrowInvalid, OSError) as error:
            raise _broken(f"not a whole Parquet file ({error})", self.file) from error
        with table:
            meta, columns = table.metadata, None if only is None else list(only)
            groups = range(meta.num_row_groups)
            size = sum(meta.row_group(group).total_byte_size for group in groups)
            batches = table.iter_batches(_batch(size, meta.num_rows), columns=columns)
            yield from _numbered(batches, columns != [])


@dataclass(frozen=True, slots=True)
class Saved:
    """A folder that `datasets.Dataset.save_to_disk` wrote."""

    file: str

    def rows(self, only: Collection[str] | None = None) -> Iterator[Found]:
        try:
            import datasets
        except ImportError as error:
            raise _missing("reading a saved dataset", "datasets", "hf") from error
        try:
            saved = datasets.load_from_disk(self.file).with_format("arrow")
        except (OSError, ValueError, KeyError) as error:
            raise _broken(f"not a whole saved dataset ({error})", self.file) from error
        if only:
            saved = saved.select_columns(list(only))
        size = saved.data.nbytes if hasattr(saved.data, "nbytes") else 0
        yield from _numbered(saved.iter(_batch(size, len(saved))))


def _numbered(batches: Any, columns: bool = True) -> Iterator[Found]:
    row = 0
    for batch in batches:
        for item in batch.to_pylist() if columns else [{}] * batch.num_rows:
            row += 1
            yield row, item


def arrow_source(file: str) -> Parquet | Saved | None:
    """By the ending of the name, or by what lies in the folder; None when it is neither."""
    if os.path.isdir(file):
        return _folder(file)
    if file.lower().endswith(".parquet"):
        return Parquet(file)
    if file.lower().endswith(".parquet.gz"):
        raise Misuse(
            f"'{file}' is Parquet packed once more",
            expected="Parquet, which is packed inside",
            do=f"gunzip {file}",
        )
    return None


def _folder(file: str) -> Saved:
    if os.path.isfile(os.path.join(file, "state.json")):
        return Saved(file)
    inside = sorted(os.listdir(file))
    splits = [name for name in inside if os.path.isfile(os.path.join(file, name, "state.json"))]
    raise Misuse(
        f"the folder '{file}' holds " + (", ".join(splits or inside[:8]) or "nothing"),
        expected="one saved dataset, or one file",
        do=f"pass {os.path.join(file, (splits or inside or ['FILE'])[0])}",
    )
