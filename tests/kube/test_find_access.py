from __future__ import annotations

import os
from pathlib import Path

import pytest

from epp.kube.errors import AccessError
from epp.kube.find_access import find_access
from tests.kube.configs import write
from tests.kube.test_in_cluster import environment, mounted


async def found(
    kubeconfig: Path | None, environ: dict[str, str], context: str = "", pod: Path | None = None
) -> str:
    nowhere = Path("/nowhere")
    access = await find_access(kubeconfig, context, environ=environ, service_account=pod or nowhere)
    return access.server


async def test_a_named_file_goes_first_then_the_variable_then_the_pod_then_home(
    tmp_path: Path,
) -> None:
    named = write(tmp_path / "named", cluster={"server": "https://named"})
    listed = write(tmp_path / "listed", cluster={"server": "https://listed"})
    write(tmp_path / ".kube" / "config", cluster={"server": "https://home"})
    home = {"HOME": str(tmp_path)}
    pod = environment()
    variable = {"KUBECONFIG": str(listed)}
    mounted(tmp_path)
    assert await found(named, home | pod | variable, pod=tmp_path) == "https://named"
    assert await found(None, home | pod | variable, pod=tmp_path) == "https://listed"
    assert await found(None, home | pod, pod=tmp_path) == "https://10.0.0.1:6443"
    assert await found(None, home) == "https://home"


async def test_a_named_context_is_not_one_of_the_pod(tmp_path: Path) -> None:
    write(tmp_path / ".kube" / "config", cluster={"server": "https://home"})
    environ = {"HOME": str(tmp_path), **environment()}
    assert await found(None, environ, "one", tmp_path) == "https://home"


async def test_the_variable_may_list_files_of_which_some_exist(tmp_path: Path) -> None:
    file = write(tmp_path / "b", cluster={"server": "https://b"})
    variable = os.pathsep.join([str(tmp_path / "gone"), "", str(file)])
    assert await found(None, {"KUBECONFIG": variable}) == "https://b"


async def test_a_variable_that_leads_nowhere_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match=r"KUBECONFIG=.*gone: no such file"):
        await found(None, {"KUBECONFIG": str(tmp_path / "gone")})


async def test_without_anything_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match=r"\.kube/config does not exist; name a kubeconfig"):
        await found(None, {"HOME": str(tmp_path)})
