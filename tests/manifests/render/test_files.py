"""The example in deploy/ is rendered as it was, and as Kubernetes wants it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import yaml

from epp.manifests.lint.check import check
from epp.manifests.lint.objects import objects_in
from epp.manifests.render.files import render
from epp.manifests.render.load import load, load_file
from epp.manifests.render.options import Engine
from epp.pool.engine_names import AUTO, ENGINE_NAMES
from tests.deploy.verdict import problems

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "deploy" / "render" / "cluster.yaml"
GOLDEN = ROOT / "tests" / "data" / "render"  # epp render deploy/render/cluster.yaml -o …


def files() -> dict[str, str]:
    return render(load_file(EXAMPLE).options)


def test_the_example_is_rendered_as_recorded() -> None:
    assert files() == {path.name: path.read_text() for path in GOLDEN.glob("*.yaml")}


def test_what_is_shared_comes_first_and_pools_follow_in_their_order() -> None:
    assert list(files()) == [
        "gateway.yaml",
        "llama.default.yaml",
        "qwen.research.yaml",
        "gemma.default.yaml",
    ]


@pytest.mark.parametrize("name", list(files()))
def test_the_api_server_would_accept_it(name: str) -> None:
    for one in yaml.safe_load_all(files()[name]):
        assert problems(one) == [], f"{one['kind']} {one['metadata']['name']}"


def test_lint_finds_nothing_in_it() -> None:
    objects = [m for name, text in files().items() for m in objects_in(name, text.encode()).objects]
    assert len(objects) == 1 + 3 * 9
    assert check(objects) == []


def test_nothing_is_rendered_unless_pools_are_enabled() -> None:
    text = EXAMPLE.read_text().replace("pool_enabled: true", "pool_enabled: false")
    assert render(load(text.encode(), "c").options) == {}


def test_pools_whose_names_run_together_have_files_of_their_own() -> None:
    text = """\
ai_gateway_inference_pool_enabled: true
ai_gateway_self_hosted_models:
  - {name: x, pool_name: a-b, namespace: c, port: 80}
  - {name: y, pool_name: a, namespace: b-c, port: 80}
"""
    assert len(render(load(text.encode(), "c").options)) == 3


def test_the_engines_are_those_that_the_picker_knows() -> None:
    assert get_args(Engine) == tuple(name for name in ENGINE_NAMES if name != AUTO)
