"""Do our readers give the verdicts that sources recorded for the same replies?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evenhand.data.bench import Files
from evenhand.data.reading import rows
from evenhand.data.rows import Bad
from evenhand.judges import AlpacaEval, ArenaHard, Pointwise
from evenhand.models.scripted import Scripted
from evenhand.readers import last_label, last_number
from evenhand.records import PAIR_NO_TIE, Case, Completion, Verdict, ints

PAIR = Case.of("q", "p", "one", "other")


@dataclass(frozen=True, slots=True)
class Reading:
    """Attributes: read: replies of `n` from which our reader has the recorded verdict."""

    judge: str
    read: int
    n: int
    rule: str = ""
    why: str = ""


def readings(files: Files) -> Iterator[Reading]:
    """Of the replies that a benchmark keeps; none where it keeps none."""
    made = READERS.get(files.card.name)
    if made is not None:
        yield from made(files)


def _judged(cls: Any, replies: Sequence[str | Completion], case: Case) -> list[Verdict]:
    """What a judge makes of replies that were given long ago."""

    async def each() -> list[Verdict]:
        given = iter(replies)
        judge = cls(Scripted("recorded", lambda request: next(given)))
        return [await judge(case) for _ in replies]

    return asyncio.run(each())


def _raw(files: Files, pattern: str, word: str = "") -> list[Mapping[str, Any]]:
    """Rows of files beside those of the card; `word` stands in their names."""
    folder = next(paths[0].parent for paths in files.paths.values() if paths)
    found = tuple(path for path in sorted(folder.glob(pattern)) if word in path.name)
    one = Files(files.card, {pattern: found})
    return [raw for _, raw in rows(one, pattern) if not isinstance(raw, Bad)]


# ---- one judge, one reader -----------------------------------------------------------------------


def _judgebench(files: Files) -> Iterator[Reading]:
    """Verdicts on five levels; the source records them without their strength."""
    games = [
        game for raw in _raw(files, "judgments_*.jsonl*", "arena_hard") for game in raw["judgments"]
    ]
    if games:
        found = _judged(ArenaHard, [game["response"] for game in games], PAIR)
        pairs = zip(found, games, strict=True)
        same = sum(str(v.label).replace(">>", ">") == game["decision"] for v, game in pairs)
        yield Reading("o1-mini, arena-hard", same, len(games), "'>>' counts as '>'")


def _mt_bench(files: Files) -> Iterator[Reading]:
    single = _raw(files, "gpt*_single*.jsonl")
    if single:
        found = _judged(Pointwise, [raw["judgment"] for raw in single], PAIR.only(0))
        same = sum(v.score == raw["score"] for v, raw in zip(found, single, strict=True))
        yield Reading("gpt-4, mt-bench-grade", same, len(single))


def _alpaca(files: Files) -> Iterator[Reading]:
    """The order shown was not recorded: one of the two must fit."""
    kept = [raw for raw in _raw(files, "raw_logprobs_*.jsonl*") if raw["top_logprobs"] is not None]
    if kept:
        replies = [
            Completion(raw["text"], (dict(raw["top_logprobs"]),), finish="length") for raw in kept
        ]
        second = [v.probs["B"] for v in _judged(AlpacaEval, replies, PAIR)]
        same = sum(
            min(abs(1 + p - raw["preference"]) for p in (share, 1 - share)) <= 1e-4
            for share, raw in zip(second, kept, strict=True)
        )
        rule = "preference from log-probabilities to 1e-4, in one of the two orders"
        yield Reading("weighted_alpaca_eval_gpt4_turbo", same, len(kept), rule)


# ---- LLMBar --------------------------------------------------------------------------------------

FINISH = {"length": "length", "content management policy": "refused"}
BETTER, OPENS = r"Output \(([ab])\) is better", r"\A\W*Output \(([ab])\)"
TURNED = {"1": "2", "2": "1"}


def _llmbar(files: Files) -> Iterator[Reading]:
    """By the rule of the source; how often our own reader departs from it is said beside."""
    judged = _raw(files, "judgements_*.jsonl*")
    if not judged:
        return
    n = same = departs = 0
    for raw in judged:
        for text, finish, winner in _texts(raw):
            n += 1
            same += _first_found(raw, text) == winner
            departs += _ours(raw, text, finish) != winner
    silent = sum(_silent(raw) for raw in judged if raw["strategy"].startswith("Rating"))
    why = (
        f"our own reader takes the last verdict, differs in {departs} of these replies, and calls "
        f"{silent} verdicts from empty ratings undecided"
    )
    yield Reading("all", same, n, "as the source reads: the first output is looked for first", why)


def _texts(raw: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Reply, how it ended, and the winner as the judge saw the pair."""
    for swapped in () if raw["strategy"].startswith("Rating") else (False, True):
        one = raw["results"][-1][f"swap = {swapped}"]
        text, finish = one["completion"]
        yield text, finish, TURNED.get(one["winner"]) if swapped else one["winner"]


def _explains(raw: Mapping[str, Any]) -> bool:
    """Whether the last reply was asked for an explanation before its verdict."""
    return "CoT" in raw["strategy"] or (raw["strategy"] == "Swap" and len(raw["results"]) == 1)


def _first_found(raw: Mapping[str, Any], text: str) -> str | None:
    form = r"Output \({}\) is better." if _explains(raw) else r"(?:^|\n) ?Output \({}\)"
    for winner, letter in (("1", "a"), ("2", "b")):
        if re.search(form.format(letter), text.strip()):
            return winner
    return None


def _ours(raw: Mapping[str, Any], text: str, finish: str) -> str | None:
    reply = Completion(text, finish=FINISH.get(finish, "stop"))  # type: ignore[arg-type]
    pattern = BETTER if _explains(raw) else OPENS
    found = last_label(reply, PAIR_NO_TIE, pattern, rename={"a": "A", "b": "B"})
    return {"A": "1", "B": "2"}.get(str(found.label))


def _silent(raw: Mapping[str, Any]) -> int:
    """Verdicts of both orders that rest on a rating that nobody gave."""
    scale, last = ints("rating", 0, 10), raw["results"][-1]
    texts = (last[score][0] for score in ("score_1", "score_2"))
    read = [last_number(Completion(text), scale, r"\A\s*(\d+)\s*\Z") for text in texts]
    return 0 if all(one.decided for one in read) else 2


READERS: Mapping[str, Callable[[Files], Iterator[Reading]]] = {
    "judgebench": _judgebench,
    "mt-bench-single": _mt_bench,
    "alpaca-eval": _alpaca,
    "llmbar": _llmbar,
}
