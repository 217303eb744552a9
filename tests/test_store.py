from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.errors import Error, Misuse
from evenhand.models.keys import request_bytes
from evenhand.models.scripted import Scripted
from evenhand.records import (
    PAIR,
    YES_NO,
    Completion,
    Message,
    Request,
    Scale,
    Verdict,
    ints,
    line,
)
from evenhand.store import Signed, Store, read_calls, read_signed
from evenhand.store.calls import Sieve

MODEL = Scripted("m", lambda request: "yes")
BODY = request_bytes(Request((Message("user", ("ask",)),)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path / "run")) as store:
        yield store


def signed(case: str, verdict: Verdict | None, row: int = 1) -> Signed:
    return Signed(case, row, case, (None,), None, None, verdict)


def reopened(store: Store) -> contextlib.closing[Store]:
    store.flush()
    return contextlib.closing(Store(store.folder, read=True))


def test_a_call_reads_back_equal_before_and_after_it_is_written(store: Store) -> None:
    reply = Completion(
        "né", ({"a": -0.1},), {"yes": 0.4}, ("x", "y"), "length", 3, 4, 0.5, 1.5, "m-1", ("no n",),
        "key",
    )  # fmt: skip
    store.keep(MODEL, BODY, reply)
    assert store.call("key") == reply
    assert store.call("other") is None
    with reopened(store) as again:
        assert again.call("key") == reply
        (kept,) = read_calls(again)
    assert kept.completion == reply
    assert kept.model == {"is": "Scripted", "name": "m"}
    assert kept.request["messages"] == [{"role": "user", "parts": ["ask"]}]


def test_calls_are_read_in_the_order_asked_for(store: Store) -> None:
    for key in "abc":
        store.keep(MODEL, BODY, Completion(key, key=key))
    store.flush()
    assert [kept.key for kept in read_calls(store, ["c", "missing", "a"])] == ["c", "a"]
    assert [kept.key for kept in read_calls(store)] == ["a", "b", "c"]


@pytest.mark.parametrize("finish", ["rejected", "overflow"])
def test_a_rejection_is_kept_as_evidence_and_never_served(store: Store, finish: str) -> None:
    store.keep(MODEL, BODY, Completion("too long", finish=finish, key="key"))  # type: ignore[arg-type]
    assert store.call("key") is None
    store.flush()
    assert store.call("key") is None
    assert [kept.completion.finish for kept in read_calls(store)] == [finish]


def test_an_answer_replaces_an_earlier_rejection(store: Store) -> None:
    store.keep(MODEL, BODY, Completion("no", finish="rejected", key="key"))
    store.flush()
    store.keep(MODEL, BODY, Completion("yes", key="key"))
    store.flush()
    assert [kept.completion.text for kept in read_calls(store)] == ["yes"]


def test_a_second_writer_is_refused_and_a_reader_is_not(store: Store) -> None:
    program = (
        "import sys; from pathlib import Path; from evenhand.store import Store\n"
        "store = Store(Path(sys.argv[1]), read=sys.argv[2] == 'read'); store.close()"
    )
    command = [sys.executable, "-c", program, str(store.folder)]
    writer = subprocess.run([*command, "write"], capture_output=True, text=True, check=False)
    assert "another process is writing" in writer.stderr
    assert subprocess.run([*command, "read"], check=False).returncode == 0


def test_a_closed_run_can_be_written_again(tmp_path: Path) -> None:
    for _ in range(2):
        Store(tmp_path).close()


