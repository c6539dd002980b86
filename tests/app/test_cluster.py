"""A picker of InferencePools, with an API server for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import msgspec
import pytest
from grpc_health.v1 import health_pb2

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.app.pool import ServedPool
from epp.app.process import App
from epp.config.settings import Settings, SettingsError
from epp.demo.ports import free_port
from epp.kube.errors import AccessError
from epp.scheduling.gate.targets import Targets
from tests.fakekube.kinds import POOL, Fields
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import objective, pod, pool
from tests.server.envoy import BUFFERED, destination, request_body, request_headers
from tests.server.loopback import Process, process_on

PATIENCE_S = 8.0
GATED = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: marginal-cost-scorer}]
flowControl:
  targets: {ttft: 2s, tpot: 50ms}
"""
LABELLED = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: queue-scorer}]
models:
  table: [{name: big, aliases: [gpt-4o], endpointLabels: {size: big}}]
"""
# By the picker's reckoning each prompt takes a server minutes.
SLOW = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: marginal-cost-scorer
- type: work-ledger-producer
  parameters: {secondsPerToken: 100}
flowControl: {}
"""


def settings(kube: FakeKube, *pools: str, **others: Any) -> Settings:
    return msgspec.structs.replace(
        Settings(
            pools=pools,
            pod_networks=("127.0.0.0/8",),  # their metrics are asked for: on loopback only
            kubeconfig=kube.kubeconfig,
            host="127.0.0.1",
            grpc_port=0,
            grpc_health_port=0,
            metrics_port=0,
            insecure=True,
            drain_timeout_s=1,
        ),
        **others,
    )


