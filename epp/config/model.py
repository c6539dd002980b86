"""The configuration file's shape: llm-d's EndpointPickerConfig, as far as it has an effect here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from epp.config.costs import CostSpec
from epp.config.engines import EngineSpec
from epp.config.flow_control import FlowControl
from epp.config.models import ModelsSpec
from epp.costs.sheet import NAMESPACE

ApiVersion = Literal["llm-d.ai/v1alpha1", "inference.networking.x-k8s.io/v1alpha1"]
Weight = Annotated[float, msgspec.Meta(ge=0)]


class PluginSpec(msgspec.Struct, frozen=True, rename="camel"):
    """A plugin and its parameters. `load` fills in a missing name: the type."""

    type: str
    name: str = ""
    parameters: Mapping[str, Any] = {}


class PluginReference(msgspec.Struct, frozen=True, rename="camel"):
    """A plugin's place in a profile. `load` gives a scorer without a weight the weight 1."""

    plugin_ref: str
    weight: Weight | None = None


class ProfileSpec(msgspec.Struct, frozen=True, rename="camel"):
    """One way of choosing: which filters, scorers and picker."""

    name: str
    plugins: tuple[PluginReference, ...] = ()


class ParserReference(msgspec.Struct, frozen=True, rename="camel"):
    """A parser by name."""

    plugin_ref: str


class RequestHandler(msgspec.Struct, frozen=True, rename="camel"):
    """How requests are read. No parsers: all that there are."""

    parsers: tuple[ParserReference, ...] = ()


class EndpointPickerConfig(msgspec.Struct, frozen=True, rename="camel"):
    """The whole file."""

    api_version: ApiVersion
    kind: Literal["EndpointPickerConfig"]
    feature_gates: tuple[str, ...] = ()
    plugins: tuple[PluginSpec, ...] = ()
    scheduling_profiles: tuple[ProfileSpec, ...] = ()
    request_handler: RequestHandler = RequestHandler()
    validate: Literal["strict", "lenient", "off"] = "lenient"
    models: ModelsSpec | None = None
    llm_request_costs: tuple[CostSpec, ...] = ()
    llm_request_costs_namespace: str = NAMESPACE
    engines: tuple[EngineSpec, ...] = ()
    flow_control: FlowControl | None = None
