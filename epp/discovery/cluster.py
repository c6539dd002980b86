"""What discovery needs of an API server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from epp.kube.client import KubeClient
from epp.kube.errors import KubeError, UnreadableError
from epp.kube.objects import KubeObject
from epp.kube.pace import ATTENTIVE, ReflectorPace
from epp.kube.reflector import Reflector

log = logging.getLogger("epp.discovery")

T = TypeVar("T", bound=KubeObject)

FIRST_PAUSE_S = 0.8
LONGEST_PAUSE_S = 30.0


class Collection(Protocol):
    """Objects of one kind, kept up to date while it runs."""

    async def run(self) -> None:
        """Keep them up to date until cancelled, whatever the server does."""


class Cluster(Protocol):
    """An API server, seen through the two questions that discovery has."""

    def follow(
        self,
        path: str,
        kind: type[T],
        changed: Callable[[Mapping[str, T]], None],
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Collection:
        """Follow the collection at `path`; `changed` gets the whole of it, at first and later."""

    async def serves(self, group_version: str, plural: str) -> bool:
        """Say whether the server has the kind; waits for a server that does not answer."""


class _Resource(msgspec.Struct, frozen=True):
    name: str = ""


class _ResourceList(msgspec.Struct, frozen=True):
    resources: tuple[_Resource, ...] = ()


class ApiServer:
    """The API server behind a client."""

    def __init__(
        self,
        client: KubeClient,
        rng: Random,
        pace: ReflectorPace = ATTENTIVE,
    ) -> None:
        self._client = client
        self._rng = rng
        self._pace = pace
        # By what they follow, like "pods": for metrics. One that is no longer run leaves by itself.
        self.reflectors: WeakKeyDictionary[Reflector[Any], str] = WeakKeyDictionary()

    def follow(
        self,
        path: str,
        kind: type[T],
        changed: Callable[[Mapping[str, T]], None],
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Collection:
        """See Cluster."""
        reflector = Reflector(
            self._client,
            path,
            kind,
            changed,
            label_selector=label_selector,
            field_selector=field_selector,
            rng=self._rng,
            pace=lambda: self._pace.among(len(self.reflectors)),
        )
        self.reflectors[reflector] = path.rpartition("/")[2]
        return reflector

    async def serves(self, group_version: str, plural: str) -> bool:
        """See Cluster.

        Who may not ask is told yes: the rights to read the kind decide, and their lack is logged.
        """
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                answer = await self._client.get(f"/apis/{group_version}")
                return plural in _names(answer)
            except KubeError as error:
                if error.status in {403, 404}:
                    return error.status == 403
                wait_s = max(error.retry_after_s, pause_s * (1 + self._rng.random()))
                extra = {"api": group_version, "problem": str(error), "retry_s": round(wait_s, 1)}
                log.warning("the API server does not say what it has", extra=extra)
            await asyncio.sleep(wait_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _names(answer: bytes) -> set[str]:
    try:
        listed = msgspec.json.decode(answer, type=_ResourceList)
    except msgspec.DecodeError as error:  # something in between answered
        raise UnreadableError(f"not a list of resources: {error}") from error
    return {resource.name for resource in listed.resources}
