"""An API server that is fed by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from epp.discovery.inference_pool import InferencePool, LegacyInferencePool
from epp.discovery.pods import Pod
from epp.kube.objects import KubeObject

T = TypeVar("T", bound=KubeObject)

POOLS = "inference.networking.k8s.io/v1/inferencepools"
LEGACY_POOLS = "inference.networking.x-k8s.io/v1alpha2/inferencepools"
OBJECTIVES = "llm-d.ai/v1alpha2/inferenceobjectives"
REWRITES = "llm-d.ai/v1alpha2/inferencemodelrewrites"


class Followed(Generic[T]):
    """A collection; `feed` is the server's word on what is in it now."""

    def __init__(
        self, kind: type[T], changed: Callable[[Mapping[str, T]], None], selector: str
    ) -> None:
        self.kind = kind
        self.selector = selector
        self.running = False
        self._changed = changed

    async def run(self) -> None:
        self.running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.running = False

    def feed(self, *objects: KubeObject) -> None:
        assert all(isinstance(one, self.kind) for one in objects)
        fed: Any = {one.metadata.name: one for one in objects}
        self._changed(fed)


class FakeCluster:
    """Serves the kinds of `served`; `followed` has every collection by its path, latest last."""

    def __init__(self, *served: str) -> None:
        self.served = set(served)
        self.probes: list[str] = []
        self.followed: dict[str, list[Followed[Any]]] = {}

    def follow(
        self,
        path: str,
        kind: type[T],
        changed: Callable[[Mapping[str, T]], None],
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Followed[T]:
        followed = Followed(kind, changed, label_selector or field_selector)
        self.followed.setdefault(path, []).append(followed)
        return followed

    async def serves(self, group_version: str, plural: str) -> bool:
        self.probes.append(f"{group_version}/{plural}")
        return self.probes[-1] in self.served

    def at(self, path: str) -> Followed[Any]:
        """The collection at `path` that was begun last."""
        return self.followed[path][-1]


def pool(name: str = "chat", **fields: Any) -> InferencePool:
    """An InferencePool that is usable, with these `fields` of its spec, and `metadata`."""
    meta = {"name": name, "namespace": "prod", **fields.pop("metadata", {})}
    spec = {"selector": {"matchLabels": {"app": "vllm"}}, "targetPorts": [{"number": 8000}]}
    return msgspec.convert({"metadata": meta, "spec": {**spec, **fields}}, InferencePool)


def legacy_pool(**fields: Any) -> LegacyInferencePool:
    spec = {"selector": {"app": "vllm"}, "targetPortNumber": 8000, **fields}
    meta = {"name": "chat", "namespace": "prod"}
    return msgspec.convert({"metadata": meta, "spec": spec}, LegacyInferencePool)


def pod(name: str, ip: str = "10.0.0.1", *, ready: bool = True, **metadata: Any) -> Pod:
    """A pod with an address, ready or not."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    meta = {"name": name, "namespace": "prod", **metadata}
    status = {"podIP": ip, "conditions": conditions}
    return msgspec.convert({"metadata": meta, "status": status}, Pod)
