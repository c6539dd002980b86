from __future__ import annotations

import msgspec
import pytest

from epp.demo.sim.problem import Problem


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "BadRequestError"),
        (404, "NotFoundError"),
        (500, "InternalServerError"),
        (405, "Method Not Allowed"),
    ],
)
def test_a_problem_is_an_error_object(status: int, kind: str) -> None:
    assert msgspec.json.decode(Problem(status, "no", "model").body()) == {
        "error": {"message": "no", "type": kind, "param": "model", "code": status}
    }
