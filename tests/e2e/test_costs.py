"""Tokens are charged to the budgets of a rate-limit service, through a real Envoy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.budgets import NAMESPACE, Budgets, budgets, limited
from tests.e2e.conftest import COMBINATIONS, NAMES, options
from tests.e2e.gateway import CHAT, PROMPT, Gateway
from tests.e2e.picker import Picker, serving
from tests.e2e.upstream import USAGE, Upstream
from tests.openai.said import SAID, charged

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

CONFIG = """\
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: queue-scorer}]
llmRequestCosts:
  - {metadataKey: llm_total_token, type: TotalToken}
  - metadataKey: weighted
    type: CEL
    cel: "model == 'm' ? input_tokens * 10u + output_tokens : 1u"
  - {metadataKey: halved, type: CEL, cel: total_tokens * 0.5}
"""
COSTS = {"x-budget": "llm_total_token", "x-weighted": "weighted", "x-halved": "halved"}
TOTAL = USAGE["total_tokens"]
STREAMS: list[dict[str, Any]] = [
    {"stream": True},
    {"stream": True, "stream_options": {"include_usage": True}},
]
PROMPT_TOKENS = 4  # a quarter of "hello" and its role, 13 characters as the picker joins them


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def charging(
    upstreams: tuple[Upstream, Upstream], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Picker]:
    directory = tmp_path_factory.mktemp("charging")
    (directory / "picker.yaml").write_text(CONFIG)
    flags = [f"--endpoint={upstreams[0].url}", f"--config-file={directory / 'picker.yaml'}"]
    # Costs need all answers, so that this has no effect.
    async with serving([*flags, "--observe-responses=none"], directory) as picker:
        yield picker


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service() -> AsyncIterator[Budgets]:
    async with budgets() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=COMBINATIONS, ids=NAMES)
async def gateway(
    request: pytest.FixtureRequest,
    charging: Picker,
    service: Budgets,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Gateway]:
    mode, override = request.param
    chosen = options(
        charging, mode=mode, allow_mode_override=override, received_namespaces=[NAMESPACE]
    )
    directory = tmp_path_factory.mktemp("envoy")
    async with limited(chosen, charging, service, COSTS, directory) as opened:
        yield opened


def budget(gateway: Gateway, name: str, size: int) -> str:
    """A name that no other test has."""
    return f"{name}-{gateway.options.listen_port}-{size}"


@pytest.mark.parametrize("fields", [{}, *STREAMS], ids=["json", "sse", "sse-with-usage"])
async def test_a_budget_is_charged_to_the_token_and_then_refuses(
    gateway: Gateway, service: Budgets, fields: dict[str, Any]
) -> None:
    name = budget(gateway, "total" + str(len(str(fields))), 2 * TOTAL + 1)
    for _ in range(3):
        response = await gateway.chat({"x-budget": name}, **fields)
        assert response.status_code == 200
        assert await service.charged(name) == TOTAL
    assert (await gateway.chat({"x-budget": name}, **fields)).status_code == 429
    await service.refused(name)


async def test_every_api_is_charged_to_the_token(gateway: Gateway, service: Budgets) -> None:
    for said in SAID:
        facts = charged(said)
        for header, cost in (
            ("x-budget", facts.total_tokens),
            ("x-weighted", facts.input_tokens * 10 + facts.output_tokens),
        ):
            name = budget(gateway, said.name + header, 1)
            steering = {"x-answer-as": said.name, header: name}
            response = await gateway.client.post(
                said.path, content=said.asked, headers={"content-type": said.asked_type, **steering}
            )
            assert (response.status_code, response.content) == (200, said.body)
            assert await service.charged(name) == cost, said.name


@pytest.mark.parametrize("fields", [{}, {"stream": True}], ids=["json", "sse"])
@pytest.mark.parametrize(("header", "cost"), [("x-weighted", 32), ("x-halved", 2)])
async def test_an_expression_is_charged(
    gateway: Gateway, service: Budgets, header: str, cost: int, fields: dict[str, Any]
) -> None:
    name = budget(gateway, header + str(len(str(fields))), 1)
    assert (await gateway.chat({header: name}, **fields)).status_code == 200
    assert await service.charged(name) == cost  # of a fraction, Envoy charges the whole
    assert (await gateway.chat({header: name}, **fields)).status_code == 429
    await service.refused(name)


# Without override a buffered answer reaches nobody before its end.
@pytest.mark.parametrize(
    "gateway", [each for each in COMBINATIONS if each != ("buffered", False)], indirect=True
)
async def test_a_client_that_leaves_pays_for_what_was_generated(
    gateway: Gateway, service: Budgets
) -> None:
    name = budget(gateway, "aborted", 1)
    headers = {"x-budget": name, "x-answer-events": "9", "x-answer-stall-after": "4"}
    body = PROMPT | {"stream": True}
    async with gateway.client.stream("POST", CHAT, json=body, headers=headers) as response:
        seen = b""
        async for part in response.aiter_raw():
            seen += part
            if seen.count(b"\n\n") == 4:
                break
    assert await service.charged(name) == PROMPT_TOKENS + 4
    assert (await gateway.chat({"x-budget": name}, stream=True)).status_code == 429
    await service.refused(name)


async def test_an_error_of_the_server_is_not_charged(gateway: Gateway, service: Budgets) -> None:
    name = budget(gateway, "error", 1)
    headers = {"x-budget": name, "x-answer-status": "500"}
    for _ in range(2):
        assert (await gateway.chat(headers)).status_code == 500
        await service.asked(name)
