"""Lines per folder, and what is over a limit: `python bench/sizes.py` (exit code 1 if anything)."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BODY, FILE, JUDGE, PARAMETERS, POSITIONAL, NESTING = 40, 400, 90, 7, 3, 3
NO_METHODS = {"build.py", "combine.py"}  # of judges/; nor are files without a judge in them
_OPTIONS = "One parameter a command-line option, which is how typer reads and documents them."
ALLOWED = {  # "file" or "file:function" -> what going over a limit bought
    "evenhand/cli/judge.py:judge": _OPTIONS,
    "evenhand/cli/look.py:show": _OPTIONS,
    "evenhand/cli/look.py:export": _OPTIONS,
    "evenhand/data/cases.py:case_of": "Plan, row, id and folder have four types, none optional.",
    "evenhand/data/texts.py:response": "The four are given in the same order in all three calls.",
    "evenhand/readers.py:undecided": "Reads as a sentence: scale, code, why, from which calls.",
    "evenhand/models/gguf.py:has_chat_template": "One pass over an open file stays in one place.",
}
OWN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def depth(node: ast.AST) -> int:
    """Blocks inside blocks; an `elif` is no deeper than its `if`, nor is a function in one."""
    deepest = 0
    for name, value in ast.iter_fields(node):
        for child in (one for one in (value if isinstance(value, list) else [value]) if one):
            if not isinstance(child, ast.AST) or isinstance(child, OWN):
                continue
            chained = isinstance(node, ast.If) and name == "orelse" and isinstance(child, ast.If)
            deepest = max(deepest, depth(child) + (isinstance(child, BLOCKS) and not chained))
    return deepest


def function_faults(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    body = node.body[1:] if ast.get_docstring(node) is not None and node.body[1:] else node.body
    given = node.args
    positional = [arg for arg in given.posonlyargs + given.args if arg.arg not in ("self", "cls")]
    free = node.name.startswith("_")
    found = {
        "lines": ((node.end_lineno or 0) - body[0].lineno + 1, BODY),
        "parameters": (len(positional) + len(given.kwonlyargs), PARAMETERS),
        "positional parameters": (0 if free else len(positional), POSITIONAL),
        "nested blocks": (depth(node), NESTING),
    }
    return [f"{n} {what}, at most {most}" for what, (n, most) in found.items() if n > most]


def faults(path: Path) -> list[str]:
    text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
    lines, judges = text.count("\n"), path.parent.name == "judges" and "def __call__" in text
    most, found = JUDGE if judges and path.name not in NO_METHODS else FILE, []
    if lines > most and name not in ALLOWED:
        found.append(f"{name}: {lines} lines, at most {most}")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{name}:{node.name}"
            found += [
                f"{where}: {fault}" for fault in function_faults(node) if where not in ALLOWED
            ]
    return found


def main() -> int:
    folders: Counter[str] = Counter()
    for path in (p for top in ("evenhand", "bench", "tests") for p in (ROOT / top).rglob("*.py")):
        folders[path.parent.relative_to(ROOT).as_posix()] += path.read_text("utf-8").count("\n")
    print("\n".join(f"{lines:6}  {folder}" for folder, lines in sorted(folders.items())))
    checked = sorted([*(ROOT / "evenhand").rglob("*.py"), *(ROOT / "bench").rglob("*.py")])
    found = [fault for path in checked for fault in faults(path)]
    print("\n".join([*found, f"{len(found)} over a limit; exceptions: {len(ALLOWED)}"]))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
