"""Lines per folder, and what is over a limit: `python bench/sizes.py` (exit code 1 if anything)."""

import ast
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE, JUDGE, COMBINATORS = 400, 90, {"build.py", "combine.py"}
_OPTIONS = "One parameter a command-line option, which is how typer reads and documents them."
ALLOWED = {  # "file" or "file:function" -> what going over a limit bought
    "evenhand/cli/judge.py:judge": _OPTIONS,
    "evenhand/cli/fit.py:fit": _OPTIONS,
    "evenhand/cli/trust.py:trust": _OPTIONS,
    "evenhand/cli/rank.py:rank": _OPTIONS,
    "evenhand/cli/bench.py:bench": _OPTIONS,
    "evenhand/cli/label.py:label": _OPTIONS,
    "evenhand/cli/look.py:show": _OPTIONS,
    "evenhand/cli/look.py:export": _OPTIONS,
    "evenhand/data/reading.py:case_row": "Adapters name the fields of a row, and nothing else.",
    "evenhand/readers.py:undecided": "Reads as a sentence: scale, code, why, from which calls.",
}
OWN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def depth(node: ast.AST) -> int:
    """Blocks inside blocks; an `elif` is no deeper than its `if`, nor is a function in one."""
    elses = node.orelse if isinstance(node, ast.If) else []
    inside = [child for child in ast.iter_child_nodes(node) if not isinstance(child, OWN)]
    chained = [child for child in inside if child in elses and isinstance(child, ast.If)]
    blocks = [depth(c) + (isinstance(c, BLOCKS) and c not in chained) for c in inside]
    return max(blocks, default=0)


def over(where: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    body = node.body[1:] if ast.get_docstring(node) is not None and node.body[1:] else node.body
    placed = [a for a in node.args.posonlyargs + node.args.args if a.arg not in ("self", "cls")]
    found = [
        ("lines", (node.end_lineno or 0) - body[0].lineno + 1, 40),
        ("parameters", len(placed) + len(node.args.kwonlyargs), 7),
        ("positional parameters", 0 if node.name.startswith("_") else len(placed), 3),
        ("nested blocks", depth(node), 3),
    ]
    return [f"{where}: {n} {what}, at most {most}" for what, n, most in found if n > most]


def faults(path: Path) -> list[str]:
    text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
    judge = path.parent.name == "judges" and "def __call__" in text
    judge |= path.parent.name == "benches"
    lines, most = text.count("\n"), JUDGE if judge and path.name not in COMBINATORS else FILE
    found = [f"{name}: {lines} lines, at most {most}"] * (lines > most and name not in ALLOWED)
    nodes = [n for n in ast.walk(ast.parse(text)) if isinstance(n, OWN[:2])]
    nodes = [n for n in nodes if f"{name}:{n.name}" not in ALLOWED]
    return found + [fault for n in nodes for fault in over(f"{name}:{n.name}", n)]


folders: Counter[str] = Counter()
for path in (path for top in ("evenhand", "bench", "tests") for path in (ROOT / top).rglob("*.py")):
    folders[path.parent.relative_to(ROOT).as_posix()] += path.read_text("utf-8").count("\n")
print("\n".join(f"{lines:6}  {folder}" for folder, lines in sorted(folders.items())))
checked = sorted([*(ROOT / "evenhand").rglob("*.py"), *(ROOT / "bench").rglob("*.py")])
wrong = [fault for path in checked for fault in faults(path)]
print("\n".join([*wrong, f"{len(wrong)} over a limit; exceptions: {len(ALLOWED)}"]))
sys.exit(bool(wrong))
