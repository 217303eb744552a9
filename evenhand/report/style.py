"""What can be counted of a response: its length and its Markdown; and such counts of two, set off.

Paper: Li et al. 2024, "From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard and
    BenchBuilder Pipeline", the style control of its code. arXiv:2406.11939. Characters stand for
    tokens; `bradley_terry` scales what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from evenhand.intervals import Floats

STYLE = ("header", "list", "bold")
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_COUNTED = {
    "header": re.compile(r"^ {0,3}#{1,6}\s", re.MULTILINE),
    "list": re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE),
    "bold": re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
}


def counted(text: str, names: Sequence[str]) -> dict[str, float]:
    """Characters as 'length', and marks outside code blocks by name.

    Example:
        >>> counted("# Ice\\n- **cold**\\n- white", ("list", "bold"))
        {'length': 24.0, 'list': 2.0, 'bold': 1.0}
    """
    found = {"length": float(len(text))}
    if names:
        prose = _FENCED.sub("", text)
        found |= {name: float(len(_COUNTED[name].findall(prose))) for name in names}
    return found


def set_off(name: str, both: Floats, lengths: Floats | None) -> Floats:
    """Of A less of B: lengths by their sum; marks by characters, as densities; others plainly.

    Args:
        both: Shape (n, 2), of A and of B; NaN where it is not known.
        lengths: Shape (n, 2), for marks.
    """
    a, b = both.T
    if name == "length":
        return np.asarray((a - b) / np.maximum(a + b, 1))
    if name in STYLE and lengths is not None:
        x, y = a / (lengths[:, 0] + 1), b / (lengths[:, 1] + 1)
        return np.asarray((x - y) / (x + y + 1))
    return np.asarray(a - b)
