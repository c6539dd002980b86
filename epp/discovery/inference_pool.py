"""An InferencePool, in either of its API versions, and what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from epp.discovery.complaint import Complaint
from epp.kube.objects import KubeObject

GROUP = "inference.networking.k8s.io"
LEGACY_GROUP = "inference.networking.x-k8s.io"
KIND = "InferencePool"
MAX_PORTS = 8
PICKER_PORT = 9002  # of a reference without one, as gateways read it


class LabelSelector(msgspec.Struct, frozen=True, rename="camel"):
    """Labels that a pod must have, all of them."""

    match_labels: Mapping[str, str] = {}


class Port(msgspec.Struct, frozen=True):
    """A port number in a mapping of its own, as the API has it."""

    number: int = 0


class EndpointPickerRef(msgspec.Struct, frozen=True, rename="camel"):
    """The Service whose pods pick endpoints of the pool."""

    group: str = ""
    kind: str = "Service"
    name: str = ""
    port: Port | None = None
    failure_mode: str = "FailClose"


class InferencePoolSpec(msgspec.Struct, frozen=True, rename="camel"):
    """`spec` of v1."""

    selector: LabelSelector = LabelSelector()
    target_ports: tuple[Port, ...] = ()
    app_protocol: str = "http"
    endpoint_picker_ref: EndpointPickerRef | None = None


class InferencePool(KubeObject, frozen=True):
    """`inference.networking.k8s.io/v1`."""

    spec: InferencePoolSpec = InferencePoolSpec()


class LegacyExtensionRef(msgspec.Struct, frozen=True, rename="camel"):
    """What `EndpointPickerRef` was in v1alpha2."""

    group: str = ""
    kind: str = "Service"
    name: str = ""
    port_number: int | None = None
    failure_mode: str = "FailClose"


class LegacyInferencePoolSpec(msgspec.Struct, frozen=True, rename="camel"):
    """`spec` of v1alpha2."""

    selector: Mapping[str, str] = {}
    target_port_number: int = 0
    extension_ref: LegacyExtensionRef | None = None


class LegacyInferencePool(KubeObject, frozen=True):
    """`inference.networking.x-k8s.io/v1alpha2`."""

    spec: LegacyInferencePoolSpec = LegacyInferencePoolSpec()


class Pool(msgspec.Struct, frozen=True):
    """What an InferencePool of either version means."""

    namespace: str
    name: str
    group: str = GROUP
    selector: Mapping[str, str] = {}  # empty: selects nothing
    ports: tuple[int, ...] = ()
    app_protocol: str = "http"
    picker_service: str = ""
    picker_port: int = PICKER_PORT
    fail_open: bool = False
    annotations: Mapping[str, str] = {}
    terminating: bool = False
    complaints: tuple[Complaint, ...] = ()

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def label_selector(self) -> str:
        """The selector as an API server takes it; the same labels make the same text."""
        return ",".join(f"{key}={value}" for key, value in sorted(self.selector.items()))

    @property
    def authority(self) -> str:
        """What AI Gateway calls the picker of this pool by; empty without a picker."""
        service = self.picker_service
        return f"{service}.{self.namespace}.svc:{self.picker_port}" if service else ""

    def complaint(self, where: str, text: str) -> Complaint:
        """Say that something about this pool should be mended."""
        return Complaint(KIND, str(self), where, text)


def meaning(found: InferencePool | LegacyInferencePool) -> Pool:
    """Return what the object means; its `complaints` say what of it cannot be meant."""
    spec = found.spec if isinstance(found, InferencePool) else _in_v1(found.spec)
    fields = _V1 if isinstance(found, InferencePool) else _V1ALPHA2
    meta, reference = found.metadata, spec.endpoint_picker_ref or EndpointPickerRef()
    pool = Pool(
        meta.namespace,
        meta.name,
        fields.group,
        spec.selector.match_labels,
        _usable_ports(spec),
        spec.app_protocol,
        reference.name if _is_service(reference) else "",
        reference.port.number if reference.port else PICKER_PORT,
        reference.failure_mode == "FailOpen",
        meta.annotations,
        terminating=meta.deletion_timestamp is not None,
    )
    told = [pool.complaint(where, text) for where, text in _mistakes(spec, fields)]
    return msgspec.structs.replace(pool, complaints=tuple(told))


class _Fields(msgspec.Struct, frozen=True):
    """What one version calls the parts that a complaint names."""

    group: str
    selector: str
    ports: str
    picker: str


_V1 = _Fields(GROUP, "spec.selector.matchLabels", "spec.targetPorts", "spec.endpointPickerRef")
_V1ALPHA2 = _Fields(LEGACY_GROUP, "spec.selector", "spec.targetPortNumber", "spec.extensionRef")


def _in_v1(spec: LegacyInferencePoolSpec) -> InferencePoolSpec:
    return InferencePoolSpec(
        LabelSelector(spec.selector),
        (Port(spec.target_port_number),),
        endpoint_picker_ref=_reference_in_v1(spec.extension_ref),
    )


def _reference_in_v1(old: LegacyExtensionRef | None) -> EndpointPickerRef | None:
    if old is None:
        return None
    port = None if old.port_number is None else Port(old.port_number)
    return EndpointPickerRef(old.group, old.kind, old.name, port, old.failure_mode)


def _usable_ports(spec: InferencePoolSpec) -> tuple[int, ...]:
    numbers = dict.fromkeys(port.number for port in spec.target_ports)
    return tuple(number for number in numbers if _is_port(number))[:MAX_PORTS]


def _mistakes(spec: InferencePoolSpec, fields: _Fields) -> Iterator[tuple[str, str]]:
    if not spec.selector.match_labels:
        yield fields.selector, "is empty; the pool has no pods until it names a label"
    numbers = [port.number for port in spec.target_ports]
    if not numbers:
        yield fields.ports, "is empty; the pool has no endpoints until it names a port"
    for number in dict.fromkeys(numbers):
        if not _is_port(number):
            yield fields.ports, f"{number} is not a port and is left out"
        elif numbers.count(number) > 1:
            yield fields.ports, f"{number} is there more than once and counts once"
    if len(_usable_ports(spec)) < len({number for number in numbers if _is_port(number)}):
        yield fields.ports, f"has more than {MAX_PORTS} ports; the first {MAX_PORTS} count"
    reference = spec.endpoint_picker_ref
    if reference is not None and not _is_service(reference):
        kind = f"{reference.kind} of {reference.group}" if reference.group else reference.kind
        yield fields.picker, f"names a {kind}; gateways reach a picker through a Service only"


def _is_service(reference: EndpointPickerRef) -> bool:
    return reference.kind == "Service" and not reference.group


def _is_port(number: int) -> bool:
    return 1 <= number <= 65535
