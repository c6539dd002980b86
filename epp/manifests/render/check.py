"""Whether options that are well formed can be applied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from epp.document.node import Node
from epp.document.problem import Problem
from epp.manifests.quantity import duration_s, quantity_bytes
from epp.manifests.render.options import ClusterOptions, SelfHostedModel

MODELS = "ai_gateway_self_hosted_models"
MAX_POOL_NAME = 59  # the picker's Service adds "-epp", and has 63 at most
_MAX_PORT = 65_535
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_LABEL_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_OF_POOL = tuple(f for f in SelfHostedModel.__struct_fields__ if f not in {"name", "namespace"})
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")


def check_model(model: SelfHostedModel, node: Node) -> Iterator[Problem]:
    """Yield what is wrong with one model; `node` knows the lines."""
    for name, text in _wrong(model):
        yield Problem(node.at(name).line, f"{name}: {text}")
    for key, value in model.match_labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            text = f'match_labels: "{key}: {value}" is no label'
            yield Problem(node.at("match_labels", key).line, text)


def check(options: ClusterOptions, root: Node) -> list[Problem]:
    """Return what else is wrong; `root` knows the lines."""
    problems = [*_globals(options, root), *_shared(options, root)]
    if options.ai_gateway_inference_pool_enabled and not options.ai_gateway_self_hosted_models:
        text = f"pools are enabled, but {MODELS} names no model"
        problems.append(Problem(root.at("ai_gateway_inference_pool_enabled").line, text))
    return problems


def _globals(options: ClusterOptions, root: Node) -> Iterator[Problem]:
    for name in ("ai_gateway_inference_pool_namespace", "ai_gateway_gateway_namespace"):
        value = getattr(options, name)
        if value and not _LABEL.fullmatch(value):
            yield Problem(root.at(name).line, f'{name}: "{value}" is no name of a namespace')
    if not _SUBDOMAIN.fullmatch(options.ai_gateway_name):
        text = f'ai_gateway_name: "{options.ai_gateway_name}" is no name of a Gateway'
        yield Problem(root.at("ai_gateway_name").line, text)
    if not _IMAGE.fullmatch(options.ai_gateway_picker_image):
        text = f'ai_gateway_picker_image: "{options.ai_gateway_picker_image}" is no image'
        yield Problem(root.at("ai_gateway_picker_image").line, text)


def _wrong(model: SelfHostedModel) -> Iterator[tuple[str, str]]:
    if not model.name or not model.name.isprintable() or len(model.name) > 256:
        yield "name", "expected 1 to 256 printable characters"
    if not _LABEL.fullmatch(model.pool_name) or len(model.pool_name) > MAX_POOL_NAME:
        rule = f"at most {MAX_POOL_NAME} of a-z, 0-9 and -, with none of - at the ends"
        yield "pool_name", f'"{model.pool_name}" is no name of a pool: {rule}'
    if model.namespace and not _LABEL.fullmatch(model.namespace):
        yield "namespace", f'"{model.namespace}" is no name of a namespace'
    if not 1 <= model.port <= _MAX_PORT:
        yield "port", f"{model.port} is not from 1 to {_MAX_PORT}"
    if not 1 <= model.replicas <= 100:
        yield "replicas", f"{model.replicas} is not from 1 to 100; 2 survive the loss of a node"
    if duration_s(model.request_timeout) is None:
        yield "request_timeout", f'"{model.request_timeout}" is no duration, such as 600s or 1h30m'
    if quantity_bytes(model.buffer_limit) is None:
        yield "buffer_limit", f'"{model.buffer_limit}" is no size, such as 50Mi'
    if model.max_requests is not None and not 1 <= model.max_requests < 1 << 32:
        yield "max_requests", f"{model.max_requests} is not from 1 to {(1 << 32) - 1}"
    if model.picker_image and not _IMAGE.fullmatch(model.picker_image):
        yield "picker_image", f'"{model.picker_image}" is no image'


def _shared(options: ClusterOptions, root: Node) -> Iterator[Problem]:
    """Yield names that are there twice, and what models of one pool do not agree on."""
    models = options.ai_gateway_self_hosted_models
    names: dict[str, int] = {}
    pools: dict[tuple[str, str], int] = {}
    for i, model in enumerate(models):
        node = root.at(MODELS, i)
        first = names.setdefault(model.name, i)
        if first != i:
            line = root.at(MODELS, first, "name").line
            yield Problem(node.at("name").line, f'name: "{model.name}" is on line {line} already')
        namespace = model.namespace or options.ai_gateway_inference_pool_namespace
        owner = models[pools.setdefault((namespace, model.pool_name), i)]
        for field in _OF_POOL:
            if getattr(owner, field) != getattr(model, field):
                shared = f'"{owner.name}", which has the same pool {model.pool_name}'
                yield Problem(node.at(field).line, f"{field}: not as for {shared}")
