"""What `epp run` says when it is ready."""

from __future__ import annotations

import http.client
import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

MODELS_TIMEOUT_S = 3.0
SOME_MODEL = "my-model"
TO_CONNECT_TO = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


def url(host: str, port: int) -> str:
    """The address for a client of this machine."""
    host = TO_CONNECT_TO.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def first_model(server_url: str) -> str | None:
    """The name of a model that is served; None if no server says."""
    place = urlsplit(server_url).netloc
    connection = http.client.HTTPConnection(place, timeout=MODELS_TIMEOUT_S)
    try:
        connection.request("GET", "/v1/models")
        answer = connection.getresponse().read()
        return msgspec.json.decode(answer, type=_Models).data[0].id
    except (OSError, http.client.HTTPException, msgspec.MsgspecError, IndexError):
        return None
    finally:
        connection.close()


def text(server_url: str, picker_url: str, endpoints: Sequence[str], model: str | None) -> str:
    """A few lines that can be copied from."""
    if model is None:
        note = f"No server answered GET /v1/models yet; put a real name for {SOME_MODEL}.\n"
    else:
        note = ""
    return f"""\
Ready: {server_url}/v1 is now in front of {", ".join(endpoints) or "no server yet"}

{_curl(server_url, model or SOME_MODEL)}
{note}
Why a request went where it went: {picker_url}/decisions
Metrics:                          {picker_url}/metrics
Ctrl-C ends it.
"""


def _curl(server_url: str, model: str) -> str:
    messages = [{"role": "user", "content": "Say hello"}]
    body = msgspec.json.encode({"model": model, "messages": messages}).decode()
    return (
        f"curl {server_url}/v1/chat/completions -H 'content-type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )
