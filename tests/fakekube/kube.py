"""An API server for tests, which a test drives and breaks.

    async with FakeKube() as kube:
        kube.apply(pod("a"))                    # create or replace, status included
        ...                                     # point a client at kube.kubeconfig, or at
                                                # kube.url + kube.ca + kube.token_file
        await kube.until(lambda: kube.watches)  # looked at after each request
        async with fault(kube):                 # for fault in FAULTS, see faults.py
            kube.delete(POD, "a")
            kube.apply(pod("e"))
        assert kube.names(POD) == ["e"]         # what a client must see in the end

It keeps one resourceVersion over all objects and their whole history until `compact()`; after
that, what a client has seen is too old. `requests` lists what was asked so far. `roles` are Role,
ClusterRole and binding objects as in YAML: nothing is allowed beyond them, where they are given
(no bindings among them = every role is bound). `kube.served.discard(POOL)` takes a kind away.

Kinds: see kinds.py. Not there: server-side apply, JSON patches, strategic patches of lists of
objects, Table output, protobuf, schemas of the kinds (nothing is validated), owner references.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fakekube.access import User, grants_of
from tests.fakekube.api import Api
from tests.fakekube.certificates import Authority
from tests.fakekube.connection import Connection, Request
from tests.fakekube.kinds import Json, Kind, kind_of
from tests.fakekube.store import Store, now
from tests.fakekube.watch import Watch

Serve = Callable[[Connection, Request], None]


class FakeKube:
    """Serves 127.0.0.1 over TLS while the context lasts."""

    def __init__(
        self,
        *,
        roles: Iterable[Json] | None = None,
        namespace: str = "default",
        account: str = "epp",
        history: int = 100_000,
    ) -> None:
        self.store = Store(history)
        self.api = Api(self.store)
        self.namespace = namespace
        self.requests: list[Request] = []
        self.serve: Serve = self.api.serve  # faults serve otherwise for a while
        self.piece_bytes = 0  # the size of the pieces that lines are written in, 0 for whole ones
        self.served = self.api.served
        self.watches: set[Watch] = self.api.watches
        self.connections: set[Connection] = set()
        self.host, self.port = "127.0.0.1", 0
        grants = None if roles is None else grants_of(roles, namespace, account)
        self._user = User(f"system:serviceaccount:{namespace}:{account}", grants=grants)
        self._server: asyncio.Server | None = None
        self._moved = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="fakekube-")
        folder = Path(self._folder.name)
        self.authority = Authority(folder)
        self._tls = self.authority.server_context()
        self.ca = self.authority.path
        self.service_account = folder  # token, ca.crt and namespace, as mounted into a pod
        (folder / "namespace").write_text(self.namespace)
        self.token_file = folder / "token"
        self.replace_token("first-token")
        self._hold_port()
        await self.listen()
        self.kubeconfig = self._write_kubeconfig("kubeconfig", {"tokenFile": str(self.token_file)})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop_listening()
        self._held.close()
        for connection in tuple(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # lets the aborted connections say that they are lost
        self._folder.cleanup()

    # --- objects -----------------------------------------------------------------------------

    def apply(self, *objects: Json) -> None:
        """Create or replace objects as they are, with their status."""
        for obj in objects:
            kind = kind_of(obj)
            meta = dict(obj["metadata"])
            if kind.namespaced:
                meta.setdefault("namespace", self.namespace)
            self.store.put(kind, {**obj, "metadata": meta})

    def delete(self, kind: Kind, name: str, namespace: str = "") -> None:
        """Remove an object at once."""
        self.store.remove(self._key(kind, name, namespace))

    def terminate(self, kind: Kind, name: str, namespace: str = "") -> None:
        """Mark an object as about to go; it stays until it is deleted."""
        obj = self.store.get(self._key(kind, name, namespace))
        assert obj is not None
        meta = {**obj["metadata"], "deletionTimestamp": now()}
        self.store.put(kind, {**obj, "metadata": meta})

    def objects(self, kind: Kind, namespace: str = "") -> list[Json]:
        """Return the objects of a kind as they are now, in all namespaces by default."""
        return self.store.collection(kind, namespace)

    def names(self, kind: Kind, namespace: str = "") -> list[str]:
        return [obj["metadata"]["name"] for obj in self.objects(kind, namespace)]

    def compact(self) -> None:
        """Forget the history: every resourceVersion given out so far is too old."""
        self.store.compact()

    def bookmark(self) -> None:
        """Send a bookmark to each watch that wants bookmarks."""
        for watch in tuple(self.watches):
            watch.bookmark()

    # --- clients -----------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def trust(self) -> ssl.SSLContext:
        """Return what a client needs to know this server."""
        return ssl.create_default_context(cafile=self.ca)

    def replace_token(self, token: str) -> None:
        """Write another token into the token file and take the rights of the one before."""
        self.api.users = {t: u for t, u in self.api.users.items() if u is not self._user}
        self.api.users[token] = self._user
        self.token = token
        fresh = self.token_file.with_suffix(".new")
        fresh.write_text(token)
        fresh.replace(self.token_file)

    def add_user(self, token: str, name: str, roles: Iterable[Json] | None = None) -> None:
        """Let somebody else in; a name of `namespace:account` is granted what roles give it."""
        namespace, _, account = name.rpartition(":")
        grants = None if roles is None else grants_of(roles, namespace, account)
        self.api.users[token] = User(f"system:serviceaccount:{name}", grants=grants)

    def certificate_kubeconfig(self, name: str = "admin") -> Path:
        """Write a kubeconfig with a client certificate, to which everything is allowed."""
        certificate, key = self.authority.issue(name)
        user = {"client-certificate": str(certificate), "client-key": str(key)}
        return self._write_kubeconfig(f"{name}.kubeconfig", user)

    async def until(self, holds: Callable[[], object], within_s: float = 10) -> None:
        """Wait until something holds; it is looked at after each request."""
        async with asyncio.timeout(within_s):
            while not holds():
                self._moved.clear()
                await self._moved.wait()

    # --- the port ----------------------------------------------------------------------------

    async def listen(self) -> None:
        """Accept connections; all of them are refused before, on a port that stays held."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._serve, self.connections),
            sock=self._held.dup(),
            ssl=self._tls,
            ssl_shutdown_timeout=1,
        )

    def stop_listening(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        if self._server:
            self._server.close()
            self._server = None
            self._held.close()
            self._hold_port()

    def _hold_port(self) -> None:
        """Bind the port, so that nobody else gets it while connections to it are refused."""
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind((self.host, self.port))
        self.port = self._held.getsockname()[1]

    def _serve(self, connection: Connection, request: Request) -> None:
        self.requests.append(request)
        connection.piece_bytes = self.piece_bytes
        self.serve(connection, request)
        self._moved.set()

    def _key(self, kind: Kind, name: str, namespace: str) -> tuple[Kind, str, str]:
        return kind, (namespace or self.namespace) if kind.namespaced else "", name

    def _write_kubeconfig(self, file: str, user: Mapping[str, Any]) -> Path:
        cluster = {"server": self.url, "certificate-authority": str(self.ca)}
        context = {"cluster": "fake", "user": "fake", "namespace": self.namespace}
        path = self.service_account / file
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "fake", "cluster": cluster}],
                    "users": [{"name": "fake", "user": user}],
                    "contexts": [{"name": "fake", "context": context}],
                    "current-context": "fake",
                }
            )
        )
        return path
