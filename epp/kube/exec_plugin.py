"""Credentials that a program prints (client-go credential plugins)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from epp.kube.credentials import Credential
from epp.kube.errors import NOT_AS_PROMISED, AccessError
from epp.kube.kubeconfig import Cluster, Exec, Written
from epp.kube.private import Private

_API = "client.authentication.k8s.io/"
_VERSIONS = (f"{_API}v1", f"{_API}v1beta1")
_CONFIG_EXTENSION = f"{_API}exec"
_TIMEOUT_S = 60.0
_EARLY = timedelta(seconds=10)  # a token that expires on its way is a wasted request
_LONGEST_COMPLAINT = 300


class _Printed(Private, frozen=True, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None


class _ExecCredential(Private, frozen=True, rename="camel"):
    api_version: str = ""
    status: _Printed | None = None


class ExecPlugin:
    """Runs the plugin when there is no credential, when it expires, and when it is refused."""

    def __init__(
        self,
        plugin: Written[Exec],
        cluster: Cluster,
        *,
        ca: bytes = b"",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        self._file = plugin.file
        self._exec = plugin.entry
        self._check()
        self._command = self._resolved(plugin)
        self._info = _exec_info(plugin.entry, cluster, ca)
        self._now = now
        self._timeout_s = timeout_s
        self._one_at_a_time = asyncio.Lock()
        self._known: Credential | None = None
        self._expires: datetime | None = None

    async def get(self) -> Credential:
        """Return the last credential while it lasts."""
        async with self._one_at_a_time:
            if self._known is None or self._expired():
                return await self._run()
            return self._known

    async def renew(self, refused: Credential) -> Credential:
        """Run the plugin again, unless that was done since `refused` was handed out."""
        async with self._one_at_a_time:
            if self._known is None or self._known == refused:
                return await self._run()
            return self._known

    def _check(self) -> None:
        if not self._exec.command:
            raise self._error("exec: no command")
        if self._exec.api_version not in _VERSIONS:
            raise self._error(
                f"exec: apiVersion {self._exec.api_version!r} is none of {', '.join(_VERSIONS)}; "
                "a newer plugin has one of these"
            )
        if self._exec.interactive_mode == "Always":
            raise self._error(
                f"exec: {self._exec.command} wants a terminal (interactiveMode: Always), "
                "and the picker has none"
            )

    def _resolved(self, plugin: Written[Exec]) -> str:
        """Return the command: one with a slash is relative to the file, others are on PATH."""
        command = plugin.entry.command
        return str(plugin.path(command)) if os.sep in command else command

    def _expired(self) -> bool:
        return self._expires is not None and self._now() >= self._expires - _EARLY

    async def _run(self) -> Credential:
        printed = self._read(await self._output())
        self._expires = printed.expiration_timestamp
        self._known = Credential(
            token=printed.token,
            certificate=printed.client_certificate_data.encode(),
            key=printed.client_key_data.encode(),
        )
        return self._known

    async def _output(self) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                self._command,
                *(self._exec.args or ()),
                env=_environment(self._exec.env or (), self._info),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            hint = f"; {self._exec.install_hint.strip()}" if self._exec.install_hint else ""
            raise self._error(
                f"exec: {self._exec.command} cannot be started: {error.strerror}; install it, or "
                f"correct the command{hint}"
            ) from error
        return await self._ended(process)

    async def _ended(self, process: asyncio.subprocess.Process) -> bytes:
        try:
            async with asyncio.timeout(self._timeout_s):
                output, complaint = await process.communicate()
        except TimeoutError as error:
            raise self._error(
                f"exec: {self._exec.command} did not end within {self._timeout_s:g} s"
            ) from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            said = complaint.decode(errors="replace").strip()[-_LONGEST_COMPLAINT:]
            raise self._error(
                f"exec: {self._exec.command} ended with {process.returncode}: {said or 'no text'}"
            )
        return output

    def _read(self, output: bytes) -> _Printed:
        try:
            read = msgspec.json.decode(output, type=_ExecCredential)
        except NOT_AS_PROMISED as error:
            raise self._error(f"exec: {self._exec.command} printed no ExecCredential") from error
        if read.api_version != self._exec.api_version:
            raise self._error(
                f"exec: {self._exec.command} printed {read.api_version!r}, while apiVersion is "
                f"{self._exec.api_version!r}"
            )
        printed = read.status
        if printed is None or not (printed.token or printed.client_certificate_data):
            raise self._error(f"exec: {self._exec.command} printed no token and no certificate")
        if bool(printed.client_certificate_data) != bool(printed.client_key_data):
            raise self._error(f"exec: {self._exec.command} printed half of a certificate and key")
        return printed

    def _error(self, what: str) -> AccessError:
        return AccessError(f"{self._file}: {what}")


def _environment(variables: Sequence[Any], info: str) -> Mapping[str, str]:
    return {
        **os.environ,
        **{variable.name: variable.value for variable in variables},
        "KUBERNETES_EXEC_INFO": info,
    }


def _exec_info(plugin: Exec, cluster: Cluster, ca: bytes) -> str:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.provide_cluster_info:
        spec["cluster"] = _cluster_info(cluster, ca)
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    return msgspec.json.encode(info).decode()


def _cluster_info(cluster: Cluster, ca: bytes) -> Mapping[str, Any]:
    info = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": ca,  # bytes are base64 in JSON
        "config": next(
            (
                extension.get("extension")
                for extension in cluster.extensions or ()
                if extension.get("name") == _CONFIG_EXTENSION
            ),
            None,
        ),
    }
    return {name: value for name, value in info.items() if value}
