"""What the API server would say of an object."""

from __future__ import annotations

from typing import Any

import jsonschema
import kubernetes_validate

from tests.deploy import schemas

MODE = "aigateway.envoyproxy.io/processing-body-mode"
OVERRIDE = "aigateway.envoyproxy.io/allow-mode-override"
# Any other value is taken for the default, without a word.
LEGAL = {MODE: {"duplex", "buffered"}, OVERRIDE: {"true", "false"}}

# The oldest with preStop by sleep and sidecars by default, and the newest.
VERSIONS = ("1.30", "1.37")


def problems(found: dict[str, Any]) -> list[str]:
    """Every reason not to accept it."""
    custom = (found["apiVersion"], found["kind"]) in schemas.SPECS
    return [*(_custom(found) if custom else _core(found)), *_annotations(found)]


def _core(found: dict[str, Any]) -> list[str]:
    complaints = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(found, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            complaints.append(f"{version}: {_place(error)}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            complaints.append(error.message)
    return complaints


def _custom(found: dict[str, Any]) -> list[str]:
    schema = schemas.of(found["apiVersion"], found["kind"])
    errors = jsonschema.Draft202012Validator(schema).iter_errors(found)
    return [f"{_place(error)}: {error.message}" for error in errors]


def _annotations(found: dict[str, Any]) -> list[str]:
    annotations = found["metadata"].get("annotations", {})
    return [
        f"{name}: {annotations[name]!r}"
        for name, legal in LEGAL.items()
        if name in annotations and annotations[name] not in legal
    ]


def _place(error: jsonschema.ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path)
