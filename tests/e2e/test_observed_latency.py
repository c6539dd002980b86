"""Servers that tell nothing of themselves, told apart by how fast they answer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx
import pytest

from epp.demo.fleet import fleet
from epp.demo.sim.faults import Faults
from epp.demo.sim.options import SimOptions
from tests.e2e.conftest import options
from tests.e2e.gateway import CHAT, open_gateway
from tests.e2e.picker import serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

CONFIG = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: observed-latency-scorer}]
"""
DUMB = Faults(metrics_off=True)
REPLICAS = [
    SimOptions(port=0, name="slow", speed=0.1, faults=DUMB),
    SimOptions(port=0, name="fast", speed=1.0, faults=DUMB),
]


async def test_the_faster_of_two_gets_most(tmp_path: Path) -> None:
    config = tmp_path / "epp.yaml"
    config.write_text(CONFIG)
    async with fleet(REPLICAS) as urls:
        flags = [*(f"--endpoint={url}" for url in urls), f"--config-file={config}"]
        async with (
            serving(flags, tmp_path) as picker,
            open_gateway(options(picker, mode="duplex"), picker, tmp_path) as gateway,
        ):
            served: Counter[str] = Counter()
            for number in range(40):
                answer = await gateway.client.post(CHAT, json=question(number))
                assert answer.status_code == 200
                served[answer.headers["x-served-by"]] += 1
            told = await averages(gateway.client, picker.metrics_port)
    assert served["fast"] > 30
    assert served["slow"] >= 1  # or nothing would be known of it
    assert told[urls[0]] > 2 * told[urls[1]]


def question(number: int) -> dict[str, object]:
    text = f"{number} " + "word " * 300
    messages = [{"role": "user", "content": text}]
    model = REPLICAS[0].served_model_name[0]
    return {"model": model, "messages": messages, "max_tokens": 3, "stream": True}


async def averages(client: httpx.AsyncClient, port: int) -> dict[str, float]:
    """Return the mean times to the first token that the picker tells, by URL."""
    page = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    lines = [line for line in page.splitlines() if line.startswith("llm_d_epp_endpoint_mean_ttft_")]
    return {
        "http://" + line.split('model_server_endpoint="')[1].split('"')[0]: float(line.split()[-1])
        for line in lines
    }
