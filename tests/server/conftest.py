"""Everything that a stream goes over is tested over both transports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from tests.server.loopback import Serving, Transport, serving_over


@pytest.fixture(params=["native", "grpcio"])
def transport(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


@pytest.fixture
def serving(transport: Transport) -> Serving:
    return serving_over(transport)


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Have the native transport on the loop of production too."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if item.path.name in {"test_native.py", "test_tls.py", "test_interop.py"}:
        loops["uvloop"] = uvloop.new_event_loop
    return loops
