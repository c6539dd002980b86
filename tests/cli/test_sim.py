from __future__ import annotations

import json
import signal
import socket
import urllib.request

import pytest

from tests.cli.conftest import Run, process, read_until


def test_it_answers_until_it_is_told_to_stop() -> None:
    with process("sim", "--port", "0", "--served-model-name", "small") as started:
        url = read_until(started, "simulated vLLM at ").split()[-1]
        with urllib.request.urlopen(f"{url}/v1/models", timeout=10) as answer:
            assert [model["id"] for model in json.load(answer)["data"]] == ["small"]
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--port", "70000"),
        ("--engine", "olama"),
        ("--speed", "0"),
        ("--error-rate", "2"),
        ("--slow-metrics", "-1"),
        ("--max-num-seqs", "0"),
    ],
)
def test_a_number_that_makes_no_sense_is_a_mistake(run: Run, flag: str, value: str) -> None:
    ended = run("sim", flag, value)
    assert ended.status == 2
    assert flag.strip("-").replace("-", "_") in ended.err.replace("-", "_")


def test_a_taken_port_is_a_mistake(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = run("sim", "--port", port)
    assert ended.status == 2
    assert f"127.0.0.1:{port}" in ended.err
    assert "--port" in ended.err
