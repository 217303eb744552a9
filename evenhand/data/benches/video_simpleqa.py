"""Short answers to questions about films, graded beside a verified one."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import apart, case_row, read, said, text
from evenhand.data.rows import Bad, Row
from evenhand.data.texts import media
from evenhand.records import Message, Part, Scale, Verdict

RESULTS, FILMS, JUDGE = "evaluation_results_*.json", "videos/*", "the source's grader"
GRADES = {"A": "correct", "B": "incorrect", "C": "not attempted"}
SCALE = Scale("short-answer", {"correct": 1.0, "incorrect": 0.0, "not attempted": 0.0})
COLUMNS = ("date", "Multi_hop_Question", "Multi_hop_Answer", "model_answer", "grade")

CARD = Card(
    name="video-simpleqa",
    about="is a short answer about a film correct, incorrect or not attempted?",
    source="github.com/VideoSimpleQA/VideoSimpleQA",
    revision="9084cbb37a0aaf77acb534d1546bada2a0adb26f",
    licence="unstated",
    gold="none",
    view="pointwise",
    metric=Metric("simple_qa_f"),
    files=(File(RESULTS), File(FILMS, needed=False)),
    rows=1504,
    split="one file of results a system",
    paper="Cao et al. 2025, Video SimpleQA: Towards Factuality Evaluation in Large Video Language "
    "Models, arXiv:2503.18923",
    notes="the questions were seen; the files of results have the fields that "
    "code/video_qa_evaluation.py writes and were not. A film is shown where videos/DATE.* lies "
    "beside them. One of the questions is empty and is a bad row. The source rounds shares before "
    "F; here nothing is rounded",
)


def ident(raw: Any, at: int, system: str) -> str:
    return f"{system}/{text(raw, 'date')}/{at}"


def cases(files: Files) -> Iterator[Row | Bad]:
    films = {path.stem: path for path in files.paths[FILMS]}
    for path, one in apart(files, RESULTS):

        def make(raw: Any, at: int, system: str = name(path.stem)) -> Row:
            parts: list[Part] = [text(raw, "Multi_hop_Question")]
            if film := films.get(text(raw, "date")):
                parts.append(media(film.name, "date", str(film.parent)))
            hops = sum(key.startswith("QA_Pair_") and key.endswith("_Question") for key in raw)
            return case_row(ident(raw, at, system), (Message("user", tuple(parts)),),
                (text(raw, "model_answer", empty=True),), label=None, at=at, systems=(system,),
                cluster=text(raw, "date"), group=f"{hops} hops",
                reference=(text(raw, "Multi_hop_Answer"),))  # fmt: skip

        yield from read(one, RESULTS, make, columns=COLUMNS)


def name(stem: str) -> str:
    return stem.removeprefix("evaluation_results_").rpartition("_")[0]


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for path, one in apart(files, RESULTS):

        def make(raw: Any, at: int, system: str = name(path.stem)) -> Verdict:
            grade = GRADES.get(str(raw.get("grade") or "").strip())
            return said(ident(raw, at, system), JUDGE, grade, scale=SCALE)

        yield from read(one, RESULTS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases, recorded=recorded)
