"""When the parts of an answer reach the client, and that all of them do."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import StartGateway, StartPicker
from tests.e2e.gateway import Gateway, Streamed
from tests.e2e.upstream import Upstream

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

Upstreams = tuple[Upstream, Upstream]
GAP_MS = 150
EVENTS = 2
FIRST_BYTE_S = 0.05
ATTEMPTS = 5  # another process may have the processor


async def test_the_first_event_is_not_held_back(gateway: Gateway, upstreams: Upstreams) -> None:
    delays_s: list[float] = []
    while not delays_s or (delays_s[-1] > FIRST_BYTE_S and len(delays_s) < ATTEMPTS):
        streamed, sent_at = await paced(gateway, upstreams)
        assert streamed.body.endswith(b"data: [DONE]\n\n")
        delays_s.append(streamed.first_at - sent_at[1])  # the first part has only headers
        if not gateway.streams_at_once:
            break

    if gateway.streams_at_once:
        assert min(delays_s) < FIRST_BYTE_S
    else:  # what the pool's annotations ask for: whole, and at its end
        assert min(delays_s) >= EVENTS * GAP_MS / 1000


async def paced(gateway: Gateway, upstreams: Upstreams) -> tuple[Streamed, list[float]]:
    """A stream with pauses; when its parts left the server."""
    before = {id(request) for upstream in upstreams for request in upstream.requests}
    streamed = await gateway.stream(
        {"x-answer-events": str(EVENTS), "x-answer-gap-ms": str(GAP_MS)}
    )
    (request,) = (
        request
        for upstream in upstreams
        for request in upstream.requests
        if id(request) not in before
    )
    return streamed, request.sent_at


async def test_an_answer_above_the_buffer_limit_gets_through(gateway: Gateway) -> None:
    responses = [await gateway.chat({"x-answer-bytes": "40000"}) for _ in range(40)]

    statuses = [response.status_code for response in responses]
    if gateway.streams_at_once:
        assert statuses == [200] * 40
        assert {len(response.content) for response in responses} == {40000}
    else:  # nobody can help a pool that is to buffer more than its limit
        assert statuses == [500] * 40


@pytest.mark.parametrize("mode", ["duplex", "buffered"])
async def test_a_stream_survives_the_end_of_the_picker(
    mode: str, upstreams: Upstreams, start_picker: StartPicker, start_gateway: StartGateway
) -> None:
    async with (
        start_picker(f"--endpoint={upstreams[0].url}") as picker,
        start_gateway(picker, mode=mode, allow_mode_override=True) as gateway,
    ):
        headers = {"x-answer-events": "10", "x-answer-gap-ms": "100"}
        streamed = await gateway.stream(headers, on_first=picker.terminate)
        assert await picker.ended() == 0

    assert streamed.status == 200
    assert streamed.body.count(b"data: ") == 11
    assert streamed.body.endswith(b"data: [DONE]\n\n")
