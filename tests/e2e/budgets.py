"""Envoy's rate-limit filter behind the picker's, and a service that keeps its budgets."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from epp.demo import envoy
from epp.demo.bootstrap import BootstrapOptions, render
from epp.demo.leash import leashed
from tests.e2e.gateway import TIMEOUT_S, Gateway
from tests.e2e.picker import Picker

NAMESPACE = "io.envoy.ai_gateway"
CLUSTER = "budgets"
FILTER = "envoy.filters.http.ratelimit"
KIND = "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3."
PROGRAM = Path(__file__).with_name("rate_limit_service.py")


class Budgets:
    """The service, in a process of its own, and what it was charged."""

    def __init__(self, process: Process, port: int) -> None:
        self.port = port
        self._process = process

    async def asked(self, budget: str) -> None:
        """Wait until Envoy asks whether there is room, with 0 hits, and is told yes."""
        assert await self._call() == {"budget": budget, "hits": 0, "over": False}

    async def charged(self, budget: str) -> int:
        """Wait for the question about a request, and for what it was charged at its end."""
        await self.asked(budget)
        call = await self._call()
        assert call["budget"] == budget
        return int(call["hits"])

    async def refused(self, budget: str) -> None:
        """Wait for a question that is told no."""
        assert await self._call() == {"budget": budget, "hits": 0, "over": True}

    async def _call(self) -> Mapping[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(TIMEOUT_S):
            call: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return call


@asynccontextmanager
async def budgets() -> AsyncIterator[Budgets]:
    process = await asyncio.create_subprocess_exec(
        *leashed([sys.executable, str(PROGRAM)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield Budgets(process, int(await process.stdout.readline()))
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def limited(
    chosen: BootstrapOptions,
    picker: Picker,
    service: Budgets,
    costs: Mapping[str, str],
    directory: Path,
) -> AsyncIterator[Gateway]:
    """A gateway whose requests are charged: by header, the metadata key of their cost."""
    config = directory / "envoy.json"
    config.write_text(json.dumps(with_limits(json.loads(render(chosen)), service.port, costs)))
    url = f"http://127.0.0.1:{chosen.listen_port}"
    async with (
        envoy.running_file(config, chosen.admin_port),
        httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as client,
    ):
        yield Gateway(chosen, picker, client)


def with_limits(config: dict[str, Any], port: int, costs: Mapping[str, str]) -> dict[str, Any]:
    """What Envoy Gateway makes of a BackendTrafficPolicy with costs of the response."""
    resources = config["staticResources"]
    manager = resources["listeners"][0]["filterChains"][0]["filters"][0]["typedConfig"]
    manager["httpFilters"].insert(-1, _filter())
    (host,) = manager["routeConfig"]["virtualHosts"]
    limits = [limit for header, key in costs.items() for limit in _limits(header, key)]
    host["routes"][-1]["typedPerFilterConfig"] = {
        FILTER: {"@type": f"{KIND}RateLimitPerRoute", "rateLimits": limits}
    }
    resources["clusters"].append(_cluster(port))
    return config


def _filter() -> dict[str, Any]:
    service = {
        "grpcService": {"envoyGrpc": {"clusterName": CLUSTER}},
        "transportApiVersion": "V3",
    }
    settings = {"domain": "tokens", "failureModeDeny": True, "timeout": "5s"}
    return {
        "name": FILTER,
        "typedConfig": {"@type": f"{KIND}RateLimit", **settings, "rateLimitService": service},
    }


def _limits(header: str, key: str) -> list[dict[str, Any]]:
    action = {"requestHeaders": {"headerName": header, "descriptorKey": "budget"}}
    hits = f"%DYNAMIC_METADATA({NAMESPACE}:{key})%"
    return [
        {"actions": [action], "hitsAddend": {"number": 0}},
        {"actions": [action], "hitsAddend": {"format": hits}, "applyOnStreamDone": True},
    ]


def _cluster(port: int) -> dict[str, Any]:
    http = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    address = {"socketAddress": {"address": "127.0.0.1", "portValue": port}}
    return {
        "name": CLUSTER,
        "type": "STATIC",
        "connectTimeout": "5s",
        "typedExtensionProtocolOptions": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": http,
                "explicitHttpConfig": {"http2ProtocolOptions": {}},
            }
        },
        "loadAssignment": {
            "clusterName": CLUSTER,
            "endpoints": [{"lbEndpoints": [{"endpoint": {"address": address}}]}],
        },
    }
