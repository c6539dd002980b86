"""Which method answers which path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from epp.server import processor
from epp.server.listen import Services
from epp.server.native import health, reflection
from epp.server.native.call import Method
from epp.server.native.process import Process


def methods(services: Services) -> Mapping[str, Method]:
    """Return each method by its path."""
    found: dict[str, Method] = {}
    if services.processor is not None:
        found[f"/{processor.SERVICE}/Process"] = partial(Process, services.processor)
    if services.health is not None:
        found[f"/{health.SERVICE}/Check"] = partial(health.Check, services.health)
        found[f"/{health.SERVICE}/Watch"] = partial(health.Watch, services.health)
    if services.reflection:
        names = [processor.SERVICE, reflection.SERVICE]
        path = f"/{reflection.SERVICE}/ServerReflectionInfo"
        found[path] = partial(reflection.Reflection, names)
    return found
