"""The command line."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvloop

import epp
from epp.admin.listen import AdminError
from epp.app import App, Settings, SettingsError
from epp.config.error import ConfigError
from epp.discovery.error import DiscoveryError
from epp.server.errors import ServerError
from epp.telemetry import logs

EXPECTED = (AdminError, ConfigError, DiscoveryError, ServerError, SettingsError)

app = typer.Typer(
    name="epp",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Endpoint picker for Envoy: sends each OpenAI-style request to the replica that will "
    "answer it soonest.",
)


def main() -> None:
    """Run a command; an error that the user can mend is one line and exit status 2."""
    try:
        app()
    except EXPECTED as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with status 2."""
    sys.stderr.write(f"epp: {message}\n")
    sys.exit(2)


def run_until_signal(serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run `serve` with an event that SIGTERM and SIGINT set; a second signal ends at once."""

    async def supervised() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stopping(number: signal.Signals) -> None:
            stop.set()
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping, number)
        await serve(stop)

    try:
        uvloop.run(supervised())
    except* EXPECTED as group:
        fail("; ".join(str(error) for error in group.exceptions))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(epp.__version__)
        raise typer.Exit


@app.callback()
def _epp(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


Endpoints = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        envvar="EPP_ENDPOINT",
        metavar="URL",
        help="A model server, as http://host:port. Repeat it for each replica.",
    ),
]
EndpointsFile = Annotated[
    Path | None,
    typer.Option(
        envvar="EPP_ENDPOINTS_FILE",
        metavar="FILE",
        help="All model servers in a YAML file, which is read again when it changes.",
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        envvar="EPP_ENGINE",
        help="Whose metrics the --endpoint servers have: vllm, sglang, trtllm-serve, "
        "triton-tensorrt-llm or triton.",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        envvar="EPP_CONFIG_FILE",
        metavar="FILE",
        help="How to choose: an EndpointPickerConfig. Without it: queue 2, KV cache 2, prefix 3.",
    ),
]
LogLevel = Annotated[
    str, typer.Option(envvar="EPP_LOG_LEVEL", help="debug, info, warning or error.")
]
LogFormat = Annotated[
    str,
    typer.Option(
        envvar="EPP_LOG_FORMAT", help="json, text, or auto: text on a terminal, else json."
    ),
]


@app.command()
def serve(  # the flags are the interface  # noqa: PLR0917
    endpoint: Endpoints = None,
    endpoints_file: EndpointsFile = None,
    engine: Engine = "vllm",
    config_file: ConfigFile = None,
    grpc_port: Annotated[
        int, typer.Option(envvar="EPP_GRPC_PORT", help="Envoy's ext_proc calls.")
    ] = 9002,
    grpc_health_port: Annotated[
        int, typer.Option(envvar="EPP_GRPC_HEALTH_PORT", help="gRPC health checks, plaintext.")
    ] = 9003,
    metrics_port: Annotated[
        int, typer.Option(envvar="EPP_METRICS_PORT", help="Prometheus metrics and decisions.")
    ] = 9090,
    host: Annotated[
        str, typer.Option(envvar="EPP_HOST", help="Address to listen on; all if empty.")
    ] = "",
    insecure: Annotated[
        bool,
        typer.Option("--insecure", envvar="EPP_INSECURE", help="No TLS on the ext_proc port."),
    ] = False,
    cert_path: Annotated[
        Path | None,
        typer.Option(
            envvar="EPP_CERT_PATH",
            metavar="DIR",
            help="Folder with tls.crt and tls.key, read again when they change. Without it the "
            "certificate is self-signed, which gateways accept.",
        ),
    ] = None,
    drain_timeout: Annotated[
        float,
        typer.Option(
            envvar="EPP_DRAIN_TIMEOUT",
            metavar="SECONDS",
            help="How long open streams may take to finish after SIGTERM.",
        ),
    ] = 30.0,
    max_body_bytes: Annotated[
        int, typer.Option(envvar="EPP_MAX_BODY_BYTES", help="A longer request body gets 413.")
    ] = 16 * 1024 * 1024,
    max_concurrent_streams: Annotated[
        int,
        typer.Option(
            envvar="EPP_MAX_CONCURRENT_STREAMS",
            help="Streams on one connection; Envoy opens another for more, which spreads load.",
        ),
    ] = 20,
    refresh_metrics_interval: Annotated[
        float,
        typer.Option(
            envvar="EPP_REFRESH_METRICS_INTERVAL",
            metavar="SECONDS",
            help="How often a server in use is asked for its metrics.",
        ),
    ] = 0.05,
    idle_metrics_interval: Annotated[
        float,
        typer.Option(
            envvar="EPP_IDLE_METRICS_INTERVAL",
            metavar="SECONDS",
            help="The same for one that has had no request of ours for a while.",
        ),
    ] = 1.0,
    metrics_staleness_threshold: Annotated[
        float,
        typer.Option(
            envvar="EPP_METRICS_STALENESS_THRESHOLD",
            metavar="SECONDS",
            help="Metrics older than this count as unknown.",
        ),
    ] = 2.0,
    model_server_metrics_token_file: Annotated[
        Path | None,
        typer.Option(
            envvar="EPP_MODEL_SERVER_METRICS_TOKEN_FILE",
            metavar="FILE",
            help="Bearer token for the servers' metrics pages.",
        ),
    ] = None,
    model_server_metrics_https_insecure_skip_verify: Annotated[
        bool,
        typer.Option(
            "--model-server-metrics-https-insecure-skip-verify",
            envvar="EPP_MODEL_SERVER_METRICS_HTTPS_INSECURE_SKIP_VERIFY",
            help="Do not check the servers' certificates when reading metrics over https.",
        ),
    ] = False,
    observe_responses: Annotated[
        bool,
        typer.Option(
            envvar="EPP_OBSERVE_RESPONSES",
            help="Read answers: token usage and time to first token. Without it, a buffered pool "
            "with mode override costs nothing per chunk.",
        ),
    ] = True,
    decisions: Annotated[
        int,
        typer.Option(
            envvar="EPP_DECISIONS",
            help="How many of the last decisions /decisions on the metrics port explains.",
        ),
    ] = 100,
    log_level: LogLevel = "info",
    log_format: LogFormat = "auto",
) -> None:
    """Run the picker alone, for an Envoy that calls it over ext_proc."""
    logs.configure(log_level, _log_format(log_format), sys.stderr)
    settings = Settings(
        endpoints=tuple(endpoint or ()),
        endpoints_file=endpoints_file,
        engine=engine,
        config_file=config_file,
        host=host,
        grpc_port=grpc_port,
        grpc_health_port=grpc_health_port,
        metrics_port=metrics_port,
        insecure=insecure,
        cert_path=cert_path,
        drain_timeout_s=drain_timeout,
        max_body_bytes=max_body_bytes,
        max_concurrent_streams=max_concurrent_streams,
        refresh_metrics_interval_s=refresh_metrics_interval,
        idle_metrics_interval_s=idle_metrics_interval,
        metrics_staleness_threshold_s=metrics_staleness_threshold,
        metrics_token_file=model_server_metrics_token_file,
        metrics_skip_verify=model_server_metrics_https_insecure_skip_verify,
        observe_responses=observe_responses,
        decisions=decisions,
    )

    async def picker(stop: asyncio.Event) -> None:
        await App(settings).run(stop)

    run_until_signal(picker)


def _log_format(text: str) -> logs.Format:
    match text:
        case "json" | "text" | "auto":
            return text
        case _:
            raise SettingsError(f"--log-format is json, text or auto, not {text!r}")
