from __future__ import annotations

import pytest

from tests.manifests.lint.planted import CLEAN, found

POLICY = """---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
spec:
  extProc: [{ backendRefs: [{ name: %s, port: 9002 }], failOpen: %s }]
"""


@pytest.mark.parametrize(("name", "fail_open"), [("llama-epp", "false"), ("guard", "true")])
def test_failing_closed_and_other_processors_are_fine(name: str, fail_open: str) -> None:
    assert found(CLEAN + POLICY % (name, fail_open)) == []
