"""How soon a request must be answered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import inf

import msgspec

# llm-d's headers, the older names last.
TTFT_HEADERS = _TTFT, _OLD_TTFT = ("x-llm-d-slo-ttft-ms", "x-slo-ttft-ms")
TPOT_HEADERS = _TPOT, _OLD_TPOT = ("x-llm-d-slo-tpot-ms", "x-slo-tpot-ms")


class Targets(msgspec.Struct, frozen=True):
    """Seconds to the first token, and from one token to the next; infinity: there is no target."""

    ttft_s: float = inf
    tpot_s: float = inf
    ttft_token_s: float = 0.0  # more time to the first token for each token of the prompt

    def but(self, ttft_ms: float | None, tpot_ms: float | None) -> Targets:
        """Return these with others in their place, where there are any."""
        return Targets(
            self.ttft_s if ttft_ms is None else ttft_ms / 1000.0,
            self.tpot_s if tpot_ms is None else tpot_ms / 1000.0,
            self.ttft_token_s,
        )

    def for_prompt(self, tokens: float) -> Targets:
        """Return what they are for a prompt of so many tokens."""
        if not self.ttft_token_s:
            return self
        return Targets(self.ttft_s + self.ttft_token_s * tokens, self.tpot_s)

    def asked_by(self, headers: Mapping[str, str]) -> Targets:
        """Return these targets with those that the request names itself in their place.

        A header that is no positive number counts as none.
        """
        if not (
            _TTFT in headers or _TPOT in headers or _OLD_TTFT in headers or _OLD_TPOT in headers
        ):
            return self  # as nearly always
        ttft_s, tpot_s = _seconds(headers, TTFT_HEADERS), _seconds(headers, TPOT_HEADERS)
        if ttft_s is None and tpot_s is None:
            return self
        if ttft_s is None:
            return Targets(self.ttft_s, tpot_s or self.tpot_s, self.ttft_token_s)
        return Targets(ttft_s, tpot_s or self.tpot_s)


@lru_cache(1024)  # nearly all requests have those of their pool
def stated_ms(targets: Targets) -> dict[str, float]:
    """Return those that there are, in milliseconds; nobody may change it."""
    both = {"ttft_target_ms": targets.ttft_s, "tpot_target_ms": targets.tpot_s}
    return {name: round(s * 1000, 1) for name, s in both.items() if s < inf}


def _seconds(headers: Mapping[str, str], names: tuple[str, ...]) -> float | None:
    for name in names:
        text = headers.get(name)
        if text is not None:
            return _positive_s(text)
    return None


def _positive_s(text: str) -> float | None:
    try:
        milliseconds = float(text)
    except ValueError:
        return None
    return milliseconds / 1000.0 if 0.0 < milliseconds < inf else None