async def until(true: Callable[[], bool]) -> None:
    """Wait for what a picker does by itself."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(chosen: Settings) -> AsyncIterator[App]:
    app, stop = App(chosen), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(app.run(stop))
        try:
            await until(lambda: bool(app.grpc_health_port) or task.done())
            yield app
        finally:
            stop.set()


def addresses(app: App, name: str) -> list[str]:
    return [e.address for e in app.pools[name].store.snapshot().endpoints]


async def picked(
    port: int, body: Any = None, authority: str = "epp.test", **headers: str
) -> pb.ProcessingResponse:
    """Ask for one request in buffered mode and return the reply to its body."""
    options = [("grpc.default_authority", authority)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        call = channel.stream_stream(
            "/envoy.service.ext_proc.v3.ExternalProcessor/Process",
            request_serializer=pb.ProcessingRequest.SerializeToString,
            response_deserializer=pb.ProcessingResponse.FromString,
        )()
        await call.write(request_headers(mode=BUFFERED, headers=headers))
        first = await call.read()
        assert isinstance(first, pb.ProcessingResponse)
        if first.HasField("immediate_response"):
            return first
        await call.write(request_body(body or {"model": "m", "prompt": "hi"}))
        reply = await call.read()
        assert isinstance(reply, pb.ProcessingResponse)
        await call.done_writing()
        return reply


async def ready(port: int) -> bool:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        answer = await check(health_pb2.HealthCheckRequest(service="readiness"))
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def until_ready(app: App, expected: bool = True) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await ready(app.grpc_health_port) is not expected:
            await asyncio.sleep(0.02)


def annotated(made: Fields, name: str, value: str) -> Fields:
    made["metadata"]["annotations"] = {name: value}
    return made


@pytest.fixture
async def kube() -> AsyncIterator[FakeKube]:
    async with FakeKube() as server:
        server.apply(pool("chat", 8000, app="vllm"))
        server.apply(pod("a", ip="127.0.0.1", app="vllm"))
        yield server


async def test_a_request_goes_to_a_pod_of_the_pool(kube: FakeKube) -> None:
    async with running(settings(kube, "default/chat")) as app:
        await until_ready(app)
        assert destination(await picked(app.grpc_port)) == "127.0.0.1:8000"


async def test_a_picker_is_not_ready_before_it_knows_the_pods(kube: FakeKube) -> None:
    for _ in range(5):
        async with running(settings(kube, "default/chat")) as app:
            await until_ready(app)
            assert addresses(app, "default/chat") == ["127.0.0.1:8000"]


async def test_a_pod_that_comes_is_picked_and_one_that_goes_is_not(kube: FakeKube) -> None:
    async with running(settings(kube, "default/chat")) as app:
        await until(lambda: addresses(app, "default/chat") == ["127.0.0.1:8000"])
        kube.apply(pod("b", ip="127.0.0.2", app="vllm"))
        await until(lambda: len(addresses(app, "default/chat")) == 2)
        kube.apply(pod("a", ip="127.0.0.1", ready=False, app="vllm"))
        await until(lambda: addresses(app, "default/chat") == ["127.0.0.2:8000"])
        assert destination(await picked(app.grpc_port)) == "127.0.0.2:8000"


async def test_a_model_goes_only_to_pods_with_its_labels_as_they_are_now(
    kube: FakeKube, tmp_path: Path
) -> None:
    config = tmp_path / "epp.yaml"
    config.write_text(LABELLED)
    kube.apply(pod("b", ip="127.0.0.2", app="vllm", size="big"))
    async with running(settings(kube, "default/chat", config_file=config)) as app:

        async def answers(model: str) -> set[str | None]:
            asked = {"model": model, "prompt": "hi"}
            replies = [await picked(app.grpc_port, asked) for _ in range(20)]
            return {destination(r) if r.HasField("request_body") else None for r in replies}

        await until(lambda: len(addresses(app, "default/chat")) == 2)
        assert await answers("big") == await answers("gpt-4o") == {"127.0.0.2:8000"}
        assert await answers("any") == {"127.0.0.1:8000", "127.0.0.2:8000"}
        kube.apply(pod("a", ip="127.0.0.1", app="vllm", size="big"))
        kube.apply(pod("b", ip="127.0.0.2", app="vllm"))
        store = app.pools["default/chat"].store
        await until(lambda: [len(e.labels) for e in store.snapshot().endpoints] == [3, 2])
        assert await answers("big") == {"127.0.0.1:8000"}
        kube.apply(pod("a", ip="127.0.0.1", app="vllm", size="small"))
        await until(lambda: "small" in store.snapshot().endpoints[0].labels.values())
        refused = await picked(app.grpc_port, {"model": "big", "prompt": "hi"})
        assert refused.immediate_response.status.code == 503
        assert b"'big'" in refused.immediate_response.body
        assert await answers("any") == {"127.0.0.1:8000", "127.0.0.2:8000"}


async def test_a_picker_is_ready_while_its_pool_exists_and_lives_on_without_it(
    kube: FakeKube,
) -> None:
    async with running(settings(kube, "default/later")) as app:
        await until(lambda: bool(kube.watches))
        assert not await ready(app.grpc_health_port)
        kube.apply(pool("later", 8000, app="vllm"))
        await until_ready(app)
        kube.delete(POOL, "later")
        await until_ready(app, expected=False)
        await until(lambda: not addresses(app, "default/later"))
        assert (await picked(app.grpc_port)).immediate_response.status.code == 503


@pytest.mark.parametrize("transport", ["native", "grpcio"])
async def test_two_pools_are_told_apart_by_their_ports(kube: FakeKube, transport: str) -> None:
    ports = {"chat": free_port(), "code": free_port()}
    for name, port in ports.items():
        made = pool(name, 8000, app=name)
        made["spec"]["endpointPickerRef"]["port"]["number"] = port
        kube.apply(made)
    kube.apply(pod("c", ip="127.0.1.1", app="chat"))
    kube.apply(pod("d", ip="127.0.2.1", app="code"))
    chosen = settings(kube, "default/chat", "default/code", transport=transport)
    async with running(chosen) as app:
        await until_ready(app)
        await until(lambda: all(addresses(app, f"default/{n}") for n in ports))
        await until(lambda: set(ports.values()) <= set(app._doors._doors))
        assert destination(await picked(ports["chat"])) == "127.0.1.1:8000"
        assert destination(await picked(ports["code"])) == "127.0.2.1:8000"


async def two_pools_of_one_port(kube: FakeKube) -> int:
    """Have two pools whose pickers differ by their services alone."""
    port = free_port()
    for number, name in enumerate(("chat", "code"), 1):
        made = pool(name, 8000, app=name)
        made["spec"]["endpointPickerRef"] = {"name": f"epp-{name}", "port": {"number": port}}
        kube.apply(made, pod(f"of-{name}", ip=f"127.0.{number}.1", app=name))
    return port


async def test_two_pools_on_one_port_are_told_apart_by_the_name_of_the_stream(
    kube: FakeKube, caplog: pytest.LogCaptureFixture
) -> None:
    port = await two_pools_of_one_port(kube)
    chosen = settings(kube, "default/chat", "default/code", transport="native")
    async with running(chosen) as app:
        await until_ready(app)
        await until(lambda: port in app._doors._doors)
        for at in (app.grpc_port, port):
            for number, name in enumerate(("chat", "code"), 1):
                reply = await picked(at, authority=f"epp-{name}.default.svc:{port}")
                assert destination(reply) == f"127.0.{number}.1:8000"
        unnamed = await picked(port, authority="picker")
        assert destination(unnamed) == "127.0.1.1:8000"  # the port's own pool
        stranger = await picked(app.grpc_port, authority=f"epp-code.other.svc:{port}")
        assert stranger.immediate_response.status.code == 503
        assert b"epp-code.other.svc" in stranger.immediate_response.body
    assert "two pools on one port" not in caplog.messages


async def test_the_default_pool_has_the_streams_that_name_none(kube: FakeKube) -> None:
    port = await two_pools_of_one_port(kube)
    names = ("default/chat", "default/code")
    chosen = settings(kube, *names, transport="native", default_pool="default/code")
    async with running(chosen) as app:
        await until_ready(app)
        await until(lambda: port in app._doors._doors)
        for at in (app.grpc_port, port):
            assert destination(await picked(at)) == "127.0.2.1:8000"
        named = await picked(app.grpc_port, authority=f"epp-chat.default.svc:{port}")
        assert destination(named) == "127.0.1.1:8000"


async def test_a_pool_that_goes_takes_its_name_with_it(kube: FakeKube) -> None:
    port = await two_pools_of_one_port(kube)
    name = f"epp-code.default.svc:{port}"
    async with running(settings(kube, all_pools=True, transport="native")) as app:
        await until(lambda: name in app._doors._named)
        await until(lambda: bool(addresses(app, "default/code")))
        assert destination(await picked(app.grpc_port, authority=name)) == "127.0.2.1:8000"
        kube.delete(POOL, "code")
        await until(lambda: name not in app._doors._named)
        reply = await picked(app.grpc_port, authority=name)
        assert reply.immediate_response.status.code == 503


async def test_a_pool_that_fails_starts_again_and_the_other_does_not_notice(
    kube: FakeKube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epp.app.cluster.RESTART_S", 0.05)
    port = free_port()
    made = pool("code", 8000, app="code")
    made["spec"]["endpointPickerRef"]["port"]["number"] = port
    kube.apply(made, pod("d", ip="127.0.2.1", app="code"))
    whole = ServedPool.run
    failures: list[str] = []

    async def run(self: ServedPool) -> None:
        if self.name == "default/chat" and len(failures) < 3:
            failures.append(self.name)
            raise RuntimeError("boom")
        await whole(self)

    monkeypatch.setattr(ServedPool, "run", run)
    async with running(settings(kube, "default/chat", "default/code")) as app:
        await until(lambda: port in app._doors._doors)
        await until(lambda: bool(addresses(app, "default/code")))
        assert destination(await picked(port)) == "127.0.2.1:8000"
        await until(lambda: addresses(app, "default/chat") == ["127.0.0.1:8000"])
    assert len(failures) == 3


async def test_every_pool_is_served_as_it_comes_and_goes(kube: FakeKube) -> None:
    async with running(settings(kube, all_pools=True)) as app:
        await until(lambda: list(app.pools) == ["default/chat"])
        kube.apply(pool("code", 8000, app="code"))
        await until(lambda: set(app.pools) == {"default/chat", "default/code"})
        kube.delete(POOL, "chat")
        await until(lambda: list(app.pools) == ["default/code"])


async def test_annotations_take_effect_while_the_picker_runs(kube: FakeKube) -> None:
    async with running(settings(kube, "default/chat")) as app:
        await until(lambda: bool(addresses(app, "default/chat")))
        kube.apply(annotated(pool("chat", 8000, app="vllm"), "epp/max-body-bytes", "20"))
        await until(lambda: app.pool.conversing.max_body_bytes == 20)
        assert app.pool.router.max_body_bytes == 20
        refused = await picked(app.grpc_port)
        assert refused.immediate_response.status.code == 413
        kube.apply(pool("chat", 8000, app="vllm"))
        await until(lambda: app.pool.conversing.max_body_bytes == 16 * 1024 * 1024)


async def test_the_reserved_tokens_of_a_pool_reach_its_ledger(kube: FakeKube) -> None:
    chosen = settings(kube, "default/chat", preset="marginal-cost", decisions=9)

    async with running(chosen) as app:
        await until(lambda: bool(addresses(app, "default/chat")))
        kube.apply(annotated(pool("chat", 8000, app="vllm"), "epp/reserved-tokens", "77"))

        async def reserved() -> float:
            await picked(app.grpc_port)
            (column,) = app.decisions.latest(1)[0].decision.columns
            assert column.details is not None
            return column.details.terms(0)["output_tokens"]

        while await reserved() != 77.0:
            pass


async def test_the_targets_of_a_pool_take_the_place_of_the_configured_ones(
    kube: FakeKube, tmp_path: Path
) -> None:
    config = tmp_path / "epp.yaml"
    config.write_text(GATED)
    async with running(settings(kube, "default/chat", config_file=config)) as app:
        await until(lambda: bool(addresses(app, "default/chat")))
        admission = app.pool.admission
        assert admission is not None
        assert admission.gate.settings.targets == Targets(2.0, 0.05)
        kube.apply(annotated(pool("chat", 8000, app="vllm"), "epp/slo-ttft-ms", "500"))
        await until(lambda: admission.gate.settings.targets == Targets(0.5, 0.05))
        kube.apply(pool("chat", 8000, app="vllm"))
        await until(lambda: admission.gate.settings.targets == Targets(2.0, 0.05))


async def test_the_objective_of_a_request_decides_whose_turn_comes_first(
    kube: FakeKube, tmp_path: Path
) -> None:
    config = tmp_path / "epp.yaml"
    config.write_text(SLOW)
    kube.apply(objective("urgent", 10), objective("batch", -1))
    chosen = settings(kube, "default/chat", config_file=config)
    async with (
        running(chosen) as app,
        grpc.aio.insecure_channel(f"127.0.0.1:{app.grpc_port}") as channel,
    ):
        await until(lambda: bool(addresses(app, "default/chat")))
        await until(lambda: app.pool.facts.objectives.priority("urgent") == 10)
        admission = app.pool.admission
        assert admission is not None
        first = await asking(channel, "")
        await first.read()
        names = ("batch", "", "urgent")
        streams = {name: await asking(channel, name) for name in names}
        await until(lambda: len(admission.room) == len(names))
        assert admission.room.by_priority() == {-1: 1, 0: 1, 10: 1}
        ahead = first
        for name in reversed(names):
            ahead.cancel()
            ahead = streams[name]
            reply = await ahead.read()
            assert isinstance(reply, pb.ProcessingResponse)
            assert destination(reply) == "127.0.0.1:8000"
        ahead.cancel()


async def asking(channel: grpc.aio.Channel, objective: str) -> Process:
    """Ask for one request in buffered mode, and do not wait for the reply to its body."""
    named = {"x-llm-d-inference-objective": objective} if objective else {}
    stream = process_on(channel)
    await stream.write(request_headers(mode=BUFFERED, headers=named))
    await stream.read()
    await stream.write(request_body({"model": "m", "prompt": "hi"}))
    return stream


async def test_a_stream_in_another_mode_than_annotated_is_counted(kube: FakeKube) -> None:
    kube.apply(
        annotated(
            pool("chat", 8000, app="vllm"),
            "aigateway.envoyproxy.io/processing-body-mode",
            "duplex",
        )
    )
    async with running(settings(kube, "default/chat")) as app:
        await until(lambda: bool(addresses(app, "default/chat")))
        await picked(app.grpc_port)
        found = app.metrics.registry.get_sample_value(
            "llm_d_epp_body_mode_mismatch_total", {"name": "default/chat"}
        )
        assert found == 1


async def test_only_the_leader_of_two_pickers_is_ready(kube: FakeKube) -> None:
    chosen = settings(kube, "default/chat", leader_election=True)
    async with running(chosen) as first:
        await until_ready(first)
        async with running(chosen) as second:
            await until(lambda: bool(addresses(second, "default/chat")))
            assert not await ready(second.grpc_health_port)


async def test_flags_that_do_not_fit_together_are_refused(kube: FakeKube) -> None:
    for wrong, words in (
        (settings(kube, "default/chat", all_pools=True), "not both"),
        (settings(kube, "a/b/c"), "namespace/name"),
        (settings(kube, "a/b", default_pool="b"), "namespace/name"),
        (settings(kube, "a/b", "a/c", leader_election=True), "one --pool"),
        (settings(kube, "a/b", "a/c", grpc_socket=Path("/tmp/epp.sock")), "one pool"),
        (settings(kube, "a/b", pod_networks=("127.0.0.1/8",)), "10.0.0.0/8"),
        (settings(kube, "a/b", endpoints=("http://127.0.0.1:1",)), "--pool"),
    ):
        with pytest.raises(SettingsError, match=words):
            await App(wrong).run(asyncio.Event())


async def test_without_a_way_to_the_cluster_the_picker_says_so(kube: FakeKube) -> None:
    gone = settings(kube, "a/b", kubeconfig=kube.kubeconfig.with_name("no-such-file"))
    with pytest.raises(AccessError, match="no-such-file"):
        await App(gone).run(asyncio.Event())
