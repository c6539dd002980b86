"""`epp demo`: the whole of it on one machine."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import typer

from epp.cli.options import ConfigFile, LogLevel, Preset, configure_logs
from epp.cli.running import run_until_signal


def demo(
    mode: Annotated[
        Literal["duplex", "buffered"], typer.Option(help="How Envoy shows bodies to the picker.")
    ] = "duplex",
    hold: Annotated[
        bool, typer.Option("--hold", help="Keep everything open afterwards, to try it yourself.")
    ] = False,
    config_file: ConfigFile = None,
    preset: Preset = "",
    log_level: LogLevel = "error",
) -> None:
    """Four simulated replicas, a real Envoy, the picker, and traffic to watch.

    Plays the same conversations twice, first by round robin and then by the picker, and compares.
    """
    from rich.console import Console  # noqa: PLC0415  `serve` does without

    from epp.demo.show import ShowOptions, show  # noqa: PLC0415  needs the extra `demo`

    configure_logs(log_level, "auto")
    options = ShowOptions(mode=mode, hold=hold, config_file=config_file, preset=preset)

    async def showing(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(show(options, Console()))
            ending = group.create_task(stop.wait())
            await asyncio.wait([task, ending], return_when=asyncio.FIRST_COMPLETED)
            task.cancel()
            ending.cancel()

    run_until_signal(showing)
