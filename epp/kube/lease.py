"""One leader among the replicas of the picker, by a Lease that it renews."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from epp.kube.candidacy import Candidacy, Lease, LeasePace
from epp.kube.client import KubeClient
from epp.kube.errors import NOT_AS_PROMISED, KubeError, UnreadableError

log = logging.getLogger("epp.kube")

_RELEASE_S = 2.0


class Election:
    """Calls `leading(True)` when `identity` becomes the leader, `leading(False)` when it ends.

    A leader that cannot renew stops being one before the others may take the lease, so that there
    are never two. A conflict means that another one was faster.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        identity: str,
        leading: Callable[[bool], None],
        *,
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pace: LeasePace = LeasePace(),  # noqa: B008 - a frozen value
    ) -> None:
        self.is_leading = False
        self._client = client
        self._namespace = namespace
        self._name = name
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._candidacy = Candidacy(identity, pace)
        self._leading = leading
        self._rng = rng
        self._clock = clock
        self._now = now
        self._pace = pace
        self._lease: Lease | None = None  # as last written here
        self._renewed_at = 0.0

    def __repr__(self) -> str:
        return f"<Election for {self._namespace}/{self._name}, leading: {self.is_leading}>"

    async def run(self) -> None:
        """Stand for election until cancelled; a leader then lets go of the lease."""
        try:
            while True:
                await self._turn()
                await asyncio.sleep(self._pause_s())
        finally:
            held = self._lease if self.is_leading else None
            self._lead(False)
            if held is not None:
                await self._release(held)

    async def _turn(self) -> None:
        """Take or renew the lease if it may be had."""
        try:
            async with asyncio.timeout(self._left_s()):
                self._lead(await self._attempt())
        except (KubeError, TimeoutError) as error:
            self._missed(error)

    async def _attempt(self) -> bool:
        began = self._clock()
        lease = await self._get()
        if lease is None:
            first = self._candidacy.first(self._namespace, self._name, self._now())
            answer = await self._client.post(self._path, msgspec.json.encode(first))
        elif self._candidacy.may_hold(lease, began):
            answer = await self._put(self._candidacy.taken(lease, self._now()))
        else:
            return False
        self._lease = _read(answer)
        self._renewed_at = began
        return True

    def _missed(self, error: KubeError | TimeoutError) -> None:
        why = str(error) or "no answer in time"
        log.warning("lease %s/%s: %s", self._namespace, self._name, why)
        lost = isinstance(error, KubeError) and error.status == 409
        if lost or self._left_s() <= 0:
            self._lead(False)

    def _lead(self, leading: bool) -> None:
        if leading != self.is_leading:
            self.is_leading = leading
            log.info("lease %s/%s: leading: %s", self._namespace, self._name, leading)
            self._leading(leading)

    def _left_s(self) -> float:
        """Return how long an attempt may take."""
        if not self.is_leading:
            return self._pace.renew_s
        return self._renewed_at + self._pace.renew_s - self._clock()

    def _pause_s(self) -> float:
        retry_s = self._pace.retry_s * self._rng.uniform(1.0, 1.2)
        return max(0.0, min(retry_s, self._left_s()))

    async def _release(self, held: Lease) -> None:
        try:
            async with asyncio.timeout(_RELEASE_S):
                await self._put(self._candidacy.released(held, self._now()))
        except (KubeError, TimeoutError) as error:
            log.info("lease %s/%s: not released: %s", self._namespace, self._name, error)

    async def _get(self) -> Lease | None:
        try:
            return _read(await self._client.get(f"{self._path}/{self._name}"))
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    async def _put(self, lease: Lease) -> bytes:
        return await self._client.put(f"{self._path}/{self._name}", msgspec.json.encode(lease))


def _read(answer: bytes) -> Lease:
    try:
        return msgspec.json.decode(answer, type=Lease)
    except NOT_AS_PROMISED as error:
        raise UnreadableError(f"not a Lease: {error}") from error
