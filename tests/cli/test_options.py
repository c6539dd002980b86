from __future__ import annotations

import pytest

from epp.cli.options import configure_logs
from epp.config.settings import SettingsError


@pytest.mark.parametrize(
    ("level", "form", "words"),
    [
        ("loud", "json", "--log-level is debug, info, warning or error, not 'loud'"),
        ("INFO", "json", "--log-level"),
        ("info", "xml", "--log-format is json, text or auto, not 'xml'"),
    ],
)
def test_logs_that_do_not_exist_are_refused(level: str, form: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        configure_logs(level, form)
