"""Everything that a stream goes over is tested over both transports."""

from __future__ import annotations

import pytest

from tests.server.loopback import Serving, Transport, serving_over


@pytest.fixture(params=["native", "grpcio"])
def transport(request: pytest.FixtureRequest) -> Transport:
    found: Transport = request.param
    return found


@pytest.fixture
def serving(transport: Transport) -> Serving:
    return serving_over(transport)
