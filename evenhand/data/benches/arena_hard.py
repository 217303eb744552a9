"""Systems against a baseline on hard prompts, judged in both orders on five steps."""

import contextlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, in_orders, once, read, rows, said, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import kind, shown
from evenhand.records import PAIR_5, Verdict

GAMES, ASKED, ANSWERS = "model_judgment/*/*.jsonl", "question.jsonl", "model_answer/*.jsonl"
WRITTEN = {label: label for label in PAIR_5.labels} | {
    "A<<B": "B>>A", "A<B": "B>A", "B=A": "A=B", "B<A": "A>B", "B<<A": "A>>B"
}  # fmt: skip

CARD = Card(
    name="arena-hard",
    about="recorded five-step preferences between systems and a baseline",
    source="github.com/lmarena/arena-hard-auto",
    revision="196f6b826783b3da7310e361a805fa36f0be83f3",
    licence="Apache-2.0",
    gold="none",
    view="pairwise",
    metric=Metric("win_rate", orders=2, ties="half"),
    files=(File(GAMES), File(ASKED, needed=False), File(ANSWERS, needed=False)),
    split="v0.1 and v2.0, each a folder below data/",
    paper="Li et al. 2024, From Crowdsourced Data to High-Quality Benchmarks: Arena-Hard and "
    "BenchBuilder Pipeline, arXiv:2406.11939",
    notes="columns are those of the script that writes the judgments and of the one that reads "
    "them; unchecked: the judgments themselves; the baseline is A in the first game and B in the "
    "second; the source counts a strong win three times, here it is 1 and a slight one 0.75",
)


def ident(raw: Any) -> str:
    """`uid` in files of v2.0, `question_id` in the first ones."""
    return f"{text(raw, 'model')}/{text(raw, 'uid' if 'uid' in raw else 'question_id')}"


def judged(files: Files) -> Iterator[Row | Bad]:
    known = {path.stem: one for path, one in apart(files, ANSWERS)}
    answers = cache(lambda system: texts(known[system], ANSWERS) if system in known else {})
    prompts = texts(files, ASKED)

    def make(raw: Any, at: int) -> Row:
        pair = str(raw.get("baseline") or "gpt-4-0314"), text(raw, "model")
        uid = (name := ident(raw)).removeprefix(f"{pair[1]}/")
        return case_row(
            name, prompts.get(uid, ""), [answers(one).get(uid, "") for one in pair],
            label=None, at=at, cluster=uid, systems=pair, group=raw.get("category"),
        )  # fmt: skip

    for _, one in apart(files, GAMES):
        yield from read(one, GAMES, make, columns=("model", "games"))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for path, one in apart(files, GAMES):

        def make(raw: Any, _at: int, folder: str = path.parent.name) -> Verdict:
            games, who = raw["games"], str(raw.get("judge") or folder)
            kinds = isinstance(games, list) and [isinstance(one, dict | None) for one in games]
            if kinds != [True, True]:
                raise Wrong("games", f"{kind(games)}: {shown(games)}", "two games")
            first, second = (WRITTEN.get(str((game or {}).get("score"))) for game in games)
            second = second and PAIR_5.swapped(second)
            both = [said(ident(raw), who, label, scale=PAIR_5) for label in (first, second)]
            return in_orders(both[0], both[1], "mean")

        yield from read(one, GAMES, make, columns=("model", "games"))


def texts(files: Files, name: str) -> dict[str, str]:
    """Question -> the prompt, or what a system answered; those that are not there are left out."""
    found = (raw for _, raw in rows(files, name) if not isinstance(raw, Bad))
    return {str(raw.get("uid") or raw.get("question_id")): _text(raw) for raw in found}


def _text(raw: Any) -> str:
    with contextlib.suppress(KeyError, IndexError, TypeError):
        last = raw["messages"][-1] if "messages" in raw else raw["choices"][0]["turns"][-1]
        told = last["content"]
        return str(told["answer"] if isinstance(told, dict) else told)
    return str(raw.get("prompt") or "")


BENCH = Bench(CARD, lambda files: once(judged(files)), recorded=recorded)
