from __future__ import annotations

from typing import Any

import msgspec
import pytest

from epp.openai.content import Content, content_text


def text_of(content: Any) -> str:
    return content_text(msgspec.json.decode(msgspec.json.encode(content), type=Content))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("Hi", "Hi"),
        ([], ""),
        (["Hi", "you"], "Hi\nyou"),
        ([{"type": "text", "text": "Hi"}], "Hi"),
        ([{"type": "input_text", "text": "Hi"}, {"type": "text", "text": "you"}], "Hi\nyou"),
        ({"type": "output_text", "text": "Hi", "annotations": [{"a": 1}]}, "Hi"),
        ([{"type": "refusal", "refusal": "No."}], "No."),
        ([{"type": "thinking", "thinking": "Hm", "signature": "x"}], "Hm"),
        ([{"type": "tool_result", "tool_use_id": "t", "content": "4"}], "4"),
        ([{"type": "tool_result", "content": [{"type": "text", "text": "4"}]}], "4"),
        ([{"type": "text", "text": None}], ""),
        ([{"type": "unheard of"}], ""),
        ("a\x1eb", "a\x1e-b"),
    ],
)
def test_content_has_a_text(content: object, text: str) -> None:
    assert text_of(content) == text


MEDIA = [
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    {"type": "input_image", "image_url": "https://example.com/a.png"},
    {"type": "input_image", "file_id": "file-1"},
    {"type": "image_embeds", "image_embeds": "AAAA"},
    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    {"type": "audio_url", "audio_url": {"url": "https://example.com/a.wav"}},
    {"type": "audio_embeds", "audio_embeds": "AAAA"},
    {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
    {"type": "file", "file": {"file_data": "AAAA"}},
    {"type": "input_file", "file_data": "AAAA"},
    {"type": "input_file", "file_url": "https://example.com/a.pdf"},
    {"type": "image", "source": {"type": "base64", "data": "AAAA"}},
    {"type": "redacted_thinking", "data": "AAAA"},
]


def test_all_kinds_of_media_are_told_apart() -> None:
    texts = [text_of([part]) for part in MEDIA]
    assert len(set(texts)) == len(MEDIA)
    assert all(text.startswith("\x1e@") for text in texts)


@pytest.mark.parametrize("part", MEDIA, ids=lambda part: part["type"])
def test_equal_media_make_equal_text(part: dict[str, object]) -> None:
    assert text_of([part]) == text_of([{**part, "cache_control": {"type": "ephemeral"}}])


def test_a_call_of_a_tool_is_its_name_and_input_without_its_cache_mark() -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 2}}
    assert text_of([call]) == '\x1e[name\x1e]"add"\x1e[input\x1e]{"a":2}'
    assert text_of([call]) == text_of([{**call, "cache_control": {"type": "ephemeral"}}])
