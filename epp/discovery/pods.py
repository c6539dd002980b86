"""The pods of a pool, and which endpoints they are."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from typing import TypeAlias

import msgspec

from epp.discovery.complaint import Complaint
from epp.discovery.entry import ENGINE_LABELS
from epp.discovery.host import join
from epp.discovery.inference_pool import Pool
from epp.document.problem import did_you_mean
from epp.kube.objects import KubeObject
from epp.pool.endpoint import Endpoint
from epp.pool.engine_names import AUTO, ENGINE_NAMES

# The newer name first: it wins where a pod has both.
ACTIVE_PORTS = ("llm-d.ai/active-ports", "inference.networking.k8s.io/active-ports")
NAMESPACE = "namespace"  # a label of every endpoint: metrics carry it
METRICS_PATHS = {"trtllm-serve": "/prometheus/metrics"}  # its /metrics has statistics in JSON

IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class PodSpec(msgspec.Struct, frozen=True, rename="camel"):
    """`spec`."""

    host_network: bool = False


class PodCondition(msgspec.Struct, frozen=True):
    """One of `status.conditions`."""

    type: str = ""
    status: str = ""


class PodStatus(msgspec.Struct, frozen=True):
    """`status`."""

    pod_ip: str = msgspec.field(default="", name="podIP")
    conditions: tuple[PodCondition, ...] = ()


class Pod(KubeObject, frozen=True):
    """A pod, as far as the picker reads it."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def ready(self) -> bool:
        """Whether requests may be sent to it."""
        conditions = self.status.conditions
        return (
            self.metadata.deletion_timestamp is None
            and bool(self.status.pod_ip)
            and any(c.type == "Ready" and c.status == "True" for c in conditions)
        )


class PodRules(msgspec.Struct, frozen=True):
    """Which pods are trusted to be model servers.

    Whoever may write pods says where prompts are sent. So by default no pod can name the node that
    it is on, and no pod's address can be the picker's own machine or a cloud's metadata service.
    `networks` names the only ones that pods may be in, whatever those are; none: all others.
    `engines` are those that a pod's label may name.
    """

    host_network: bool = False
    networks: tuple[Network, ...] = ()
    engines: Collection[str] = ENGINE_NAMES


class Found(msgspec.Struct, frozen=True):
    """What one pod, or several, come to."""

    endpoints: tuple[Endpoint, ...] = ()
    complaints: tuple[Complaint, ...] = ()


_NOTHING = Found()


def endpoints(pool: Pool, pod: Pod, rules: PodRules) -> Found:
    """Return the endpoints of `pod`: one for each of the pool's ports that is active there."""
    if not pod.ready:
        return _NOTHING
    complaints: list[Complaint] = []
    ip = _trusted_ip(pod, rules, complaints)
    if ip is None:
        return Found((), tuple(complaints))
    engine = _engine(pod, rules.engines, complaints)
    active = _active_ports(pool, pod, complaints)
    labels = {**pod.metadata.labels, NAMESPACE: pod.metadata.namespace}
    path = METRICS_PATHS.get(engine, "/metrics")
    found = []
    for rank, port in enumerate(pool.ports):
        if port in active:
            address = join(str(ip), port)
            name = f"{pod.metadata.name}-rank-{rank}" if len(pool.ports) > 1 else pod.metadata.name
            url = f"http://{address}{path}"
            found.append(Endpoint(address, name, url, engine, labels, rank=rank))
    return Found(tuple(found), tuple(complaints))


def _trusted_ip(pod: Pod, rules: PodRules, complaints: list[Complaint]) -> IP | None:
    text = pod.status.pod_ip
    ip = _ip(text)
    if ip is None:
        complaints.append(_complaint(pod, "status.podIP", f'"{text}" is not an IP address'))
    elif pod.spec.host_network and not rules.host_network:
        text = "the pod shares its node's address, which is not allowed here; it is left out"
        complaints.append(_complaint(pod, "spec.hostNetwork", text))
    elif rules.networks and not any(ip in network for network in rules.networks):
        text = f"{ip} is outside the networks that pods may be in; the pod is left out"
        complaints.append(_complaint(pod, "status.podIP", text))
    elif not rules.networks and _is_special(ip):
        text = f"{ip} is not an address that pods have; the pod is left out"
        complaints.append(_complaint(pod, "status.podIP", text))
    else:
        return ip
    return None


def _ip(text: str) -> IP | None:
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    # One address has one spelling here, or the checks would see only one of the two.
    return None if ip.scope_id else ip.ipv4_mapped or ip


def _is_special(ip: IP) -> bool:
    return ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified


def _engine(pod: Pod, engines: Collection[str], complaints: list[Complaint]) -> str:
    labels = pod.metadata.labels
    label = next((label for label in ENGINE_LABELS if label in labels), None)
    if label is None:
        return AUTO
    engine = labels[label]
    if engine in engines:
        return engine
    hint = did_you_mean(engine, engines)
    text = f'there is no engine "{engine}"; what the pod is is found out by asking it{hint}'
    complaints.append(_complaint(pod, f"metadata.labels[{label}]", text))
    return AUTO


def _active_ports(pool: Pool, pod: Pod, complaints: list[Complaint]) -> set[int]:
    annotations = pod.metadata.annotations
    annotation = next((name for name in ACTIVE_PORTS if name in annotations), None)
    if annotation is None:
        return set(pool.ports)
    where = f"metadata.annotations[{annotation}]"
    text = annotations[annotation].strip()
    named = set(_numbers(text))
    active = {port for port in pool.ports if port in named}
    if text and None in named:
        wrong = f'"{text}" is not a list of ports like 8000,8001; what is no port is left out'
        complaints.append(_complaint(pod, where, wrong))
    if text and not active:
        ports = ", ".join(map(str, pool.ports))
        none = f'"{text}" has none of the pool\'s ports ({ports}); the pod is left out'
        complaints.append(_complaint(pod, where, none))
    return active


def _numbers(text: str) -> Iterator[int | None]:
    for written in text.split(","):
        number = written.strip()
        is_number = number.isascii() and number.isdigit() and len(number) <= 5
        yield int(number) if is_number else None


def _complaint(pod: Pod, where: str, text: str) -> Complaint:
    meta = pod.metadata
    return Complaint("Pod", f"{meta.namespace}/{meta.name}", where, text)
