"""How fast a request wants its answer, as its headers say."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import msgspec

_TTFT = ("x-llm-d-slo-ttft-ms", "x-slo-ttft-ms")  # the newer name first: it wins
_TPOT = ("x-llm-d-slo-tpot-ms", "x-slo-tpot-ms")


class LatencyObjectives(msgspec.Struct, frozen=True):
    """Seconds to the first token, and for each one after it; None: any will do."""

    ttft_s: float | None = None
    tpot_s: float | None = None


def latency_objectives(headers: Mapping[str, str]) -> LatencyObjectives:
    """Read the headers; what is no positive number counts as not there."""
    return LatencyObjectives(_seconds(headers, _TTFT), _seconds(headers, _TPOT))


def _seconds(headers: Mapping[str, str], names: tuple[str, str]) -> float | None:
    text = next((headers[name] for name in names if name in headers), "")
    try:
        milliseconds = float(text)
    except ValueError:
        return None
    return milliseconds / 1000.0 if 0.0 < milliseconds < inf else None
