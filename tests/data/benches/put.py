"""Tiny files of any schema, written by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any


def put(folder: Path, name: str, rows: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(rows, bytes):
        path.write_bytes(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        with path.open("w", newline="") as stream:
            sign = "\t" if path.suffix == ".tsv" else ","
            made = csv.DictWriter(stream, list(rows[0]), delimiter=sign, lineterminator="\n")
            made.writeheader()
            made.writerows(rows)
    return path
