from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from epp.telemetry.logs import Format, JsonFormatter, TextFormatter, configure

CANARY = "the words of a prompt"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored_loggers() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("epp")
    before = (root.handlers[:], root.level, own.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def made(message: str = "routed", **fields: Any) -> logging.LogRecord:
    record = logging.getLogger("epp.server").makeRecord(
        "epp.server", logging.INFO, "", 0, message, (), None, extra=fields
    )
    record.created = 1_700_000_000.25
    return record


def failed() -> logging.LogRecord:
    def parse(body: str) -> int:
        token = body[::-1]
        return len(token) // (len(body) - len(body))

    record = made("conversation failed")
    try:
        parse(CANARY)
    except ZeroDivisionError:
        record.exc_info = sys.exc_info()
    return record


def as_json(record: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(record)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_json_line_has_time_level_logger_message_and_fields() -> None:
    assert as_json(made(stream=7, endpoint="10.0.0.1:8000")) == {
        "time": "2023-11-14T22:13:20.250+00:00",
        "level": "info",
        "logger": "epp.server",
        "message": "routed",
        "stream": 7,
        "endpoint": "10.0.0.1:8000",
    }


def test_a_field_cannot_replace_one_of_the_lines_own() -> None:
    assert as_json(made(level="fatal", time="never"))["level"] == "info"


@pytest.mark.parametrize("value", ["a\nb", "\udc80", 2**80, object(), {"k": {1, 2}}, float("nan")])
def test_any_field_gives_one_line_of_json(value: object) -> None:
    assert as_json(made("odd \udc80" if value == "\udc80" else "odd", field=value))["field"] != ""


@pytest.mark.parametrize("formatter", [JsonFormatter, TextFormatter])
def test_an_exception_shows_its_type_and_traceback_but_no_values(
    formatter: Callable[[], logging.Formatter],
) -> None:
    text = formatter().format(failed())
    assert "ZeroDivisionError" in text
    assert "in parse" in text
    assert CANARY not in text
    assert CANARY[::-1] not in text


def test_a_json_line_names_the_error() -> None:
    assert as_json(failed())["error"] == "ZeroDivisionError"


def test_a_text_line_is_for_people() -> None:
    line = TextFormatter().format(made(stream=7, why="no endpoints"))
    assert line.split(" ", 1)[1] == "INFO    epp.server: routed stream=7 why='no endpoints'"


def test_text_cannot_be_made_to_look_like_another_line() -> None:
    line = TextFormatter().format(made("model a\nERROR all is lost", model="\x1b[2J\r\n"))
    assert line.isprintable()
    assert r"model a\nERROR" in line


@pytest.mark.parametrize(
    ("form", "stream", "json_expected"),
    [
        ("json", Terminal(), True),
        ("text", io.StringIO(), False),
        ("auto", Terminal(), False),
        ("auto", io.StringIO(), True),
    ],
)
def test_auto_is_text_on_a_terminal(form: Format, stream: io.StringIO, json_expected: bool) -> None:
    configure("info", form, stream)
    logging.getLogger("epp.scrape").info("hello")
    assert stream.getvalue().startswith("{") is json_expected


def test_the_level_is_the_pickers_and_libraries_stay_quiet() -> None:
    stream = io.StringIO()
    configure("debug", "json", stream)
    logging.getLogger("epp.scrape").debug("ours")
    logging.getLogger("somebody.http").info("authorization: secret")
    logging.getLogger("somebody.http").warning("theirs")
    lines = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert lines == ["ours", "theirs"]


def test_a_high_level_holds_for_libraries_too() -> None:
    stream = io.StringIO()
    configure("error", "json", stream)
    logging.getLogger("epp.scrape").warning("ours")
    logging.getLogger("somebody.http").warning("theirs")
    assert stream.getvalue() == ""
