"""Speech of a system beside that of a baseline, compared by a model that hears both."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric
from evenhand.data.raters import Label
from evenhand.data.reading import apart, case_row, read, said, text, whole
from evenhand.data.rows import Bad, Row, Wrong
from evenhand.data.texts import media
from evenhand.records import Response, Verdict

JUDGED, PEOPLE = "*_evaluation-predictions.jsonl", "human/*.json"
COLUMNS = ("unique_id_eval", "category", "text_to_synthesize", "audio_out_path",
           "baseline_audio_path", "predicted_speech_index", "judger_model",
           "judger_output_win_rate_based")  # fmt: skip
CHOICES = {"Audio A is better": 1, "Audio B is better": 2, "Audio A and B are equal": 0}

CARD = Card(
    name="emergent-tts",
    about="which of two voices speaks a hard text better",
    source="github.com/boson-ai/EmergentTTS-Eval-public",
    revision="5764ace688b21095ef13dc83f4004853a280873b",
    licence="Apache-2.0 (the code)",
    gold="none",
    view="pairwise",
    metric=Metric("win_rate"),
    files=(File(JUDGED), File(PEOPLE, needed=False)),
    rows=1645,
    split="one file of verdicts a system",
    paper="Manku et al. 2025, EmergentTTS-Eval: Evaluating TTS Models on Complex Prosodic, "
    "Expressiveness, and Linguistic Challenges Using Model-as-a-Judge, arXiv:2505.23009",
    notes="A is the baseline and B the system. Fields as inference.py and human_alignment/ write "
    "and read them; no file was seen. Each pair was heard in one order, drawn by a seed; winner "
    "-1 is a verdict that could not be read. Files of people's choices go into human/",
)


def winner(index: Any, won: Any) -> str | None:
    """Of the place of the system's voice and of the better one; 0 is a tie."""
    if index not in (1, 2):
        raise Wrong("predicted_speech_index", repr(index)[:60], "1 or 2")
    return {0: "tie", index: "B", 3 - index: "A"}.get(won if isinstance(won, int) else -1)


def ident(raw: Any) -> str:
    return f"{Path(text(raw, 'audio_out_path')).parent.name}/{text(raw, 'unique_id_eval')}"


def cases(files: Files) -> Iterator[Row | Bad]:
    for path, one in apart(files, JUDGED):

        def make(raw: Any, at: int, folder: str = str(path.parent)) -> Row:
            names = ("baseline_audio_path", "audio_out_path")
            both = [Response((media(raw.get(name), name, folder),)) for name in names]
            case, who = ident(raw), ident(raw).split("/")[0]
            both = [Response(r.parts, s) for r, s in zip(both, ("baseline", who), strict=True)]
            return case_row(case, text(raw, "text_to_synthesize"), both, label=None, at=at,
                cluster=text(raw, "unique_id_eval"), group=text(raw, "category"),
                notes={"evolution_depth": raw.get("evolution_depth")})  # fmt: skip

        yield from read(one, JUDGED, make, columns=COLUMNS)


def people(files: Files) -> Iterator[Label | Bad]:
    for path in files.paths[PEOPLE]:
        given = whole(path)
        many = given.get("responses") if isinstance(given, dict) else None
        for at, one in enumerate(many if isinstance(many, list) else [given], 1):
            try:
                place, choice = one["question"]["predicted_speech_index"], CHOICES[one["choice"]]
                label = winner(place, choice)
                yield Label(ident(one["question"]), str(given["user"]["name"]), label, row=at)
            except (KeyError, TypeError, Wrong) as error:
                yield Bad(str(path), at, "choice", f"{error!r}"[:60], ", ".join(CHOICES))


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    def make(raw: Any, _at: int) -> Verdict:
        told = raw.get("judger_output_win_rate_based")
        won = told.get("winner") if isinstance(told, dict) else None
        label = winner(raw.get("predicted_speech_index"), won)
        return said(ident(raw), text(raw, "judger_model"), label)

    for _, one in apart(files, JUDGED):
        yield from read(one, JUDGED, make, columns=COLUMNS)


BENCH = Bench(CARD, cases, people=people, recorded=recorded)
