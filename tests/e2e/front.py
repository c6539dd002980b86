"""A gateway's own filter before the picker's: it finds the model and has the route chosen anew."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from epp._pb.envoy.config.core.v3 import base_pb2 as core
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.app.transports import listen_with
from epp.server.listen import Listener, ListenSettings, Services
from epp.server.processor import ExternalProcessor, InMessages, Later


class Front(InMessages):
    """One stream of it."""

    later: Later | None = None
    waiting = False
    finished = False

    def receive(self, message: pb.ProcessingRequest) -> Sequence[pb.ProcessingResponse]:
        if message.WhichOneof("request") == "request_headers":
            return [pb.ProcessingResponse(request_headers=pb.HeadersResponse())]
        model = json.loads(message.request_body.body)["model"]
        header = core.HeaderValue(key="x-ai-eg-model", raw_value=model.encode())
        change = pb.CommonResponse(
            header_mutation=pb.HeaderMutation(set_headers=[core.HeaderValueOption(header=header)]),
            clear_route_cache=True,
        )
        return [pb.ProcessingResponse(request_body=pb.BodyResponse(response=change))]

    def close(self) -> None:
        """Hold nothing."""


@asynccontextmanager
async def front() -> AsyncIterator[Listener]:
    """Serve it on a free port."""
    processor = ExternalProcessor(lambda _: Front())
    settings = ListenSettings(0, "127.0.0.1")
    listener = await listen_with("native")(settings, Services(processor), None)
    try:
        yield listener
    finally:
        await listener.drain(0)
