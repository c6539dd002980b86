"""docs/render.md lists the options of `epp render`, and its example works."""

from __future__ import annotations

from typing import Any

import msgspec

from epp.manifests.render.files import render
from epp.manifests.render.load import load
from epp.manifests.render.options import ClusterOptions, SelfHostedModel
from tests.docs.pages import DOCS, blocks, code, rows

PAGE = DOCS / "render.md"


def defaults(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {field.name: shown(field.default) for field in msgspec.structs.fields(kind)}


def shown(default: Any) -> str:
    if default in {None, "", ()} or default is msgspec.NODEFAULT:
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_the_options_in_the_page_are_those_of_the_code() -> None:
    table = {code(r[0])[0]: "".join(code(r[1])) for r in rows(PAGE, "Option", "Default", "Meaning")}

    assert table == defaults(ClusterOptions)


def test_the_fields_of_a_model_in_the_page_are_those_of_the_code() -> None:
    table = {code(r[0])[0]: "".join(code(r[1])) for r in rows(PAGE, "Field", "Default", "Meaning")}

    assert table == defaults(SelfHostedModel)


def test_the_example_is_rendered_as_shown() -> None:
    example = next(b for b in blocks(PAGE) if b.text.startswith("ai_gateway_"))
    command = next(b for b in blocks(PAGE) if b.text.startswith("$ epp render"))
    names = [line.partition("/")[2] for line in command.text.splitlines() if line[0] != "$"]

    assert list(render(load(example.text.encode(), example.place).options)) == names
