"""Requests to one API server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from types import MappingProxyType

import httpx

from epp.kube.access import Access
from epp.kube.credentials import Credential
from epp.kube.errors import (
    AbsentError,
    KubeError,
    StalledError,
    UnreachableError,
    UnreadableError,
)
from epp.kube.lines import LineSplitter
from epp.kube.status import refusal
from epp.kube.transport import tcp_transport

_NO_PARAMS: Mapping[str, str] = MappingProxyType({})
_HEADERS = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "epp"}
_MAX_ANSWER_BYTES = 64 << 20
_MAX_REFUSAL_BYTES = 64 << 10


class KubeClient:
    """Asks one API server; what fails is a KubeError.

    A refused credential is renewed once, and the request repeated with what came of that.
    `transport` makes the connections, anew when the client certificate changes.
    """

    def __init__(
        self,
        access: Access,
        *,
        timeout_s: float = 30.0,
        transport: Callable[[ssl.SSLContext], httpx.AsyncBaseTransport] = tcp_transport,
    ) -> None:
        self._access = access
        self._timeout_s = timeout_s
        self._transport = transport
        name = access.trust.server_name
        self._extensions = {"sni_hostname": name} if name else {}
        self._http: httpx.AsyncClient | None = None
        self._pair: tuple[bytes, bytes] | None = None

    def __repr__(self) -> str:
        return f"<KubeClient of {self._access.server}>"

    @property
    def access(self) -> Access:
        """The way to the server."""
        return self._access

    async def aclose(self) -> None:
        """Close all connections; a later request opens new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def get(self, path: str, params: Mapping[str, str] = _NO_PARAMS) -> bytes:
        """Return the object or list at `path`."""
        return await self._exchange("GET", path, params)

    async def put(self, path: str, body: bytes) -> bytes:
        """Replace the object at `path`; returns it as it is now."""
        return await self._exchange("PUT", path, body=body)

    async def post(self, path: str, body: bytes) -> bytes:
        """Create an object in the collection `path`; returns it as it is now."""
        return await self._exchange("POST", path, body=body)

    @asynccontextmanager
    async def watch(
        self, path: str, params: Mapping[str, str], *, idle_s: float
    ) -> AsyncIterator[AsyncIterator[list[bytes]]]:
        """Open a watch: its lines, a list of those that one piece of the answer completes.

        It ends when the server ends it; `idle_s` without a byte is a StalledError.
        """
        timeout = httpx.Timeout(self._timeout_s, read=idle_s)
        async with self._answer("GET", path, {**params, "watch": "1"}, timeout) as response:
            yield self._lines(response)

    async def _lines(self, response: httpx.Response) -> AsyncIterator[list[bytes]]:
        splitter = LineSplitter()
        with self._translated():
            async for chunk in response.aiter_raw():
                lines = splitter.feed(chunk)
                if lines:
                    yield lines

    async def _exchange(
        self, method: str, path: str, params: Mapping[str, str] = _NO_PARAMS, body: bytes = b""
    ) -> bytes:
        timeout = httpx.Timeout(self._timeout_s)
        try:
            async with asyncio.timeout(2 * self._timeout_s):  # against one that drips
                async with self._answer(method, path, params, timeout, body) as response:
                    return await _body(response, _MAX_ANSWER_BYTES)
        except TimeoutError as error:
            raise StalledError(f"{self._access.server}: the answer takes too long") from error

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        timeout: httpx.Timeout,  # noqa: ASYNC109 - httpx has one for each phase
        body: bytes = b"",
    ) -> AsyncIterator[httpx.Response]:
        with self._translated():
            response = await self._send(method, path, params, timeout, body)
            try:
                if not response.is_success:
                    raise await _refused(response)
                yield response
            finally:
                await response.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        timeout: httpx.Timeout,  # noqa: ASYNC109
        body: bytes,
    ) -> httpx.Response:
        async def attempt(credential: Credential) -> httpx.Response:
            http = await self._connections(credential)
            request = http.build_request(
                method,
                path,
                params=params,
                content=body or None,
                headers=_authorization(credential, body),
                timeout=timeout,
                extensions=self._extensions,
            )
            return await http.send(request, stream=True)

        credential = await self._access.credentials.get()
        response = await attempt(credential)
        if response.status_code != 401:
            return response
        try:
            refused = await _refused(response)
        finally:
            await response.aclose()
        renewed = await self._access.credentials.renew(credential)
        if renewed == credential:
            raise refused
        return await attempt(renewed)

    async def _connections(self, credential: Credential) -> httpx.AsyncClient:
        """Return the connections made with the credential's certificate; others are closed."""
        if self._http is not None and self._pair == credential.pair:
            return self._http
        tls = self._access.trust.context(credential)
        former, self._pair = self._http, credential.pair
        self._http = fresh = httpx.AsyncClient(
            base_url=self._access.server,
            headers=_HEADERS,
            transport=self._transport(tls),
            trust_env=False,
        )
        if former is not None:
            await former.aclose()
        return fresh

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what httpx raises into errors of this package."""
        try:
            yield
        except httpx.ReadTimeout as error:
            raise StalledError(f"{self._access.server}: connected, but silent") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise AbsentError(f"{self._access.server}: {_root(error)}") from error
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{self._access.server}: {_root(error)}") from error


async def _refused(response: httpx.Response) -> KubeError:
    try:
        body = await _body(response, _MAX_REFUSAL_BYTES)
    except (UnreadableError, httpx.HTTPError):  # the status says enough
        body = b""
    return refusal(response.status_code, body, response.headers.get("retry-after", ""))


async def _body(response: httpx.Response, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > max_bytes:
            raise UnreadableError(f"an answer of more than {max_bytes} bytes")
    return bytes(body)


def _authorization(credential: Credential, body: bytes) -> dict[str, str]:
    headers = {"content-type": "application/json"} if body else {}
    if credential.token:
        headers["authorization"] = f"Bearer {credential.token}"
    return headers


def _root(error: Exception) -> str:
    """Return what the operating system said: httpx says `All connection attempts failed`."""
    told, cause = error, error.__cause__ or error.__context__
    while cause is not None:
        if isinstance(cause, OSError):
            told = cause
        cause = cause.__cause__ or cause.__context__
    return str(told) or type(told).__name__
