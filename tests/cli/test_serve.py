from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import pytest
import typer

from epp.cli import serve
from epp.cli.main import app
from epp.config.settings import Settings
from epp.exchange.modes import BodyMode
from epp.telemetry.level import Level
from tests.cli.conftest import Run, process, read_until

ENDPOINT = ("--endpoint", "http://127.0.0.1:9")
ANYWHERE = ("--host", "127.0.0.1", "--grpc-health-port", "0", "--metrics-port", "0", "--insecure")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Return the settings that the command comes to; nothing is served."""
    settings: list[Settings] = []

    class Told:
        def __init__(self, given: Settings) -> None:
            settings.append(given)

        async def run(self, _: asyncio.Event) -> None: ...

    monkeypatch.setattr(serve, "App", Told)
    return settings


def test_without_flags_it_has_the_applications_own_defaults(run: Run, told: list[Settings]) -> None:
    assert run("serve").status == 0
    assert told == [Settings()]


def test_every_flag_arrives(run: Run, told: list[Settings], tmp_path: Path) -> None:
    flags = {
        "--endpoints-file": (tmp_path / "pool.yaml", "endpoints_file"),
        "--engine": ("sglang", "engine"),
        "--config-file": (tmp_path / "config.yaml", "config_file"),
        "--host": ("::1", "host"),
        "--grpc-port": (1, "grpc_port"),
        "--grpc-socket": (tmp_path / "epp.sock", "grpc_socket"),
        "--transport": ("native", "transport"),
        "--grpc-health-port": (2, "grpc_health_port"),
        "--metrics-port": (3, "metrics_port"),
        "--cert-path": (tmp_path, "cert_path"),
        "--drain-timeout": (4.5, "drain_timeout_s"),
        "--max-body-bytes": (5, "max_body_bytes"),
        "--max-concurrent-streams": (6, "max_concurrent_streams"),
        "--refresh-metrics-interval": (0.7, "refresh_metrics_interval_s"),
        "--idle-metrics-interval": (0.8, "idle_metrics_interval_s"),
        "--metrics-staleness-threshold": (9.0, "metrics_staleness_threshold_s"),
        "--model-server-metrics-token-file": (tmp_path / "token", "metrics_token_file"),
        "--observe-responses": (Level.SAMPLE, "observe_responses"),
        "--observe-sample": (12, "observe_sample"),
        "--decisions": (11, "decisions"),
    }
    switches = {
        "--insecure": ("insecure", True),
        "--model-server-metrics-https-insecure-skip-verify": ("metrics_skip_verify", True),
    }
    given = [text for flag, (value, _) in flags.items() for text in (flag, str(value))]
    urls = ("--endpoint", "http://a:1", "--endpoint", "http://b:2", "--body-mode", "buffered")
    assert run("serve", *urls, *given, *switches).status == 0
    [settings] = told
    assert settings.endpoints == ("http://a:1", "http://b:2")
    assert settings.body_mode is BodyMode.BUFFERED
    assert {field: getattr(settings, field) for _, field in flags.values()} == {
        field: value for value, field in flags.values()
    }
    assert all(getattr(settings, field) is value for field, value in switches.values())


def test_every_flag_is_also_a_variable_with_its_name() -> None:
    command = typer.main.get_command(app).get_command(None, "serve")  # type: ignore[attr-defined]
    for parameter in command.params:
        if parameter.name != "help":
            assert parameter.envvar == f"EPP_{parameter.name.upper()}"


def test_variables_are_read_and_flags_win(
    run: Run, told: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPP_ENDPOINT", "http://a:1 http://b:2")
    monkeypatch.setenv("EPP_GRPC_PORT", "7")
    monkeypatch.setenv("EPP_INSECURE", "true")
    monkeypatch.setenv("EPP_OBSERVE_RESPONSES", "false")
    assert run("serve", "--grpc-port", "8").status == 0
    assert told[0].endpoints == ("http://a:1", "http://b:2")
    assert (told[0].grpc_port, told[0].insecure) == (8, True)
    assert told[0].observe_responses is Level.NONE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--endpoint http://host:port"),
        (("--endpoint", "no-port"), '"no-port" has no port'),
        ((*ENDPOINT, "--endpoints-file", "x.yaml"), "not both"),
        (("--endpoints-file", "/no/such.yaml"), "/no/such.yaml"),
        ((*ENDPOINT, "--config-file", "/no/such.yaml"), "/no/such.yaml"),
        ((*ENDPOINT, "--engine", "vlm"), "--engine"),
        ((*ENDPOINT, "--metrics-staleness-threshold", "1"), "--idle-metrics-interval"),
        ((*ENDPOINT, "--grpc-port", "70000"), "--grpc-port"),
        ((*ENDPOINT, "--metrics-port", "-1"), "--metrics-port"),
        ((*ENDPOINT, "--grpc-health-port", "http"), "--grpc-health-port"),
        ((*ENDPOINT, "--max-body-bytes", "0"), "--max-body-bytes"),
        ((*ENDPOINT, "--observe-responses", "all"), "none, headers, sample, full"),
        ((*ENDPOINT, "--observe-sample", "0"), "--observe-sample"),
        ((*ENDPOINT, "--drain-timeout", "-1"), "--drain-timeout"),
        ((*ENDPOINT, "--decisions", "-1"), "--decisions"),
        ((*ENDPOINT, "--body-mode", "partial"), "--body-mode"),
        ((*ENDPOINT, "--no-such-flag"), "--no-such-flag"),
    ],
)
def test_a_mistake_ends_it_with_status_2_and_says_which(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    ended = run("serve", *arguments)
    assert ended.status == 2
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_a_mistake_in_a_variable_names_the_variable(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPP_GRPC_PORT", "many")
    ended = run("serve", *ENDPOINT)
    assert ended.status == 2
    assert "EPP_GRPC_PORT" in ended.err


@pytest.mark.parametrize(("flag", "value"), [("--log-level", "loud"), ("--log-format", "xml")])
def test_logs_that_do_not_exist_are_a_mistake(flag: str, value: str) -> None:
    with process("serve", *ENDPOINT, flag, value) as started:
        out, _ = started.communicate(timeout=30)
    assert started.returncode == 2
    assert flag in out
    assert value in out


def test_it_serves_until_it_is_told_to_stop() -> None:
    variables = {"EPP_ENDPOINT": "http://127.0.0.1:9", "EPP_LOG_FORMAT": "json"}
    with process("serve", *ANYWHERE, "--grpc-port", "0", **variables) as started:
        ready = json.loads(read_until(started, '"ready"'))
        with socket.create_connection(("127.0.0.1", ready["grpc_port"])):
            pass
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=30) == 0


def test_a_taken_port_is_a_mistake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with process("serve", *ENDPOINT, *ANYWHERE, "--grpc-port", port) as started:
            out, _ = started.communicate(timeout=30)
    assert started.returncode == 2
    assert port in out
    assert "Traceback" not in out
