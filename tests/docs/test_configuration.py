"""docs/configuration.md says what the code does, and its examples work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import typer
from msgspec import inspect

from epp.cli.main import app
from epp.config import plugins
from epp.config.build import build
from epp.config.load import default, load
from epp.config.model import EndpointPickerConfig
from epp.config.settings import Settings
from epp.discovery.parse import parse_targets
from epp.scheduling import registry
from epp.scheduling.catalogue import entries
from epp.scheduling.producers.precise_prefix_cache import PRECISE_PREFIX
from epp.scrape.engines import ENGINES
from tests.docs.pages import DOCS, PAGES, ROOT, Block, blocks, code, rows

PAGE = DOCS / "configuration.md"
COMMENTS = re.compile(r"\A(\s*#.*\n)*")


def written(start: str) -> list[Any]:
    return [
        pytest.param(block, id=block.place)
        for page in PAGES
        for block in blocks(page)
        if COMMENTS.sub("", block.text).startswith(start)
    ]


@pytest.mark.parametrize("block", written("apiVersion: llm-d.ai/"))
def test_every_configuration_in_the_pages_is_good(block: Block) -> None:
    assert build(load(block.text, block.place), seed=0).warnings == ()


@pytest.mark.parametrize("block", written("endpoints:"))
def test_every_endpoints_file_in_the_pages_is_good(block: Block) -> None:
    assert parse_targets(block.text.encode(), block.place)


def test_the_first_example_is_the_default() -> None:
    first = next(b for b in blocks(PAGE) if b.text.startswith("apiVersion:"))

    assert load(first.text, first.place) == default()


def test_the_flags_of_serve_are_those_in_the_page() -> None:
    table = {
        tuple(code(flag)): (tuple(code(variable)), "".join(code(value)))
        for flag, variable, value, _ in rows(PAGE, "Flag", "Environment", "Default", "Meaning")
    }

    assert table == flags()


def flags() -> dict[tuple[str, ...], tuple[tuple[str, ...], str]]:
    """Flag, its environment variable and its default, as typer has them."""
    serve = typer.main.get_command(app).commands["serve"]  # type: ignore[attr-defined]
    return {
        (*option.opts, *option.secondary_opts): ((option.envvar,), shown(option.default))
        for option in serve.params
        if option.opts[0] != "--help"
    }


def shown(default: object) -> str:
    if default in {None, "", ()}:
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_every_plugin_type_is_named() -> None:
    plugins.register_all()
    text = PAGE.read_text()

    assert [name for name in plugins.type_names() if f"`{name}`" not in text] == []


def test_the_plugins_in_the_tables_exist() -> None:
    plugins.register_all()
    kinds = {
        "scorer": rows(PAGE, "Scorer", "1 means", "0 means", "Load unknown"),
        "filter": rows(PAGE, "Filter", "Keeps", "If nothing is left"),
        "picker": rows(PAGE, "Picker", "Takes"),
        "producer": rows(PAGE, "Producer", "Remembers", "For"),
        "profile handler": rows(PAGE, "Profile handler", "Chooses"),
        "parser": rows(PAGE, "Parser", "Paths that end in"),
    }

    for kind, table in kinds.items():
        assert {plugins.kind_of(code(row[0])[0]) for row in table} == {kind}


def test_the_parameters_of_plugins_are_those_in_the_page() -> None:
    plugins.register_all()
    table, named = dict[tuple[str, str], Any](), list[str]()
    for cell, parameter, text, _ in rows(PAGE, "Plugin", "Parameter", "Default", "Meaning"):
        named = code(cell) or named
        table |= {(name, code(parameter)[0]): value(code(text)[0]) for name in named}
    theirs = {
        (entry.name, parameter.name): value(parameter.default)
        for entry in entries()
        for parameter in entry.parameters
        if entry.name != PRECISE_PREFIX  # it has a table of its own
    }

    assert table == theirs


def value(text: str) -> Any:
    """What JSON says; text may lack its quotes."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def test_every_field_of_a_file_is_named() -> None:
    plugins.register_all()
    words = {
        word
        for block in re.findall(r"`([^`\n]+)`", PAGE.read_text())
        for word in re.split(r"\W+", block)
    }
    shapes = [EndpointPickerConfig, registry.producers.parameters(PRECISE_PREFIX)]
    named = {field for shape in shapes for field in fields(inspect.type_info(shape))}

    assert sorted(named - words) == []


def fields(found: inspect.Type) -> Iterator[str]:
    """The fields of a structure and of those inside it, as they are written."""
    if isinstance(found, inspect.StructType):
        for field in found.fields:
            yield field.encode_name
            yield from fields(field.type)
    elif isinstance(found, inspect.UnionType):
        for one in found.types:
            yield from fields(one)
    elif isinstance(found, inspect.VarTupleType):
        yield from fields(found.item_type)


def test_the_engines_and_their_metrics_are_those_in_the_page() -> None:
    table = {
        code(row[0])[0]: [code(cell) for cell in row[1:]]
        for row in rows(PAGE, "Engine", "Waiting", "Running", "KV cache", "LoRA", "Cache size")
    }
    metrics = {
        name: [
            *([m.name] if m else [] for m in (e.waiting, e.running, e.kv_cache_usage, e.loras)),
            list(dict.fromkeys(m.name for m in (e.block_size, e.blocks) if m)),
        ]
        for name, e in ENGINES.items()
    }

    assert table == metrics


def test_the_image_exposes_the_default_ports() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    settings = Settings()

    (exposed,) = re.findall(r"^EXPOSE (.*)$", dockerfile, re.MULTILINE)
    assert [int(port) for port in exposed.split()] == [
        settings.grpc_port,
        settings.grpc_health_port,
        settings.metrics_port,
    ]
    assert re.search(r'^ENTRYPOINT \["epp"\]\nCMD \["serve"\]$', dockerfile, re.MULTILINE)
