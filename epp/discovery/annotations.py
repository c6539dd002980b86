"""What an InferencePool's annotations tell AI Gateway, and what they tell this picker."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

import msgspec

from epp.discovery.complaint import Complaint
from epp.discovery.inference_pool import Pool
from epp.document.problem import did_you_mean
from epp.exchange.modes import BodyMode, Modes
from epp.telemetry.level import NAMES, Level, read_level

BODY_MODE = "aigateway.envoyproxy.io/processing-body-mode"
ALLOW_OVERRIDE = "aigateway.envoyproxy.io/allow-mode-override"

# The command's name. A domain would have to be somebody's, and this project has none.
PREFIX = "epp/"
PROFILE = PREFIX + "profile"
OBSERVE_RESPONSES = PREFIX + "observe-responses"
MAX_BODY_BYTES = PREFIX + "max-body-bytes"
RESERVED_TOKENS = PREFIX + "reserved-tokens"
SLO_TTFT_MS = PREFIX + "slo-ttft-ms"
SLO_TPOT_MS = PREFIX + "slo-tpot-ms"
SETTINGS = (
    PROFILE,
    OBSERVE_RESPONSES,
    MAX_BODY_BYTES,
    RESERVED_TOKENS,
    SLO_TTFT_MS,
    SLO_TPOT_MS,
)

_BODY_MODES = {"buffered": BodyMode.BUFFERED, "duplex": BodyMode.FULL_DUPLEX_STREAMED}
_BOOLEANS = {"true": True, "false": False}
_MOST_RESERVED = 1_000_000  # more than any model's context
_LONGEST_MS = 3_600_000
_WHOLE = re.compile(r"[1-9][0-9]{0,17}")


class GatewayModes(msgspec.Struct, frozen=True):
    """What AI Gateway makes of the annotations; None: they are silent, and it takes its default."""

    body: BodyMode | None = None
    allow_override: bool | None = None


class Mismatch(msgspec.Struct, frozen=True):
    """A stream that is not in the mode that the pool's annotation asks for."""

    annotated: BodyMode
    request: BodyMode
    response: BodyMode

    def __str__(self) -> str:
        return (
            f"{BODY_MODE} asks for {self.annotated.name}, but the proxy sends request bodies in "
            f"{self.request.name} and response bodies in {self.response.name}; "
            "what the proxy does is followed"
        )


class PoolSettings(msgspec.Struct, frozen=True):
    """The picker's settings for one pool. None: as the flags and the configuration file say."""

    profile: str | None = None
    observe_responses: Level | None = None
    max_body_bytes: int | None = None
    reserved_tokens: int | None = None  # of an answer whose request gives no limit
    slo_ttft_ms: int | None = None  # from the request to the first token
    slo_tpot_ms: int | None = None  # from one token to the next


class SettingLimits(msgspec.Struct, frozen=True):
    """What the process allows a pool to ask for."""

    profiles: Collection[str] = ("default",)
    max_body_bytes: int = 16 * 1024 * 1024  # gRPC takes no message that is much longer
    targets: bool = True  # whether requests may wait until they can be met


def gateway_modes(pool: Pool) -> tuple[GatewayModes, tuple[Complaint, ...]]:
    """Read the annotations as AI Gateway does, and complain of what it takes in silence."""
    body, override = (pool.annotations.get(name) for name in (BODY_MODE, ALLOW_OVERRIDE))
    modes = GatewayModes(
        None if body is None else _BODY_MODES.get(body, BodyMode.FULL_DUPLEX_STREAMED),
        None if override is None else override == "true",
    )
    read = (
        _silence(pool, BODY_MODE, body, _BODY_MODES, "duplex"),
        _silence(pool, ALLOW_OVERRIDE, override, _BOOLEANS, "false"),
    )
    return modes, tuple(complaint for complaint in read if complaint is not None)


def compare(annotated: GatewayModes, stream: Modes) -> Mismatch | None:
    """Return how a stream's own modes differ from the annotation; None if they do not.

    A pool without the annotation has nothing to differ from: other gateways have other defaults.
    """
    body = annotated.body
    if body is None or stream == Modes(body, body):
        return None
    return Mismatch(body, stream.request, stream.response)


def pool_settings(pool: Pool, limits: SettingLimits) -> tuple[PoolSettings, tuple[Complaint, ...]]:
    """Read the annotations under `PREFIX`; one that is not as it must be counts as not there."""
    complaints: list[Complaint] = []
    values: dict[str, object] = {}
    readers = _readers(limits)
    for name, text in sorted(pool.annotations.items()):
        if not name.startswith(PREFIX):
            continue
        if name not in readers:
            hint = did_you_mean(name, SETTINGS)
            complaints.append(_complaint(pool, name, f"there is no such setting{hint}"))
            continue
        read, allowed = readers[name]
        value = read(text)
        if value is None:
            wrong = f'"{text}" is not {allowed}; the annotation is ignored'
            complaints.append(_complaint(pool, name, wrong))
        values[name.removeprefix(PREFIX).replace("-", "_")] = value
    return msgspec.convert(values, PoolSettings), tuple(complaints)


_Readers: TypeAlias = Mapping[str, tuple[Callable[[str], object], str]]


def _readers(limits: SettingLimits) -> _Readers:
    """How each setting is read, None if it cannot be, and what it may be."""
    most, profiles = limits.max_body_bytes, sorted(limits.profiles)
    target = _target(limits)
    return {
        PROFILE: (
            lambda text: text if text in profiles else None,
            f"a scheduling profile of the configuration, which has {', '.join(profiles)}",
        ),
        OBSERVE_RESPONSES: (read_level, f"one of {', '.join(NAMES)}"),
        MAX_BODY_BYTES: (
            lambda text: _whole(text, most),
            f"a whole number of bytes from 1 to {most}, the limit of the process",
        ),
        RESERVED_TOKENS: (
            lambda text: _whole(text, _MOST_RESERVED),
            f"a whole number of tokens from 1 to {_MOST_RESERVED}",
        ),
        SLO_TTFT_MS: target,
        SLO_TPOT_MS: target,
    }


def _target(limits: SettingLimits) -> tuple[Callable[[str], object], str]:
    if not limits.targets:
        return lambda _: None, "possible: the picker's configuration has no flowControl"
    return (
        lambda text: _whole(text, _LONGEST_MS),
        f"a whole number of milliseconds from 1 to {_LONGEST_MS}",
    )


def _whole(text: str, most: int) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) and int(text) <= most else None


def _silence(
    pool: Pool, name: str, text: str | None, known: Collection[str], default: str
) -> Complaint | None:
    if text is None or text in known:
        return None
    if "/" in text:
        what = (
            f'"{text}" breaks the pool in AI Gateway, which cannot read its own note of a value '
            "with a slash: requests never reach the picker"
        )
    else:
        choices = " nor ".join(sorted(known))
        what = f'"{text}" is neither {choices}; AI Gateway ignores it in silence: {default}'
    return _complaint(pool, name, what)


def _complaint(pool: Pool, name: str, text: str) -> Complaint:
    return pool.complaint(f"metadata.annotations[{name}]", text)
