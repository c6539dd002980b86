"""The block `engines`: model servers that the picker does not know by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# As it must be in a pod's label, too.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


class MetricSpec(msgspec.Struct, frozen=True, rename="camel"):
    """One number: a metric, the labels that its series must have, and what to multiply it by.

    `valueLabel` is for a metric that carries the number in that label.
    """

    metric: str
    labels: Mapping[str, str] = {}
    value_label: str = ""
    scale: Annotated[float, msgspec.Meta(gt=0)] = 1.0

    def __post_init__(self) -> None:
        if not _METRIC.fullmatch(self.metric):
            raise ValueError(f'"{self.metric}" is not the name of a metric')
        for label in (*self.labels, *([self.value_label] if self.value_label else [])):
            if not _LABEL.fullmatch(label):
                raise ValueError(f'"{label}" is not the name of a label')


class EngineSpec(msgspec.Struct, frozen=True, rename="camel"):
    """Where a kind of model server says what. What is left out is not told."""

    name: str
    waiting: MetricSpec | None = None
    running: MetricSpec | None = None
    kv_cache_usage: MetricSpec | None = None
    kv_cache_usage_of: Literal["mean", "max"] = "mean"
    block_size: MetricSpec | None = None
    blocks: MetricSpec | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f'"{self.name}" is not a name of letters, digits, ".", "_" and "-"')
        if self.waiting is None and self.running is None and self.kv_cache_usage is None:
            raise ValueError(
                "waiting, running or kvCacheUsage must be there; "
                'a server without metrics is the engine "none"'
            )
