"""Ten systems against a base in ten categories, with the verdicts of DeepSeek-R1."""

import random
from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import Raw, apart, case_row, read, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import kind, shown
from evenhand.records import Response

ITEMS = "judgerbenchv2/*.json"
COLUMNS = ("prompt", "gold", "base_model_response", "models_response")

CARD = Card(
    name="judger-bench-v2",
    about="agreement with DeepSeek-R1, pair by pair and in the ranking of ten systems",
    source="github.com/open-compass/opencompass, judge/judgerbenchv2",
    revision="3ce9b0a4eeee786819f7a35717c974b7d0423d33",
    licence="unstated",
    gold="judge",
    view="pairwise",
    metric=Metric("judger_bench_v2"),
    files=(File(ITEMS),),
    rows=10_000,
    split="a file for each of 10 categories, 100 prompts x 10 systems",
    paper="Zhang et al. 2025, CompassJudger-2: Towards Generalist Judge Model via Verifiable "
    "Rewards, arXiv:2507.09104",
    notes="agreement with R1, not with people; columns, sides and rule are those of the source's "
    "code, except that an unread verdict is wrong (there it is left out), that a system without a "
    "win keeps its place, and that R1's wins are counted from the file; unchecked: the files",
)


def sides() -> list[bool]:
    """For each of 100 prompts, whether the system stands first: the source's own draw."""
    drawn = [False] * 50 + [True] * 50
    random.Random(0).shuffle(drawn)
    return drawn


def part(raw: Raw, column: str, *keys: str) -> Any:
    value = raw.get(column)
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in keys):
        raise Wrong(column, f"{kind(value)}: {shown(value)}", f"an object with {', '.join(keys)}")
    return value


def cases(files: Files) -> Iterator[Row | Bad]:
    drawn = sides()
    for path, one in apart(files, ITEMS):

        def make(raw: Any, at: int, file: str = path.stem) -> Row:
            gold = part(raw, "gold", "category", "lan", "r1_gt")
            pair = [part(raw, column, "response", "model_name") for column in COLUMNS[2:]]
            who, prompt = [one["model_name"] for one in pair], text(raw, "prompt")
            if gold["r1_gt"] not in who:
                raise Wrong("gold", f"r1_gt {gold['r1_gt']!r}", f"one of {', '.join(who)}")
            both = [Response((one["response"],), one["model_name"]) for one in pair]
            if drawn[(at - 1) % 100]:
                both.reverse()
            return case_row(
                f"{file}/{at}", prompt, both,
                label="A" if both[0].system == gold["r1_gt"] else "B", at=at,
                cluster=prompt, group=gold["category"],
                notes={"system": who[1], "language": gold["lan"]},
            )  # fmt: skip

        yield from read(one, ITEMS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
