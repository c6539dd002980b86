from __future__ import annotations

import pytest

from epp.exchange.events import AnswerEdit
from epp.exchange.modes import BodyMode, Modes
from epp.server.editing import Editing

EDIT = AnswerEdit("mine")
DUPLEX = Modes(BodyMode.FULL_DUPLEX_STREAMED, BodyMode.FULL_DUPLEX_STREAMED)
JSON = {"content-type": "application/json"}


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert {record.message for record in caplog.records} <= {"an answer is left as it is"}
    return [record.__dict__["reason"] for record in caplog.records]


@pytest.mark.parametrize("mode", [BodyMode.STREAMED, BodyMode.BUFFERED, DUPLEX.response])
def test_an_answer_that_is_shown_is_edited(mode: BodyMode) -> None:
    start = Editing().start(EDIT, Modes(mode, mode))
    assert start is not None
    editor = start(JSON)
    assert editor is not None
    assert editor.feed(b'{"model":"m"}') == b'{"model":"mine"}'


@pytest.mark.parametrize("mode", [BodyMode.NONE, BodyMode.BUFFERED_PARTIAL])
def test_one_that_is_not_shown_is_left_and_that_is_said_once(
    mode: BodyMode, caplog: pytest.LogCaptureFixture
) -> None:
    editing = Editing()
    assert [editing.start(EDIT, Modes(mode, mode)) for _ in range(3)] == [None] * 3
    assert reasons(caplog) == [f"its body is not shown: the body mode is {mode.name}"]


def test_one_that_is_compressed_is_left_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    start = Editing().start(EDIT, DUPLEX)
    assert start is not None
    for coding, edited in (("gzip", False), ("br", False), ("identity", True)):
        assert (start({**JSON, "content-encoding": coding}) is not None) == edited
    assert reasons(caplog) == ["it is compressed"]


def test_one_in_which_there_is_nothing_to_edit_is_left_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    start = Editing().start(EDIT, DUPLEX)
    assert start is not None
    assert start({"content-type": "audio/wav"}) is None
    assert reasons(caplog) == []
