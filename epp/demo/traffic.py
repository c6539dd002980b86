"""Sample traffic: people who talk to assistants, by the real OpenAI client.

Each conversation belongs to one of a few assistants, whose long instructions all their
conversations share, and grows from turn to turn: what makes it matter which replica answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from random import Random

import msgspec
import openai
from openai.types.chat import ChatCompletionMessageParam

ASSISTANTS = ("a travel agent", "a lawyer", "a cook", "a gardener", "a mechanic", "a nurse")
WORDS = (
    "answer briefly when a guest asks about opening hours and mention that the garden closes "
    "before dark unless the weather is fine in which case the side gate stays open until late"
).split()


class Plan(msgspec.Struct, frozen=True):
    """How much traffic; times in seconds."""

    conversations: int = 48
    turns: int = 3
    per_second: float = 4.0  # new conversations
    think_s: float = 0.5  # between an answer and the next question
    instructions_words: int = 1800
    question_words: int = 120
    answer_tokens: int = 24
    seed: int = 1


class Conversation(msgspec.Struct, frozen=True):
    """What one person will say, and when they begin."""

    starts_s: float
    instructions: str
    questions: tuple[str, ...]


class Answer(msgspec.Struct, frozen=True):
    """What became of one question."""

    replica: str
    first_token_s: float
    whole_s: float
    cached_tokens: int
    prompt_tokens: int
    error: str = ""
    refused: bool = False  # with 429; `error` says why
    tokens: int = 0

    @property
    def per_token_s(self) -> float:
        """Mean time from one token to the next."""
        return (self.whole_s - self.first_token_s) / max(1, self.tokens - 1)


def conversations(plan: Plan) -> Iterator[Conversation]:
    """Yield the plan's conversations: the same for the same plan."""
    rng = Random(plan.seed)
    instructions = [f"You are {role}. {_text(plan.instructions_words, rng)}" for role in ASSISTANTS]
    starts_s = 0.0
    for _ in range(plan.conversations):
        starts_s += rng.expovariate(plan.per_second)
        questions = tuple(_text(plan.question_words, rng) for _ in range(plan.turns))
        yield Conversation(starts_s, rng.choice(instructions), questions)


def _text(words: int, rng: Random) -> str:
    return " ".join(rng.choices(WORDS, k=words))


class Traffic:
    """Plays conversations against an OpenAI API and tells each answer as it ends."""

    def __init__(self, base_url: str, model: str, told: Callable[[Answer], None]) -> None:
        self._model = model
        self._told = told
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key="none",
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(timeout=60, trust_env=False),
        )

    async def play(self, plan: Plan) -> None:
        """Play the whole plan; returns when the last answer is in."""
        async with self._client, asyncio.TaskGroup() as group:
            for conversation in conversations(plan):
                group.create_task(self._converse(conversation, plan))

    async def _converse(self, conversation: Conversation, plan: Plan) -> None:
        await asyncio.sleep(conversation.starts_s)
        messages: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": conversation.instructions}
        ]
        for question in conversation.questions:
            messages.append({"role": "user", "content": question})
            text, answer = await self._ask(messages, plan.answer_tokens)
            self._told(answer)
            if answer.error:
                return
            messages.append({"role": "assistant", "content": text})
            await asyncio.sleep(plan.think_s)

    async def _ask(
        self, messages: list[ChatCompletionMessageParam], tokens: int
    ) -> tuple[str, Answer]:
        asked, first = time.monotonic(), 0.0
        parts: list[str] = []
        prompt = cached = written = 0
        try:
            async with self._client.chat.completions.with_streaming_response.create(
                model=self._model,
                messages=messages,
                max_tokens=tokens,
                stream=True,
                stream_options={"include_usage": True},
            ) as response:
                replica = response.headers.get("x-served-by", "?")
                async for chunk in await response.parse():
                    first = first or time.monotonic()
                    parts += [c.delta.content for c in chunk.choices if c.delta.content]
                    if chunk.usage is not None:
                        prompt = chunk.usage.prompt_tokens
                        written = chunk.usage.completion_tokens
                        details = chunk.usage.prompt_tokens_details
                        cached = (details.cached_tokens or 0) if details else 0
        except openai.OpenAIError as error:
            refused = isinstance(error, openai.RateLimitError)
            return "", Answer("", 0.0, time.monotonic() - asked, 0, 0, str(error), refused)
        ended = time.monotonic()
        answer = Answer(replica, first - asked, ended - asked, cached, prompt, tokens=written)
        return "".join(parts), answer
