from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import msgspec
import pytest

from epp.scheduling import registry, scorers
from epp.scheduling.errors import PluginError
from epp.scheduling.registry import Registry


class Counting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    upper_limit: int = 3


class Remembering:
    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        size: int = 1

    made: ClassVar[int] = 0

    def __init__(self, parameters: Parameters) -> None:
        self.size = parameters.size


@pytest.fixture
def toys() -> Registry[object]:
    toys = Registry[object]("toy")
    toys("counting")(Counting)
    toys("remembering")(Remembering)
    return toys


def test_a_plugin_is_found_by_its_type_name(toys: Registry[object]) -> None:
    assert "counting" in toys
    assert "other" not in toys
    assert toys.get("counting") is Counting
    assert toys.names() == ["counting", "remembering"]
    assert repr(toys) == "<Registry toy: counting, remembering>"


def test_a_name_is_taken_once(toys: Registry[object]) -> None:
    with pytest.raises(PluginError, match="toy 'counting': a toy has that name"):
        toys("counting")(Remembering)


def test_a_name_is_taken_once_over_all_kinds() -> None:
    registry.load_package(scorers)
    with pytest.raises(PluginError, match="filter 'queue-scorer': a scorer has that name"):
        registry.filters("queue-scorer")(Counting)  # type: ignore[arg-type]


def test_a_plugin_of_fields_is_made_from_its_parameters(toys: Registry[object]) -> None:
    assert toys.make("counting", {"upperLimit": 5}) == Counting(5)
    assert toys.parameters("counting") is Counting


def test_a_plugin_with_a_memory_gets_its_parameters_as_one_value(toys: Registry[object]) -> None:
    made = toys.make("remembering", {"size": 5})
    assert isinstance(made, Remembering)
    assert made.size == 5
    assert toys.parameters("remembering") is Remembering.Parameters


def test_a_parameter_that_does_not_exist_is_named(toys: Registry[object]) -> None:
    with pytest.raises(msgspec.ValidationError, match="upper_limit"):
        toys.make("counting", {"upper_limit": 5})


def test_a_parameter_of_the_wrong_type_is_named(toys: Registry[object]) -> None:
    with pytest.raises(msgspec.ValidationError, match="upperLimit"):
        toys.make("counting", {"upperLimit": "5"})


def test_the_kind_of_a_type_name_is_known() -> None:
    registry.load_package(scorers)
    assert registry.kind_of("queue-scorer") is registry.scorers
    assert registry.kind_of("no-such-thing") is None


Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one plugin module of this source on the path."""
    before = dict(registry.scorers._plugins)

    def install(source: str) -> None:
        (tmp_path / "other_peoples_plugins.py").write_text(source)
        information = tmp_path / "other_peoples_plugins-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Name: other-peoples-plugins\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text("[epp.plugins]\nx = other_peoples_plugins\n")
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    sys.modules.pop("other_peoples_plugins", None)
    registry.scorers._plugins.clear()
    registry.scorers._plugins.update(before)


def test_plugins_of_installed_packages_are_registered(install: Install) -> None:
    install(
        "import msgspec\n"
        "from epp.scheduling.registry import scorers\n"
        "@scorers('other-scorer')\n"
        "class Other(msgspec.Struct, frozen=True): ...\n"
    )
    registry.load_entry_points()
    assert "other-scorer" in registry.scorers


def test_a_package_that_cannot_be_imported_is_named(install: Install) -> None:
    install("raise RuntimeError('no GPU')")
    with pytest.raises(PluginError, match="x = other_peoples_plugins: no GPU") as caught:
        registry.load_entry_points()
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_package_whose_plugin_has_a_taken_name_is_named(install: Install) -> None:
    registry.load_package(scorers)
    install(
        "from epp.scheduling.registry import scorers\n@scorers('queue-scorer')\nclass Other: ...\n"
    )
    with pytest.raises(PluginError, match="x = other_peoples_plugins: scorer 'queue-scorer'"):
        registry.load_entry_points()


def test_a_package_loads_all_its_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bag"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    bag = ModuleType("bag")
    bag.__path__ = [str(package)]
    registry.load_package(bag)
    assert sys.modules.pop("bag.one").__name__ == "bag.one"
    sys.modules.pop("bag", None)
