"""Metric families as text, a slice at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice

from prometheus_client import Metric
from prometheus_client.samples import Sample

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def render(families: Iterable[Metric], content_type: str, slice_size: int = 500) -> Iterator[str]:
    """Render in slices of at most `slice_size` samples, so that the caller can pause between them.

    The library renders a page in one call, at several times the cost a line; with a few hundred
    models that would stop the event loop for most of a second.
    """
    openmetrics = content_type == OPENMETRICS
    for family in families:
        yield _header(family, openmetrics=openmetrics)
        samples = iter(family.samples)
        while batch := list(islice(samples, slice_size)):
            yield "".join([_line(sample) for sample in batch])
    if openmetrics:
        yield "# EOF\n"


def _header(family: Metric, *, openmetrics: bool) -> str:
    name = family.name
    if family.type == "counter" and not openmetrics:
        name += "_total"
    text = family.documentation.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {text}\n# TYPE {name} {family.type}\n"


def _line(sample: Sample) -> str:
    if not sample.labels:
        return f"{sample.name} {_number(sample.value)}\n"
    labels = ",".join([f'{k}="{v.translate(_ESCAPES)}"' for k, v in sample.labels.items()])
    return f"{sample.name}{{{labels}}} {_number(sample.value)}\n"


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
