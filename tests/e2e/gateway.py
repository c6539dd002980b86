"""Envoy with a picker behind it, as a client sees them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from epp.demo import envoy
from epp.demo.bootstrap import BootstrapOptions
from tests.e2e.picker import Picker

PROMPT = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
CHAT = "/v1/chat/completions"
TIMEOUT_S = 20.0
MAX_BODY_BYTES = 6_000_000  # the picker's limit


@dataclass
class Gateway:
    options: BootstrapOptions
    picker: Picker
    client: httpx.AsyncClient

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.options.listen_port}"

    @property
    def too_large(self) -> bytes:
        """A body just above the limit that applies: the picker's or, buffered, Envoy's.

        Not more, or the refusal can be overtaken by the end of a connection that is written to.
        """
        return b"x" * (MAX_BODY_BYTES + 1 if self.options.mode == "duplex" else 40_000)

    @property
    def streams_at_once(self) -> bool:
        return self.options.mode == "duplex" or self.options.allow_mode_override

    async def chat(self, headers: Mapping[str, str] = {}, **fields: Any) -> httpx.Response:
        return await self.client.post(CHAT, json=PROMPT | fields, headers=headers)

    async def stream(
        self, headers: Mapping[str, str] = {}, on_first: Callable[[], object] = lambda: None
    ) -> Streamed:
        """A streamed chat; `on_first` is called when its first part is here."""
        body = PROMPT | {"stream": True}
        parts: list[tuple[float, bytes]] = []
        async with self.client.stream("POST", CHAT, json=body, headers=headers) as response:
            async for part in response.aiter_raw():
                parts.append((time.monotonic(), part))
                if len(parts) == 1:
                    on_first()
        return Streamed(response.status_code, parts)

    async def stat(self, name: str) -> int:
        """One of Envoy's own counters."""
        url = f"http://127.0.0.1:{self.options.admin_port}/stats?filter=^{name}$"
        answer = await self.client.get(url)
        return int(answer.text.split(": ")[1])

    async def decisions(self) -> list[dict[str, Any]]:
        """The picker's own account of its last decisions, newest first."""
        url = f"http://127.0.0.1:{self.picker.metrics_port}/decisions?limit=100"
        decisions: list[dict[str, Any]] = (await self.client.get(url)).json()
        return decisions


@dataclass
class Streamed:
    status: int
    parts: list[tuple[float, bytes]]

    @property
    def first_at(self) -> float:
        return self.parts[0][0]

    @property
    def body(self) -> bytes:
        return b"".join(part for _, part in self.parts)


@asynccontextmanager
async def open_gateway(
    options: BootstrapOptions, picker: Picker, directory: Path
) -> AsyncIterator[Gateway]:
    url = f"http://127.0.0.1:{options.listen_port}"
    async with (
        envoy.running(options, directory),
        httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as client,
    ):
        yield Gateway(options, picker, client)
