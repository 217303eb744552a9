"""A loopback server with faults, for tests of the whole way."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.mock_server import Settings


@dataclass(frozen=True)
class Mock:
    """Attributes: url ends in /v1; `url + "#stars"` is a model that rates."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def reset(self, **settings: float) -> None:
        """Zeroes the counters; what is not given goes back to its default."""
        wanted = {**asdict(Settings()), **settings}
        self._call("/reset?" + "&".join(f"{k}={v}" for k, v in wanted.items()), b"")

    def stats(self) -> dict[str, int]:
        return self._call("/stats", None)

    def _call(self, path: str, body: bytes | None) -> dict[str, int]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def _mock_process() -> Iterator[Mock]:
    command = [sys.executable, str(Path(__file__).with_name("mock_server.py")), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Mock(int(process.stdout.readline()))
        finally:
            process.terminate()


@pytest.fixture
def mock(_mock_process: Mock) -> Mock:
    """The server without faults or latency, counters at zero."""
    _mock_process.reset()
    return _mock_process
