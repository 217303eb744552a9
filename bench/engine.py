"""What the engine costs, against a bare client of the same run: `python bench/engine.py [--quick]`.

Every figure is a ratio or CPU time, so that a slow or busy machine does not matter much. The bare
client is aiohttp with a pool of workers: it fills in the same prompt, posts it, decodes the reply
and finds the rating, and does nothing else (no cache, storage, retries or accounts).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results import Line, peak, reported

HERE = Path(__file__).resolve()
MOCK = HERE.parents[1] / "tests" / "mock_server.py"
JUDGE = "mt-bench-single"
QUESTION = (
    "Explain how they differ, when each is to be preferred, and what goes wrong at the edges."
)
RESPONSE = (
    "The first keeps all state in one place and is simple to reason about; the second spreads it "
    "over several workers and must handle partial failure, ordering and duplicate delivery."
)


# ---- what is measured: each role is a process of its own --------------------------------------


def cases(n: int) -> Iterator[Any]:
    """Prompts of about 1.3 kB once the judge has rendered them."""
    from evenhand import Case

    return (Case.of(str(i), f"ITEM-{i} {QUESTION}", f"(answer {i}) {RESPONSE}") for i in range(n))


def ours(url: str, n: int, in_flight: int) -> dict[str, float]:
    import evenhand

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run = evenhand.judge(cases(n), JUDGE, url, out=folder, in_flight=in_flight)
        wall = time.perf_counter() - began
        assert run.manifest["counts"]["decided"] == n
    return {"wall": wall}


def bare(url: str, n: int, in_flight: int) -> dict[str, float]:
    import aiohttp
    import msgspec

    address, _, model = url.partition("#")
    parts = (HERE.parents[1] / "evenhand/judges/pointwise.md").read_text()
    system = parts.partition("# user")[0].removeprefix("# system").strip()
    ending = parts.rpartition("{% endif %}")[2].rpartition("}}")[2].strip()

    async def worker(session: aiohttp.ClientSession, todo: Iterator[int]) -> int:
        decided = 0
        for i in todo:
            user = (
                f"<prompt>\nITEM-{i} {QUESTION}\n</prompt>\n\n"
                f"<response>\n(answer {i}) {RESPONSE}\n</response>\n\n{ending}"
            )
            messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
            body = {"model": model, "messages": messages, "temperature": 0.0, "max_tokens": 2048}
            data = msgspec.json.encode(body)
            async with session.post(f"{address}/chat/completions", data=data) as answer:
                reply = msgspec.json.decode(await answer.read())
            text = reply["choices"][0]["message"]["content"]
            decided += re.search(r"\[\[(\d+)\]\]", text) is not None
        return decided

    async def main() -> None:
        connector = aiohttp.TCPConnector(limit=0)
        headers = {"Content-Type": "application/json"}
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(
            connector=connector, headers=headers, cookie_jar=jar
        ) as session:
            todo = iter(range(n))
            done = await asyncio.gather(*(worker(session, todo) for _ in range(in_flight)))
            assert sum(done) == n

    return {"wall": driven(main)}


def sdk(url: str, n: int, in_flight: int) -> dict[str, float]:
    """What people write first: the vendor's client, a semaphore and gather."""
    import openai

    address, _, model = url.partition("#")
    client = openai.AsyncOpenAI(base_url=address, api_key="none")
    slots = asyncio.Semaphore(in_flight)

    async def one(i: int) -> bool:
        content = f"ITEM-{i} {QUESTION}\n\n(answer {i}) {RESPONSE}" + " " * 800
        async with slots:
            reply = await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": content}], temperature=0.0
            )
        return re.search(r"\[\[(\d+)\]\]", reply.choices[0].message.content or "") is not None

    async def main() -> None:
        assert sum(await asyncio.gather(*(one(i) for i in range(n)))) == n
        await client.close()

    return {"wall": driven(main)}


def driven(main: Callable[[], Any]) -> float:
    try:
        from uvloop import new_event_loop as factory  # as the engine does
    except ImportError:
        factory = None
    began = time.perf_counter()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
    return time.perf_counter() - began


def scripted(_url: str, n: int, _in_flight: int) -> dict[str, float]:
    """CPU of the call alone, imports left out, and peak memory of the whole process."""
    import evenhand
    from evenhand.models.scripted import Scripted

    model = Scripted("script", lambda request: "Fair enough.\n\nRating: [[7]]")
    with tempfile.TemporaryDirectory() as folder:

        def timed(out: str, **options: Any) -> float:
            began = time.process_time()
            evenhand.judge(cases(n), JUDGE, model, out=f"{folder}/{out}", **options)
            return time.process_time() - began

        timed("warm", limit=100)
        first = timed("run")
        if n != 20_000:
            return {"memory": peak()}
        cache = f"{folder}/cache.sqlite"
        again = timed("run")
        timed("filled", cache=cache)
        return {"cpu_call": first, "again": again, "shared": timed("new", cache=cache)}


ROLES = {role.__name__: role for role in (ours, bare, sdk, scripted)}


@dataclass(frozen=True)
class Measured:
    """Attributes: cpu of the whole process, in s; told is what it said."""

    cpu: float
    told: dict[str, float]


