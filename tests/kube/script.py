"""An API server that says what a script says, without sockets: for virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import httpx
import msgspec

from epp.kube.access import Access
from epp.kube.client import KubeClient
from epp.kube.credentials import Credential, Credentials, ReadCredentials

Answer = Callable[[httpx.Request], Awaitable[httpx.Response]]
Piece = bytes | float | Exception  # to send, to wait in seconds, or to break with


class Script(httpx.AsyncBaseTransport):
    """Gives its answers in turn, then none for ever; `asked` has what came, and when."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self.asked: list[tuple[float, str]] = []
        self.open = 0
        self._answers = list(answers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        at = asyncio.get_running_loop().time()
        self.asked.append((round(at, 3), describe(request)))
        if not self._answers:
            await asyncio.Event().wait()
        return await self._answers.pop(0)(request)

    def client(self, credentials: Credentials | None = None, **options: Any) -> KubeClient:
        """Return a client that talks to this."""
        known = credentials or ReadCredentials(lambda: Credential(token="secret-token"))
        access = Access(server="http://kube", credentials=known)
        return KubeClient(access, transport=lambda _: self, **options)


def describe(request: httpx.Request) -> str:
    params = request.url.params
    if "watch" in params:
        return f"watch from {params['resourceVersion']}"
    more = f" continue {params['continue']}" if "continue" in params else ""
    return f"{'list' if request.method == 'GET' else request.method}{more}"


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            elif isinstance(piece, Exception):
                raise piece
            else:
                await asyncio.sleep(piece)


def says(status: int, *pieces: Piece, headers: dict[str, str] | None = None) -> Answer:
    """Answer with a body in pieces."""

    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, stream=_Pieces(pieces))

    return answer


def fails(error: Exception) -> Answer:
    """Give no answer at all."""

    async def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


def lists(version: str, *names: str, more: str = "") -> Answer:
    """Answer with a list of objects at the version."""
    return says(200, page(version, *names, more=more))


def watches(*pieces: Piece) -> Answer:
    return says(200, *pieces)


def page(version: str, *names: str, more: str = "") -> bytes:
    items = [thing(name, version) for name in names]
    meta = {"resourceVersion": version, "continue": more}
    return msgspec.json.encode({"kind": "PodList", "metadata": meta, "items": items})


def thing(name: str, version: str, namespace: str = "default") -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace, "uid": f"u-{name}", "resourceVersion": version}
    return {"metadata": meta}


def event(kind: str, name: str, version: str) -> bytes:
    return msgspec.json.encode({"type": kind, "object": thing(name, version)}) + b"\n"


def error_event(code: int, reason: str = "", **details: Any) -> bytes:
    status = {"kind": "Status", "code": code, "reason": reason, "message": "no", "details": details}
    return msgspec.json.encode({"type": "ERROR", "object": status}) + b"\n"
