"""kubeconfig files: what is written in them, and what one context of them says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import yaml

from epp.kube.errors import AccessError
from epp.kube.private import Private


class Cluster(msgspec.Struct, frozen=True, rename="kebab"):
    """A server and how it is trusted."""

    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    proxy_url: str = ""
    extensions: Sequence[Mapping[str, Any]] | None = None


class Variable(Private, frozen=True):
    """One environment variable for a plugin."""

    name: str
    value: str = ""


class Exec(msgspec.Struct, frozen=True, rename="camel"):
    """A program that prints a credential."""

    command: str = ""
    api_version: str = ""
    args: Sequence[str] | None = None
    env: Sequence[Variable] | None = None
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = ""


class User(Private, frozen=True, rename="kebab"):
    """Who to be."""

    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(name="tokenFile", default="")
    username: str = ""
    password: str = ""
    impersonate: str = msgspec.field(name="as", default="")
    auth_provider: Mapping[str, Any] | None = None
    exec: Exec | None = None


class Context(msgspec.Struct, frozen=True):
    """A cluster, a user and a namespace, by name."""

    cluster: str = ""
    user: str = ""
    namespace: str = ""


class _NamedCluster(msgspec.Struct, frozen=True):
    name: str
    cluster: Cluster | None = None


class _NamedUser(msgspec.Struct, frozen=True):
    name: str
    user: User | None = None


class _NamedContext(msgspec.Struct, frozen=True):
    name: str
    context: Context | None = None


class _File(msgspec.Struct, frozen=True, rename="kebab"):
    clusters: Sequence[_NamedCluster] | None = None
    users: Sequence[_NamedUser] | None = None
    contexts: Sequence[_NamedContext] | None = None
    current_context: str | None = None


_Entry = TypeVar("_Entry")


class Written(msgspec.Struct, Generic[_Entry], frozen=True):
    """An entry and the file that has it, which paths in the entry are relative to."""

    entry: _Entry
    file: Path

    def path(self, relative: str) -> Path:
        """Return where a path in the entry leads."""
        return self.file.parent / relative


class Selected(msgspec.Struct, frozen=True):
    """What one context says."""

    context: str
    cluster: Written[Cluster]
    user: Written[User]
    namespace: str


class Kubeconfig:
    """Several files as one: of entries with one name, and of current contexts, the first counts."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(files)
        self._clusters: dict[str, Written[Cluster]] = {}
        self._users: dict[str, Written[User]] = {}
        self._contexts: dict[str, Written[Context]] = {}
        self._current = ""
        for file in self._files:
            self._add(file, _read(file))

    def select(self, context: str = "") -> Selected:
        """Return what `context`, or else the current one, says."""
        name = context or self._current
        if not name:
            raise AccessError(
                f"{self._names}: no current-context; name one: {_list(self._contexts)}"
            )
        chosen = self._contexts.get(name)
        if chosen is None:
            raise AccessError(
                f"{self._names}: no context {name!r}; there are: {_list(self._contexts)}"
            )
        return Selected(
            name,
            _entry(chosen, "cluster", chosen.entry.cluster, self._clusters),
            _entry(chosen, "user", chosen.entry.user, self._users)
            if chosen.entry.user
            else Written(User(), chosen.file),
            chosen.entry.namespace or "default",
        )

    @property
    def _names(self) -> str:
        return ", ".join(map(str, self._files))

    def _add(self, file: Path, read: _File) -> None:
        for cluster in read.clusters or ():
            self._clusters.setdefault(cluster.name, Written(cluster.cluster or Cluster(), file))
        for user in read.users or ():
            self._users.setdefault(user.name, Written(user.user or User(), file))
        for context in read.contexts or ():
            self._contexts.setdefault(context.name, Written(context.context or Context(), file))
        self._current = self._current or read.current_context or ""


def _entry(
    chosen: Written[Context], what: str, name: str, entries: Mapping[str, Written[_Entry]]
) -> Written[_Entry]:
    if name not in entries:
        raise AccessError(
            f"{chosen.file}: the context names the {what} {name!r}; there are: {_list(entries)}"
        )
    return entries[name]


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _read(file: Path) -> _File:
    try:
        written = yaml.safe_load(file.read_text(encoding="utf-8"))
        return msgspec.convert({} if written is None else written, _File)
    except (OSError, UnicodeError) as error:
        raise AccessError(f"{file}: cannot be read: {_reason(error)}") from error
    except yaml.YAMLError as error:
        # Neither the text of the error nor its chain: both quote lines, which may hold a secret.
        raise AccessError(f"{file}{_line(error)}: not YAML") from None
    except msgspec.ValidationError as error:
        raise AccessError(f"{file}: not a kubeconfig: {error}") from error


def _reason(error: OSError | UnicodeError) -> str:
    return error.strerror or "" if isinstance(error, OSError) else "not UTF-8"


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""
