from __future__ import annotations

import pytest

from tests.manifests.lint.planted import findings, found, plant

DUPLEX = "    aigateway.envoyproxy.io/processing-body-mode: duplex\n"


def test_without_annotations_the_defaults_are_fine() -> None:
    assert found(plant((DUPLEX, ""))) == []


def test_annotations_of_others_are_their_own() -> None:
    assert found(plant((DUPLEX, DUPLEX + "    example.com/mode: a/b\n"))) == []


@pytest.mark.parametrize(
    "value", ["Buffered", "BUFFERED", "streamed", "'buffered '", "duplex,buffered"]
)
def test_only_the_very_word_is_a_mode(value: str) -> None:
    text = plant((DUPLEX, DUPLEX.replace(" duplex", f" {value}")))
    assert [rule for rule, _ in found(text)] == ["body-mode-value"]


def test_a_name_that_comes_near_is_named() -> None:
    (finding,) = findings(plant((DUPLEX, DUPLEX.replace("processing-body", "process-body"))))
    assert 'did you mean "aigateway.envoyproxy.io/processing-body-mode"?' in finding.message
