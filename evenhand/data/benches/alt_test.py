"""Several people and six judges on the same items of five data sets."""

from collections.abc import Iterator
from typing import Any

from evenhand.data.bench import Bench, Card, File, Files, Metric, Published
from evenhand.data.raters import Label
from evenhand.data.reading import case_row, said, whole
from evenhand.data.rows import Bad, Row
from evenhand.data.texts import absent, as_text
from evenhand.records import Scale, Verdict

Labels = dict[str, dict[str, Any]]
HUMAN, JUDGES, FIGURES = "*human_annotations.json*", "*llm_annotations.json*", "expected.json"

CARD = Card(
    name="alt-test",
    about="may a judge replace an annotator? five sets with several people each",
    source="github.com/nitaytech/AltTest",
    revision="18428b1f4f34ac61c4978bc180263b90111e7337",
    licence="unstated",
    gold="human",
    view="pointwise",
    metric=Metric("alt_test_advantage", mean="subsets"),
    files=(File(HUMAN), File(JUDGES, needed=False), File(FIGURES, needed=False)),
    rows=9175,
    split="10k_prompts, cebab_stars, summeval, mtbench, wax",
    folder="alttest",
    paper="Calderon et al. 2025, The Alternative Annotator Test for LLM-as-a-Judge: How to "
    "Statistically Justify Replacing Human Annotators with LLMs, arXiv:2501.10970",
    status="verified",
    notes="labels alone; {annotator: {item: label}}",
)


def sets(files: Files, pattern: str) -> Iterator[tuple[str, Labels] | Bad]:
    for path in files.paths[pattern]:
        folder = path.parent.name  # data/NAME/human_annotations.json in the source
        name = path.name.split(pattern.strip("*").split(".")[0])[0].strip("_") or folder
        form = whole(path)
        good = isinstance(form, dict) and all(isinstance(x, dict) for x in form.values())
        due = f"{{annotator: {{item: label}}}}, as in {CARD.source} at {CARD.revision}"
        yield (name, form) if good else Bad(str(path), 1, "annotator", "no labels by it", due)


def cases(files: Files) -> Iterator[Row | Bad]:
    at = 0
    for found in sets(files, HUMAN):
        if isinstance(found, Bad):
            yield found
            continue
        name, people = found
        for item in sorted({item for labels in people.values() for item in labels}):
            at += 1
            yield case_row(f"{name}/{item}", item, ("",), label=None, at=at, group=name)


def people(files: Files) -> Iterator[Label | Bad]:
    for name, found in (one for one in sets(files, HUMAN) if not isinstance(one, Bad)):
        for rater, labels in found.items():
            for item, label in labels.items():
                told = None if absent(label) else as_text(label)
                yield Label(f"{name}/{item}", f"{name}/{rater}", told, "" if told else "missing")


def recorded(files: Files) -> Iterator[Verdict | Bad]:
    for found in sets(files, JUDGES):
        yield from (found,) if isinstance(found, Bad) else _said(*found)


def _said(name: str, found: Labels) -> Iterator[Verdict]:
    words = sorted({as_text(x) for labels in found.values() for x in labels.values()})
    numbers = all(word.lstrip("-").replace(".", "", 1).isdigit() for word in words)
    scale = Scale(name, {w: float(w if numbers else i) for i, w in enumerate(words)})
    for judge, labels in found.items():
        yield from (said(f"{name}/{i}", judge, as_text(x), scale=scale) for i, x in labels.items())


def published(files: Files) -> Iterator[Published]:
    names = ("winning_rate", "advantage_probability", "passed")
    figures = ("alt_test_winning_rate", "alt_test_advantage", "alt_test_passed")
    for name, told in whole(files.path(FIGURES)).items():
        options = {"scoring": told["scoring"], "epsilon": told["epsilon"]}
        for judge, values in told["llms"].items():
            for key, figure in zip(names, figures, strict=True):
                digits = 0 if key == "passed" else 2
                yield Published(judge, figure, float(values[key]), digits, name, options=options)


BENCH = Bench(CARD, cases, people=people, recorded=recorded, published=published)
