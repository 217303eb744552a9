"""Bootstrap scores of three benchmarks beside the ratings that people gave the same systems."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.reading import number, read, text, whole
from evenhand.data.rows import Bad, Row, Wrong

DRAWS, RATED, FIGURES = "bootstrap_stats_*.jsonl", "chatbot_arena_elo_*.json", "expected.json"
TO_ARENA, FROM_ARENA = "alpaca_to_arena.json", "arena_to_mt_bench.json"
DISJOINT = {"alpaca_lc": 0.8793, "alpaca": 0.7960, "mt_bench": 0.6983}

CARD = Card(
    name="arena-meta",
    about="do benchmarks tell systems apart, and order them as people do?",
    source="github.com/lm-sys/arena-hard-auto",
    revision="efc012e192b88024a5203f5a28ec8fc0342946df",
    licence="Apache-2.0",
    gold="human",
    view=None,
    metric=Metric("agreement_with_confidence", options={"form": "notebook"}),
    files=(File(DRAWS), File(RATED), File(TO_ARENA), File(FROM_ARENA), File(FIGURES, needed=False)),
    rows=0,
    split="20 systems that three benchmarks share",
    folder="arena_meta",
    paper="Li et al. 2024, From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard and "
    "BenchBuilder Pipeline, arXiv:2406.11939",
    status="verified",
    notes="figures of systems, and no cases to judge",
)


@dataclass(frozen=True, slots=True)
class Board:
    """Attributes: draws: bootstrap scores of each system; people: rating, low and high of each."""

    systems: tuple[str, ...]
    scores: tuple[float, ...]
    people: tuple[tuple[float, float, float], ...]
    draws: tuple[tuple[float, ...], ...] = ()


def board(files: Files, name: str) -> Board:
    """The systems that people rated too, under the names that they have in the arena."""
    to_arena, from_arena = whole(files.path(TO_ARENA)), whole(files.path(FROM_ARENA))
    back = {there: here for here, there in from_arena.items()}
    rated = {row["index"]: row for row in whole(files.path(RATED))}
    path = next(p for p in files.paths[DRAWS] if p.stem.lower() == f"bootstrap_stats_{name}")
    found = dict[str, tuple[float, tuple[float, ...]]]()
    for one in read(Files(CARD, {DRAWS: (path,)}), DRAWS, _drawn, columns=("model", "results")):
        if isinstance(one, Bad):
            raise one.error()
        system, low = one[0], one[0].lower()
        known = to_arena.get(system) if name.startswith("alpaca") else back.get(low, low)
        if known in to_arena.values():
            found[known] = one[1:]
    people = tuple(
        (rated[one]["rating"], rated[one]["rating_q025"], rated[one]["rating_q975"])
        for one in found
    )
    scores, draws = zip(*found.values(), strict=True)
    return Board(tuple(found), scores, people, draws)


def _drawn(raw: Any, _at: int) -> tuple[str, float, tuple[float, ...]]:
    if not isinstance(raw["results"], list):
        raise Wrong("results", str(raw["results"])[:60], "a list of bootstrap scores")
    return text(raw, "model"), number(raw, "score"), tuple(map(float, raw["results"]))


def cases(_files: Files) -> Iterator[Row | Bad]:
    return iter(())


def published(files: Files) -> Iterator[Published]:
    for name, told in whole(files.path(FIGURES)).items():
        if isinstance(told, dict):
            agreed, form = "agreement_with_confidence", {"form": "notebook"}
            yield Published(name, "separability", told["separability_pct"], 2, unit="%")
            yield Published(name, agreed, told[agreed], 9, options=form)
            yield Published(name, "spearman_of_boards", told["spearman"], 9)
            yield Published(name, "pair_brier", told["brier"], 9)
            form = {"form": "disjoint"}
            yield Published(name, agreed, DISJOINT[name], 4, standing="computed", options=form)


BENCH = Bench(CARD, cases, published=published)
