from __future__ import annotations

import httpx
import pytest

from epp.demo.error import DemoError
from epp.demo.fleet import fleet
from epp.demo.ports import free_port
from epp.demo.sim.options import SimOptions


async def test_replicas_answer_inside_the_block_and_are_gone_after_it() -> None:
    options = [SimOptions(port=0, name="one"), SimOptions(port=0, name="two")]
    async with httpx.AsyncClient(trust_env=False) as client:
        async with fleet(options) as urls:
            assert len(set(urls)) == 2
            for url in urls:
                assert (await client.get(f"{url}/health")).status_code == 200
        for url in urls:
            with pytest.raises(httpx.TransportError):
                await client.get(f"{url}/health")


async def test_a_replica_that_cannot_start_is_an_error() -> None:
    port = free_port()
    with pytest.raises(DemoError, match="did not start"):
        async with fleet([SimOptions(port=port), SimOptions(port=port)]):
            pass
