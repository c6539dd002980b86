"""Until when a client waits for its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

GRPC = "grpc-timeout"
ENVOY = "x-envoy-expected-rq-timeout-ms"  # by an Envoy in front: how long its own request may take
OWN = "x-llm-d-request-timeout-ms"

_GRPC = re.compile(r"(\d{1,8})([HMSmun])", re.ASCII)
_GRPC_UNITS_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_MILLISECONDS = re.compile(r"\d{1,12}", re.ASCII)


def deadline(headers: Mapping[str, str], started_at: float) -> float | None:
    """Return the monotonic second after which nobody waits, the earliest that a header says.

    What is no number is ignored, as by gRPC's servers and Envoy.
    """
    grpc, envoy, own = headers.get(GRPC), headers.get(ENVOY), headers.get(OWN)
    if grpc is None and envoy is None and own is None:
        return None
    timeouts = (
        _grpc_s(grpc),
        _milliseconds_s(envoy) or None,  # to Envoy, 0 is no limit
        _milliseconds_s(own),
    )
    given = [timeout for timeout in timeouts if timeout is not None]
    return started_at + min(given) if given else None


def _grpc_s(value: str | None) -> float | None:
    found = _GRPC.fullmatch(value) if value else None
    return int(found[1]) * _GRPC_UNITS_S[found[2]] if found else None


def _milliseconds_s(value: str | None) -> float | None:
    return int(value) / 1000 if value and _MILLISECONDS.fullmatch(value) else None
