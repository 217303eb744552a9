"""Nine rubric questions about dialogues: a model's answer probabilities and people's answers."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, number, read_many, said, text, whole
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.records import Verdict, ints

PEOPLE, JUDGED, FIGURES = "*_human_judges*.tsv", "*_llm_distributions.tsv", "expected.json"
QUESTIONS, SCALE, JUDGE = [f"Q{n}" for n in range(9)], ints("1-4", 1, 4), "gpt-3.5-turbo-16k"

CARD = Card(
    name="llm-rubric",
    about="nine questions about dialogues, answers 1 to 4",
    source="github.com/microsoft/LLM-Rubric",
    revision="70d56fc4e9a26e60642bc14b62b96d2d0a500edd",
    licence="MIT",
    gold="human",
    view="pointwise",
    metric=Metric("rmse"),
    files=(File(PEOPLE), File(JUDGED, needed=False), File(FIGURES, needed=False)),
    paper="Hashemi et al. 2024, LLM-Rubric: A Multidimensional, Calibrated Approach to Automated "
    "Evaluation of Natural Language Texts, arXiv:2501.00274",
    status="verified",
    notes="real and synth; no dialogues; 0: not answered",
)


def each(files: Files, pattern: str) -> Iterator[tuple[str, Files]]:
    for path in files.paths[pattern]:
        yield path.name.split("_")[0], Files(files.card, {pattern: (path,)})


def labels(files: Files) -> Iterator[tuple[int, Label] | Bad]:
    for name, one in each(files, PEOPLE):

        def make(raw: Any, at: int, name: str = name) -> list[tuple[int, Label]]:
            given = {q: int(number(raw, q)) if raw[q] else 0 for q in QUESTIONS}
            for q in (q for q, n in given.items() if not 0 <= n <= 4):
                raise Wrong(q, raw[q], "0 to 4")
            ident, who = f"{name}/{text(raw, 'text_id')}", text(raw, "annotator_id")
            return [(at, Label(f"{ident}/{q}", who, str(n) if n else None, "" if n else "missing"))
                    for q, n in given.items()]  # fmt: skip

        yield from read_many(one, PEOPLE, make, columns=("text_id", "annotator_id", *QUESTIONS))


def cases(files: Files) -> Iterator[Row | Bad]:
    """The gold is the label of the only person; `people` has those of several."""
    found = dict[str, list[tuple[int, Label]]]()
    for one in labels(files):
        if isinstance(one, Bad):
            yield one
        else:
            found.setdefault(one[1].case, []).append(one)
    for ident, said_of in found.items():
        (name, item, question), (at, label) = ident.split("/"), said_of[0]
        gold = label.label if len(said_of) == 1 else None
        yield case_row(ident, question, ("",), label=gold, at=at, cluster=f"{name}/{item}",
            group=f"{name}/{question}")  # fmt: skip


def people(files: Files) -> Iterator[Label | Bad]:
    return (one if isinstance(one, Bad) else one[1] for one in labels(files))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for name, one in each(files, JUDGED):

        def make(raw: Any, _at: int, name: str = name) -> list[Verdict]:
            probs = {str(n): number(raw, f"answer{n}_prob") for n in range(1, 5)}
            ident, total = f"{name}/{raw['text_id']}/{raw['criterion']}", sum(probs.values())
            shares = {n: p / total for n, p in probs.items() if total > 0}
            empty = said(ident, JUDGE, None, scale=SCALE, why="empty")
            return [Verdict(SCALE, shares, case=ident, rater=JUDGE) if shares else empty]

        yield from read_many(one, JUDGED, make, columns=("text_id", "criterion", "answer1_prob"))


def published(files: Files) -> Iterator[Published]:
    form = whole(files.path(FIGURES))
    for title, options in (("expected_llm", {}), ("argmax_llm", {"mode": True})):
        for name, value in form[title].items():
            yield Published(JUDGE, name, value, 6, "real/Q0", options=options)


BENCH = Bench(CARD, cases, people=people, recorded=recorded, published=published)