def measured(role: str, n: int, *, url: str = "", in_flight: int = 64) -> Measured:
    command = [sys.executable, str(HERE), "--role", role, url, str(n), str(in_flight)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as stdout:
        text = stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{role} failed")
    return Measured(used.ru_utime + used.ru_stime, json.loads(text))


# ---- the server ------------------------------------------------------------------------------


@contextlib.contextmanager
def server() -> Iterator[Callable[[float], str]]:
    """A function that sets the latency in ms and gives the model's address."""
    command = [sys.executable, str(MOCK), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def at(latency: float) -> str:
            reset = f"http://127.0.0.1:{port}/reset?latency_ms={latency}"
            opener.open(urllib.request.Request(reset, data=b""), timeout=10).close()
            return f"http://127.0.0.1:{port}/v1#stars"

        try:
            yield at
        finally:
            process.terminate()


# ---- the table -------------------------------------------------------------------------------


def ratio(role: str, against: str, n: int, *, url: str, rounds: int) -> tuple[float, str]:
    """CPU of whole processes, imports included, in pairs; the median of the ratios."""
    ratios, costs = [], []
    for _ in range(rounds):
        one, other = (measured(side, n, url=url) for side in (role, against))
        ratios.append(one.cpu / other.cpu)
        costs.append((1e3 * one.cpu / n, 1e3 * other.cpu / n))
    ours_ms, theirs_ms = (statistics.median(side) for side in zip(*costs, strict=True))
    note = f"{ours_ms:.3f} against {theirs_ms:.3f} ms each, {n:,} judgements, imports included"
    return statistics.median(ratios), note


def throughput(url: str, n: int, in_flight: int, *, rounds: int) -> tuple[float, str]:
    found = []
    for _ in range(rounds):
        one = measured("ours", n, url=url, in_flight=in_flight).told["wall"]
        other = measured("bare", n, url=url, in_flight=in_flight).told["wall"]
        found.append((other / one, n / one, n / other))
    share, rate, bound = (statistics.median(side) for side in zip(*found, strict=True))
    return 100 * share, f"{rate:,.0f}/s against {bound:,.0f}/s"


def over_http(quick: bool) -> Iterator[Line]:
    n, rounds = (4_000, 1) if quick else (20_000, 3)
    with server() as at:
        what = "CPU, whole process, against the bare client"
        value, note = ratio("ours", "bare", n, url=at(50), rounds=rounds)
        yield Line(f"{what}, 50 ms latency", value, (2.2, 1.6), "x", note)
        value, note = ratio("ours", "bare", n, url=at(0), rounds=rounds)
        yield Line(f"{what}, 0 ms: never waiting", value, None, "x", note)
        for in_flight, floor, target in ((64, 80, 95), (256, 60, 85)):
            many = in_flight * (40 if quick else 100)
            value, note = throughput(at(50), many, in_flight, rounds=rounds)
            what = f"throughput, 50 ms latency, {in_flight} in flight"
            yield Line(what, value, (floor, target), " %", note, more_is_better=True)
        what = "CPU against openai + semaphore, whole process"
        if importlib.util.find_spec("openai") is None:
            yield Line(what, None, (0.33, 0.15), "x", "openai is not installed")
            return
        value, note = ratio("ours", "sdk", 1_500, url=at(0), rounds=rounds)
        yield Line(what, value, (0.33, 0.15), "x", note)


def without_network(quick: bool) -> Iterator[Line]:
    n, many = 20_000, 100_000 if quick else 1_000_000
    told = [measured("scripted", n).told for _ in range(1 if quick else 3)]
    cost, again, shared = (
        statistics.median(one[name] for one in told) for name in ("cpu_call", "again", "shared")
    )
    note = "render, key, look-up, read, store"
    yield Line("CPU a judgement without network", 1e3 * cost / n, (0.12, 0.07), " ms", note)
    note = "of CPU; every case is looked up and skipped"
    yield Line("rerun, everything cached", n / again, (20_000, 50_000), "/s", note, True)
    note = "no call, but every case is rendered, looked up, read and stored as evidence"
    what = "CPU a judgement, new run over a shared cache"
    yield Line(what, 1e3 * shared / n, (0.12, 0.07), " ms", note)
    small, large = (measured("scripted", k).told["memory"] for k in (1_000, many))
    what, note = f"memory, 1,000 to {many:,} cases", f"{small:.0f} to {large:.0f} MB peak"
    yield Line(f"growth of {what}", large - small, (60, 25), " MB", note)


def importing(quick: bool) -> Iterator[Line]:
    program = (
        "import time; t = time.process_time(); import evenhand; print(time.process_time() - t)"
    )
    command = [sys.executable, "-c", program]
    found = [float(subprocess.check_output(command)) for _ in range(3 if quick else 9)]
    value = 1e3 * statistics.median(found)
    yield Line("import evenhand", value, (150, 50), " ms", "CPU, median")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer judgements, one round")
    parser.add_argument("--write", action="store_true", help="update bench/RESULTS.md")
    parser.add_argument("--role", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.role:
        role, url, n, in_flight = given.role
        print(json.dumps(ROLES[role](url, int(n), int(in_flight))))
        return 0
    rest = "throughput is of wall time, everything else of CPU time."
    parts = (part(given.quick) for part in (importing, without_network, over_http))
    return reported("Engine", parts, rest, write=given.write)


if __name__ == "__main__":
    sys.exit(main())
