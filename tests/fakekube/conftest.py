"""For the tests of the API server itself."""

from __future__ import annotations

from tests.fakekube.fixtures import kube, kube_api

__all__ = ["kube", "kube_api"]
