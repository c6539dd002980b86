from __future__ import annotations

import pytest

from epp.cli import run as command
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "configure_logs", lambda *_: None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--endpoint http://host:port"),
        (("--endpoint", "no-port"), "no-port"),
        (("--endpoint", "http://127.0.0.1:9", "--listen", "nowhere"), "--listen nowhere"),
        (("--endpoint", "http://127.0.0.1:9", "--mode", "both"), "--mode"),
        (("--endpoint", "http://127.0.0.1:9", "--metrics-port", "70000"), "--metrics-port"),
    ],
)
def test_a_mistake_ends_it_with_status_2_and_says_which(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    ended = run("run", *arguments)
    assert ended.status == 2
    assert words in ended.err
    assert "Traceback" not in ended.err
