"""Which column is which field: the known names, `--map`, and the plan for one set of columns."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from evenhand.data.texts import PROMPTS, RESPONSES, SYSTEMS
from evenhand.errors import Misuse

# In order of preference. Names of positions (idx, index) are never an id.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "question_id", "uid", "prompt_id", "item_id"),
    "cluster": ("prompt_id", "question_id", "item_id"),
    "prompt": PROMPTS,
    "responses": ("completions", *RESPONSES),
    "systems": SYSTEMS,
    "reference": (
        *("reference", "reference_answer", "reference_answers", "references", "target"),
        *("expected_output", "expected", "ground_truth", "gold", "reference_outputs"),
    ),
    "context": ("context", "retrieval_context", "retrieved_contexts", "contexts", "documents"),
    "rubric": ("rubric", "rubrics", "criteria"),
    "group": ("group", "category", "subset", "task"),
    "label": (
        *("label", "winner", "preference", "human_label", "human_preference"),
        *("annotator_preference", "oracle_label", "score"),
    ),
    "image": ("image", "images", "image_path", "image_url"),
}
CHOSEN = ("chosen", "rejected")
PAIRS = (
    *(("output_1", "output_2"), ("answer_a", "answer_b"), ("response_a", "response_b")),
    *(("response_1", "response_2"), ("response1", "response2"), CHOSEN),
    ("conversation_a", "conversation_b"),
)
SYSTEM_PAIRS = (
    *(("model_a", "model_b"), ("system_a", "system_b")),
    ("generator_1", "generator_2"),
)
LISTS = ("responses", "completions", "outputs")
ANCHORS = tuple(f"score{i}_description" for i in range(1, 11))
FIELDS = tuple(ALIASES)
SINGULAR = {"response": "responses", "system": "systems"}


@dataclass(frozen=True, slots=True)
class Plan:
    """Which columns of a row fill which field.

    Attributes:
        listed: The one response column may hold a list of n responses.
        instruction: The prompt stands in two columns of Alpaca's kind, instruction and input.
        chosen: The first response is the one that a person chose.
        turns: LMSYS's columns: prompt and responses are JSON lists of turns written as text.
        label: A column, or None. `score` alone is no label of a pair.
        anchors: (score, column) of Prometheus's score descriptions.
        notes: Everything else, save the columns that hold a label by their name.
    """

    prompt: tuple[str, ...]
    responses: tuple[str, ...]
    systems: tuple[str, ...]
    reference: tuple[str, ...]
    context: tuple[str, ...]
    rubric: tuple[str, ...]
    anchors: tuple[tuple[int, str], ...]
    group: tuple[str, ...]
    image: tuple[str, ...]
    label: str | None
    notes: tuple[str, ...]
    columns: tuple[str, ...]
    listed: bool = False
    instruction: bool = False
    chosen: bool = False
    turns: bool = False

    def taken(self) -> dict[str, str]:
        """Field -> columns, as people are told."""
        many = ("prompt", "responses", "systems", "reference", "context", "group", "image")
        told = {field: ", ".join(getattr(self, field)) for field in many}
        told["rubric"] = ", ".join((*self.rubric, *(column for _, column in self.anchors)))
        told["label"] = CHOSEN[0] if self.chosen else self.label or ""
        if len(self.responses) < 2 and not self.listed:
            told |= {"response": told.pop("responses"), "system": told.pop("systems")}
        return {field: columns for field, columns in told.items() if columns}

    def notices(self) -> list[str]:
        told = []
        if self.instruction:
            told.append(f"a prompt is '{self.prompt[0]}' followed by '{self.prompt[1]}'")
        if self.chosen:
            told.append("'chosen' always stands first: judge both orders, or a seeded one")
        return told


def check_map(columns: Mapping[str, str], present: Collection[str], file: str) -> None:
    """Every field and every column named exists.

    Raises:
        Misuse: With what there is, and the nearest names.
    """
    for field, column in columns.items():
        if field not in FIELDS and field not in SINGULAR:
            raise Misuse(
                f"--map names the field '{field}'" + _near(field, (*FIELDS, *SINGULAR)),
                expected="one of " + ", ".join((*FIELDS, *SINGULAR)),
                do="write --map FIELD=COLUMN; other columns are kept in the notes",
            )
        if SINGULAR.get(field) in columns:
            raise Misuse(
                f"--map names both '{field}' and '{SINGULAR[field]}'",
                expected="one of them",
                do=f"write --map {SINGULAR[field]}=COLUMN+COLUMN for more than one column",
            )
        for name in _split(column, present):
            if _find(name, present) is None:
                raise Misuse(
                    f"--map {field}={column}: there is no column '{name}'" + _near(name, present),
                    expected=f"columns of {file or 'these rows'}: " + ", ".join(present),
                    do="mend the name; COLUMN+COLUMN names two columns",
                )


def _near(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, [str(n) for n in names], 3, 0.5)
    return f" (near: {', '.join(near)})" if near else ""


def _split(column: str, present: Collection[str]) -> list[str]:
    if not column:
        return []
    return [column] if _find(column, present) is not None else column.split("+")


def _find(name: str, present: Collection[str]) -> str | None:
    if name in present:
        return name
    return next((c for c in present if str(c).lower() == name.lower()), None)


class Claims:
    """The columns of one row while fields take theirs; nothing is taken twice."""

    def __init__(self, present: tuple[str, ...], columns: Mapping[str, str]) -> None:
        self.named = {
            SINGULAR.get(field, field): tuple(
                found for name in _split(column, present) if (found := _find(name, present))
            )
            for field, column in columns.items()
        }
        mapped = {column for names in self.named.values() for column in names}
        self.free = {str(c).lower(): c for c in reversed(present) if c not in mapped}

    def take(self, field: str) -> tuple[str, ...]:
        if field in self.named:
            return self.named[field]
        return next(((self.free.pop(a),) for a in ALIASES[field] if a in self.free), ())

    def pair(self, pairs: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
        for first, second in pairs:
            if first in self.free and second in self.free:
                return (self.free.pop(first), self.free.pop(second))
        return ()

    def prompt(self) -> tuple[str, ...]:
        taken = self.take("prompt")
        if "prompt" not in self.named and taken and taken[0].lower() == "instruction":
            return (*taken, self.free.pop("input")) if "input" in self.free else taken
        return taken

    def responses(self) -> tuple[str, ...]:
        if "responses" in self.named:
            return self.named["responses"]
        if "responses" in self.free:
            return (self.free.pop("responses"),)
        return self.pair(PAIRS) or self.take("responses")

    def systems(self, responses: tuple[str, ...]) -> tuple[str, ...]:
        """One column a response, or one column with a list or with the system of them all."""
        if "systems" in self.named:
            return self.named["systems"]
        if len(responses) > 1:
            return self.pair(SYSTEM_PAIRS)
        for name in ("systems", "models"):
            if name in self.free:
                return (self.free.pop(name),)
        return self.take("systems")

    def label(self, beside_pair: bool) -> tuple[str, ...]:
        if beside_pair and "label" not in self.named:
            self.free.pop("score", None)
        taken = self.take("label")
        for name in ALIASES["label"]:
            self.free.pop(name, None)
        return taken


def id_columns(
    present: tuple[str, ...], columns: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns of the id and of the cluster; empty when there are none."""
    claims = Claims(present, columns)
    return claims.take("id"), claims.take("cluster")


