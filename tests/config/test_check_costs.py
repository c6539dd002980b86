from __future__ import annotations

import pytest

from epp.config.build import build
from epp.config.error import ConfigError
from epp.config.load import load
from epp.costs.facts import Facts

HEAD = """\
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: queue-scorer}]
llmRequestCosts:
"""


def problems(costs: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(HEAD + costs, "picker.yaml")
    return str(caught.value).splitlines()


def test_costs_are_built() -> None:
    config = load(
        HEAD
        + """\
- {metadataKey: in, type: InputToken}
- {metadataKey: both, type: CEL, cel: input_tokens + output_tokens}
llmRequestCostsNamespace: own
""",
        "picker.yaml",
    )
    sheet = build(config, seed=0).costs
    assert sheet is not None
    facts = Facts(input_tokens=2, output_tokens=3)
    assert sheet.metadata(facts, {}, lambda *_: None) == {"own": {"in": 2, "both": 5}}


def test_without_costs_nothing_is_charged() -> None:
    assert build(load(HEAD.removesuffix("llmRequestCosts:\n"), "x"), seed=0).costs is None


@pytest.mark.parametrize(
    ("costs", "problem"),
    [
        ("- {metadataKey: a, type: CEL}", "picker.yaml:5: a cost of the type CEL needs an"),
        ("- {metadataKey: a, type: CEL, cel: x}", "picker.yaml:5: the expression: 1:1: undeclared"),
        ("- {metadataKey: a, type: CEL, cel: model}", "picker.yaml:5: the expression: it comes to"),
        ("- {metadataKey: a, type: InputToken, cel: '1'}", "picker.yaml:5: a cost of the type"),
        ("- {metadataKey: '', type: InputToken}", "picker.yaml:5: a metadataKey has a name"),
        ("- {metadataKey: 'a:b', type: InputToken}", "picker.yaml:5: a metadataKey has a name"),
        ("- {metadataKey: a, type: Input}", "picker.yaml:5: llmRequestCosts[0].type"),
        ("- {metadataKey: a}", "picker.yaml:5: llmRequestCosts[0]"),
        (
            "- {metadataKey: a, type: InputToken}\n- {metadataKey: a, type: OutputToken}",
            'picker.yaml:6: there is a cost with the metadataKey "a" already',
        ),
        (
            "".join(f"- {{metadataKey: a{n}, type: InputToken}}\n" for n in range(37)),
            "picker.yaml:4: there can be 36 costs",
        ),
        (
            "- {metadataKey: a, type: InputToken}\nllmRequestCostsNamespace: ''",
            "picker.yaml:6: a namespace has a name",
        ),
    ],
)
def test_a_mistake_is_named_by_its_line(costs: str, problem: str) -> None:
    [found] = problems(costs)
    assert found.startswith(problem)
