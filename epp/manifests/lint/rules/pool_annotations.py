"""The two annotations of a pool that the gateway reads, exactly as they are written."""

from __future__ import annotations

from collections.abc import Iterator

from epp.document.problem import did_you_mean
from epp.manifests.lint.look import members
from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.names import ANNOTATION_PREFIX, BODY_MODE, MODE_OVERRIDE, POOL_ANNOTATIONS


def annotation_type(manifests: Manifests) -> Iterator[Spot]:
    """An annotation's value is not text: the API server refuses it."""
    for pool in manifests.pools:
        for name, value in pool.annotations.items():
            if not isinstance(value.value, str):
                yield pool.manifest.spot(value, f"{name}: {value.described()} is not text")


def annotation_slash(manifests: Manifests) -> Iterator[Spot]:
    """A `/` in an annotation's value makes the picker's filter vanish: requests fail, or go where
    the client wants."""
    for pool in manifests.pools:
        for name in POOL_ANNOTATIONS:
            value = pool.annotations.get(name)
            if value is not None and "/" in str(value.value):
                yield pool.manifest.spot(value, f"{name}: {value.described()} has a /")


def body_mode_value(manifests: Manifests) -> Iterator[Spot]:
    """The body mode is neither exactly `buffered` nor exactly `duplex`: the gateway silently takes
    `duplex`."""
    yield from _value(manifests, BODY_MODE, ("buffered", "duplex"))


def mode_override_value(manifests: Manifests) -> Iterator[Spot]:
    """The mode override is neither exactly `true` nor exactly `false`: the gateway silently takes
    `false`."""
    yield from _value(manifests, MODE_OVERRIDE, ("true", "false"))


def _value(manifests: Manifests, name: str, allowed: tuple[str, str]) -> Iterator[Spot]:
    for pool in manifests.pools:
        value = pool.annotations.get(name)
        if value is None or not isinstance(value.value, str) or "/" in value.value:
            continue
        if value.value not in allowed:
            wrong = f'{name}: {value.described()} is neither "{allowed[0]}" nor "{allowed[1]}"'
            yield pool.manifest.spot(value, wrong)


def annotation_name(manifests: Manifests) -> Iterator[Spot]:
    """A pool has an annotation of the gateway's that there is not."""
    for pool in manifests.pools:
        for name, value in pool.annotations.items():
            if name.startswith(ANNOTATION_PREFIX) and name not in POOL_ANNOTATIONS:
                hint = did_you_mean(name, POOL_ANNOTATIONS)
                yield pool.manifest.spot(value, f'the gateway reads no annotation "{name}"{hint}')


def annotation_misplaced(manifests: Manifests) -> Iterator[Spot]:
    """A pool's annotation is on another object, where nobody reads it."""
    for manifest in manifests.all:
        for name in POOL_ANNOTATIONS if manifest.kind != "InferencePool" else ():
            value = members(manifest.root, "metadata", "annotations").get(name)
            if value is not None:
                yield manifest.spot(value, f"{name} has no effect on a {manifest.kind}")
