"""Systems against a baseline on hard prompts, judged in both orders on five steps."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, in_orders, read, rows, said, text
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


def question(raw: Any) -> str:
    """`uid` in files of v2.0, `question_id` in the first ones."""
    return text(raw, "uid" if "uid" in raw else "question_id")


def ident(raw: Any) -> str:
    return f"{text(raw, 'model')}/{question(raw)}"


def cases(files: Files) -> Iterator[Row | Bad]:
    """One for each system and prompt, whichever judges saw it; texts where the answers are there."""
    prompts = _keyed(files, ASKED, lambda raw: raw.get("prompt") or raw["turns"][0]["content"])
    stems = {path.stem: path for path in files.paths[ANSWERS]}
    answers = cache(lambda system: _answers(files, stems.get(system)))
    seen = set[str]()

    def make(raw: Any, at: int) -> Row:
        pair = str(raw.get("baseline") or "gpt-4-0314"), text(raw, "model")
        uid = question(raw)
        return case_row(
            ident(raw), prompts.get(uid, ""), [answers(one).get(uid, "") for one in pair],
            label=None, at=at, cluster=uid, systems=pair, group=raw.get("category"),
        )  # fmt: skip

    for _, one in apart(files, GAMES):
        for row in read(one, GAMES, make, columns=("model", "games")):
            if isinstance(row, Bad) or row.case.id not in seen:
                yield row
            if isinstance(row, Row):
                seen.add(row.case.id)


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for path, one in apart(files, GAMES):

        def make(raw: Any, _at: int, folder: str = path.parent.name) -> Verdict:
            games = raw["games"]
            if not isinstance(games, list) or len(games) != 2:
                raise Wrong("games", f"{kind(games)}: {shown(games)}", "two games")
            who = str(raw.get("judge") or folder)
            labels = [WRITTEN.get((game or {}).get("score")) for game in games]
            second = labels[1] and PAIR_5.swapped(labels[1])
            both = [said(ident(raw), who, label, scale=PAIR_5) for label in (labels[0], second)]
            return in_orders(both[0], both[1], "mean")

        yield from read(one, GAMES, make, columns=("model", "games"))


def _keyed(files: Files, name: str, of: Any) -> dict[str, str]:
    found = (raw for _, raw in rows(files, name) if not isinstance(raw, Bad))
    return {str(raw.get("uid") or raw.get("question_id")): of(raw) for raw in found}


def _answers(files: Files, path: Path | None) -> dict[str, str]:
    def of(raw: Any) -> str:
        said_last = (raw["messages"][-1] if "messages" in raw else raw["choices"][0]["turns"][-1])
        content = said_last["content"]
        return str(content["answer"] if isinstance(content, dict) else content)

    return _keyed(Files(files.card, {ANSWERS: (path,)}), ANSWERS, of) if path else {}


BENCH = Bench(CARD, cases, recorded=recorded)
