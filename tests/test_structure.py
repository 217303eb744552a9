"""The house, held by tests: who may import whom, how light the door is, how long things may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "evenhand"
FLOORS: tuple[tuple[str, ...], ...] = (
    ("records", "errors"),
    (
        "identity",
        "prompts",
        "readers",
        "pools",
        "intervals",
        "correlations",
        "fits",
        "embedders",
        "checklists",
        "families",
        "continued",
    ),
    ("store", "models", "judges", "data", "trust", "rank"),
    ("run", "manifest", "door", "report", "bias", "learn", "curate", "build"),
    ("cli", "web", "__main__"),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS, 1) for room in rooms}
# On floor 4 only downwards, in this order; the last ones stand side by side.
ORDER = {"run": 0, "manifest": 1, "door": 2, "report": 3, "bias": 4, "learn": 4, "curate": 4,
         "build": 4}  # fmt: skip
HEAVY = ("numpy", "scipy", "aiohttp", "jinja2", "torch", "transformers", "vllm", "xllamacpp")
IMPORTS = """
import sys, time
before = time.process_time()
import evenhand
spent = time.process_time() - before
print(spent, *(name for name in sys.argv[1:] if name in sys.modules))
"""


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imported(path: Path, *, top_only: bool = False) -> Iterator[str]:
    """Modules of the package that a file imports: anywhere in it, or only when it is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("evenhand"))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("evenhand"):
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in MODULES else str(node.module) for name in names)


def room(module: str) -> str:
    """'' is the package's own door, evenhand/__init__.py."""
    return module.split(".")[1] if "." in module else ""


def allowed(here: str, there: str) -> bool:
    if here == there or "" in (here, there):
        return True
    if FLOOR[here] != FLOOR[there]:
        return FLOOR[there] < FLOOR[here]
    if FLOOR[here] == 4:
        return ORDER[there] < ORDER[here]
    return FLOOR[here] in (1, 2, 5)


def test_every_room_has_its_floor() -> None:
    assert {room(name) for name in MODULES} - {""} <= set(FLOOR)


@pytest.mark.parametrize("module", [name for name in MODULES if room(name)])
def test_a_file_imports_its_own_room_and_floors_below(module: str) -> None:
    wrong = [other for other in imported(MODULES[module]) if not allowed(room(module), room(other))]
    assert not wrong, f"{module} (floor {FLOOR[room(module)]}) imports {wrong}"


def test_there_are_no_cycles() -> None:
    """Over imports at the top of files, which is where a cycle breaks."""
    edges = {name: set(imported(path, top_only=True)) for name, path in MODULES.items()}
    edges = {name: {other for other in others if other != name} for name, others in edges.items()}
    while edges:
        free = {name for name, others in edges.items() if not others & set(edges)}
        assert free, f"a cycle among {sorted(edges)}"
        edges = {name: others for name, others in edges.items() if name not in free}


def test_nothing_imports_the_command_line() -> None:
    for name, path in MODULES.items():
        if room(name) not in ("cli", "web", "__main__"):
            assert not {"cli", "web"} & {room(other) for other in imported(path)}, name


def test_the_door_is_light() -> None:
    command = [sys.executable, "-c", IMPORTS, *HEAVY]
    told = [subprocess.check_output(command, text=True).split() for _ in range(3)]
    spent = min(float(words[0]) for words in told)
    print(f"import evenhand: {1e3 * spent:.0f} ms of CPU")
    assert told[0][1:] == [], "import evenhand loads a heavy library"
    assert spent < 0.150 * 2, "the floor is 150 ms; twice that on a busy machine"


def test_nothing_is_over_its_limit() -> None:
    command = [sys.executable, str(ROOT / "bench" / "sizes.py")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    over = [line for line in told.stdout.splitlines() if "at most" in line]
    assert told.returncode == 0, "\n".join(over) or told.stderr
