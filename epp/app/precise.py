"""What a pool's precise producers need from outside: the servers' events, and tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from epp.config.settings import SettingsError
from epp.pool.snapshot import Snapshot
from epp.pool.store import Change
from epp.routing.known_tokens import KnownTokens
from epp.routing.router import Router
from epp.scheduling.kv.settings import Tokenization
from epp.scheduling.plugin import Producer
from epp.scheduling.producers.precise_prefix_cache import PrecisePrefixCacheProducer
from epp.scrape.tls import tls_context

if TYPE_CHECKING:
    import httpx

    from epp.precise.learner import Learner
    from epp.precise.subscriber import Subscriber
    from epp.precise.tokenizer import Tokenizer

_HOW = "precise-prefix-cache-producer needs another package: pip install 'epp[precise]'"
_TOKENIZERS = "tokenizerFile needs another package: pip install 'epp[tokenizers]'"


class PreciseCaches:
    """The precise producers among a pool's producers; mostly there are none, and nothing to do."""

    def __init__(
        self,
        producers: Mapping[str, Producer],
        snapshot: Callable[[], Snapshot],
        *,
        tls_verify: bool = True,
    ) -> None:
        self.producers = {
            name: p for name, p in producers.items() if isinstance(p, PrecisePrefixCacheProducer)
        }
        self.subscribers: dict[str, Subscriber] = {}
        self.learners: dict[str, Learner] = {}
        self.known: KnownTokens | None = None
        self._http: httpx.AsyncClient | None = None
        if self.producers:
            self._begin(snapshot, tls_verify=tls_verify)

    def __repr__(self) -> str:
        return f"<PreciseCaches {list(self.subscribers.values())}>"

    def serve(self, router: Router) -> None:
        """Have a router look up the tokens of prompts, if somebody wants them."""
        router.known_tokens = self.known

    def follow(self, change: Change) -> None:
        """Listen to the endpoints that joined, no longer to those that left."""
        for subscriber in self.subscribers.values():
            subscriber.follow(change)

    def decided(self) -> None:
        """Have the prompts tokenized that a decision would have wanted to know."""
        for name, producer in self.producers.items():
            wanted = producer.take_wanted()
            if wanted and name in self.learners:
                self.learners[name].want(wanted)

    async def run(self) -> None:
        """Listen and learn until cancelled."""
        if self._http is None:
            return
        async with self._http, asyncio.TaskGroup() as group:
            for subscriber in self.subscribers.values():
                group.create_task(subscriber.run())
            for learner in self.learners.values():
                group.create_task(learner.run())

    def _begin(self, snapshot: Callable[[], Snapshot], *, tls_verify: bool) -> None:
        """What is imported here takes 8 MiB, and the extra, for which only those pay who ask."""
        import httpx  # noqa: PLC0415

        try:
            from epp.precise.subscriber import Subscriber  # noqa: PLC0415
        except ImportError as error:
            raise SettingsError(f"{_HOW} ({error})") from error
        self.subscribers = {
            name: Subscriber(p.parameters.kv_events_config, p.feeds, snapshot)
            for name, p in self.producers.items()
        }
        trust = tls_context(insecure_skip_verify=not tls_verify)
        self._http = httpx.AsyncClient(verify=trust)
        self._learn_with(self._http)

    def _learn_with(self, client: httpx.AsyncClient) -> None:
        from epp.precise.learner import Learner  # noqa: PLC0415  as above

        wanted = {name: p.parameters.tokenization for name, p in self.producers.items()}
        self.known = KnownTokens(max(one.cache_bytes for one in wanted.values()))
        for name, one in wanted.items():
            if (tokenizer := _tokenizer(one, client)) is not None:
                self.learners[name] = Learner(tokenizer, self.known, one.concurrency)


def _tokenizer(wanted: Tokenization, client: httpx.AsyncClient) -> Tokenizer | None:
    from epp.precise.tokenizer import FileTokenizer, ServerTokenizer  # noqa: PLC0415  as above

    server = ServerTokenizer(client, wanted.url, wanted.timeout_seconds) if wanted.server else None
    if not wanted.tokenizer_file:
        return server
    try:
        return FileTokenizer(wanted.tokenizer_file, server)
    except ImportError as error:
        raise SettingsError(f"{_TOKENIZERS} ({error})") from error
    except Exception as error:  # the library has no error of its own
        raise SettingsError(f"tokenizerFile {wanted.tokenizer_file}: {error}") from error
