"""Configurations, and what is wrong with them."""

from __future__ import annotations

import pytest

from epp.config.error import ConfigError
from epp.config.load import load

HEAD = "apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n"


def refused(text: str) -> list[tuple[int, str]]:
    """Return the problems of HEAD and `text`, whose first line is line 3."""
    with pytest.raises(ConfigError) as caught:
        load(HEAD + text, "epp.yaml")
    return [(problem.line, problem.text) for problem in caught.value.problems]
