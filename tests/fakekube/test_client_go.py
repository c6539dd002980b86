"""`kubectl wait` runs client-go's reflector: what it survives, the faults do as Kubernetes does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakekube.faults import FAULTS, LASTING, Fault
from tests.fakekube.kinds import POD
from tests.fakekube.kube import FakeKube
from tests.fakekube.kubectl import Kubectl
from tests.fakekube.objects import pod

# client-go hears of a dead connection from TCP only, and reads a token file once a minute
SURVIVED = [fault for fault in FAULTS if fault.name not in {"silence", "token-revoked"}]


@pytest.mark.slow
@pytest.mark.parametrize("fault", SURVIVED, ids=repr)
async def test_it_learns_of_a_deletion_behind_its_back(
    kube: FakeKube, tmp_path: Path, fault: Fault
) -> None:
    kube.apply(pod("a"))
    kubectl = Kubectl(kube.kubeconfig, tmp_path)
    process = await kubectl.start("wait", "--for=delete", "pod/a", "--timeout=20s")
    await kube.until(lambda: kube.watches)
    async with fault(kube):
        kube.delete(POD, "a")
        if fault in LASTING:
            await asyncio.sleep(1.5)  # it tries again for the first time after 0.8 s
    out, _ = await process.communicate()
    assert process.returncode == 0, out
