from __future__ import annotations

import pytest

from epp.config.build import build
from epp.config.load import load
from epp.routing.models import ModelEntry, ModelTable
from epp.routing.split import Split
from tests.config.refusal import HEAD, refused

SCORER = "plugins: [{type: queue-scorer}]\n"


def table(block: str) -> ModelTable:
    return build(load(HEAD + SCORER + block, "a.yaml"), seed=0).models


def test_without_the_block_every_model_is_the_servers_affair() -> None:
    assert table("") == ModelTable()


def test_an_empty_block_lists_models_and_lets_all_pass() -> None:
    assert table("models: {}") == ModelTable(list_models=True)


def test_a_model_has_aliases_adapters_targets_and_labels() -> None:
    found = table("""
models:
  unknown: refuse
  clearRouteCache: true
  listModels: false
  table:
    - name: llama
      aliases: [gpt-4o, default]
      adapters: [llama-sql]
      endpointLabels: {model: llama}
    - name: qwen
      aliases: [best]
      targets:
        - {model: qwen-3, weight: 9}
        - {model: qwen-4}
        - {model: qwen-4}
""")
    labels = {"model": "llama"}
    alias = ModelEntry(Split({"llama": 1}), labels)
    canary = ModelEntry(Split({"qwen-3": 9, "qwen-4": 2}))
    assert found == ModelTable(
        {
            "llama": ModelEntry(None, labels),
            "gpt-4o": alias,
            "default": alias,
            "llama-sql": ModelEntry(None, labels, "llama"),
            "qwen": canary,
            "best": canary,
        },
        refuse_unknown=True,
        clear_route_cache=True,
    )
    assert found.models == {*found.entries, "qwen-3", "qwen-4"}


@pytest.mark.parametrize(
    ("row", "line", "says"),
    [
        ("{name: ''}", 6, "a model's name is 1 to 256 bytes without control characters"),
        ('{name: m, aliases: ["a\\nb"]}', 6, "a model's name is 1 to 256 bytes"),
        ("{name: m, targets: [{model: ''}]}", 6, "a model's name is 1 to 256 bytes"),
        ("{name: m, aliases: [a, a]}", 6, '"a" is already a name of the model "m"'),
        ("{name: m}\n    - {name: n, adapters: [m]}", 7, '"m" is already a name of the model "m"'),
        ("{name: m, targets: [{model: n, weight: 0}]}", 6, "models.table[0].targets[0].weight"),
        ("{name: m, alias: [a]}", 6, 'unknown field "alias"'),
    ],
)
def test_a_table_that_says_two_things_is_refused(row: str, line: int, says: str) -> None:
    ((at, told),) = refused(f"{SCORER}models:\n  table:\n    - {row}\n")
    assert at == line
    assert says in told


@pytest.mark.parametrize("given", ["unknown: maybe", "clearRouteCache: 1", "other: true"])
def test_other_settings_are_refused(given: str) -> None:
    assert refused(f"{SCORER}models: {{{given}}}\n")


def test_an_entry_of_a_target_may_have_labels_of_its_own() -> None:
    found = table("""
models:
  table:
    - {name: m, targets: [{model: v1}, {model: v2}], endpointLabels: {a: "1"}}
    - {name: v2, endpointLabels: {a: "2"}}
""")
    assert found.labels("m", "v1") == {"a": "1"}
    assert found.labels("m", "v2") == {"a": "2"}
    assert found.labels("x", "x") == {}
