from __future__ import annotations

from epp.config import foreign, plugins


def test_nothing_is_both_here_and_not_supported_yet() -> None:
    plugins.register_all()
    assert [name for name in plugins.type_names() if foreign.plugin(name)] == []
