import asyncio

import pytest

from evenhand.continued import Continued
from evenhand.identity import identity
from evenhand.models.scripted import Scripted
from evenhand.records import Completion, Decode, Message, Request

ASK = Request((Message("user", ("ask",)),))


def told(*texts: str, finish: str = "stop") -> tuple[Scripted, list[Request]]:
    """A model that says these texts in turn; all but the last end with `finish`."""
    seen: list[Request] = []

    def answer(request: Request) -> Completion:
        seen.append(request)
        last = len(seen) >= len(texts)
        text = texts[min(len(seen), len(texts)) - 1]
        how = "stop" if last else finish
        return Completion(text, tokens_in=1, tokens_out=2, usd=0.5, finish=how)  # type: ignore[arg-type]

    return Scripted("told", answer), seen


def asked(model: Continued, request: Request = ASK) -> Completion:
    return asyncio.run(model(request))


# ---- a further turn --------------------------------------------------------------------------


def test_a_reply_without_what_it_must_hold_is_asked_to_go_on():
    model, seen = told("thinking", "[[A]]")
    reply = asked(Continued(model, "Finish.", unless=r"\[\[A\]\]"))
    assert reply.text == "thinking\n[[A]]"
    assert (reply.tokens_in, reply.tokens_out, reply.usd) == (2, 4, 1.0)
    roles = [(message.role, message.text) for message in seen[1].messages]
    assert roles == [("user", "ask"), ("assistant", "thinking"), ("user", "Finish.")]


def test_a_finished_reply_is_left_alone():
    model, seen = told("[[A]]", "more")
    asked(Continued(model, unless=r"\[\[A\]\]"))
    assert len(seen) == 1


def test_without_a_pattern_only_a_cut_reply_goes_on():
    model, seen = told("half", "whole", finish="length")
    reply = asked(Continued(model))
    assert (reply.text, reply.finish, len(seen)) == ("half\nwhole", "stop", 2)


def test_going_on_ends_after_so_many_times():
    model, seen = told("a", "b", "c", "d")
    asked(Continued(model, unless="never", times=2))
    assert len(seen) == 3


@pytest.mark.parametrize("past", ["", "</think>"])
@pytest.mark.parametrize("finish", ["refused", "rejected", "overflow"])
def test_a_stopped_reply_does_not_go_on(finish, past):
    model, seen = told("no", "more", finish=finish)
    assert asked(Continued(model, unless="never", past=past)).finish == finish
    assert len(seen) == 1


def test_going_on_counts_in_the_identity():
    model = told("a")[0]
    assert identity(Continued(model)) != identity(model)
    assert identity(Continued(model)) != identity(Continued(model, times=2))
    assert identity(Continued(model)) != identity(Continued(model, past="</think>"))


# ---- further inside the reply ----------------------------------------------------------------


def test_the_end_of_the_reasoning_is_taken_away_so_many_times():
    model, seen = told("<think>one</think> [[A]]", " two</think> [[B]]", " three</think> [[C]]")
    reply = asked(Continued(model, "\nWait.", times=2, past="</think>"))
    assert reply.text == "<think>one\nWait. two\nWait. three</think> [[C]]"
    begun = [request.messages[-1].text for request in seen[1:]]
    assert begun == ["<think>one\nWait.", "<think>one\nWait. two\nWait."]
    assert [request.messages[-1].role for request in seen[1:]] == ["assistant", "assistant"]
    assert (reply.tokens_in, reply.tokens_out, reply.usd) == (3, 6, 1.5)


def test_a_beginning_that_was_asked_for_stays_before_the_reasoning():
    model, seen = told("one</think> [[A]]", "two</think> [[B]]")
    prefilled = Request((*ASK.messages, Message("assistant", ("<think>",))))
    asked(Continued(model, " Wait. ", past="</think>"), prefilled)
    assert [message.role for message in seen[1].messages] == ["user", "assistant"]
    assert seen[1].messages[-1].text == "<think>one Wait. "


def test_all_rounds_keep_to_the_tokens_of_the_request():
    model, seen = told("a</think>", "b</think>", "c</think>", "d</think>")
    request = Request(ASK.messages, Decode(max_tokens=5))
    asked(Continued(model, times=3, past="</think>"), request)
    assert [one.decode.max_tokens for one in seen] == [5, 3, 1]


def test_a_cut_or_empty_reply_has_nothing_to_go_on_from():
    for text, finish in (("<think>one", "length"), (" ", "stop")):
        model, seen = told(text, "more", finish=finish)
        asked(Continued(model, past="</think>"))
        assert len(seen) == 1
