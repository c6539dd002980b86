"""A gRPC client, a gRPC server, and Envoy with the picker between them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from epp.demo import clusters, envoy
from epp.demo.bootstrap import Mode, render
from tests.e2e.conftest import StartPicker, options

pytestmark = [pytest.mark.envoy]

GENERATE = "/vllm.grpc.engine.VllmEngine/Generate"
HELLO = b"\x1a\x05hello"  # GenerateRequest(text="hello")
HTTP2 = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
MODES: list[Mode] = ["duplex", "buffered"]


class Engine(grpc.GenericRpcHandler):
    """Says everything twice."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def service(
        self, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        return (
            grpc.unary_stream_rpc_method_handler(self.say) if details.method == GENERATE else None
        )

    async def say(self, request: bytes, _context: object) -> AsyncIterator[bytes]:
        self.heard.append(request)
        for _ in range(2):
            yield request


@pytest.mark.parametrize("mode", MODES)
async def test_a_call_reaches_the_engine_and_a_broken_one_does_not(
    start_picker: StartPicker, tmp_path: Path, mode: Mode
) -> None:
    engine, server = Engine(), grpc.aio.server()
    server.add_generic_rpc_handlers([engine])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with start_picker(f"--endpoint=http://127.0.0.1:{port}") as picker:
        chosen = options(picker, mode=mode, allow_mode_override=True)
        path = tmp_path / "grpc.json"
        path.write_text(json.dumps(speaking_http2(json.loads(render(chosen)))))
        async with (
            envoy.running_file(path, chosen.admin_port),
            grpc.aio.insecure_channel(f"127.0.0.1:{chosen.listen_port}") as channel,
        ):
            generate: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(
                GENERATE
            )
            said = [message async for message in generate(HELLO, timeout=20)]
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                [message async for message in generate(b"\xff", timeout=20)]
    await server.stop(None)
    assert said == [HELLO, HELLO]
    assert engine.heard == [HELLO]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == (
        "We could not read the gRPC message: it is not a protobuf message."
    )


def speaking_http2(config: dict[str, dict[str, list[dict[str, object]]]]) -> object:
    """Change the pool's cluster to what `appProtocol: kubernetes.io/h2c` makes of it."""
    for cluster in config["staticResources"]["clusters"]:
        if cluster["name"] == clusters.POOL:
            cluster["typedExtensionProtocolOptions"] = {
                HTTP2: {
                    "@type": f"type.googleapis.com/{HTTP2}",
                    "explicitHttpConfig": {"http2ProtocolOptions": {}},
                }
            }
    return config
