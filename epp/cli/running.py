"""How every command that serves is run and ended."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import uvloop

from epp.admin.listen import AdminError
from epp.config.error import ConfigError
from epp.config.settings import SettingsError
from epp.demo.error import DemoError
from epp.discovery.error import DiscoveryError
from epp.kube.errors import AccessError
from epp.manifests.render.error import ClusterError
from epp.server.errors import ServerError

# What the user can mend: each says how.
EXPECTED = (
    AccessError,
    AdminError,
    ClusterError,
    ConfigError,
    DemoError,
    DiscoveryError,
    ServerError,
    SettingsError,
)


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
        fail("; ".join(_messages(group)))


def _messages(group: BaseExceptionGroup[Any]) -> list[str]:
    return [
        message
        for error in group.exceptions
        for message in (_messages(error) if isinstance(error, BaseExceptionGroup) else [str(error)])
    ]
