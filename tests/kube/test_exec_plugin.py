from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from epp.kube.client import KubeClient
from epp.kube.credentials import Credential
from epp.kube.errors import AccessError
from epp.kube.exec_plugin import ExecPlugin
from epp.kube.find_access import find_access
from epp.kube.kubeconfig import Cluster, Exec, Variable, Written
from tests.fakekube.kinds import POD
from tests.fakekube.kube import FakeKube

V1 = "client.authentication.k8s.io/v1"
V1BETA1 = "client.authentication.k8s.io/v1beta1"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def script(folder: Path, body: str) -> Path:
    """Write a program that notes each of its runs and then does `body`."""
    file = folder / "plugin"
    file.write_text(
        f"#!{sys.executable} -SE\nimport json, os, sys\n"
        f"open({str(folder / 'runs')!r}, 'a').write('run\\n')\n" + textwrap.dedent(body)
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def printing(folder: Path, version: str = V1, **status: Any) -> Path:
    document = {"kind": "ExecCredential", "apiVersion": version, "status": status}
    return script(folder, f"print({json.dumps(json.dumps(document))})")


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


def plugin(folder: Path, cluster: Cluster | None = None, **fields: Any) -> ExecPlugin:
    """Return the plugin in the folder."""
    options = {name: fields.pop(name) for name in ("now", "timeout_s", "ca") if name in fields}
    fields = {"command": "./plugin", "api_version": V1, **fields}
    written = Written(Exec(**fields), folder / "config")
    return ExecPlugin(written, cluster or Cluster(), **options)


async def test_a_token_is_asked_for_once(tmp_path: Path) -> None:
    printing(tmp_path, token="t1")
    made = plugin(tmp_path)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(made.get()) for _ in range(5)]
    assert {task.result().token for task in asked} == {"t1"}
    assert runs(tmp_path) == 1


async def test_the_older_version_works_as_well(tmp_path: Path) -> None:
    printing(tmp_path, V1BETA1, token="t")
    assert (await plugin(tmp_path, api_version=V1BETA1).get()).token == "t"


async def test_a_certificate_may_be_printed(tmp_path: Path) -> None:
    printing(tmp_path, clientCertificateData="CERT", clientKeyData="KEY")
    assert (await plugin(tmp_path).get()).pair == (b"CERT", b"KEY")


async def test_it_runs_again_shortly_before_the_credential_expires(tmp_path: Path) -> None:
    printing(tmp_path, token="t", expirationTimestamp="2026-11-23T13:00:00Z")
    now = NOW
    made = plugin(tmp_path, now=lambda: now)
    for minutes, ran in ((0, 1), (59, 1), (59.9, 2)):
        now = NOW + timedelta(minutes=minutes)
        await made.get()
        assert runs(tmp_path) == ran


async def test_it_runs_again_once_when_several_are_refused(tmp_path: Path) -> None:
    script(
        tmp_path,
        f"""
        count = len(open({str(tmp_path / "runs")!r}).readlines())
        print(json.dumps({{"apiVersion": {V1!r}, "status": {{"token": f"t{{count}}"}}}}))
        """,
    )
    made = plugin(tmp_path)
    refused = await made.get()
    async with asyncio.TaskGroup() as group:
        renewed = [group.create_task(made.renew(refused)) for _ in range(3)]
    assert {task.result().token for task in renewed} == {"t2"}
    assert runs(tmp_path) == 2


async def test_it_is_told_what_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(
        tmp_path,
        f"""
        info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
        said = json.dumps([sys.argv[1:], os.environ["MINE"], os.environ["KEPT"], info])
        print(json.dumps({{"apiVersion": {V1!r}, "status": {{"token": said}}}}))
        """,
    )
    monkeypatch.setenv("KEPT", "kept")
    cluster = Cluster(
        server="https://kube",
        tls_server_name="name",
        extensions=[{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}],
    )
    made = plugin(
        tmp_path,
        cluster,
        args=["get", "token"],
        env=[Variable("MINE", "mine")],
        provide_cluster_info=True,
        ca=b"PEM",
    )
    args, mine, kept, info = json.loads((await made.get()).token)
    assert (args, mine, kept) == (["get", "token"], "mine", "kept")
    assert info == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://kube",
                "tls-server-name": "name",
                "certificate-authority-data": "UEVN",
                "config": {"audience": "x"},
            },
        },
    }


