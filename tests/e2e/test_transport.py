"""Envoy reaches the native transport in each way; the shared gateway does so by TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from epp.demo.bootstrap import Mode
from tests.e2e.conftest import StartGateway, StartPicker
from tests.e2e.upstream import Upstream

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(params=["port", "socket"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "epp.sock") if request.param == "socket" else ""


@pytest.mark.parametrize("mode", ["duplex", "buffered"])
async def test_plaintext_on_a_port_or_a_unix_socket(
    mode: Mode,
    path: str,
    upstreams: tuple[Upstream, Upstream],
    start_picker: StartPicker,
    start_gateway: StartGateway,
) -> None:
    flags = [f"--endpoint={upstreams[0].url}", "--insecure"]
    if path:
        flags.append(f"--grpc-socket={path}")
    chosen = {"mode": mode, "allow_mode_override": True, "picker_socket": path}
    async with (
        start_picker(*flags) as picker,
        start_gateway(picker, picker_tls=False, **chosen) as gateway,
    ):
        answer = await gateway.chat()
        assert answer.status_code == 200
        streamed = await gateway.stream({"x-answer-events": "5"})
        assert streamed.body.count(b"data: ") == 6
        assert len(await gateway.decisions()) == 2
        picker.terminate()
        assert await picker.ended() == 0
