"""API servers for tests. A conftest.py gets them by importing them."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.fakekube.kinds import Json, Kind, kind_of
from tests.fakekube.kube import FakeKube


@pytest.fixture
async def kube() -> AsyncIterator[FakeKube]:
    """Return a fresh fake API server that allows everything."""
    async with FakeKube() as server:
        yield server


class KubeApi:
    """An API server, real or fake, and the writing of objects through its API.

    On a real server nothing schedules or runs the pods: they name a scheduler that is not there,
    and their status is what a test says.
    """

    def __init__(self, url: str, token_file: Path, ca: Path | None, namespace: str) -> None:
        self.url = url
        self.token_file = token_file
        self.ca = ca
        self.namespace = namespace
        trust = ssl.create_default_context(cafile=ca)
        bearer = {"Authorization": f"Bearer {token_file.read_text().strip()}"}
        self.http = httpx.AsyncClient(base_url=url, verify=trust, headers=bearer)

    async def apply(self, obj: Json) -> None:
        """Create an object, or merge it into the one there, and then its status."""
        kind = kind_of(obj)
        name = obj["metadata"]["name"]
        body = {**obj, "metadata": {**obj["metadata"], "namespace": self.namespace}}
        made = await self.http.post(kind.path(self.namespace), json=body)
        if made.status_code != 409:
            made.raise_for_status()
        else:
            await self._merge(kind.path(self.namespace, name), body)
        if "status" in obj and kind.has_status:
            change = {"status": obj["status"]}
            await self._merge(kind.path(self.namespace, name) + "/status", change)

    async def delete(self, kind: Kind, name: str) -> None:
        """Delete an object without grace; it need not be there."""
        path = kind.path(self.namespace, name)
        gone = await self.http.delete(path, params={"gracePeriodSeconds": "0"})
        if gone.status_code != 404:
            gone.raise_for_status()

    async def names(self, kind: Kind) -> list[str]:
        found = await self.http.get(kind.path(self.namespace))
        found.raise_for_status()
        return [obj["metadata"]["name"] for obj in found.json()["items"]]

    async def clear(self, *kinds: Kind) -> None:
        for kind in kinds:
            for name in await self.names(kind):
                await self.delete(kind, name)

    async def _merge(self, path: str, change: Json) -> None:
        media = {"Content-Type": "application/merge-patch+json"}
        (await self.http.patch(path, json=change, headers=media)).raise_for_status()


@pytest.fixture
async def kube_api(tmp_path: Path) -> AsyncIterator[KubeApi]:
    """Return the API server at KUBE_TEST_URL, else a fake one."""
    async with api_server(tmp_path) as api:
        yield api


@asynccontextmanager
async def api_server(folder: Path) -> AsyncIterator[KubeApi]:
    """Reach the API server that the environment names, else a fake one.

    `KUBE_TEST_URL` is a server that has the kinds a test is about, `KUBE_TEST_CA` the file of its
    authority (else the usual ones), `KUBE_TEST_TOKEN` a token that may do everything in the
    namespace `KUBE_TEST_NAMESPACE` (else `default`). Tests remove what they find there. The
    namespace must have its service account `default`, or pods are not admitted.
    """
    url = os.environ.get("KUBE_TEST_URL")
    async with AsyncExitStack() as stack:
        if url is None:
            fake = await stack.enter_async_context(FakeKube())
            api = KubeApi(fake.url, fake.token_file, fake.ca, fake.namespace)
        else:
            token_file = folder / "token"
            token_file.write_text(os.environ["KUBE_TEST_TOKEN"])
            ca = os.environ.get("KUBE_TEST_CA")
            namespace = os.environ.get("KUBE_TEST_NAMESPACE", "default")
            api = KubeApi(url, token_file, Path(ca) if ca else None, namespace)
        await stack.enter_async_context(api.http)
        yield api