def plan(present: tuple[str, ...], columns: Mapping[str, str], ids: tuple[str, ...]) -> Plan:
    """The plan for rows with these columns; `ids` are taken already."""
    claims = Claims(present, columns)
    for column in ids:
        claims.free.pop(column.lower(), None)
    prompt, responses = claims.prompt(), claims.responses()
    names = tuple(column.lower() for column in responses)
    lmsys = {"prompt", "model_a", "model_b"} <= {str(column).lower() for column in present}
    systems = claims.systems(responses)
    label = claims.label(beside_pair=len(responses) == 2)
    rest = {f: claims.take(f) for f in ("reference", "context", "rubric", "group", "image")}
    anchors = tuple(
        (score, claims.free.pop(name))
        for score, name in enumerate(ANCHORS, 1)
        if name in claims.free
    )
    unused = () if responses else systems  # nobody answered in these columns: still worth knowing
    return Plan(
        columns=present,
        prompt=prompt,
        responses=responses,
        systems=systems,
        anchors=anchors,
        label=label[0] if label else None,
        notes=tuple(c for c in present if str(c).lower() in claims.free or c in unused),
        listed=len(responses) == 1 and ("responses" in claims.named or names[0] in LISTS),
        instruction=len(prompt) == 2 and "prompt" not in claims.named,
        chosen=names == CHOSEN and not label and "label" not in claims.named,
        turns=lmsys and len(responses) == 2 and [c.lower() for c in prompt] == ["prompt"],
        **rest,
    )
