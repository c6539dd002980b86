"""`epp run` as a person runs it: a process, a server that is nobody's simulation, Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from epp.demo.leash import leashed
from epp.demo.ports import free_port
from tests.e2e.upstream import listening

pytestmark = pytest.mark.envoy

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


async def start(*flags: str) -> Process:
    """`epp run` with these flags."""
    command = [sys.executable, "-m", "epp", "run", "--metrics-port=0", *flags]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EPP_")}
    return await asyncio.create_subprocess_exec(
        *leashed(command), stdin=subprocess.DEVNULL, stdout=PIPE, stderr=PIPE, env=environment
    )


@asynccontextmanager
async def running(*flags: str) -> AsyncIterator[tuple[Process, str]]:
    """The process, and what it said when it was ready."""
    process = await start(*flags)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            said = await process.stdout.readuntil(b"Ctrl-C ends it.\n")
        yield process, said.decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def refusal(*flags: str) -> tuple[int | None, str]:
    """How it ends, and what it complains of."""
    process = await start(*flags)
    async with asyncio.timeout(30):
        _, complaint = await process.communicate()
    return process.returncode, complaint.decode()


@pytest.mark.parametrize("mode", ["duplex", "buffered"])
async def test_requests_reach_the_server_until_ctrl_c(mode: str) -> None:
    listen = f"127.0.0.1:{free_port()}"

    async with (
        listening() as server,
        running(f"--endpoint={server.url}", f"--listen={listen}", f"--mode={mode}") as (run, said),
        httpx.AsyncClient(base_url=f"http://{listen}", timeout=10) as client,
    ):
        bait = {"x-gateway-destination-endpoint": "127.0.0.1:1"}
        answer = await client.post("/v1/chat/completions", json=CHAT, headers=bait)
        stream = await client.post("/v1/chat/completions", json=CHAT | {"stream": True})
        run.send_signal(signal.SIGINT)
        async with asyncio.timeout(15):
            output, complaint = await run.communicate()

    assert (answer.status_code, answer.json()["model"]) == (200, "m")
    assert stream.text.endswith("data: [DONE]\n\n")
    assert f"http://{listen}/v1" in said
    assert '"model":"m"' in said
    assert server.address in said
    assert (run.returncode, complaint) == (0, b"")
    lines = output.decode().splitlines()
    assert [line.split(" with ")[0] for line in lines] == [f"m -> {server.address}"] * 2
    assert all("marginal-cost-scorer 1x1.00" in line for line in lines)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(listen.split(":")[1]))) != 0


async def test_ctrl_c_lets_an_answer_finish() -> None:
    listen = f"127.0.0.1:{free_port()}"

    async with (
        listening() as server,
        running(f"--endpoint={server.url}", f"--listen={listen}") as (run, _),
        httpx.AsyncClient(base_url=f"http://{listen}", timeout=10) as client,
        client.stream(
            "POST",
            "/v1/chat/completions",
            json=CHAT | {"stream": True},
            headers={"x-answer-events": "5", "x-answer-gap-ms": "100"},
        ) as stream,
    ):
        parts = aiter(stream.aiter_text())
        text = await anext(parts)
        run.send_signal(signal.SIGINT)
        text += "".join([part async for part in parts])
        async with asyncio.timeout(15):
            assert await run.wait() == 0

    assert text.endswith("data: [DONE]\n\n")


async def test_killed_it_leaves_no_envoy_behind() -> None:
    port = free_port()

    async with (
        listening() as server,
        running(f"--endpoint={server.url}", f"--listen=127.0.0.1:{port}") as (run, _),
    ):
        run.kill()
        await run.wait()

    async with asyncio.timeout(5):
        while await accepts(port):
            pass


async def accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


async def test_a_server_that_is_not_there_does_not_keep_it_from_starting() -> None:
    flags = (f"--endpoint=http://127.0.0.1:{free_port()}", f"--listen=127.0.0.1:{free_port()}")

    async with running(*flags) as (_, said):
        assert "No server answered GET /v1/models" in said


async def test_a_taken_port_is_one_line_and_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]

        status, complaint = await refusal("--endpoint=http://127.0.0.1:1", f"--listen=:{port}")

    assert status == 2
    assert len(complaint.splitlines()) == 1
    assert f"127.0.0.1 port {port}" in complaint
    assert "--listen" in complaint


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--endpoint=https://127.0.0.1:1"], "http only"),
        (["--endpoint=127.0.0.1"], "has no port"),
        ([], "--endpoint"),
        (["--endpoint=http://127.0.0.1:1", "--listen=here"], "write it like 127.0.0.1:8080"),
    ],
    ids=["https", "no-port", "nothing", "listen"],
)
async def test_what_it_cannot_do_is_one_line_and_status_2(flags: list[str], says: str) -> None:
    status, complaint = await refusal(f"--listen=:{free_port()}", *flags)

    assert status == 2
    assert says in complaint
    assert len(complaint.splitlines()) == 1


def test_without_the_wheel_it_says_what_to_install() -> None:
    without = (
        "import sys; sys.modules['envoy_data_plane'] = None;"
        "sys.argv = ['epp', 'run', '--endpoint=http://127.0.0.1:1'];"
        "from epp.cli.main import main; main()"
    )

    result = subprocess.run(
        [sys.executable, "-c", without], capture_output=True, text=True, check=False, timeout=30
    )

    assert result.returncode == 2
    assert "pip install 'epp[envoy]'" in result.stderr
    assert len(result.stderr.splitlines()) == 1
