from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from epp.kube.context_access import context_access
from epp.kube.errors import AccessError
from epp.kube.exec_plugin import ExecPlugin
from tests.fakekube.certificates import Authority
from tests.kube.configs import selected


def b64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


async def test_a_token_is_used_as_it_is(tmp_path: Path) -> None:
    access = context_access(selected(tmp_path / "c", user={"token": "t"}, namespace="n"))
    assert (access.server, access.namespace) == ("https://10.0.0.1:6443", "n")
    assert (await access.credentials.get()).token == "t"
    assert access.origin == f"{tmp_path / 'c'}, context 'one'"


async def test_a_token_file_goes_before_a_token_and_is_relative_to_the_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "token").write_text("filed\n")
    access = context_access(selected(tmp_path / "c", user={"token": "t", "tokenFile": "token"}))
    assert (await access.credentials.get()).token == "filed"


async def test_certificates_come_from_files_or_from_data(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("ada")
    by_file = context_access(
        selected(
            tmp_path / "files",
            cluster={"certificate-authority": "ca.crt"},
            user={"client-certificate": "ada.crt", "client-key": str(key)},
        )
    )
    by_data = context_access(
        selected(
            tmp_path / "data",
            cluster={
                "certificate-authority": "gone.crt",
                "certificate-authority-data": b64(authority.path),
            },
            user={"client-certificate-data": b64(certificate), "client-key-data": b64(key)},
        )
    )
    assert by_file.trust == by_data.trust
    assert await by_file.credentials.get() == await by_data.credentials.get()
    assert by_file.trust.ca == authority.path.read_bytes()


def test_how_the_server_is_verified_is_taken_over(tmp_path: Path) -> None:
    named = context_access(selected(tmp_path / "c", cluster={"tls-server-name": "kube.example"}))
    assert (named.trust.server_name, named.trust.verify) == ("kube.example", True)
    insecure = context_access(selected(tmp_path / "c", cluster={"insecure-skip-tls-verify": True}))
    assert not insecure.trust.verify


def test_an_exec_plugin_goes_before_what_else_there_is(tmp_path: Path) -> None:
    plugin = {"command": "x", "apiVersion": "client.authentication.k8s.io/v1"}
    access = context_access(selected(tmp_path / "c", user={"exec": plugin}))
    assert isinstance(access.credentials, ExecPlugin)


@pytest.mark.parametrize(
    ("cluster", "user", "complaint"),
    [
        ({"server": ""}, {}, "no http or https URL"),
        ({"server": "10.0.0.1:6443"}, {}, "no http or https URL"),
        ({"proxy-url": "http://proxy"}, {}, "proxy-url is not supported"),
        (
            {"insecure-skip-tls-verify": True, "certificate-authority": "ca.crt"},
            {},
            "exclude each other",
        ),
        ({"certificate-authority-data": "!"}, {}, "certificate-authority-data is not base64"),
        ({"certificate-authority-data": "aGk="}, {}, "no PEM"),
        ({"certificate-authority": "gone"}, {}, "certificate-authority: .*gone cannot be read"),
        ({}, {"username": "u", "password": "hidden"}, "use a token"),
        ({}, {"auth-provider": {"name": "gcp"}}, "use an exec plugin"),
        ({}, {"as": "somebody"}, "impersonation"),
        ({}, {"client-certificate": "a.crt"}, "go together"),
        ({}, {"client-key-data": "aGlkZGVu"}, "go together"),
        ({}, {"tokenFile": "gone"}, "tokenFile: .*gone cannot be read: No such file"),
        ({}, {"client-certificate": "a", "client-key": "b"}, "client-certificate: .*cannot be"),
    ],
)
def test_what_cannot_work_is_told_with_the_file(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], complaint: str
) -> None:
    chosen = selected(tmp_path / "config", cluster=cluster, user=user)
    with pytest.raises(AccessError, match=f"{tmp_path / 'config'}: .*{complaint}") as caught:
        context_access(chosen)
    assert "hidden" not in str(caught.value)
