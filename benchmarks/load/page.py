"""A picker's own metrics."""

from __future__ import annotations

import asyncio

import httpx
from prometheus_client.parser import text_string_to_metric_families

# What must be 0 once every request has ended.
HELD = (
    "llm_d_epp_flow_control_queue_size",
    "llm_d_epp_flow_control_queue_bytes",
    "llm_d_epp_extproc_streams_inflight",
    "llm_d_epp_request_running",
    "llm_d_epp_inflight_requests",
)
PATIENCE_S = 10.0  # for the ends of streams to be seen

Page = dict[str, list[tuple[dict[str, str], float]]]  # labels and value, by the sample's name


async def page(metrics_port: int) -> Page:
    """Read them."""
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(f"http://127.0.0.1:{metrics_port}/metrics")).text
    found: Page = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


async def still_held(metrics_port: int) -> dict[str, float]:
    """Return what is held though nothing is under way; empty: nothing."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + PATIENCE_S
    while True:
        told = await page(metrics_port)
        sums = {name: sum(value for _, value in told.get(name, [])) for name in HELD}
        left = {name: value for name, value in sums.items() if value}
        if not left or loop.time() > ends_at:
            return left
        await asyncio.sleep(0.1)