async def test_without_being_asked_to_it_says_nothing_of_the_cluster(tmp_path: Path) -> None:
    script(
        tmp_path,
        f"""
        said = os.environ["KUBERNETES_EXEC_INFO"]
        print(json.dumps({{"apiVersion": {V1!r}, "status": {{"token": said}}}}))
        """,
    )
    said = json.loads((await plugin(tmp_path, Cluster(server="https://kube")).get()).token)
    assert said["spec"] == {"interactive": False}


async def test_a_command_without_a_slash_is_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printing(tmp_path, token="found")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert (await plugin(tmp_path, command="plugin").get()).token == "found"


async def test_a_plugin_that_is_not_there_is_named_with_its_hint(tmp_path: Path) -> None:
    made = plugin(tmp_path, command="no-such-plugin", install_hint="Get it from the vendor.\n")
    with pytest.raises(
        AccessError, match=f"{tmp_path / 'config'}: exec: no-such-plugin cannot"
    ) as e:
        await made.get()
    assert str(e.value).endswith("; Get it from the vendor.")
    with pytest.raises(AccessError, match=r"correct the command$"):
        await plugin(tmp_path, command="no-such-plugin").get()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("sys.exit('log in first')", "plugin ended with 1: log in first"),
        ("sys.exit(3)", "plugin ended with 3: no text"),
        ("print('hidden')", "printed no ExecCredential"),
        ("print('{}')", "printed '', while apiVersion is"),
        (f'print(\'{{"apiVersion": "{V1}"}}\')', "printed no token and no certificate"),
        (
            f'print(\'{{"apiVersion": "{V1}", "status": {{}}}}\')',
            "printed no token and no certificate",
        ),
        (
            f'print(\'{{"apiVersion": "{V1}", "status": {{"token": "hidden", '
            '"clientKeyData": "hidden"}}\')',
            "half of a certificate",
        ),
    ],
)
async def test_a_plugin_that_fails_is_told_of(tmp_path: Path, body: str, complaint: str) -> None:
    script(tmp_path, body)
    made = plugin(tmp_path)
    with pytest.raises(AccessError, match=complaint) as caught:
        await made.get()
    assert "hidden" not in str(caught.value)
    with pytest.raises(AccessError):
        await made.renew(Credential())


async def test_a_plugin_that_hangs_is_ended(tmp_path: Path) -> None:
    script(tmp_path, "import time; time.sleep(60)")
    made = plugin(tmp_path, timeout_s=0.5)
    with pytest.raises(AccessError, match=r"did not end within 0\.5 s"):
        await made.get()


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"command": ""}, "no command"),
        ({"api_version": "client.authentication.k8s.io/v1alpha1"}, "newer plugin"),
        ({"interactive_mode": "Always"}, "wants a terminal"),
    ],
)
def test_what_cannot_work_is_told_before_it_runs(
    tmp_path: Path, fields: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(AccessError, match=f"{tmp_path / 'config'}: exec: .*{complaint}"):
        plugin(tmp_path, **fields)


async def test_a_server_lets_in_whom_the_plugin_says(kube: FakeKube, tmp_path: Path) -> None:
    script(
        tmp_path,
        f"""
        token = open({str(kube.token_file)!r}).read()
        print(json.dumps({{"apiVersion": {V1!r}, "status": {{"token": token}}}}))
        """,
    )
    written = json.loads(kube.kubeconfig.read_text())
    written["users"][0]["user"] = {"exec": {"command": "./plugin", "apiVersion": V1}}
    written["clusters"][0]["cluster"]["certificate-authority"] = str(kube.ca)
    (tmp_path / "config").write_text(json.dumps(written))
    client = KubeClient(await find_access(tmp_path / "config"))
    assert await client.get(POD.path("default"))
    kube.replace_token("another")
    assert await client.get(POD.path("default"))
    assert runs(tmp_path) == 2
    await client.aclose()
