from __future__ import annotations

import subprocess
import sys

import pytest

SERVING = """
import asyncio, sys
from epp.app.process import App
from epp.cli import main
from epp.config.settings import Settings

async def serve(transport):
    settings = Settings(
        endpoints=("http://127.0.0.1:9",), host="127.0.0.1", transport=transport,
        grpc_port=0, grpc_health_port=0, metrics_port=0, insecure=True,
    )
    stop = asyncio.Event()
    await App(settings).run(stop, stop.set)

asyncio.run(serve(sys.argv[1]))
print("grpc" in sys.modules)
"""


@pytest.mark.parametrize(("transport", "loaded"), [("native", "False"), ("grpcio", "True")])
def test_grpcio_is_loaded_only_by_the_transport_that_needs_it(transport: str, loaded: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SERVING, transport], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == loaded


HEAVY = ("httpx", "cryptography", "zmq", "rich", "grpc", "epp.kube.client")


def test_what_only_others_need_is_not_loaded() -> None:
    """A picker with static endpoints and no TLS: each of these takes megabytes."""
    code = f"{SERVING}print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code, "native"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == ""
