"""The content of a message: text, or parts of which some are images, sounds and files."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from epp.openai import prompt
from epp.openai.body import ABSENT

# What stands for bytes. Hashed as it was sent: a client repeats its own JSON from turn to turn.
_MEDIA = (
    "image_url",
    "image_embeds",
    "input_audio",
    "audio_url",
    "audio_embeds",
    "video_url",
    "file",
    "file_id",
    "file_url",
    "file_data",
    "source",
    "data",
)


class Part(msgspec.Struct, gc=False):
    """One part of a content, of OpenAI's chat and responses APIs or of Anthropic's messages.

    They are told apart by the fields that they have, so that a new type with a known field works.
    """

    text: str | None = None
    refusal: str | None = None
    thinking: str | None = None
    content: Content = None  # a tool's result
    name: msgspec.Raw = ABSENT  # of a tool that is called, with its input
    input: msgspec.Raw = ABSENT
    image_url: msgspec.Raw = ABSENT
    image_embeds: msgspec.Raw = ABSENT
    input_audio: msgspec.Raw = ABSENT
    audio_url: msgspec.Raw = ABSENT
    audio_embeds: msgspec.Raw = ABSENT
    video_url: msgspec.Raw = ABSENT
    file: msgspec.Raw = ABSENT
    file_id: msgspec.Raw = ABSENT
    file_url: msgspec.Raw = ABSENT
    file_data: msgspec.Raw = ABSENT
    source: msgspec.Raw = ABSENT
    data: msgspec.Raw = ABSENT


Content: TypeAlias = str | Part | list[str | Part] | None


def content_text(content: Content) -> str:
    """Return the text of `content`; one text part is the same as a plain string."""
    if isinstance(content, str):
        return prompt.plain(content)
    if isinstance(content, list):
        return "\n".join([content_text(part) for part in content])
    if content is None:
        return ""
    return _part_text(content) if content.text is None else prompt.plain(content.text)


def _part_text(part: Part) -> str:
    """Return what a part contributes that has no text of its own."""
    words = part.thinking if part.refusal is None else part.refusal
    if words is not None:
        return prompt.plain(words)
    if part.content is not None:
        return content_text(part.content)
    sums = [prompt.media(field, getattr(part, field)) for field in _MEDIA]
    return prompt.raw("name", part.name) + prompt.raw("input", part.input) + "".join(sums)
