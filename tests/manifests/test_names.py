"""What the manifests say is what the picker reads, though neither imports the other."""

from __future__ import annotations

from epp.config.settings import Settings
from epp.discovery.annotations import ALLOW_OVERRIDE, BODY_MODE
from epp.discovery.entry import ENGINE_LABELS
from epp.manifests import names
from epp.manifests.lint.rules.bodies import PICKER_BODY_BYTES
from epp.manifests.lint.rules.pickers import PICKER_DRAIN_S
from epp.manifests.render.routing import GRPC_PORT


def test_the_annotations_are_those_that_the_picker_reads() -> None:
    assert (BODY_MODE, ALLOW_OVERRIDE) == names.POOL_ANNOTATIONS


def test_the_engines_label_is_the_one_that_the_picker_looks_at_first() -> None:
    assert ENGINE_LABELS[0] == names.ENGINE_LABEL


def test_the_pickers_defaults_are_its_own() -> None:
    settings = Settings()
    assert settings.max_body_bytes == PICKER_BODY_BYTES
    assert settings.drain_timeout_s == PICKER_DRAIN_S
    assert settings.grpc_port == GRPC_PORT
