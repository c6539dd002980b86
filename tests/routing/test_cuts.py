"""Wherever a body is cut on its way, the same model is found and the same bytes go on."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.exchange.actions import ReplyRequestHeaders, Route, StreamRequestBody
from epp.exchange.events import RequestBody, RequestHeaders, RequestLastBody, Routed
from epp.exchange.modes import BodyMode, Modes
from epp.exchange.request import RequestHalf
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.routing.labels import Labels
from epp.routing.models import ModelEntry, ModelTable
from epp.routing.router import Router, RouterSettings
from epp.routing.split import Split
from epp.scheduling.handlers.single_profile import SingleProfileHandler
from epp.scheduling.pickers.max_score import MaxScorePicker
from epp.scheduling.plugin import Picker
from epp.scheduling.profile import Named, Profile
from epp.scheduling.scheduler import Scheduler

DUPLEX = Modes(BodyMode.FULL_DUPLEX_STREAMED, BodyMode.FULL_DUPLEX_STREAMED)
SAY: list[Any] = [{"role": "user", "content": 'hé \U0001f600 "x" \\ {"model": "no"}'}]
FORM = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\n%b\r\n--x--\r\n'
ALIAS, SERVED = "gpt-4o", "served"


def written(**fields: Any) -> bytes:
    return json.dumps({**fields, "model": "MODEL"}, ensure_ascii=False).encode()


BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "/v1/chat/completions": (written(messages=SAY, stream=True), {}),
    "/v1/completions": (written(prompt=["a", "b"]), {}),
    "/v1/responses": (written(input=SAY), {}),
    "/v1/responses/input_tokens": (written(input="x"), {}),
    "/v1/embeddings": (written(input="x"), {}),
    "/v1/images/generations": (written(prompt="x"), {}),
    "/v1/audio/speech": (written(input="x"), {}),
    "/v1/audio/transcriptions": (
        FORM % b"MODEL",
        {"content-type": "multipart/form-data; boundary=x"},
    ),
    "/v1/audio/translations": (
        b'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n\r\n--\r\n' + FORM % b"MODEL",
        {"content-type": "multipart/form-data; boundary=x"},
    ),
    "/v1/rerank": (written(query="q", documents=["d"]), {}),
    "/v2/rerank": (written(query="q", documents=["d"]), {}),
    "/v1/score": (written(text_1="a", text_2="b"), {}),
    "/tokenize": (written(prompt="x"), {}),
    "/v1/messages": (written(messages=SAY, max_tokens=1), {}),
    "/v1/messages/count_tokens": (written(messages=SAY), {}),
    "/inference/v1/generate": (written(token_ids=[1, 2]), {}),
}


def made() -> Router:
    store = Store()
    store.replace([Endpoint("10.0.0.1:8000")])
    picker = Named[Picker]("picker", MaxScorePicker())
    scheduler = Scheduler([Profile("default", (), (), picker)], SingleProfileHandler(), {})
    table = ModelTable({ALIAS: ModelEntry(Split({SERVED: 1}))})
    return Router(store, scheduler, random.Random(1), RouterSettings(models=table))


ROUTER = made()


def passed(path: str, headers: dict[str, str], parts: Sequence[bytes]) -> tuple[str, bytes, Labels]:
    """Let a body come in parts; return the model's header, what went on, and what was read."""
    half = RequestHalf(DUPLEX, limit_bytes=100_000)
    half.receive(RequestHeaders({":path": path, ":method": "POST", **headers}))
    actions: list[Any] = []
    for part in parts[:-1]:
        assert half.receive(RequestBody(part)) == []
    (route,) = half.receive(RequestLastBody(parts[-1]))
    assert isinstance(route, Route)
    placement = ROUTER.route(route, None, 1.0)
    answer = placement.answer
    assert isinstance(answer, Routed), answer
    actions = half.receive(answer)
    assert isinstance(actions[0], ReplyRequestHeaders)
    pieces = [action for action in actions[1:] if isinstance(action, StreamRequestBody)]
    body = b"".join(piece.data for piece in pieces)
    return dict(answer.set_headers).get("x-ai-eg-model", ""), body, placement.labels


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("model", ["m", ALIAS])
def test_a_body_is_the_same_wherever_it_is_cut(path: str, model: str) -> None:
    body, headers = BODIES[path]
    body = body.replace(b"MODEL", model.encode())
    whole = passed(path, headers, [body])
    assert whole[0] == model
    assert (whole[1] == body) == (model == "m")
    for at in range(len(body) + 1):
        assert passed(path, headers, [body[:at], body[at:]]) == whole


@pytest.mark.parametrize("model", ["m", ALIAS])
def test_a_compressed_body_too(model: str) -> None:
    path = "/v1/chat/completions"
    plain = BODIES[path][0].replace(b"MODEL", model.encode())
    body = gzip.compress(plain, mtime=0)
    headers = {"content-encoding": "gzip"}
    whole = passed(path, headers, [body])
    assert whole[:2] == (model, body if model == "m" else passed(path, {}, [plain])[1])
    for at in range(len(body) + 1):
        assert passed(path, headers, [body[:at], body[at:]]) == whole


@pytest.mark.parametrize("method", ["Generate", "Embed"])
def test_a_grpc_message_too(method: str) -> None:
    path, body = f"/vllm.grpc.engine.VllmEngine/{method}", b"\0\0\0\0\x07\x1a\x05hello"
    headers = {"content-type": "application/grpc"}
    whole = passed(path, headers, [body])
    assert whole[:2] == ("", body)
    assert whole[2].operation == f"grpc_{method.lower()}"
    assert whole[2].prompt_tokens == 2
    for at in range(len(body) + 1):
        assert passed(path, headers, [body[:at], body[at:]]) == whole


@given(st.data(), st.sampled_from(sorted(BODIES)))
def test_and_however_often(data: st.DataObject, path: str) -> None:
    body, headers = BODIES[path]
    body = body.replace(b"MODEL", ALIAS.encode())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=9)))
    parts = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert passed(path, headers, parts) == passed(path, headers, [body])
