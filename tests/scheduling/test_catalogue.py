from __future__ import annotations

from epp.scheduling import catalogue
from epp.scheduling.catalogue import Entry, Parameter

catalogue.load_builtin()


def entry(name: str) -> Entry:
    return next(e for e in catalogue.entries() if e.name == name)


def test_every_builtin_plugin_is_there() -> None:
    builtin = {
        "filter": {"header-based-testing-filter", "label-selector-filter", "utilization-filter"},
        "scorer": {
            "active-request-scorer",
            "kv-cache-utilization-scorer",
            "load-aware-scorer",
            "lora-affinity-scorer",
            "prefix-cache-scorer",
            "queue-scorer",
            "running-requests-size-scorer",
            "session-affinity-scorer",
        },
        "picker": {
            "max-score-picker",
            "power-of-two-picker",
            "random-picker",
            "weighted-random-picker",
        },
        "producer": {
            "approx-prefix-cache-producer",
            "inflight-load-producer",
            "session-id-producer",
            "session-token-producer",
        },
        "profile handler": {"single-profile-handler"},
    }
    for kind, names in builtin.items():
        assert names <= {e.name for e in catalogue.entries() if e.kind == kind}


def test_every_plugin_says_what_it_does_in_its_first_paragraph() -> None:
    for described in catalogue.entries():
        assert described.summary.endswith("."), described.name
        assert "\n" not in described.summary


def test_a_parameter_has_the_name_type_and_default_of_the_configuration_file() -> None:
    assert entry("prefix-cache-scorer").parameters == (
        Parameter("matchLengthWeight", "number >= 0.0 <= 1.0", "0.0"),
        Parameter("matchLengthScaleTokens", "integer >= 1", "8192"),
        Parameter("prefixMatchInfoProducerName", "string", '"approx-prefix-cache-producer"'),
    )


def test_a_plugin_with_a_memory_has_the_parameters_of_its_constructor() -> None:
    names = [p.name for p in entry("session-id-producer").parameters]
    assert names == ["headerName", "ttlSeconds", "maxSessions"]


def test_an_empty_collection_is_a_default() -> None:
    assert [p.default for p in entry("label-selector-filter").parameters] == ["{}", "[]"]
