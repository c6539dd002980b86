"""A chat, as OpenAI and vLLM have it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from epp.openai.body import ABSENT
from epp.openai.chat import ChatBody, EmbeddingsBody, Message, TokenizeBody
from epp.openai.invalid import Invalid, missing
from epp.openai.strict.content import Content, words
from epp.openai.strict.shape import Count, Name, Object, Shape, is_given


class ToolCall(msgspec.Struct):
    """A call that the assistant made."""

    id: str
    type: Literal["function", "custom"] = "function"
    function: Object | None = None
    custom: Object | None = None


class System(msgspec.Struct, tag_field="role", tag="system"):
    """What the application says."""

    content: Content


class Developer(msgspec.Struct, tag_field="role", tag="developer"):
    """The same, by its newer name."""

    content: Content


class User(msgspec.Struct, tag_field="role", tag="user"):
    """What the user says."""

    content: Content


class Assistant(msgspec.Struct, tag_field="role", tag="assistant"):
    """What the model said, or called."""

    content: Content | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: msgspec.Raw = ABSENT

    def calls(self) -> bool:
        """Tell whether there may be more than words."""
        return self.tool_calls is not None or self.function_call is not ABSENT


class Tool(msgspec.Struct, tag_field="role", tag="tool"):
    """What a tool answered."""

    content: Content
    tool_call_id: str


class Function(msgspec.Struct, tag_field="role", tag="function"):
    """What a function answered, the older way."""

    name: Name
    content: str | None = None


Messages: TypeAlias = Annotated[
    list[System | Developer | User | Assistant | Tool | Function], msgspec.Meta(min_length=1)
]


def read(messages: Messages) -> list[Message] | None:
    """Return messages as they are read leniently; None if one has more than words."""
    found = []
    for message in messages:
        calls = isinstance(message, Assistant) and message.calls()
        content = None if message.content is None else words(message.content)
        if calls or (content is None and message.content is not None):
            return None
        found.append(Message(str(message.__struct_config__.tag), content))
    return found


class Named(msgspec.Struct):
    """What has a name."""

    name: Name


class FunctionTool(msgspec.Struct, tag_field="type", tag="function"):
    """A function, to be called or chosen."""

    function: Named


class CustomTool(msgspec.Struct, tag_field="type", tag="custom"):
    """A tool that takes text, to be called or chosen."""

    custom: Named


class AllowedTools(msgspec.Struct, tag_field="type", tag="allowed_tools"):
    """Some of the tools, of which the model may choose."""

    allowed_tools: Object


class JsonSchema(msgspec.Struct):
    """A schema and its name."""

    name: Name
    schema: Object | None = None


class TextFormat(msgspec.Struct, tag_field="type", tag="text"):
    """Any text."""


class JsonFormat(msgspec.Struct, tag_field="type", tag="json_object"):
    """Any JSON object."""


class SchemaFormat(msgspec.Struct, tag_field="type", tag="json_schema"):
    """JSON of a schema."""

    json_schema: JsonSchema


class TagFormat(msgspec.Struct, tag_field="type", tag="structural_tag"):
    """Tags with a format of their own (vLLM)."""


class StreamOptions(msgspec.Struct):
    """How a stream is to be."""

    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None

    def raw(self) -> msgspec.Raw:
        """Return what of it is read leniently."""
        return _USAGE if self.include_usage else ABSENT


_USAGE = msgspec.Raw(b'{"include_usage":true}')


class Generation(Shape, kw_only=True):
    """What chats and completions share."""

    model: Name
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    n: Annotated[int, msgspec.Meta(ge=1)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    stop: str | list[str] | None = None
    seed: int | None = None

    def problem(self) -> Invalid | None:
        """Refuse options of a stream that there is not."""
        if self.stream_options is None or self.stream:
            return None
        return Invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is true.",
            param="stream_options",
            code="invalid_value",
        )


class ChatShape(Generation, kw_only=True):
    """A chat to go on with."""

    messages: Messages
    functions: msgspec.Raw = ABSENT
    chat_template: msgspec.Raw = ABSENT
    chat_template_kwargs: msgspec.Raw = ABSENT
    max_completion_tokens: Count | None = None
    tools: list[FunctionTool | CustomTool] | None = None
    tool_choice: (
        Literal["none", "auto", "required"] | FunctionTool | CustomTool | AllowedTools | None
    ) = None
    response_format: TextFormat | JsonFormat | SchemaFormat | TagFormat | None = None
    parallel_tool_calls: bool | None = None

    def body(self) -> ChatBody | None:
        """Return it if there are no tools and nothing but words."""
        messages = read(self.messages) if self.tools is None else None
        if messages is None:
            return None
        return ChatBody(
            model=self.model,
            stream=self.stream,
            cache_salt=self.cache_salt,
            messages=messages,
            functions=self.functions,
            chat_template=self.chat_template,
            chat_template_kwargs=self.chat_template_kwargs,
            max_completion_tokens=self.max_completion_tokens,
            max_tokens=self.max_tokens,
            stream_options=self.stream_options.raw() if self.stream_options else ABSENT,
        )


class EmbeddingsShape(Shape, kw_only=True):
    """Something to embed."""

    model: Name
    input: msgspec.Raw = ABSENT
    messages: Messages | None = None
    encoding_format: Literal["float", "base64", "bytes", "bytes_only"] | None = None
    dimensions: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def problem(self) -> Invalid | None:
        """Demand exactly one thing to embed."""
        return exactly_one(input=is_given(self.input), messages=self.messages is not None)

    def body(self) -> EmbeddingsBody | None:
        """Return it if it is no chat."""
        if self.messages is not None:
            return None
        return EmbeddingsBody(model=self.model, cache_salt=self.cache_salt, input=self.input)


class TokenizeShape(Shape, kw_only=True):
    """Something to cut into tokens."""

    model: Name
    prompt: str | None = None
    messages: Messages | None = None
    add_generation_prompt: bool | None = None
    continue_final_message: bool | None = None
    add_special_tokens: bool | None = None

    def problem(self) -> Invalid | None:
        """Demand exactly one thing to cut, and one way to end it."""
        if self.add_generation_prompt and self.continue_final_message:
            return Invalid(
                "Only one of 'add_generation_prompt' and 'continue_final_message' may be true.",
                param="continue_final_message",
                code="invalid_value",
            )
        return exactly_one(prompt=self.prompt is not None, messages=self.messages is not None)

    def body(self) -> TokenizeBody | None:
        """Return it if it is no chat."""
        if self.messages is not None:
            return None
        return TokenizeBody(model=self.model, cache_salt=self.cache_salt, prompt=self.prompt)


def exactly_one(**given: bool) -> Invalid | None:
    """Refuse none and several of two fields; the first is the usual one."""
    first, second = given
    if given[first] and given[second]:
        return Invalid(
            f"Only one of '{first}' and '{second}' may be there.", first, "invalid_value"
        )
    return None if given[first] or given[second] else missing(first)
