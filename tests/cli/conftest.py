"""Commands run in this process, or in one of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

import epp
from epp.cli import serve
from epp.cli.main import main

ROOT = Path(epp.__file__).parent.parent


class Ended(msgspec.Struct, frozen=True):
    """How a command ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command here; the logs stay as pytest has them."""
    for name in [name for name in os.environ if name.startswith("EPP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(serve, "configure_logs", lambda *_: None)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["epp", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run


@contextmanager
def process(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command of its own, with what it writes to both of its outputs in one."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "epp", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def read_until(started: subprocess.Popen[str], words: str) -> str:
    """Read lines until one has `words`; return it."""
    assert started.stdout is not None
    seen = []
    for line in started.stdout:
        if words in line:
            return line
        seen.append(line)
    raise AssertionError(f"{words!r} is not in {seen}")
