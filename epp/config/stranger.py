"""What a file is that is clearly no configuration, said in place of all that it lacks."""

from __future__ import annotations

from epp.document.node import Node
from epp.document.problem import Problem, did_you_mean

_KIND = "EndpointPickerConfig"
_ADVICE = {"ConfigMap": "give the file that stands in its data"}
_LINT = "`epp lint` checks manifests"


def stranger(root: Node) -> Problem | None:
    """Return what to do with the file instead; None: it is, or was meant as, a configuration."""
    if not isinstance(root.value, dict):
        return None
    kind = root.value.get("kind")
    if kind is None:
        return _without_kind(root.value)
    if not isinstance(kind.value, str) or kind.value == _KIND or did_you_mean(kind.value, [_KIND]):
        return None
    advice = _ADVICE.get(kind.value, _LINT)
    return Problem(kind.line, f"this is {kind.described()}, not an {_KIND}; {advice}")


def _without_kind(fields: dict[str, Node]) -> Problem | None:
    if "endpoints" not in fields or "apiVersion" in fields:
        return None
    line = fields["endpoints"].line
    return Problem(line, "this is an endpoints file; it goes with --endpoints-file")
