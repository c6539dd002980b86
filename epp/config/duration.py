"""Durations as llm-d's configuration and Kubernetes write them."""

from __future__ import annotations

import re

PATTERN = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """Return how long `1m30s` is; `text` has the form of PATTERN."""
    return sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
