"""The texts in which Kubernetes writes sizes and the Gateway API writes times."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"([1-9]\d{0,14})(k|Ki|M|Mi|G|Gi)?")
_UNIT_BYTES = {
    None: 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "Ki": 1 << 10,
    "Mi": 1 << 20,
    "Gi": 1 << 30,
}
_DURATION = re.compile(r"(?:\d{1,5}(?:ms|h|m|s)){1,4}")
_PART = re.compile(r"(\d+)(ms|h|m|s)")
_UNIT_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def quantity_bytes(text: str) -> int | None:
    """Return the size that `50Mi` or `1048576` is; None if it is none."""
    match = _QUANTITY.fullmatch(text)
    return None if match is None else int(match[1]) * _UNIT_BYTES[match[2]]


def duration_s(text: str) -> float | None:
    """Return the time that `1h30m` or `60s` is; None if the Gateway API would refuse it."""
    if _DURATION.fullmatch(text) is None:
        return None
    return sum(int(number) * _UNIT_S[unit] for number, unit in _PART.findall(text))
