"""Lists of models: OpenAI's `/v1/models`, Ollama's `/api/tags` and `/api/ps`."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from epp.scrape.errors import ScrapeError

# Enough for a server with a thousand LoRA adapters; what is beyond is left out.
MAX_MODELS = 2000
MAX_NAME_CHARACTERS = 256
# Ollama adds it to a name that has no tag, and takes either.
_LATEST = ":latest"


class _Model(msgspec.Struct, frozen=True):
    id: str = ""
    name: str = ""
    model: str = ""


class _List(msgspec.Struct, frozen=True):
    """OpenAI's list has `data`, Ollama's `models`; llama.cpp writes both."""

    data: tuple[_Model, ...] | None = None
    models: tuple[_Model, ...] | None = None


_decoder = msgspec.json.Decoder(_List)


def read_models(page: bytes) -> frozenset[str]:
    """Return the names by which the models of a list can be asked for; raises ScrapeError."""
    listed = _read(page)
    if listed.data is not None:
        return _names(model.id for model in listed.data)
    return _of_ollama(listed)


def read_ollama_models(page: bytes) -> frozenset[str]:
    """Return the same of a list that must be Ollama's."""
    return _of_ollama(_read(page))


def _read(page: bytes) -> _List:
    try:
        return _decoder.decode(page)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScrapeError("malformed", f"no list of models: {error}") from error


def _of_ollama(listed: _List) -> frozenset[str]:
    if listed.models is None:
        raise ScrapeError("empty", "no list of models")
    return _names(name for model in listed.models for name in _spellings(model))


def _spellings(model: _Model) -> Iterable[str]:
    for name in {model.name, model.model}:
        yield name
        yield name.removesuffix(_LATEST)


def _names(names: Iterable[str]) -> frozenset[str]:
    known: set[str] = set()
    for name in names:
        if len(known) == MAX_MODELS:
            break
        if 0 < len(name) <= MAX_NAME_CHARACTERS:
            known.add(name)
    return frozenset(known)
