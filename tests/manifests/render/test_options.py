from __future__ import annotations

from typing import get_args

from epp.manifests.render.options import Engine
from epp.pool.engine_names import AUTO, ENGINE_NAMES


def test_a_pool_can_have_any_engine_that_the_picker_knows() -> None:
    assert {*get_args(Engine)} == {*ENGINE_NAMES} - {AUTO}
