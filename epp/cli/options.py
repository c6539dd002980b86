"""Options that several commands have."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from epp.config.presets import DEFAULT_PRESET, PRESETS
from epp.config.settings import SettingsError
from epp.telemetry import logs

PORT = {"min": 0, "max": 65_535}  # 0: any that is free

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
        help="What the --endpoint servers are. auto: found out by asking them; else vllm, sglang, "
        "trtllm-serve, triton-tensorrt-llm, triton, tgi, lmdeploy, llama.cpp, ollama, none, or an "
        "engine of the configuration.",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        envvar="EPP_CONFIG_FILE",
        metavar="FILE",
        help="How to choose: an EndpointPickerConfig. Without it: the preset.",
    ),
]
Preset = Annotated[
    str,
    typer.Option(
        envvar="EPP_PRESET",
        help=f"How to choose, without a file: {' or '.join(PRESETS)}; {DEFAULT_PRESET} if empty.",
    ),
]
TransportOption = Annotated[
    Literal["native", "grpcio"],
    typer.Option(
        envvar="EPP_TRANSPORT",
        help="What carries Envoy's calls: gRPC's own library, or an HTTP/2 server written for "
        "this one service, which costs a fraction of it.",
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


def configure_logs(level: str, form: str) -> None:
    """Write the logs as `--log-level` and `--log-format` say."""
    if level not in {"debug", "info", "warning", "error"}:
        raise SettingsError(f"--log-level is debug, info, warning or error, not {level!r}")
    match form:
        case "json" | "text" | "auto":
            logs.configure(level, form, sys.stderr)
        case _:
            raise SettingsError(f"--log-format is json, text or auto, not {form!r}")
