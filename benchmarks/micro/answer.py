"""What one chunk of a streamed answer costs: read it, edit it, charge it.

    python -m benchmarks.micro.answer [--chunks 400] [--rounds 7] [--json]

Each row takes whole streams of one event a chunk, of chats where no other API is named. "core"
rows are the pure parts alone; "stream" rows go from Envoy's message to the picker's reply, both
parsed, without a transport. Each round visits all rows once, so that a noisy moment hits all of
them. CPU time.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Mapping

import msgspec

from benchmarks.conditions import conditions, spread
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.config.build import build
from epp.config.load import load
from epp.exchange.modes import BodyMode
from epp.openai.answer import AnswerReader
from epp.openai.edit import answer_editor
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.routing.router import Router, RouterSettings
from epp.server.billing import Billing
from epp.server.conversation import Conversation, ConversationSettings
from epp.telemetry.decisions import Decisions
from epp.telemetry.in_flight import InFlight
from epp.telemetry.level import Level, Sampler
from epp.telemetry.metrics import Metrics
from epp.telemetry.observer import Observer

SSE = "text/event-stream"
CONFIG = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: queue-scorer}]
"""
ALIAS = "models: {table: [{name: mine, targets: [{model: served}]}]}\n"
COSTS = """
llmRequestCosts:
- {metadataKey: llm_input_token, type: InputToken}
- {metadataKey: llm_output_token, type: OutputToken}
- {metadataKey: llm_total_token, type: TotalToken}
"""
CEL = "- {metadataKey: cost, type: CEL, cel: input_tokens + output_tokens * 4u}\n"

Run = Callable[[list[bytes]], None]


class Row(msgspec.Struct):
    """One way to take a stream; microseconds of CPU for one chunk."""

    name: str
    us: list[float] = []


def stream(chunks: int, api: str = "chat") -> list[bytes]:
    """Return the events of an answer, as vLLM and Anthropic write those of an API."""
    written = _EVENTS[api]
    return [written(f" word{n}") for n in range(chunks)]


