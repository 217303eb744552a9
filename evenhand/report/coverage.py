"""What the field judges, how and where, and which judges and commands here answer to it.

Names of judges, commands and benchmarks are looked up in the package; what is said to be missing
must be missing. A page that says otherwise cannot be made.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from evenhand.data.bench import bench, names
from evenhand.errors import Misuse
from evenhand.judges import PUBLISHED
from evenhand.report.methods import Method, methods
from evenhand.report.papers import PACKAGE
from evenhand.report.tables import table

Kind = Literal["judge", "command", "bench"]
MISSING: Mapping[str, str] = {  # what is not there -> where it would stand
    "bias probes and an audit of a judge on one's own data": "bias",
    "conformal intervals and sets": "trust/conformal.py",
    "juries that are weighed or learnt": "trust/jury.py",
    "distilling and training judges": "learn",
    "filtering training corpora": "curate",
    "building benchmarks, probing and simulated dialogues": "build",
    "a local web page": "web",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """A line of the field's map.

    Attributes:
        judges, commands, benches: Names, words apart.
        told: What there is besides.
        lacks: What is not there, in words; "" for nothing known.
    """

    name: str
    judges: str = ""
    commands: str = ""
    benches: str = ""
    told: str = ""
    lacks: str = ""


# ---- what, how, where ----------------------------------------------------------------------------

WHAT = (
    Topic("Helpfulness", "mt-bench-pair mt-bench-single alpaca-eval arena-hard", "judge rank",
          "alpaca-eval mt-bench-single"),
    Topic("Safety, harmlessness", "rubric choice", "judge trust", "judge-bench",
          "criteria of one's own; DICES has many raters of safety",
          "no judge and no adversarial probe made for safety"),
    Topic("Reliability, factuality", "conditional rubric own-reference", "judge",
          "xsum-factuality", "faithfulness to a document, answer against a reference",
          "no search of claims on the web"),
    Topic("Relevance", "umbrela list-rank list-window tournament", "judge",
          "llmjudge relevance-checklist", "grades of passages and orders of lists"),
    Topic("Logic, reasoning steps", "own-reference stts", "judge bench",
          "judgebench reason-eval bigbench-mistake who-and-when",
          "figures of steps and of first errors for recorded judges",
          "no published judge of steps or of agents' runs"),
    Topic("Following instructions", "href rubric rocketeval", "judge",
          "llmbar evalbiasbench pandalm"),
    Topic("Code and agents", "rubric choice", "judge",
          "ice-score ice-score-conala devai agent-reward-bench"),
    Topic("Text quality by rubric", "g-eval glider prometheus-absolute prometheus-relative pc2",
          "judge fit", "llm-rubric prometheus-vicuna fineweb-c"),
    Topic("Fields and languages", "lexam greekbar koffvqa", "judge", "fineweb-c",
          "law, questions about images in Korean; prompts of four methods in nine languages",
          "no audio or video"),
    Topic("A person's own preference", "personalised", "judge label trust", "alt-test"),
    Topic("Overall quality", "choice choice-pair auto-j-single auto-j-pair judgelm pandalm",
          "judge", "pandalm"),
)  # fmt: skip

HOW = (
    Topic("Rules, rubrics, checklists", "rubric g-eval rocketeval prometheus-absolute glider "
          "umbrela lexam greekbar", "judge", told="`--template` puts one's own rules in"),
    Topic("Criteria written first", "pc2 revis-eval revis-metric g-eval rocketeval own-reference",
          "judge", told="steps, questions, references and response-adapted texts"),
    Topic("Swapped orders", "mt-bench-pair arena-hard choice-pair self-consistency",
          "judge compare",
          told="`--order swap` for any judge of pairs; a disagreement is counted, not hidden"),
    Topic("Demonstrations", "", "judge", told="`--shots FILE` for any prompted judge"),
    Topic("Several models", "poll poll-single cascade", "judge compare",
          lacks="panels vote or take the mean; none is weighed or learnt; judges do not debate"),
    Topic("Several draws", "self-consistency", "judge"),
    Topic("Thinking before the verdict", "stts arena-hard own-reference mt-bench-pair", "judge"),
    Topic("Comparison with other answers", "cce pc2", "judge"),
    Topic("How sure the writers were", "confilm", "judge"),
    Topic("Several turns", "mt-bench-turns", "judge"),
    Topic("Faster comparison", "tournament list-window cascade list-rank", "rank plan",
          told="which pair to judge next; labels that tell most"),
    Topic("Probabilities of tokens", "g-eval choice choice-pair alpaca-eval confilm rocketeval",
          "judge doctor"),
    Topic("Without a model", "exact contains href", "judge",
          told="equal, contained and similar texts, so that a model has something to beat"),
    Topic("Tuned judges", "prometheus-absolute prometheus-relative auto-j-single auto-j-pair "
          "judgelm pandalm glider", "judge",
          told="their templates and readers run; weights come from the user",
          lacks="none is trained here"),
    Topic("Learning from labels without training", "rocketeval", "fit judge",
          told="calibration, rescaling, weights and trees of checklists"),
)  # fmt: skip

WHERE = (
    Topic("Evaluation", "mt-bench-pair mt-bench-single arena-hard alpaca-eval", "judge show rank "
          "compare bench"),
    Topic("Alignment", "best-of-n tournament list-scores", "export judge",
          told="preference rows for trainers",
          lacks="no reward loop; no training"),
    Topic("Retrieval", "umbrela list-rank list-window tournament list-scores", "judge",
          "llmjudge relevance-checklist", lacks="no figures of retrieval runs"),
    Topic("Reasoning", "own-reference self-consistency best-of-n", "judge bench",
          "reason-eval judgebench", lacks="no search over steps"),
)  # fmt: skip

# ---- the five axes -------------------------------------------------------------------------------

AXES: Mapping[str, tuple[Topic, ...]] = {
    "Functionality: why judge?": (
        Topic("Evaluating responses and systems", "mt-bench-pair g-eval",
              "judge show rank compare"),
        Topic("Better outputs at inference", "best-of-n tournament", "judge",
              lacks="no loop that feeds a judge's reason back to the system"),
        Topic("Rewards and verification in training", "best-of-n rubric", "judge export",
              lacks="no reward server, no training"),
        Topic("Making data", "", "label export", lacks="no filter of corpora"),
    ),
    "Methodology: how?": (
        Topic("One model, prompted", "mt-bench-single choice g-eval", "judge judges"),
        Topic("One model, tuned", "prometheus-absolute judgelm pandalm", "judge"),
        Topic("Post-processing: probabilities, calibration, rescaling", "choice g-eval", "fit"),
        Topic("Several models", "poll cascade", "judge compare", lacks="no debate, no learnt jury"),
        Topic("People and models together", "", "label trust plan",
              told="blind sheets, labels where they tell most, estimates corrected by labels"),
    ),
    "Applications: where?": (
        Topic("General text", "mt-bench-pair alpaca-eval", "judge"),
        Topic("Law", "lexam greekbar", "judge"),
        Topic("Images", "koffvqa", "judge", lacks="no other judge of images; no audio, no video"),
        Topic("Search", "umbrela list-window", "judge", "llmjudge"),
        Topic("Assistants that know their user", "personalised", "judge"),
        Topic("Code and agents", "rubric", "judge", "ice-score devai agent-reward-bench"),
        Topic("Medicine, finance, teaching", "rubric choice", "judge",
              lacks="criteria of one's own; nothing made for these fields"),
    ),
    "Meta-evaluation: how good is the judge?": (
        Topic("Agreement with people", "", "trust compare", "alt-test judge-bench"),
        Topic("Public benchmarks of judges", "", "bench import", "llmbar judgebench"),
        Topic("May it replace a person?", "", "trust plan", "alt-test"),
        Topic("Corrected level and difference", "", "trust rank", "policy-value"),
        Topic("Boards against people", "", "bench rank", "arena-meta alpaca-eval-arena"),
        Topic("Cost and reach before paying", "", "doctor plan demo"),
    ),
    "Limitations: where does it fail?": (
        Topic("Position", "mt-bench-pair choice-pair arena-hard", "show compare trust",
              told="both orders, how often they agree, how often the first wins"),
        Topic("Length, overlap of words", "exact contains", "trust rank",
              "evalbiasbench alpaca-eval",
              told="judges that only count stand beside every judge; length control on boards"),
        Topic("Template and noise", "self-consistency", "compare",
              told="how far an outcome hangs on the template; repeats without their noise"),
        Topic("Own style, authority, crowd, social bias", "", "", "evalbiasbench",
              lacks="no probes that change one thing and look for a flip"),
        Topic("Attacks on the judge", "", "rank", "alpaca-eval",
              told="a system with one constant answer is named", lacks="no attack is made"),
        Topic("Overconfidence", "confilm cascade", "trust fit",
              lacks="no conformal sets"),
    ),
}  # fmt: skip

SURVEYS = """The map follows three surveys: what, how and where to judge are from Li et al. 2024,
*From Generation to Judgment: Opportunities and Challenges of LLM-as-a-judge*
([arXiv:2411.16594](https://arxiv.org/abs/2411.16594)), pointwise, pairwise and listwise input too;
the five axes from Li et al. 2024, *LLMs-as-Judges: A Comprehensive Survey on LLM-based Evaluation
Methods* ([arXiv:2412.05579](https://arxiv.org/abs/2412.05579)). Gu et al. 2024, *A Survey on
LLM-as-a-Judge* ([arXiv:2411.15594](https://arxiv.org/abs/2411.15594)) asks how a judge is made
reliable: consistency, bias and fit to the task, which are the rows of the last two axes. The lines
within are in our words."""

# ---- the page ------------------------------------------------------------------------------------


def coverage() -> str:
    """Raises: Misuse: a name is of nothing, or what is said to be missing is there."""
    _check()
    pieces = ["# What is covered", SURVEYS, "## What is judged", _topics(WHAT), "## How"]
    pieces += [_views(), _topics(HOW), "## Where", _topics(WHERE), "## The five axes"]
    for axis, topics in AXES.items():
        pieces += [f"### {axis}", _topics(topics)]
    pieces += ["## What is not there", *_gaps(), "## Commands", _commands(), "## Benchmarks"]
    return "\n\n".join([*pieces, _benches()])


def _check() -> None:
    for topic in topics():
        for kind, given in (("judge", topic.judges), ("command", topic.commands),
                            ("bench", topic.benches)):  # fmt: skip
            for name in given.split():
                _known(kind, name)
    for told, place in MISSING.items():
        if (PACKAGE / place).exists():
            raise Misuse(
                f"the page says that there is nothing for {told!r}, and there is {place}",
                do="take the line out of MISSING, and say in the rows what there is",
            )


def _known(kind: str, name: str) -> None:
    there: Iterable[str] = {"judge": PUBLISHED, "bench": names()}.get(kind) or commands()
    if name not in there:
        raise Misuse(f"no {kind} is called {name!r}", expected=", ".join(there))


def topics() -> Iterator[Topic]:
    for group in (WHAT, HOW, WHERE, *AXES.values()):
        yield from group


def _topics(given: Iterable[Topic]) -> str:
    lines = (
        (one.name, _linked(one.judges), _coded(one.commands), _coded(one.benches), one.told,
         one.lacks or "-") for one in given
    )  # fmt: skip
    return table(("", "judges", "commands", "benchmarks", "besides", "missing"), lines)


def _linked(given: Iterable[str] | str) -> str:
    found = given.split() if isinstance(given, str) else given
    return ", ".join(f"[{name}](judges/{name}.md)" for name in found)


def _coded(given: str) -> str:
    return ", ".join(f"`{name}`" for name in given.split())


def _views() -> str:
    by: dict[str, list[Method]] = {}
    for method in methods():
        by.setdefault(method.view, []).append(method)
    lines = ((view, _linked(one.name for one in found)) for view, found in by.items())
    return table(("responses in view", "judges"), lines)


def _gaps() -> Iterator[str]:
    yield "Planned, and not built: commands and judges above do without it."
    yield "\n".join(f"- {told}" for told in MISSING)


def commands() -> dict[str, str]:
    """Name -> first line of its help, read from the command line's files without importing them."""
    found = dict[str, str]()
    for path in sorted((PACKAGE / "cli").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            called = _command(node) if isinstance(node, ast.FunctionDef) else None
            if called and isinstance(node, ast.FunctionDef):
                found[called] = (ast.get_docstring(node) or "").partition("\n\n")[0]
    return dict(sorted(found.items()))


def _command(node: ast.FunctionDef) -> str | None:
    for made in node.decorator_list:
        if isinstance(made, ast.Call) and ast.unparse(made.func) == "app.command":
            return str(ast.literal_eval(made.args[0])) if made.args else node.name
    return None


def _commands() -> str:
    lines = ((f"`evenhand {name}`", told) for name, told in commands().items())
    return table(("command", "what it does"), lines)


def _benches() -> str:
    cards = [bench(name).card for name in names()]
    lines = ((f"`{card.name}`", card.view or "systems", card.gold, card.about,
              card.status) for card in cards)  # fmt: skip
    told = (
        "*verified*: the adapter has read the real files. *unverified*: it follows the published "
        "schema, and every run says so. [Parity](parity.md) has the figures that come out."
    )
    return table(("benchmark", "view", "gold", "what is judged", "status"), lines) + f"\n\n{told}"
