from __future__ import annotations

import msgspec
import pytest

from epp.kube.status import refusal, reported


def status(code: int, reason: str = "", message: str = "", **details: object) -> bytes:
    return msgspec.json.encode(
        {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    )


def test_a_status_object_says_why() -> None:
    error = refusal(403, status(403, "Forbidden", "pods is forbidden"))
    assert (str(error), error.status, error.reason) == ("403: pods is forbidden", 403, "Forbidden")
    assert not error.gone


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "503: Service Unavailable"),
        (b"upstream connect error\n", "503: upstream connect error"),
        (b"\xff\xfe", "503: \ufffd\ufffd"),
        (b"[1]", "503: [1]"),
        (b'{"message":"\xff"}', '503: {"message":"\ufffd"}'),
        (b"x" * 999, "503: " + "x" * 200),
    ],
)
def test_whatever_stands_in_between_says_so_in_plain_text(body: bytes, text: str) -> None:
    assert str(refusal(503, body)) == text


def test_a_status_code_that_nobody_knows_is_still_an_error() -> None:
    assert str(refusal(599, b"")) == "599: no text"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("", 3.0), ("Fri, 31 Dec 1999 23:59:59 GMT", 3.0), ("-1", 3.0), ("inf", 3.0)],
)
def test_when_to_ask_again_is_in_the_header_or_else_in_the_status(
    header: str, seconds: float
) -> None:
    error = refusal(429, status(429, retryAfterSeconds=3), header)
    assert error.retry_after_s == seconds


def test_both_forms_of_410_are_one() -> None:
    assert refusal(410, b"").gone
    assert reported(msgspec.Raw(status(410, "Expired"))).gone
    assert reported(msgspec.Raw(status(0, "Expired"))).gone
    assert not reported(msgspec.Raw(status(500, "InternalError"))).gone


def test_an_error_event_of_any_shape_is_an_error() -> None:
    assert "without a Status" in str(reported(msgspec.Raw(b"[]")))
