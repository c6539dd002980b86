"""The InferencePools of a cluster, served."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Collection, Coroutine, Mapping
from ipaddress import ip_network
from typing import Any

from msgspec import structs

from epp.app.doors import Doors, plan
from epp.app.pool import ServedPool
from epp.app.readiness import Readiness
from epp.config.settings import Settings, SettingsError
from epp.discovery.all_pools import AllPools, PoolsChange
from epp.discovery.annotations import SettingLimits
from epp.discovery.cluster import ApiServer
from epp.discovery.facts import PoolFacts
from epp.discovery.kubernetes import PoolSource
from epp.discovery.pods import PodRules
from epp.discovery.tasks import start
from epp.kube.client import KubeClient
from epp.kube.lease import Election
from epp.kube.reflector import Reflector
from epp.pool.engine_names import ENGINE_NAMES

_log = logging.getLogger(__name__)

RESTART_S = 5.0

Make = Callable[[str, PoolSource, Callable[[], None]], ServedPool]


class ServedCluster:
    """Runs a pool for each InferencePool that is asked for. One pool's trouble is its own."""

    def __init__(
        self,
        settings: Settings,
        limits: SettingLimits,
        client: KubeClient,
        *,
        make: Make,
        forget: Callable[[str], None],
        engines: Collection[str] = ENGINE_NAMES,
        doors: Doors,
        readiness: Readiness,
    ) -> None:
        self.pools: dict[str, ServedPool] = {}
        self._settings = settings
        self._limits = limits
        self._client = client
        self._make = make
        self._forget = forget
        self._engines = engines
        self._doors = doors
        self._readiness = readiness
        self._rng = random.Random()  # noqa: S311  jitter
        self._cluster = ApiServer(client, self._rng)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._told: set[str] = set()
        self._homeless: set[str] = set()
        for name in self._names():
            self._add(name)

    def __repr__(self) -> str:
        return f"<ServedCluster {', '.join(self.pools) or 'without pools'}>"

    @property
    def reflectors(self) -> Mapping[Reflector[Any], str]:
        """What is followed now, and of which resource it is."""
        return self._cluster.reflectors

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as self._group:
            if self._settings.leader_election:
                self._group.create_task(self._election().run())
            if self._settings.all_pools:
                every = AllPools(self._cluster, self._settings.namespace, changed=self._changed)
                self._group.create_task(every.run())
            for name in self.pools:
                self._start(name)

    def _names(self) -> list[str]:
        own = self._settings.namespace or self._client.access.namespace
        return [name if "/" in name else f"{own}/{name}" for name in self._settings.pools]

    def _changed(self, change: PoolsChange) -> None:
        for pool in change.went:
            self._end(str(pool))
        for pool in change.came:
            self._add(str(pool))
            self._start(str(pool))
        self._judge()

    def _add(self, name: str) -> None:
        namespace, _, short = name.partition("/")
        source = PoolSource(
            self._cluster,
            namespace,
            short,
            rules=structs.replace(pod_rules(self._settings), engines=self._engines),
            limits=self._limits,
            told=lambda facts: self._learn(name, facts),
        )
        self.pools[name] = self._make(name, source, self._judge)

    def _start(self, name: str) -> None:
        task = start(self._group, _forever(name, self.pools[name].run))
        if task is not None:
            self._tasks[name] = task

    def _end(self, name: str) -> None:
        if (task := self._tasks.pop(name, None)) is not None:
            task.cancel()
        self._forget(name)
        self.pools.pop(name).clear()
        self._told.discard(name)
        self._replan()

    def _learn(self, name: str, facts: PoolFacts) -> None:
        if name not in self.pools:
            return
        self.pools[name].learn(facts)
        self._told.add(name)
        self._replan()
        self._judge()

    def _judge(self) -> None:
        """Say whether every pool is known: that it is there, and its endpoints, or that it is not.

        A picker that is asked before it knows the endpoints would refuse what it could serve.
        """
        if not self._told.issuperset(self.pools):
            return
        there = [pool for pool in self.pools.values() if pool.facts.exists]
        listed = all(pool.discovered.is_set() for pool in there)
        self._readiness.know(listed and bool(there or self._settings.all_pools))

    def _replan(self) -> None:
        found = [
            (name, pool.facts.pool.picker_port)
            for name, pool in self.pools.items()
            if pool.facts.pool is not None
        ]
        if len(self.pools) == 1 and not self._settings.all_pools:
            return  # its port has been open from the beginning
        planned = plan(found, self._settings.grpc_port, self._settings.default_pool)
        named = self._named()
        for name, port in planned.homeless.items():
            if name not in self._homeless and self.pools[name] not in named.values():
                _log.error(
                    "two pools on one port",
                    extra={"pool": name, "port": port, "other": planned.ports[port]},
                )
        self._homeless = set(planned.homeless)
        ports = {port: self.pools[name] for port, name in planned.ports.items()}
        self._doors.want(ports, named)

    def _named(self) -> dict[str, ServedPool]:
        """Return the pools by the names that gateways call their pickers by.

        Of several with one name, it is the default pool's, or the first one's.
        """
        if self._settings.transport == "grpcio":
            return {}  # which tells nobody a stream's name
        default = self._settings.default_pool
        named: dict[str, ServedPool] = {}
        for name in sorted(self.pools, key=lambda name: (name != default, name)):
            found = self.pools[name].facts.pool
            if found is not None and found.authority:
                named.setdefault(found.authority, self.pools[name])
        return named

    def _election(self) -> Election:
        self._readiness.lead(False)
        name = next(iter(self.pools), f"{self._client.access.namespace}/all-pools")
        namespace, _, short = name.partition("/")
        identity = os.environ.get("POD_NAME") or socket.gethostname()
        return Election(
            self._client,
            namespace,
            f"epp-{namespace}-{short}.llm-d.ai",
            f"{identity}_{secrets.token_hex(4)}",
            self._readiness.lead,
            rng=self._rng,
        )


async def _forever(name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a pool again when it fails: the others must not fall with it."""
    task = asyncio.current_task()
    # A failure on the way out hides the cancellation that it met.
    while task is None or not task.cancelling():
        try:
            await run()
        except* Exception:  # noqa: BLE001  whatever it is, it is this pool's
            _log.exception("a pool failed and starts again", extra={"pool": name})
        await asyncio.sleep(RESTART_S)


def pod_rules(settings: Settings) -> PodRules:
    """Return which pods are trusted; SettingsError names a network that is none."""
    try:
        networks = tuple(ip_network(text) for text in settings.pod_networks)
    except ValueError as error:
        raise SettingsError(f"--pod-network: {error}; write it like 10.0.0.0/8") from error
    return PodRules(settings.host_network_pods, networks)


def check(settings: Settings) -> None:
    """Refuse flags that do not fit together; SettingsError says what does."""
    if settings.pools and settings.all_pools:
        raise SettingsError("give either --pool or --all-pools, not both")
    if settings.default_pool and "/" not in settings.default_pool:
        raise SettingsError("--default-pool is written as namespace/name")
    if settings.grpc_socket and (settings.all_pools or len(settings.pools) > 1):
        raise SettingsError("--grpc-socket is for one pool")
    for name in settings.pools:
        if name.count("/") > 1 or not all(name.split("/")):
            raise SettingsError(f"--pool {name}: write it as namespace/name")
    pod_rules(settings)
    if len(settings.pools) > 1 and settings.leader_election:
        raise SettingsError("--ha-enable-leader-election is for one --pool")
