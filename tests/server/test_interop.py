"""Clients of other makers, where they are installed."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from epp.server.processor import SERVICE
from epp.server.tls import MadeUpCertificate
from tests.http2.peer import framed
from tests.server.loopback import Echoes, chunk, serving_over

serving = serving_over("native")
GRPC = ("-H", "content-type: application/grpc", "-H", "te: trailers")


def needs(command: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        shutil.which(command) is None,
        reason=f"{command} is not installed: on Debian it is in the package nghttp2-client",
    )


async def run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    return out.decode(errors="replace")


@pytest.fixture
def body(tmp_path: Path) -> Path:
    path = tmp_path / "message"
    path.write_bytes(framed(chunk(b"hello").SerializeToString()))
    return path


@needs("h2load")
@pytest.mark.parametrize("tls", [False, True])
async def test_h2load_has_all_of_its_streams_answered(body: Path, tls: bool) -> None:
    echoes = Echoes()
    certificates = MadeUpCertificate() if tls else None
    async with serving(echoes.services, certificates=certificates) as listener:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{listener.port}/{SERVICE}/Process"
        said = await run("h2load", "-n2000", "-c4", "-m50", f"-d{body}", *GRPC, url)
    assert re.search(r"2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout", said), said
    assert len(echoes.conversations) == 2000
    assert echoes.processor.inflight == 0
    assert {conversation.closes for conversation in echoes.conversations} == {1}


@needs("nghttp")
async def test_nghttp_is_answered_with_trailers(body: Path) -> None:
    async with serving(Echoes().services) as listener:
        url = f"http://127.0.0.1:{listener.port}/{SERVICE}/Process"
        said = await run("nghttp", "-v", "-n", f"-d{body}", *GRPC, url)
    assert "grpc-status: 0" in said, said


@needs("nghttp")
async def test_nghttp_pads_its_frames(body: Path) -> None:
    async with serving(Echoes().services) as listener:
        url = f"http://127.0.0.1:{listener.port}/{SERVICE}/Process"
        odd = ("--padding=100", "--continuation")
        said = await run("nghttp", "-v", "-n", *odd, f"-d{body}", *GRPC, url)
    assert "grpc-status: 0" in said, said


@needs("h2load")
async def test_what_is_no_call_is_told_so(body: Path) -> None:
    async with serving(Echoes().services) as listener:
        said = await run("h2load", "-n100", "-c1", "-m10", f"http://127.0.0.1:{listener.port}/")
    assert "status codes: 0 2xx, 0 3xx, 100 4xx, 0 5xx" in said
