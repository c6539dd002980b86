"""The parts of a message that OpenAI and vLLM know."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from epp.openai import content
from epp.openai.strict.shape import Object


class Url(msgspec.Struct):
    """Where something is, or the thing itself as a data URL."""

    url: str


class Sound(msgspec.Struct):
    """Sound in base64."""

    data: str
    format: str


class TextPart(msgspec.Struct, tag_field="type", tag="text"):
    """Words."""

    text: str


class RefusalPart(msgspec.Struct, tag_field="type", tag="refusal"):
    """What the model said instead."""

    refusal: str


class ThinkingPart(msgspec.Struct, tag_field="type", tag="thinking"):
    """What the model thought (vLLM)."""

    thinking: str


class ImagePart(msgspec.Struct, tag_field="type", tag="image_url"):
    """A picture."""

    image_url: Url


class SoundPart(msgspec.Struct, tag_field="type", tag="input_audio"):
    """A sound."""

    input_audio: Sound


class FilePart(msgspec.Struct, tag_field="type", tag="file"):
    """A file, by its id or itself."""

    file: Object


class SoundUrlPart(msgspec.Struct, tag_field="type", tag="audio_url"):
    """A sound elsewhere (vLLM)."""

    audio_url: Url


class FilmPart(msgspec.Struct, tag_field="type", tag="video_url"):
    """A film (vLLM)."""

    video_url: Url


class ImageTensorPart(msgspec.Struct, tag_field="type", tag="image_embeds"):
    """A picture as the model sees it (vLLM)."""

    image_embeds: msgspec.Raw


class SoundTensorPart(msgspec.Struct, tag_field="type", tag="audio_embeds"):
    """A sound as the model hears it (vLLM)."""

    audio_embeds: msgspec.Raw


Part: TypeAlias = (
    TextPart
    | RefusalPart
    | ThinkingPart
    | ImagePart
    | SoundPart
    | FilePart
    | SoundUrlPart
    | FilmPart
    | ImageTensorPart
    | SoundTensorPart
)
Content: TypeAlias = str | Annotated[list[Part], msgspec.Meta(min_length=1)]


def words(given: Content) -> content.Content:
    """Return content as it is read leniently; None if it has more than words."""
    if isinstance(given, str):
        return given
    texts: list[str | content.Part] = [
        content.Part(text=part.text) for part in given if isinstance(part, TextPart)
    ]
    return texts if len(texts) == len(given) else None
