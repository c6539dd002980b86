"""What docs/configuration.md says of InferencePools is what is read of them."""

from __future__ import annotations

import msgspec
import yaml

from epp.discovery.annotations import (
    ALLOW_OVERRIDE,
    BODY_MODE,
    SETTINGS,
    SettingLimits,
    gateway_modes,
    pool_settings,
)
from epp.discovery.entry import ENGINE_LABELS
from epp.discovery.inference_pool import InferencePool, Pool, meaning
from epp.discovery.pods import ACTIVE_PORTS
from tests.docs.pages import DOCS, blocks, code, rows

PAGE = DOCS / "configuration.md"


def test_the_pickers_annotations_are_those_in_the_page() -> None:
    table = rows(PAGE, "Pool annotation", "Values", "Without it")
    assert [name for row in table for name in code(row[0])] == list(SETTINGS)


def test_the_gateways_annotations_have_the_values_in_the_page() -> None:
    table = rows(PAGE, "Gateway's annotation", "Values", "Any other value")
    assert [name for row in table for name in code(row[0])] == [BODY_MODE, ALLOW_OVERRIDE]
    for name, values, _ in table:
        for value in code(values):
            _, complaints = gateway_modes(Pool("", "", annotations={code(name)[0]: value}))
            assert complaints == ()


def test_what_is_read_of_a_pod_is_in_the_page() -> None:
    table = rows(PAGE, "On a pod", "Meaning")
    names = [name for row in table for name in code(row[0])]
    assert names == [*ENGINE_LABELS, *ACTIVE_PORTS]


def test_the_example_is_a_good_pool() -> None:
    (example,) = [b.text for b in blocks(PAGE) if "kind: InferencePool\n" in b.text]
    pool = meaning(msgspec.convert(yaml.safe_load(example), InferencePool))
    assert (
        pool.complaints == gateway_modes(pool)[1] == pool_settings(pool, SettingLimits())[1] == ()
    )
    assert pool_settings(pool, SettingLimits())[0].max_body_bytes == 1048576
