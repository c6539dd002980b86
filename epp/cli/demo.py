"""`epp demo`: the whole of it on one machine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any, Literal

import typer

from epp.cli.options import ConfigFile, LogLevel, Preset, configure_logs
from epp.cli.running import fail, run_until_signal


def demo(
    mode: Annotated[
        Literal["duplex", "buffered"], typer.Option(help="How Envoy shows bodies to the picker.")
    ] = "duplex",
    hold: Annotated[
        bool, typer.Option("--hold", help="Keep everything open afterwards, to try it yourself.")
    ] = False,
    overload: Annotated[
        bool,
        typer.Option("--overload", help="Too many requests, without and with a picker's patience."),
    ] = False,
    config_file: ConfigFile = None,
    preset: Preset = "",
    log_level: LogLevel = "error",
) -> None:
    """Four simulated replicas, a real Envoy, the picker, and traffic to watch.

    Plays the same conversations twice, first by round robin and then by the picker, and compares.
    With --overload: more requests than the replicas can serve in time, first sent on at once, then
    with requests that may wait in the picker.
    """
    from rich.console import Console  # noqa: PLC0415  `serve` does without

    from epp.demo.overload import OverloadOptions  # noqa: PLC0415  needs the extra `demo`
    from epp.demo.overload import overload as overwhelm  # noqa: PLC0415  the same
    from epp.demo.show import ShowOptions, show  # noqa: PLC0415  the same

    configure_logs(log_level, "auto")
    if overload and (hold or config_file or preset):
        fail("--overload goes with --mode alone")
    options = ShowOptions(mode=mode, hold=hold, config_file=config_file, preset=preset)

    def shown() -> Coroutine[Any, Any, None]:
        if overload:
            return overwhelm(OverloadOptions(mode=mode), Console())
        return show(options, Console())

    async def showing(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(shown())
            ending = group.create_task(stop.wait())
            await asyncio.wait([task, ending], return_when=asyncio.FIRST_COMPLETED)
            task.cancel()
            ending.cancel()

    run_until_signal(showing)