def test_what_was_flushed_outlives_a_process_that_dies(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from evenhand.models.scripted import Scripted
from evenhand.records import YES_NO, Completion, Verdict
from evenhand.store import Signed, Store
store = Store(Path(sys.argv[1]))
for i in range(1234):
    store.keep(Scripted("m", str), b"{}", Completion("yes", key=str(i)))
    store.sign(Signed(str(i), i, str(i), (), None, None, Verdict(YES_NO, {"yes": 1.0})))
store.flush()
store.keep(Scripted("m", str), b"{}", Completion("lost", key="late"))
os._exit(9)
"""
    died = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert died.returncode == 9
    with contextlib.closing(Store(tmp_path)) as store:
        assert sum(1 for _ in read_calls(store)) == 1234
        assert [s.case for s in read_signed(store)] == [str(i) for i in range(1234)]
        assert store.call("late") is None


def test_a_full_batch_is_written_without_being_told(store: Store) -> None:
    for i in range(500):
        store.keep(MODEL, BODY, Completion("yes", key=str(i)))
    with contextlib.closing(Store(store.folder, read=True)) as again:
        assert sum(1 for _ in read_calls(again)) == 500


def test_a_call_of_a_shared_file_is_served_and_becomes_evidence(tmp_path: Path) -> None:
    cache = tmp_path / "cache.sqlite"
    with contextlib.closing(Store(tmp_path / "one", shared=cache)) as one:
        one.keep(MODEL, BODY, Completion("paid", tokens_in=5, usd=0.1, key="key"))
    with contextlib.closing(Store(tmp_path / "two", shared=cache)) as two:
        reply = two.call("key")
        assert reply is not None
        assert reply.text == "paid"
        assert two.call("other") is None
    with contextlib.closing(Store(tmp_path / "two", read=True)) as two:
        assert [kept.completion.text for kept in read_calls(two)] == ["paid"]
        assert two.db.execute("select shared from calls").fetchall() == [(1,)]


@pytest.mark.parametrize("which", ["run", "cache"])
def test_a_file_that_is_no_database_is_misuse_and_leaves_nothing_open(
    tmp_path: Path, which: str
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    name = run / "run.sqlite" if which == "run" else tmp_path / "cache"
    name.write_bytes(b"this is not a database, however long it may be" * 40)
    with pytest.raises(Misuse, match="not a run's database"):
        Store(run, shared=tmp_path / "cache")
    name.unlink()
    Store(run, shared=tmp_path / "cache").close()


def test_reading_what_is_no_run_names_the_runs_beside_it(tmp_path: Path) -> None:
    Store(tmp_path / "mine").close()
    with pytest.raises(Misuse, match="mine"):
        Store(tmp_path / "yours", read=True)
    assert not (tmp_path / "yours").exists()


def test_a_full_disk_stops_with_an_error_and_loses_nothing_that_waits(store: Store) -> None:
    pages = store.db.execute("pragma page_count").fetchone()[0]
    store.db.execute(f"pragma max_page_count={pages + 2}")
    store.keep(MODEL, BODY, Completion("yes" * 10_000, key="key"))
    with pytest.raises(Error, match="full"):
        store.flush()
    store.db.execute(f"pragma max_page_count={pages + 1000}")
    store.flush()
    assert sum(1 for _ in read_calls(store)) == 1


def test_media_are_stored_once_by_their_hash(store: Store) -> None:
    for key in ("a", "b"):
        picture = ("0f" * 32, "image/png", b"\x89PNG")
        store.keep(MODEL, BODY, Completion("yes", key=key), media=[picture])
        store.flush()
    assert store.db.execute("select sha256, mime, data from media").fetchall() == [
        ("0f" * 32, "image/png", b"\x89PNG")
    ]


def test_two_different_scales_of_one_name_are_refused(store: Store) -> None:
    store.sign(signed("a", Verdict(ints("stars", 1, 5), {"1": 1.0})))
    store.sign(signed("b", Verdict(ints("stars", 1, 5), {"1": 1.0})))
    with pytest.raises(ValueError, match="stars"):
        store.sign(signed("c", Verdict(ints("stars", 1, 6), {"1": 1.0})))


def test_two_different_scales_of_one_name_are_refused_across_invocations(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path)) as store:
        store.sign(signed("a", Verdict(ints("stars", 1, 5), {"1": 1.0})))
    with contextlib.closing(Store(tmp_path)) as store:
        with pytest.raises(ValueError, match="stars"):
            store.sign(signed("b", Verdict(ints("stars", 1, 6), {"1": 1.0})))
        store.sign(signed("c", Verdict(ints("stars", 1, 5), {"1": 1.0})))


def test_a_case_judged_again_has_one_row(store: Store) -> None:
    store.sign(signed("a", None))
    store.sign(signed("a", Verdict(YES_NO, {"yes": 1.0})))
    store.flush()
    store.sign(signed("a", Verdict(YES_NO, {"no": 1.0})))
    store.flush()
    assert [s.verdict.label for s in read_signed(store) if s.verdict] == ["no"]


def test_known_says_where_a_case_stands(store: Store) -> None:
    store.sign(replace(signed("a", None, row=7), error="boom"))
    store.sign(replace(signed("b", Verdict(YES_NO, reason="unread: x"), row=8), asked=3))
    store.flush()
    assert store.known(["a", "b", "c"]) == {"a": (7, "failed", 1), "b": (8, "undecided", 3)}


def test_the_manifest_is_written_whole(store: Store) -> None:
    assert store.manifest == {}
    store.describe({"judge": "x"})
    assert json.loads((store.folder / "run.json").read_text()) == store.manifest == {"judge": "x"}
    assert not (store.folder / "run.json.new").exists()


def test_a_run_is_an_ordinary_database(store: Store) -> None:
    store.sign(signed("a", Verdict(YES_NO, {"yes": 0.9, "no": 0.1}, "why")))
    store.flush()
    with contextlib.closing(sqlite3.connect(store.folder / "run.sqlite")) as db:
        body = json.loads(db.execute("select verdict from verdicts").fetchone()[0])
    assert body == {
        "scale": "yes-no",
        "probs": {"yes": 0.9, "no": 0.1},
        "reason": "why",
        "rater": "",
    }


# ---- verdict trees ---------------------------------------------------------------------------

TEXT = st.text(max_size=12)
SCALES = st.sampled_from(
    [PAIR, YES_NO, ints("five", 1, 5), line("line", 0, 1), Scale("order", orders=True)]
)
MARKS = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-9, 9) | TEXT, max_size=3)


@st.composite
def leaves(draw: st.DrawFn) -> Verdict:
    scale = draw(SCALES)
    probs = {label: 1.0 / len(scale.labels) for label in scale.labels}
    if scale.span:
        probs = {"0.25": 0.125, "1": 0.875}
    if scale.orders:
        probs = {"0>1=2": 1.0}
    calls = tuple(Completion("", key=key) for key in draw(st.lists(TEXT, max_size=2)))
    return Verdict(
        scale,
        draw(st.sampled_from([probs, {}])),
        draw(TEXT),
        marks=draw(MARKS),
        calls=calls,
        rater=draw(TEXT),
    )


def nested(children: st.SearchStrategy[Verdict]) -> st.SearchStrategy[Verdict]:
    parts = st.lists(children, max_size=3).map(tuple)
    return st.builds(lambda whole, parts: replace(whole, parts=parts), leaves(), parts)


def named(verdict: Verdict, case: str) -> Verdict:
    parts = tuple(named(part, case) for part in verdict.parts)
    return replace(verdict, case=case, parts=parts)


@settings(max_examples=60, deadline=None)
@given(trees=st.lists(st.recursive(leaves(), nested, max_leaves=6), min_size=1, max_size=3))
def test_verdict_trees_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, trees: list[Verdict]
) -> None:
    rows = [
        Signed(
            str(i), i, "c", ("s", None), "g", "A", tree, ("k",), 2, 0.5
        )
        for i, tree in enumerate(trees)
    ]  # fmt: skip
    with contextlib.closing(Store(tmp_path_factory.mktemp("tree"))) as store:
        for row in rows:
            store.sign(row)
        with reopened(store) as again:
            read = list(read_signed(again))
    assert [row.verdict for row in read] == [named(tree, str(i)) for i, tree in enumerate(trees)]
    assert [replace(row, verdict=None) for row in read] == [
        replace(row, verdict=None) for row in rows
    ]
    assert [row.verdict.probs for row in read if row.verdict] == [tree.probs for tree in trees]
    assert [row.verdict.marks for row in read if row.verdict] == [tree.marks for tree in trees]


@given(st.sets(st.text("0123456789abcdef", min_size=32, max_size=32), max_size=60))
def test_a_sieve_knows_every_key_that_was_added(keys):
    sieve = Sieve()
    for key in keys:
        sieve.add(key)
    assert all(key in sieve for key in keys)


def test_few_new_keys_look_old_to_a_sieve_that_holds_many():
    sieve, digest = Sieve(), lambda n: hashlib.sha256(str(n).encode()).hexdigest()[:32]
    for n in range(200_000):
        sieve.add(digest(n))
    mistaken = sum(digest(n) in sieve for n in range(200_000, 220_000))
    assert mistaken < 20  # (600,000 of 16.8 million bits) cubed is 1 in 22,000
