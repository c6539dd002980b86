from __future__ import annotations

from tests.manifests.lint.mistakes import PORTS
from tests.manifests.lint.planted import findings, found, plant


def test_eight_ports_fit() -> None:
    assert found(plant((PORTS, "".join(f"    - number: {8000 + i}\n" for i in range(8))))) == []


def test_what_is_written_is_quoted() -> None:
    (finding,) = findings(plant((PORTS, '    - number: "8000"\n')))
    assert finding.message == 'the target port is "8000"'
