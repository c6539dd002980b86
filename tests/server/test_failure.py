from __future__ import annotations

import logging

import pytest

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.errors import ProtocolError
from epp.exchange.events import Refused
from epp.server import failure


def test_a_proxy_that_breaks_the_protocol_is_named_in_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert failure.refusal(ProtocolError("a body before its headers")) is failure.MISUSE
    [record] = caplog.records
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)
    assert record.__dict__["error"] == "a body before its headers"


def test_a_bug_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    error = RuntimeError("a bug")
    assert failure.refusal(error) is failure.BUG
    [record] = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is error


@pytest.mark.parametrize("refused", [failure.BUG, failure.MISUSE])
def test_its_answer_is_ready_as_message_and_as_bytes(refused: Refused) -> None:
    message = failure.MESSAGES[refused]
    assert message.immediate_response.status.code == 500
    assert pb.ProcessingResponse.FromString(failure.BYTES[refused]) == message
