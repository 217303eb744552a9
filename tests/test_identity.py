import asyncio
from dataclasses import dataclass, field, replace
from typing import ClassVar

from evenhand.identity import differences, identity, is_model, models_in, plain, with_models
from evenhand.judges import Pairwise, Panel, Swap
from evenhand.prompts import Prompt
from evenhand.records import PAIR, Case, Completion, Decode, Request, Verdict


@dataclass(frozen=True, slots=True)
class Fake:
    name: str = "fake"
    key: str = field(default="", compare=False)

    async def __call__(self, request: Request, /) -> Completion:
        return Completion("[[A]]")


@dataclass(frozen=True, slots=True)
class Watched:
    model: Fake
    transparent: ClassVar[bool] = True

    @property
    def name(self) -> str:
        return self.model.name

    async def __call__(self, request: Request, /) -> Completion:
        return await self.model(request)


@dataclass(frozen=True, slots=True)
class Own:
    view: ClassVar[str] = "pointwise"
    version: ClassVar[int] = 2

    async def __call__(self, case: Case, /) -> Verdict:
        return Verdict(PAIR)


JUDGE = Swap(Pairwise(Fake()))


def test_everything_that_decides_answers_counts():
    changed = [
        Swap(Pairwise(Fake()), pool="mean"),
        Swap(Pairwise(Fake("other"))),
        Swap(Pairwise(Fake(), Prompt("# user\nhi"))),
        Swap(Pairwise(Fake(), decode=Decode(temperature=1.0))),
        Pairwise(Fake()),
    ]
    assert len({identity(judge) for judge in [JUDGE, *changed]}) == 6


def test_keys_and_wrappers_do_not_count():
    assert identity(Swap(Pairwise(Fake(key="secret")))) == identity(JUDGE)
    assert identity(Swap(Pairwise(Watched(Fake())))) == identity(JUDGE)
    assert "secret" not in str(plain(Pairwise(Fake(key="secret"))))


def test_a_class_from_outside_counts_with_version_and_source():
    form = plain(Own())
    assert form["is"] == "Own"
    assert form["version"] == 2
    assert len(form["source"]) == 16
    assert "source" not in plain(JUDGE)


def test_differences_name_the_path():
    other = Swap(Pairwise(Fake(), decode=Decode(temperature=0.5, max_tokens=2048)))
    found = differences(plain(JUDGE), plain(other))
    assert found == ["judge.decode.temperature: 0.0 is not 0.5"]


def test_models_are_found_and_replaced_everywhere():
    panel = Panel((Pairwise(Fake("a")), Swap(Pairwise(Fake("b")))), pool="mean")
    assert [model.name for model in models_in(panel)] == ["a", "b"]
    renamed = with_models(panel, lambda model: replace(model, name=model.name * 2))
    assert [model.name for model in models_in(renamed)] == ["aa", "bb"]
    assert with_models(panel, lambda model: model) == panel


def test_judges_are_no_models():
    assert is_model(Fake())
    assert not is_model(JUDGE)
    assert asyncio.run(JUDGE(Case.of("q", "p", "a", "b"))).label == "tie"
