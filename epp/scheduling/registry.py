"""Plugin classes by type name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from importlib import metadata
from types import ModuleType
from typing import Any, Generic, TypeVar

import msgspec

from epp.scheduling.errors import PluginError
from epp.scheduling.plugin import Filter, Picker, Producer, ProfileHandler, Scorer

ENTRY_POINTS = "epp.plugins"

P = TypeVar("P")


class Registry(Generic[P]):
    """The plugin classes of one kind. Calling it gives the decorator that registers one."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._plugins: dict[str, Callable[..., P]] = {}

    def __repr__(self) -> str:
        return f"<Registry {self.kind}: {', '.join(self.names())}>"

    def __call__(self, name: str) -> Callable[[Callable[..., P]], Callable[..., P]]:
        """Register the decorated class as `name`, which can be taken once, whatever the kind."""

        def register(plugin: Callable[..., P]) -> Callable[..., P]:
            taken = self if name in self else kind_of(name)
            if taken is not None:
                raise PluginError(f"{self.kind} {name!r}: a {taken.kind} has that name")
            self._plugins[name] = plugin
            return plugin

        return register

    def __contains__(self, name: str) -> bool:
        return name in self._plugins

    def names(self) -> list[str]:
        """Return all type names, sorted."""
        return sorted(self._plugins)

    def get(self, name: str) -> Callable[..., P]:
        """Return the class called `name`; KeyError if there is none."""
        return self._plugins[name]

    def parameters(self, name: str) -> type[msgspec.Struct]:
        """Return the struct whose fields are the parameters of `name`."""
        plugin: Any = self._plugins[name]
        found: type[msgspec.Struct] = getattr(plugin, "Parameters", plugin)
        return found

    def make(self, name: str, parameters: Mapping[str, Any]) -> P:
        """Build a plugin; msgspec.ValidationError names the parameter that does not fit."""
        plugin = self._plugins[name]
        checked = msgspec.convert(parameters, self.parameters(name))
        return plugin(checked) if hasattr(plugin, "Parameters") else checked  # type: ignore[return-value]


filters = Registry[Filter]("filter")
scorers = Registry[Scorer]("scorer")
pickers = Registry[Picker]("picker")
producers = Registry[Producer]("producer")
profile_handlers = Registry[ProfileHandler]("profile handler")

KINDS: tuple[Registry[Any], ...] = (filters, scorers, pickers, producers, profile_handlers)


def kind_of(name: str) -> Registry[Any] | None:
    """Return the registry that has `name`; a type name is unique over all kinds."""
    return next((kind for kind in KINDS if name in kind), None)


def load_package(package: ModuleType) -> None:
    """Import every module of `package`, so that its plugins register themselves."""
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)


def load_entry_points() -> None:
    """Import other people's plugins: modules named by the entry-point group `epp.plugins`."""
    for entry_point in metadata.entry_points(group=ENTRY_POINTS):
        try:
            entry_point.load()
        except Exception as error:
            raise PluginError(
                f"plugin package {entry_point.name} = {entry_point.value}: {error}"
            ) from error
