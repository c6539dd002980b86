"""Real Envoys, a real picker, scripted model servers: shared by all tests that do not kill them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from epp.demo.bootstrap import BootstrapOptions, Mode
from epp.demo.ports import free_port
from tests.e2e.canary import Canary, perched
from tests.e2e.gateway import MAX_BODY_BYTES, Gateway, open_gateway
from tests.e2e.picker import Picker, serving
from tests.e2e.upstream import Upstream, listening

COMBINATIONS: list[tuple[Mode, bool]] = [
    ("duplex", False),
    ("duplex", True),
    ("buffered", False),
    ("buffered", True),
]
NAMES = [f"{mode}{'-override' if override else ''}" for mode, override in COMBINATIONS]

session = pytest_asyncio.fixture(scope="session", loop_scope="session")


def options(picker: Picker, **chosen: Any) -> BootstrapOptions:
    """AI Gateway's configuration on free ports."""
    return BootstrapOptions(
        listen_port=free_port(),
        admin_port=free_port(),
        picker_port=picker.port,
        shared_port=False,
        **chosen,
    )


@session
async def upstreams() -> AsyncIterator[tuple[Upstream, Upstream]]:
    """Two replicas."""
    async with listening() as one, listening() as two:
        yield one, two


@session
async def plain() -> AsyncIterator[Upstream]:
    """The server behind /plain."""
    async with listening() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def canary() -> AsyncIterator[Canary]:
    """An address that a client would like the request to go to; no test may get it there."""
    async with perched() as bird:
        yield bird
        assert bird.connections == 0


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["native", "grpcio"])
async def picker(
    request: pytest.FixtureRequest,
    upstreams: tuple[Upstream, Upstream],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Picker]:
    """One picker with TLS for all Envoys: it learns the mode from each stream."""
    flags = [f"--endpoint={upstream.url}" for upstream in upstreams]
    flags.append(f"--transport={request.param}")
    flags.append(f"--max-body-bytes={MAX_BODY_BYTES}")
    async with serving(flags, tmp_path_factory.mktemp("picker")) as process:
        yield process
        process.terminate()
        assert await process.ended() == 0


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=COMBINATIONS, ids=NAMES)
async def gateway(
    request: pytest.FixtureRequest,
    picker: Picker,
    plain: Upstream,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Gateway]:
    """What AI Gateway programs, in each combination of the pool's two annotations."""
    mode, override = request.param
    chosen = options(
        picker,
        mode=mode,
        allow_mode_override=override,
        plain_ports=(plain.port,),
        accept_trailers=True,
    )
    async with open_gateway(chosen, picker, tmp_path_factory.mktemp("envoy")) as opened:
        yield opened


StartPicker = Callable[..., AbstractAsyncContextManager[Picker]]
StartGateway = Callable[..., AbstractAsyncContextManager[Gateway]]


@pytest.fixture
def start_picker(tmp_path: Path) -> StartPicker:
    """A picker of one's own, to be ended by the test: `start_picker(*flags)`.

    Of one transport: what these tests are about is not in the transport, and each takes seconds.
    """
    return lambda *flags: serving(["--transport=native", *flags], tmp_path)


@pytest.fixture
def start_gateway(tmp_path: Path) -> StartGateway:
    """An Envoy of one's own: `start_gateway(picker, **options)`."""
    return lambda picker, **chosen: open_gateway(options(picker, **chosen), picker, tmp_path)
