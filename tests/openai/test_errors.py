from __future__ import annotations

import json

import pytest

from epp.openai.errors import error_body, error_type, grpc_status


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        (400, "invalid_request_error"),
        (404, "invalid_request_error"),
        (408, "invalid_request_error"),
        (413, "invalid_request_error"),
        (415, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
        (503, "server_error"),
        (504, "server_error"),
    ],
)
def test_the_type_follows_from_the_status(status: int, type_: str) -> None:
    assert error_type(status) == type_


def test_the_body_has_the_four_fields_of_openai() -> None:
    assert json.loads(error_body(400, "No.", code="c", param="p")) == {
        "error": {"message": "No.", "type": "invalid_request_error", "code": "c", "param": "p"}
    }
    assert json.loads(error_body(503, "No."))["error"] == {
        "message": "No.",
        "type": "server_error",
        "code": None,
        "param": None,
    }


def test_too_many_requests_have_a_code_that_programs_know() -> None:
    assert json.loads(error_body(429, "Full."))["error"]["code"] == "rate_limit_exceeded"
    assert json.loads(error_body(429, "Full.", code="queue_full"))["error"]["code"] == "queue_full"


@pytest.mark.parametrize("message", ['say "no"\r\n', "\x00\\", "模型", "a\ud800b"])
def test_any_message_makes_json(message: str) -> None:
    printable = message.replace("\ud800", "?")
    assert json.loads(error_body(400, message))["error"]["message"] == printable


def test_grpc_has_statuses_of_its_own() -> None:
    assert [grpc_status(status) for status in (400, 404, 413, 503, 504, 500, 418)] == [
        *(3, 5, 8, 14, 4, 13, 13)
    ]
