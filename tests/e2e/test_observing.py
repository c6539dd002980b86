"""How many messages an answer costs, by what is to be read of it."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import StartGateway, StartPicker
from tests.e2e.upstream import Upstream

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

SENT = "http.http.ext_proc.stream_msgs_sent"
EVENTS = 40
WITHOUT_BODY = 3  # the request's headers and body, the answer's headers


@pytest.mark.parametrize("level", ["none", "headers", "full"])
async def test_chunks_of_a_buffered_answer_are_shown_only_where_they_are_read(
    level: str,
    upstreams: tuple[Upstream, Upstream],
    start_picker: StartPicker,
    start_gateway: StartGateway,
) -> None:
    flags = [f"--endpoint={upstreams[0].url}", f"--observe-responses={level}"]
    async with (
        start_picker(*flags) as picker,
        start_gateway(picker, mode="buffered", allow_mode_override=True) as gateway,
    ):
        streamed = await gateway.stream({"x-answer-events": str(EVENTS), "x-answer-gap-ms": "2"})
        sent = await gateway.stat(SENT)
    assert streamed.body.count(b"data: ") == EVENTS + 1
    if level == "full":
        assert sent > WITHOUT_BODY + EVENTS // 2
    else:
        assert sent == WITHOUT_BODY
