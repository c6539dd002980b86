from __future__ import annotations

import asyncio
import signal

import pytest

from epp.cli.running import fail, run_until_signal
from epp.config.settings import SettingsError
from epp.discovery.error import EndpointsFileError
from epp.document.problem import Problem


def test_a_failure_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        fail("this is wrong")
    assert ended.value.code == 2
    assert capsys.readouterr().err == "epp: this is wrong\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_wish_to_stop(number: signal.Signals) -> None:
    stopped = []

    async def serve(stop: asyncio.Event) -> None:
        signal.raise_signal(number)
        await asyncio.wait_for(stop.wait(), 10)
        stopped.append(number)

    before = signal.getsignal(number)
    run_until_signal(serve)
    signal.signal(number, before)
    assert stopped == [number]


def test_mistakes_of_several_tasks_are_all_told(capsys: pytest.CaptureFixture[str]) -> None:
    async def serve(_: asyncio.Event) -> None:
        problem = EndpointsFileError("pool.yaml", [Problem(3, "no port")])
        raise ExceptionGroup("", [SettingsError("one"), ExceptionGroup("", [problem])])

    with pytest.raises(SystemExit) as ended:
        run_until_signal(serve)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "epp: one; pool.yaml:3: no port\n"


def test_a_bug_is_not_taken_for_a_mistake() -> None:
    async def serve(_: asyncio.Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_until_signal(serve)
