"""The ports of a pool's pods."""

from __future__ import annotations

from collections.abc import Iterator

from epp.manifests.lint.look import find, whole
from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests

MAX_PORT = 65_535
_MAX_PORTS = 8


def target_ports_count(manifests: Manifests) -> Iterator[Spot]:
    """A pool has no `targetPorts`, or more than 8."""
    for pool in manifests.pools:
        number = len(pool.target_ports)
        if find(pool.manifest.root, "spec") is not None and not 1 <= number <= _MAX_PORTS:
            yield pool.spot(f"{number} targetPorts", "targetPorts")


def target_port_range(manifests: Manifests) -> Iterator[Spot]:
    """A target port is not a whole number from 1 to 65535."""
    for pool in manifests.pools:
        for port in pool.target_ports:
            number = whole(port, "number")
            if number is None or not 1 <= number <= MAX_PORT:
                shown = port.at("number").described()
                yield pool.manifest.spot(port.at("number"), f"the target port is {shown}")


def target_port_twice(manifests: Manifests) -> Iterator[Spot]:
    """A target port is there twice."""
    for pool in manifests.pools:
        seen: set[int] = set()
        for port in pool.target_ports:
            number = whole(port, "number")
            if number is not None and number in seen:
                yield pool.manifest.spot(port, f"the target port {number} is here twice")
            seen.add(number or 0)
