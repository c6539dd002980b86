from __future__ import annotations

from epp.config.load import load
from epp.config.model import EndpointPickerConfig
from tests.config.refusal import HEAD


def loaded(text: str) -> EndpointPickerConfig:
    return load(HEAD + text, "epp.yaml")


def references(config: EndpointPickerConfig) -> list[tuple[str, float | None]]:
    return [(r.plugin_ref, r.weight) for r in config.scheduling_profiles[0].plugins]


def test_a_plugin_without_a_name_is_called_by_its_type() -> None:
    assert loaded("plugins: [{type: queue-scorer}]").plugins[0].name == "queue-scorer"


def test_without_profiles_everything_is_in_one() -> None:
    config = loaded("""
plugins:
- {type: openai-parser}
- {type: queue-scorer}
- {name: labels, type: label-selector-filter}
- {type: inflight-load-producer}
- {type: random-picker}
""")
    assert config.scheduling_profiles[0].name == "default"
    assert references(config) == [("queue-scorer", 1.0), ("labels", None), ("random-picker", None)]


def test_a_profile_without_a_picker_gets_the_highest_score() -> None:
    config = loaded("plugins: [{type: queue-scorer}]")
    assert references(config)[-1] == ("max-score-picker", None)
    assert "max-score-picker" in [spec.name for spec in config.plugins]


def test_a_profile_without_a_picker_gets_the_one_that_is_declared() -> None:
    config = loaded("""
plugins:
- {type: queue-scorer}
- {name: best-two, type: max-score-picker, parameters: {maxNumOfEndpoints: 2}}
schedulingProfiles:
- {name: p, plugins: [{pluginRef: queue-scorer}]}
""")
    assert references(config) == [("queue-scorer", 1.0), ("best-two", None)]
    assert [spec.name for spec in config.plugins] == [
        "queue-scorer",
        "best-two",
        "single-profile-handler",
    ]


def test_a_weight_that_is_written_stays() -> None:
    config = loaded("""
plugins: [{type: queue-scorer}, {type: load-aware-scorer}]
schedulingProfiles:
- name: p
  plugins:
  - {pluginRef: queue-scorer, weight: 0}
  - {pluginRef: load-aware-scorer, weight: 2.5}
""")
    assert references(config)[:2] == [("queue-scorer", 0.0), ("load-aware-scorer", 2.5)]


def test_a_producer_that_is_read_is_added_once() -> None:
    config = loaded("""
plugins:
- {type: active-request-scorer}
- {name: again, type: active-request-scorer}
- {type: utilization-filter, parameters: {conditions: [{metric: active-requests, maxValue: 9}]}}
""")
    types = [spec.type for spec in config.plugins]
    assert types.count("inflight-load-producer") == 1


def test_a_scorer_in_no_profile_brings_no_producer() -> None:
    config = loaded("""
plugins: [{type: queue-scorer}, {type: prefix-cache-scorer}]
schedulingProfiles: [{name: p, plugins: [{pluginRef: queue-scorer}]}]
""")
    assert "approx-prefix-cache-producer" not in [spec.type for spec in config.plugins]
