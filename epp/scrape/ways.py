"""Which ways of reading a server there are, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from epp.pool.endpoint import Endpoint
from epp.pool.engine_names import AUTO, NONE
from epp.scrape.engines import ENGINES, Engine, of_page
from epp.scrape.errors import ScrapeError
from epp.scrape.ollama import OllamaReader
from epp.scrape.page import PageReader
from epp.scrape.reader import Reader
from epp.scrape.slots import SlotsReader
from epp.scrape.target import Target, target
from epp.scrape.way import Probe, Way

LLAMA_CPP, OLLAMA = "llama.cpp", "ollama"
# Ollama and llama.cpp write a line into their log for each of these questions.
_API_EVERY_S = 0.9


class Ways:
    """The ways of one endpoint; raises ScrapeError if its metrics URL or engine is none.

    The metrics are where the endpoint says. Everything else is asked of the server itself, which
    gets `token` only if it is the one that has the metrics.
    """

    def __init__(
        self, endpoint: Endpoint, token: str, custom: Mapping[str, Engine] | None = None
    ) -> None:
        self._endpoint = endpoint
        self._engines = {**(custom or {}), **ENGINES}
        self._metrics = target(endpoint.metrics_url, token)
        parts = urlsplit(endpoint.metrics_url)
        same = parts.netloc == endpoint.address
        self._server = f"{parts.scheme if same else 'http'}://{endpoint.address}"
        self._token = token if same else ""

    def known(self) -> Way | None:
        """Return the only way, if the engine has no other."""
        engine = self._endpoint.engine
        if engine in {AUTO, LLAMA_CPP}:
            return None
        if engine == NONE:
            return Way(NONE, self._metrics)
        if engine == OLLAMA:
            return self._api(OLLAMA, "/api/ps", OllamaReader(), models="/api/tags")
        if engine in self._engines:
            return self._text(engine, self._metrics)
        raise ScrapeError("engine", f"{engine!r} is none of {', '.join(self._engines)}")

    def blind(self) -> Way:
        """Return the way of a server that tells nothing that is known."""
        return self._silent("unknown")

    def probes(self) -> tuple[Probe, ...]:
        """Return the pages by which the engine is known, the commonest first."""
        metrics = self._metrics
        # trtllm-serve has its metrics there, and statistics of another kind at /metrics.
        elsewhere = self._at("/prometheus/metrics")
        llama_cpp = (
            Probe(self._at("/slots"), self._slots),
            Probe(self._at("/props"), self._props),
        )
        if self._endpoint.engine == LLAMA_CPP:
            return (Probe(metrics, lambda page: self._of_page(page, metrics)), *llama_cpp)
        return (
            Probe(metrics, lambda page: self._of_page(page, metrics)),
            Probe(elsewhere, lambda page: self._of_page(page, elsewhere)),
            Probe(self._at("/api/ps"), self._ps),
            *llama_cpp,
        )

    def _of_page(self, page: bytes, where: Target) -> Way | None:
        engine = of_page(page, self._engines)
        return None if engine is None else self._text(engine, where)

    def _ps(self, page: bytes) -> Way | None:
        way = self._api(OLLAMA, "/api/ps", OllamaReader(), models="/api/tags")
        return way if _reads(way, page) else None

    def _slots(self, page: bytes) -> Way | None:
        way = self._api(LLAMA_CPP, "/slots", SlotsReader(), models="/v1/models")
        return way if _reads(way, page) else None

    def _props(self, page: bytes) -> Way | None:
        if b'"total_slots"' not in page:
            return None
        return self._silent(LLAMA_CPP)

    def _silent(self, engine: str) -> Way:
        return Way(engine, self._metrics, None, self._at("/v1/models"), _API_EVERY_S)

    def _text(self, engine: str, page: Target) -> Way:
        reader = PageReader(self._engines[engine])
        models = self._at("/v1/models")
        return Way(engine, page, reader, models, tells_waiting=reader.tells_waiting)

    def _api(self, engine: str, path: str, reader: Reader, *, models: str) -> Way:
        where = self._at(models)
        return Way(engine, self._at(path), reader, where, _API_EVERY_S, reader.tells_waiting)

    def _at(self, path: str) -> Target:
        return target(self._server + path, self._token)


def _reads(way: Way, page: bytes) -> bool:
    assert way.reader is not None
    try:
        way.reader.read(page, 0.0)
    except ScrapeError:
        return False
    return True
