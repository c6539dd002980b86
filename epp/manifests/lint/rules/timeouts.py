"""How long an answer may take."""

from __future__ import annotations

from collections.abc import Iterator

from epp.manifests.lint.look import find
from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.route import RouteRule
from epp.manifests.quantity import duration_s

_FIELDS = (("timeouts", "request"), ("timeouts", "backendRequest"), ("streamIdleTimeout",))
_LONG_ENOUGH_S = 61.0  # longer than the gateway's own default: somebody thought of it


def bad_duration(manifests: Manifests) -> Iterator[Spot]:
    """A timeout is not written as the Gateway API wants it."""
    for route in manifests.routes:
        for rule in route.rules:
            for path in _FIELDS:
                written = find(rule.node, *path)
                if written is not None and duration_s(str(written.value)) is None:
                    text = f"{'.'.join(path)}: {written.described()} is no duration"
                    yield route.manifest.spot(written, text)


def short_timeout(manifests: Manifests) -> Iterator[Spot]:
    """The time limit of a pool's rule covers the whole answer, so it cuts long streams. Without
    one it is 60 s on an AIGatewayRoute and Envoy's 15 s on an HTTPRoute."""
    for route in manifests.routes:
        for rule in route.rules:
            if rule.pools:
                yield from _short(rule)


def _short(rule: RouteRule) -> Iterator[Spot]:
    if find(rule.node, "timeouts", "request") is None:
        default_s = 60 if rule.route.is_ai else 15
        yield rule.spot(f"no timeouts.request: streams are cut after {default_s} s", "timeouts")
    for name in ("request", "backendRequest"):
        written = find(rule.node, "timeouts", name)
        seconds = None if written is None else duration_s(str(written.value))
        if written is not None and seconds is not None and 0 < seconds < _LONG_ENOUGH_S:
            text = f"timeouts.{name} cuts streams after {seconds:g} s"
            yield rule.route.manifest.spot(written, text)
