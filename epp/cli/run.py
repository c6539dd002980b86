"""`epp run`: Envoy and the picker in front of model servers that already run."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from epp.cli.options import (
    PORT,
    ConfigFile,
    Endpoints,
    EndpointsFile,
    Engine,
    LogLevel,
    Preset,
    TransportOption,
    configure_logs,
)
from epp.cli.running import run_until_signal


def run(
    endpoint: Endpoints = None,
    endpoints_file: EndpointsFile = None,
    engine: Engine = "auto",
    config_file: ConfigFile = None,
    preset: Preset = "",
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where clients will find the servers.")
    ] = "127.0.0.1:8080",
    mode: Annotated[
        Literal["duplex", "buffered"], typer.Option(help="How Envoy shows bodies to the picker.")
    ] = "duplex",
    metrics_port: Annotated[
        int, typer.Option(help="The picker's metrics and decisions; 0: any free port.", **PORT)
    ] = 9090,
    transport: TransportOption = "grpcio",
    explain: Annotated[bool, typer.Option(help="Print where each request went and why.")] = True,
    log_level: LogLevel = "warning",
) -> None:
    """Put Envoy and the picker in front of your own servers: vLLM, SGLang, Ollama, llama.cpp."""
    from epp.demo import laptop  # noqa: PLC0415  needs the extra `envoy`

    configure_logs(log_level, "auto")
    options = laptop.LaptopOptions(
        endpoints=tuple(endpoint or ()),
        endpoints_file=endpoints_file,
        engine=engine,
        config_file=config_file,
        preset=preset,
        listen=listen,
        mode=mode,
        metrics_port=metrics_port,
        transport=transport,
        explain=explain,
    )
    run_until_signal(lambda stop: laptop.run(options, stop))
