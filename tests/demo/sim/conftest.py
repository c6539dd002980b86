from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from openai import AsyncOpenAI

from epp.demo.sim.options import SimOptions
from epp.demo.sim.server import SimServer

OPTIONS = SimOptions(
    port=0, name="replica-1", served_model_name=("base",), loras=("poet",), time_scale=20
)


@pytest.fixture
async def server() -> AsyncIterator[SimServer]:
    async with SimServer(OPTIONS) as server:
        yield server


@pytest.fixture
async def http(server: SimServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url) as http:
        yield http


@pytest.fixture
async def openai(server: SimServer) -> AsyncIterator[AsyncOpenAI]:
    url = f"{server.url}/v1"
    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as openai:
        yield openai
