"""From a prompt, as it is kept for comparing, back to what a server's `/tokenize` takes."""

from __future__ import annotations

from typing import Any

import msgspec

from epp.openai.prompt import ESCAPED, MARK, TURN

_IDS = MARK + "#"
_FIELD = MARK + "["
_FIELD_END = MARK + "]"
_ROLE_END = MARK + ">"
_HEAD_FIELDS = frozenset({"tools", "chat_template", "chat_template_kwargs"})
_MESSAGE_FIELDS = frozenset({"tool_calls"})


def turn_ends(prompt: str) -> list[int]:
    """Return the places where a message begins, and the end: there tokens begin and end, too."""
    ends = []
    at = prompt.find(TURN, 1)
    while at >= 0:
        ends.append(at)
        at = prompt.find(TURN, at + len(TURN))
    return [*ends, len(prompt)]


def is_chat(prompt: str) -> bool:
    """Tell whether a chat template makes the tokens."""
    return TURN in prompt


def token_ids(prompt: str) -> list[int] | None:
    """Return the prompt, if it is one that came as token ids."""
    if not prompt.startswith(_IDS):
        return None
    text = prompt.removeprefix(_IDS).removesuffix(",")
    try:
        return msgspec.json.decode(f"[{text}]", type=list[int])
    except (msgspec.DecodeError, ValueError):  # of a batch, or larger than any number
        return None


def plain_text(prompt: str) -> str | None:
    """Return the prompt, if it is text that goes to the model as it is."""
    text = prompt.replace(ESCAPED, "")
    return None if MARK in text else prompt.replace(ESCAPED, MARK)


def tokenize_body(prompt: str, model: str) -> bytes | None:
    """Return the body of a request for the prompt's tokens.

    None if it cannot be asked for: of images, prompts in batches, and what only the server knows.
    The tokens that ask for an answer are left out: a later turn has others in their place.
    """
    if not is_chat(prompt):
        text = plain_text(prompt)
        return None if not text else msgspec.json.encode({"model": model, "prompt": text})
    head, *turns = prompt.split(TURN)
    fields = _fields(head, _HEAD_FIELDS)
    messages = [_message(turn) for turn in turns]
    if fields is None or None in messages or fields.pop("", ""):
        return None
    asked = {"model": model, "messages": messages, "add_generation_prompt": False, **fields}
    return msgspec.json.encode(asked)


def _message(turn: str) -> dict[str, Any] | None:
    role, mark, rest = turn.partition(_ROLE_END)
    fields = _fields(rest, _MESSAGE_FIELDS)
    if not mark or fields is None:
        return None
    return {"role": role.replace(ESCAPED, MARK), "content": fields.pop(""), **fields}


def _fields(text: str, known: frozenset[str]) -> dict[str, Any] | None:
    """Return the raw fields in `text` by name, and what is before them under ""."""
    content, *written = text.split(_FIELD)
    found: dict[str, Any] = {}
    for field in written:
        name, mark, json = field.partition(_FIELD_END)
        if not mark or name not in known or (value := plain_text(json)) is None:
            return None
        found[name] = msgspec.Raw(value.encode("utf-8", "surrogatepass"))
    words = plain_text(content)
    return None if words is None else {"": words, **found}
