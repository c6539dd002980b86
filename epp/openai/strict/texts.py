"""APIs without messages."""

from __future__ import annotations

import msgspec

from epp.openai.body import ABSENT
from epp.openai.completions import CompletionBody
from epp.openai.invalid import Invalid, missing
from epp.openai.multipart import read_form
from epp.openai.strict.chat import Generation
from epp.openai.strict.shape import Name, Object, Shape, is_given


class CompletionShape(Generation, kw_only=True):
    """A text to go on with. What a prompt may be is checked where it is read."""

    prompt: msgspec.Raw = ABSENT
    prompt_embeds: msgspec.Raw = ABSENT

    def body(self) -> CompletionBody:
        """Return all of it."""
        return CompletionBody(
            model=self.model,
            stream=self.stream,
            cache_salt=self.cache_salt,
            prompt=self.prompt,
            prompt_embeds=self.prompt_embeds,
            max_tokens=self.max_tokens,
            stream_options=self.stream_options.raw() if self.stream_options else ABSENT,
        )


class GenerateShape(Shape, kw_only=True):
    """Token ids to go on with; the server has one model."""

    token_ids: msgspec.Raw
    sampling_params: Object
    model: Name | None = None
    stream: bool | None = None


class ImageShape(Shape, kw_only=True):
    """A picture to draw."""

    model: Name
    prompt: Name
    n: int | None = None
    size: str | None = None
    stream: bool | None = None


class SpeechShape(Shape, kw_only=True):
    """A text to read aloud."""

    model: Name
    input: Name
    voice: str | Object
    response_format: str | None = None
    speed: float | None = None


class RerankShape(Shape, kw_only=True):
    """Documents to put in order."""

    model: Name
    query: msgspec.Raw = ABSENT
    documents: msgspec.Raw = ABSENT
    top_n: int | None = None

    def problem(self) -> Invalid | None:
        """Demand both; what they may be is checked where they are read."""
        if not is_given(self.query):
            return missing("query")
        return None if is_given(self.documents) else missing("documents")


class ScoreShape(Shape, kw_only=True):
    """Texts to compare; which names they go by depends on the server's version."""

    model: Name


def check_form(content_type: str, body: bytes) -> Invalid | None:
    """Demand a form with a model and a file."""
    form = read_form(content_type, body)
    if isinstance(form, Invalid):
        return form
    if not form.model:
        return missing("model")
    return None if form.files else missing("file")
