from __future__ import annotations

from epp.openai.invalid import Invalid, empty, missing, mistyped


def test_refusals_name_the_parameter_as_openai_does() -> None:
    assert missing("messages") == Invalid(
        "Missing required parameter: 'messages'.", "messages", "missing_required_parameter", 400
    )
    assert empty("messages") == Invalid(
        "Invalid 'messages': it must not be empty.", "messages", "empty_value", 400
    )
    assert mistyped("model", "a string") == Invalid(
        "Invalid type for 'model': expected a string.", "model", "invalid_type", 400
    )
