"""Human ratings of language tasks with all raters kept."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, whole
from evenhand.data.rows import Bad, Row
from evenhand.data.texts import absent, as_text, kind, shown
from evenhand.errors import DataError

LABELS, SOURCE, FIGURES = "*.jsonl*", "data/*/*.json", "expected.json"

CARD = Card(
    name="judge-bench",
    about="human ratings of language tasks, every rater kept",
    source="github.com/dmg-illc/JUDGE-BENCH",
    revision="5a0bf500325029efb5dc8adff2c1e991996f0e78",
    licence="unstated; the sets have licences of their own",
    gold="human",
    view="pointwise",
    metric=Metric("cohen_kappa"),
    files=(
        File(LABELS, needed=False), File(SOURCE, needed=False), File(FIGURES, needed=False),
    ),
    rows=2030,
    split="Newsroom (4 questions) and DICES-350",
    folder="judge_bench_human",
    paper="Bavaresco et al. 2024, LLMs instead of Human Judges? A Large Scale Empirical Study "
    "across 20 NLP Evaluation Tasks, arXiv:2406.18403",
    status="verified",
    notes="one JSON object a set in the source, with `annotations` and `instances`",
)  # fmt: skip

Found = tuple[str, int, str, str, str, list[Any]]


def found(files: Files) -> Iterator[Found]:
    """File, row, set/question, id, text and scores."""
    from evenhand.data.reading import rows

    for path in files.paths[LABELS]:
        name, one = path.name.split(".json")[0], Files(files.card, {LABELS: (path,)})
        for at, raw in rows(one, LABELS, ("metric", "item", "scores")):
            if isinstance(raw, Bad):
                raise raw.error()
            yield str(path), at, f"{name}/{raw['metric']}", str(raw["item"]), "", raw["scores"]
    for path in files.paths[SOURCE]:
        form = whole(path)
        if not isinstance(form, dict) or "instances" not in form:
            due = f"instances, as in {CARD.source} at {CARD.revision}"
            raise DataError("no instances", expected=due, file=str(path), row=1, field="instances")
        for at, raw in enumerate(form["instances"], 1):
            for metric, given in raw["annotations"].items():
                scores = given.get("individual_human_scores") or []
                place = f"{path.stem}/{metric}"
                yield str(path), at, place, str(raw["id"]), as_text(raw["instance"]), scores


def cases(files: Files) -> Iterator[Row | Bad]:
    for file, at, group, item, told, scores in found(files):
        if not isinstance(scores, list):
            due = f"a list, as in {CARD.source} at {CARD.revision}"
            yield Bad(file, at, "scores", f"{kind(scores)}: {shown(scores)}", due)
            continue
        yield case_row(
            f"{group}/{item}", "", (told,), label=None, at=at, file=file, group=group, cluster=item
        )


def people(files: Files) -> Iterator[Label | Bad]:
    """Raters are the places of the list; None is a rater who said nothing."""
    for _, _, group, item, _, scores in found(files):
        for place, score in enumerate(scores if isinstance(scores, list) else (), 1):
            label = None if absent(score) else as_text(score)
            yield Label(f"{group}/{item}", f"rater {place}", label, "" if label else "missing")


def published(files: Files) -> Iterator[Published]:
    for name, metrics in whole(files.path(FIGURES)).items():
        for metric, told in metrics.items() if isinstance(metrics, dict) else ():
            options = {"level": told["level"]}
            value, subset = told["krippendorff_alpha"], f"{name}/{metric}"
            yield Published("", "krippendorff_alpha", value, 9, subset, options=options)


BENCH = Bench(CARD, cases, people=people, published=published)