def _chat(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    return _data({**_head("chat.completion.chunk"), "choices": [{**choice, "token_ids": None}]})


def _completion(text: str) -> bytes:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": None}
    return _data({**_head("text_completion"), "choices": [choice]})


def _response(text: str) -> bytes:
    kind = "response.output_text.delta"
    place = {"item_id": "msg_8200ff9e593d709c", "output_index": 0, "content_index": 0}
    return _named(kind, {"type": kind, "sequence_number": 5, **place, "delta": text})


def _message(text: str) -> bytes:
    kind = "content_block_delta"
    return _named(kind, {"type": kind, "index": 0, "delta": {"type": "text_delta", "text": text}})


def _head(kind: str) -> dict[str, object]:
    name = "chatcmpl-8200ff9e593d709c"
    return {"id": name, "model": "served", "object": kind, "created": 1795413706}


def _named(kind: str, data: dict[str, object]) -> bytes:
    return b"event: %b\n%b" % (kind.encode(), _data(data))


def _data(data: dict[str, object]) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(data)


_EVENTS: Mapping[str, Callable[[str], bytes]] = {
    "chat": _chat,
    "completions": _completion,
    "responses": _response,
    "messages": _message,
}


def read(events: list[bytes]) -> None:
    """Count tokens and look for usage."""
    reader = AnswerReader(SSE)
    for event in events:
        reader.feed(event)
    assert reader.generated == len(events)


def edit(events: list[bytes]) -> None:
    """Put the client's name of the model in the place of the server's."""
    editor = answer_editor(SSE, "mine", hide_usage=True)
    assert editor is not None
    for event in events:
        fed = editor.feed(event)
        assert b'"mine"' in fed or b'"served"' not in event


def conversing(config: str, level: Level, mode: BodyMode) -> Run:
    """Return what holds a conversation about a stream, chunk by chunk."""
    built = build(load(CONFIG + config, "benchmark"), seed=1)
    store = Store()
    store.replace([Endpoint("10.0.0.1:8000")])
    settings = RouterSettings(models=built.models, want_usage=built.costs is not None)
    router = Router(store, built.scheduler, random.Random(1), settings)
    observer = Observer(Metrics(clock=time.monotonic), Decisions(10), InFlight())
    billing = Billing(built.costs) if built.costs is not None else None
    told = ConversationSettings(sampler=Sampler(level, 1), billing=billing)

    def run(events: list[bytes]) -> None:
        conversation = Conversation(router, observer, time.monotonic, told)
        for message in _opening(mode):
            conversation.receive(message)
        for event in events:
            message = pb.ProcessingRequest.FromString(_chunk(event))
            for reply in conversation.receive(message):
                reply.SerializeToString()
        conversation.close()

    return run


def _opening(mode: BodyMode) -> list[pb.ProcessingRequest]:
    first = pb.ProcessingRequest()
    first.protocol_config.request_body_mode = mode.value  # type: ignore[assignment]
    first.protocol_config.response_body_mode = mode.value  # type: ignore[assignment]
    _header(first.request_headers, ":path", "/v1/chat/completions")
    _header(first.request_headers, ":method", "POST")
    content = b'{"model":"mine","stream":true,"messages":[{"role":"user","content":"hello"}]}'
    body = pb.ProcessingRequest(request_body=pb.HttpBody(body=content, end_of_stream=True))
    answer = pb.ProcessingRequest()
    _header(answer.response_headers, ":status", "200")
    _header(answer.response_headers, "content-type", SSE)
    return [first, body, answer]


def _header(headers: pb.HttpHeaders, key: str, value: str) -> None:
    headers.headers.headers.add(key=key, raw_value=value.encode())


_CHUNKS: dict[bytes, bytes] = {}


def _chunk(event: bytes) -> bytes:
    """Return the message with `event`, as it comes from the wire."""
    message = _CHUNKS.get(event)
    if message is None:
        body = pb.HttpBody(body=event)
        message = _CHUNKS[event] = pb.ProcessingRequest(response_body=body).SerializeToString()
    return message


def rows() -> dict[str, Run]:
    """Return all ways, by name."""
    duplex, buffered = BodyMode.FULL_DUPLEX_STREAMED, BodyMode.BUFFERED
    return {
        "stream, duplex: none": conversing("", Level.NONE, duplex),
        "stream, duplex: full": conversing("", Level.FULL, duplex),
        "stream, duplex: full, edited": conversing(ALIAS, Level.FULL, duplex),
        "stream, duplex: full, 3 costs": conversing(COSTS, Level.FULL, duplex),
        "stream, duplex: full, 3 costs and CEL": conversing(COSTS + CEL, Level.FULL, duplex),
        "stream, buffered with override: full": conversing("", Level.FULL, buffered),
        "stream, buffered with override: full, edited": conversing(ALIAS, Level.FULL, buffered),
    }


def measure(chunks: int, rounds: int) -> list[Row]:
    """Return a row for each way, and for each API that the core reads."""
    chat = stream(chunks)
    ways = {name: (way, chat) for name, way in rows().items()}
    for api in _EVENTS:
        events = stream(chunks, api)
        ways[f"core: read, {api}"] = read, events
        ways[f"core: edit, {api}"] = edit, events
    found = [Row(name) for name in ways]
    for _ in range(rounds):
        for row in found:
            way, events = ways[row.name]
            began = time.process_time()
            for _ in range(5):
                way(events)
            row.us.append((time.process_time() - began) / (5 * chunks) * 1e6)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--chunks", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.chunks, options.rounds)
    where = conditions("benchmarks.micro.answer", "msgspec", "protobuf", "cel-expr-python")
    if options.json:
        print(json.dumps({**where, "rows": msgspec.to_builtins(found)}, indent=1))
        return
    for key, value in where.items():
        print(f"{key}: {value}")
    print(f"rounds: {options.rounds}; median (lowest-highest), CPU µs for one chunk\n")
    print("| what | µs |\n|---|---|")
    for row in found:
        print(f"| {row.name} | {spread(row.us)} |")


if __name__ == "__main__":
    main()
