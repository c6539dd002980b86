"""The HTTP interface of a replica."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from epp.demo.sim.answer import Answer, ChatAnswer, TextAnswer, ToolAnswer
from epp.demo.sim.anthropic import MessagesAnswer, read_messages
from epp.demo.sim.ask import Ask, read_chat, read_completion, read_tokenize
from epp.demo.sim.completion import Completion, StreamedCompletion, dawdle
from epp.demo.sim.dialect import pages
from epp.demo.sim.embeddings import embed
from epp.demo.sim.faults import changed
from epp.demo.sim.kv_events import token_ids
from epp.demo.sim.page import GARBAGE, MEDIA_TYPE
from epp.demo.sim.problem import Problem
from epp.demo.sim.replica import Replica, wall_clock
from epp.demo.sim.responses import ResponseAnswer, read_response


def build(replica: Replica, name: str) -> ASGIApp:
    """Return the application; `name` is what its answers say that they were served by."""
    handlers, engine = Handlers(replica), replica.options.engine
    routes = [
        Route("/v1/chat/completions", handlers.chat, methods=["POST"]),
        Route("/v1/completions", handlers.completions, methods=["POST"]),
        Route("/v1/messages", handlers.messages, methods=["POST"]),
        Route("/v1/responses", handlers.responses, methods=["POST"]),
        Route("/v1/embeddings", handlers.embeddings, methods=["POST"]),
        Route("/tokenize", handlers.tokenize, methods=["POST"]),
        Route("/v1/models", handlers.models),
        Route("/health", handlers.health),
        Route("/metrics", handlers.metrics),
        Route("/sim/lateness", handlers.lateness),
        Route("/sim/faults", handlers.faults),
        Route("/sim/faults", handlers.set_faults, methods=["POST"]),
        *(Route(path, _page(tell)) for path, tell in pages(engine, replica.facts).items()),
    ]
    return ServedBy(Starlette(routes=routes, exception_handlers={HTTPException: _unrouted}), name)


class ServedBy:
    """Adds the header that tells which replica answered."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-served-by"] = self._name
            await send(message)

        await self._app(scope, receive, signed)


class Handlers:
    """One method for each route."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    async def chat(self, request: Request) -> Response | Completion:
        """Answer a conversation."""
        return await self._complete(request, read_chat, ChatAnswer)

    async def completions(self, request: Request) -> Response | Completion:
        """Go on with a text."""
        return await self._complete(request, read_completion, TextAnswer)

    async def messages(self, request: Request) -> Response | Completion:
        """Answer a conversation, in Anthropic's words."""
        return await self._complete(request, read_messages, MessagesAnswer)

    async def responses(self, request: Request) -> Response | Completion:
        """Answer a conversation, in OpenAI's newer words."""
        return await self._complete(request, read_response, ResponseAnswer)

    async def embeddings(self, request: Request) -> Response:
        """Give each text a short vector that stands for it; the engine is not asked."""
        answer = embed(await request.body(), self._replica.model_name)
        return _refusal(answer) if isinstance(answer, Problem) else _json(answer)

    async def tokenize(self, request: Request) -> Response:
        """Return the tokens of a prompt or a conversation."""
        ask = read_tokenize(await request.body())
        if isinstance(ask, Problem):
            return _refusal(ask)
        ids = token_ids(ask.content)
        limit = self._replica.options.context_length
        return _json({"count": len(ids), "max_model_len": limit, "tokens": ids})

    async def _complete(
        self, request: Request, read: Callable[[bytes], Ask | Problem], kind: type[Answer]
    ) -> Response | Completion:
        replica, faults = self._replica, self._replica.switch.faults
        body = await request.body()
        if faults.hang:
            await dawdle(request.receive, for_s=None)
            return Response()
        if replica.rng.random() < faults.error_rate:
            return _refusal(Problem(500, "the engine has failed, as it was told to"))
        ask = read(body)
        if isinstance(ask, Problem):
            return _refusal(ask)
        await replica.memory.hold(ask.model or replica.model_name)
        ticket = replica.submit(ask)
        if isinstance(ticket, Problem):
            return _refusal(ticket)
        number = request.headers.get("x-request-id") or f"{replica.rng.getrandbits(64):016x}"
        model = ask.model or replica.model_name
        if ask.tool:
            kind = ToolAnswer
        return (StreamedCompletion if ask.stream else Completion)(
            kind(f"{kind.prefix}-{number}", model, int(wall_clock()), ask.tool),
            ticket,
            include_usage=ask.include_usage,
            answered=replica.switch.answered,
            script=ask.script,
        )

    async def models(self, _request: Request) -> Response:
        """List the model and its adapters."""
        return _json({"object": "list", "data": self._replica.models()})

    async def health(self, _request: Request) -> Response:
        """Say that the server is there."""
        return Response()

    async def metrics(self, request: Request) -> Response:
        """Return the page that is scraped."""
        faults = self._replica.switch.faults
        if faults.slow_metrics_s:
            await dawdle(request.receive, faults.slow_metrics_s)
        page = self._metrics_page()
        if faults.metrics_off or page is None:
            return Response(status_code=404)
        return Response(GARBAGE if faults.garbage_metrics else page, media_type=MEDIA_TYPE)

    def _metrics_page(self) -> str | None:
        match self._replica.options.engine:
            case "vllm":
                return self._replica.metrics()
            case "llama.cpp":
                return self._replica.facts.llama_cpp_metrics()
            case "ollama":
                return None

    async def lateness(self, _request: Request) -> Response:
        """Return how far the machine keeps up with what it simulates."""
        return _json(self._replica.driver.lateness)

    async def faults(self, _request: Request) -> Response:
        """Return the faults in force."""
        return _json(self._replica.switch.faults)

    async def set_faults(self, request: Request) -> Response:
        """Change some of the faults and return all of them."""
        faults = changed(self._replica.switch.faults, await request.body())
        if isinstance(faults, str):
            return _refusal(Problem(400, faults))
        self._replica.switch.set(faults)
        return _json(faults)


def _page(tell: Callable[[], object]) -> Callable[[Request], Response]:
    return lambda _: _json(tell())


async def _unrouted(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _refusal(Problem(status, f"this server has nothing there: {error}"))


def _refusal(problem: Problem) -> Response:
    return Response(problem.body(), problem.status, media_type="application/json")


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
