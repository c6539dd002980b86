"""A picker on the command line."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from benchmarks.load import contender
from benchmarks.load.contender import Spec, endpoints_file
from benchmarks.load.usage import usage
from epp.discovery.parse import parse_targets

LISTENING = (
    f"busy={sys.executable} -c 'import socket, sys; "
    's = socket.create_server(("127.0.0.1", int(sys.argv[1])))\nwhile True: pass\' '
    "{grpc} {endpoints}"
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epp", "write it as"),
        ("=epp {grpc} {endpoints}", "write it as"),
        ("epp=", "write it as"),
        ("epp=serve {grpc}", "lacks {endpoints}"),
        ("epp=serve", "lacks {grpc} and {endpoints}"),
    ],
)
def test_what_is_missing_is_said(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Spec.parse(text)


def test_places_are_filled_and_other_braces_stay() -> None:
    spec = Spec.parse('x=true --port {grpc} --config \'{"path": "{endpoints}"}\'')
    program, *rest = spec.arguments({"grpc": "9002", "endpoints": "there.yaml"})
    assert Path(program).name == "true"
    assert rest == ["--port", "9002", "--config", '{"path": "there.yaml"}']


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="there is no program no-such-picker"):
        Spec.parse("x=no-such-picker {grpc} {endpoints}").arguments({})


def test_the_endpoints_are_in_the_form_that_this_picker_reads() -> None:
    targets = parse_targets(endpoints_file([8001, 8002]), "endpoints.yaml")
    assert [(t.address.host, t.address.port, t.name) for t in targets] == [
        ("127.0.0.1", 8001, "replica-0"),
        ("127.0.0.1", 8002, "replica-1"),
    ]


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, which Linux has")
async def test_a_parked_picker_takes_no_time_and_a_resumed_one_does(tmp_path: Path) -> None:
    async with contender.running(Spec.parse(LISTENING), [8001], tmp_path / "picker") as picker:
        picker.park()
        async with asyncio.timeout(5):
            while not stopped(picker.pid):
                await asyncio.sleep(0.01)
        before = usage(picker.pid).cpu_s
        await asyncio.sleep(0.1)
        assert usage(picker.pid).cpu_s == before
        picker.resume()
        async with asyncio.timeout(5):
            while usage(picker.pid).cpu_s == before:
                await asyncio.sleep(0.01)


async def test_a_picker_that_does_not_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    spec = Spec.parse(
        f"broken={sys.executable} -c 'import sys; sys.exit(\"no pool\")' {{grpc}} {{endpoints}}"
    )
    with pytest.raises(RuntimeError, match="broken ended with status 1:\nno pool"):
        async with contender.running(spec, [8001], tmp_path / "picker"):
            pass
