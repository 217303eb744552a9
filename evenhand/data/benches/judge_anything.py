"""Pairs of answers in text, images, sound or film, compared by people on seven rubrics."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.reading import case_row, one_of, read, rows, text
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import media
from evenhand.records import Message, Part, Response

TASKS = "dataset/X2XRawBenchmark/TaskAnything.json"
ANSWERS = "dataset/ResponseCollection/JudgeAnything.json"
PAIRS = "dataset/Preference/Human_Pairing.json"
COLUMNS = ("model_pair", "rubric_name", "uniq_id", "task_name", "choice")
WON: dict[Any, str] = {0: "A", 1: "tie", 2: "B", "0": "A", "1": "tie", "2": "B"}
SOURCE, REVISION = "github.com/URRealHero/JudgeAnything", "5108730dd6604e095594dfa83b40d2608f891409"
PAPER = "Pu et al. 2025, Judge Anything: MLLM as a Judge Across Any Modality, arXiv:2503.17489"
NOTES = (
    "tasks and answers were seen; people's labels are behind Git LFS: columns as scripts/"
    "gen_batch_api_judge.py writes them. Media are read by path from the folder dataset/"
)

CARD = Card(
    name="judge-anything",
    about="which of two answers of any kind people prefer, overall and on six rubrics",
    source=SOURCE,
    revision=REVISION,
    licence="unstated", gold="human", view="pairwise",
    metric=Metric("accuracy", ties="separate"),
    files=(File(TASKS), File(ANSWERS), File(PAIRS)),
    split="pairing, 1,500 tasks of fifteen kinds; the scores are judge-anything-score",
    paper=PAPER,
    notes=NOTES,
)  # fmt: skip


class Known:
    """Tasks and answers, by what labels call them: the last two parts of a task's id."""

    def __init__(self, files: Files) -> None:
        self.folder = str(files.path(TASKS).parents[1])
        self.tasks, self.told = dict[str, Any](), dict[str, dict[str, Any]]()
        for _, one in rows(files, TASKS, ("uniq_id", "task_name", "question")):
            self.tasks |= {} if isinstance(one, Bad) else {short(one): one}
        for _, one in rows(files, ANSWERS, ("uniq_id", "model_name", "response")):
            if not isinstance(one, Bad) and "response" in one:
                self.told.setdefault(short(one), {})[str(one.get("model_name"))] = one["response"]

    def asked(self, raw: Any) -> tuple[Message, ...]:
        task = self.tasks.get(short(raw))
        if task is None:
            raise Wrong("uniq_id", str(raw.get("uniq_id")), f"a task of {TASKS}")
        named = [name for name in ("image_path", "audio_path", "video_path") if name in task]
        shown = [part for name in named for part in self.parts(task[name], name)]
        return (Message("user", (text(task, "question"), *shown)),)

    def answer(self, raw: Any, model: str) -> Response:
        told = self.told.get(short(raw), {})
        name = next((name for name in told if model.casefold() in name.casefold()), None)
        if name is None or not isinstance(told[name], dict):
            raise Wrong("model_name", model, f"a system that answered in {ANSWERS}")
        said, plain = told[name].get("content"), told[name].get("type") == "text"
        return Response((str(said),) if plain else tuple(self.parts(said, "response")), name)

    def parts(self, value: Any, column: str) -> list[Part]:
        many = value if isinstance(value, list) else [value]
        return [media(one, column, self.folder) for one in many]


def short(raw: Any) -> str:
    return "_".join(str(raw.get("uniq_id")).split("_")[-2:])


def cases(files: Files) -> Iterator[Row | Bad]:
    known = Known(files)

    def make(raw: Any, at: int) -> Row:
        pair, rubric, ident = (text(raw, x) for x in COLUMNS[:3])
        if pair.count("_vs_") != 1:
            raise Wrong("model_pair", pair, "SYSTEM_vs_SYSTEM")
        both = [known.answer(raw, model) for model in pair.split("_vs_")]
        return case_row(f"{ident}/{pair}/{rubric}", known.asked(raw), both,
            label=one_of(raw, "choice", WON), at=at, cluster=ident, rubric=rubric,
            group=text(raw, "task_name"))  # fmt: skip

    return read(files, PAIRS, make, columns=COLUMNS)


BENCH = Bench(CARD, cases)
