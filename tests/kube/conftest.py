"""API servers for the tests of the client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from epp.kube.client import KubeClient
from epp.kube.find_access import find_access
from tests.fakekube.fixtures import kube
from tests.fakekube.kube import FakeKube

__all__ = ["kube"]


@pytest.fixture
async def client(kube: FakeKube) -> AsyncIterator[KubeClient]:
    """Return a client of the fake API server."""
    made = KubeClient(await find_access(kube.kubeconfig), timeout_s=5.0)
    yield made
    await made.aclose()
