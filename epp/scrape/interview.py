"""What is asked of one server in its turns, and what the answers mean; no I/O."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Generator
from typing import TypeAlias

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scrape.errors import ScrapeError
from epp.scrape.models import read_models
from epp.scrape.reader import Reader
from epp.scrape.target import Target
from epp.scrape.way import Way
from epp.scrape.ways import Ways

_log = logging.getLogger(__name__)

Answer: TypeAlias = bytes | ScrapeError
Turn: TypeAlias = Generator[Target, Answer, ScrapeError | None]

MODELS_EVERY_S = 30.0
FIRST_PROBE_AFTER_S = 1.0  # of a server that told nothing; then twice as long each time
MAX_PROBE_AFTER_S = 60.0
# So many failures in a row, and what answers may be another server than the one that was found.
DOUBTFUL = 3


class Interview:
    """Finds out how the server is read, reads it, and asks now and then what it serves.

    `ours` says how many requests of ours the server has now; they stand for the queue of one that
    does not tell it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        ways: Ways,
        *,
        clock: Callable[[], float],
        ours: Callable[[Endpoint], int],
    ) -> None:
        self._endpoint = endpoint
        self._ways = ways
        self._clock = clock
        self._ours = ours
        self._known = ways.known()
        self._way = self._known
        self._said: str | None = None  # by the log
        self._probe_at = math.inf
        self._probe_after_s = FIRST_PROBE_AFTER_S
        self._load: Load | None = None
        self._models: frozenset[str] | None = None
        self._models_at = -math.inf
        self._failures = 0

    def __repr__(self) -> str:
        return f"<Interview of {self._endpoint}, {self._way.engine if self._way else 'unknown'}>"

    @property
    def engine(self) -> str:
        """What the server is, as far as is known; empty if it is not."""
        return self._way.engine if self._way else ""

    def turn(self, tell: Callable[[Load], None]) -> Turn:
        """Yield questions, each to be sent its answer; returns why there was no load, if so.

        `tell` gets the load before questions of less hurry follow.
        """
        now = self._clock()
        try:
            if self._way is None or now >= self._probe_at:
                self._settle((yield from self._find()))
            way = self._way
            assert way is not None
            if way.reader is None:
                yield from self._look_for_life(way, now)
            elif self._load is None or now >= self._load.at + way.every_s:
                self._load = self._read(way, way.reader, (yield way.page))
            assert self._load is not None
            tell(self._completed(way, self._load))
        except ScrapeError as error:
            self._fail()
            return error.with_traceback(None)  # whoever keeps it keeps no frames
        self._failures = 0
        if now >= self._models_at and way.reader is not None:
            before = self._models
            yield from self._keep_models(way, now)
            if self._models != before:
                tell(self._completed(way, self._load))
        return None

    def recount(self) -> Load | None:
        """Return the last load with the requests that are ours now; None if it tells them."""
        if self._way is None or self._load is None or self._way.tells_waiting:
            return None
        return self._completed(self._way, self._load)

    def _read(self, way: Way, reader: Reader, page: Answer) -> Load:
        if isinstance(page, ScrapeError):
            raise page
        load = reader.read(page, self._clock())
        if (
            load.waiting is None
            and load.running is None
            and load.kv_cache_usage is None
            and load.loaded is None
        ):
            raise ScrapeError("empty", f"none of the metrics of {way.engine}")
        return load

    def _completed(self, way: Way, load: Load) -> Load:
        tells_waiting = way.tells_waiting
        return Load(
            load.at,
            load.waiting if tells_waiting else self._not_at_work(load),
            load.running,
            load.kv_cache_usage,
            load.loras,
            load.block_size,
            load.blocks,
            self._models,
            load.loaded,
            way.engine,
            not tells_waiting,
            load.itl_s,
        )

    def _not_at_work(self, load: Load) -> int:
        return max(0, self._ours(self._endpoint) - (load.running or 0))

    def _fail(self) -> None:
        self._failures += 1
        self._models_at = -math.inf  # what comes back may serve something else
        if self._failures >= DOUBTFUL and self._known is None:
            self._way, self._load = None, None

    # What the server is.

    def _find(self) -> Generator[Target, Answer, Way | None]:
        """Go through the probes; raises ScrapeError if one of them could not be answered."""
        for probe in self._ways.probes():
            answer = yield probe.page
            if isinstance(answer, bytes):
                way = probe.recognise(answer)
                if way is not None:
                    return way
            elif not answer.means_absent:
                raise answer
        return None

    def _settle(self, found: Way | None) -> None:
        self._load = None
        if found is not None:
            self._way, self._probe_at = found, math.inf
            self._probe_after_s = FIRST_PROBE_AFTER_S
            self._say(found.engine)
            return
        self._way = self._ways.blind()
        self._probe_at = self._clock() + self._probe_after_s
        self._probe_after_s = min(MAX_PROBE_AFTER_S, 2 * self._probe_after_s)
        self._say("")

    def _say(self, engine: str) -> None:
        if engine == self._said:
            return
        self._said = engine
        if engine:
            _log.info("engine of %s: %s", self._endpoint, engine)
        else:
            _log.warning(
                "engine of %s: none that is known; only the requests sent from here count",
                self._endpoint,
            )

    # What it serves.

    def _look_for_life(self, way: Way, now: float) -> Generator[Target, Answer, None]:
        """Ask a server that tells no load for its models; raises ScrapeError if it is not there."""
        if self._load is None or now >= self._load.at + way.every_s:
            yield from self._ask_models(way)
            self._load = Load(self._clock())

    def _keep_models(self, way: Way, now: float) -> Generator[Target, Answer, None]:
        """Ask for the models; that they cannot be had is no failure."""
        self._models_at = now + MODELS_EVERY_S
        try:
            yield from self._ask_models(way)
        except ScrapeError as error:
            _log.debug("models of %s: %s", self._endpoint, error.with_traceback(None))

    def _ask_models(self, way: Way) -> Generator[Target, Answer, None]:
        """Ask for the models; raises ScrapeError if the server did not answer at all."""
        if way.models is None:
            return
        answer = yield way.models
        if isinstance(answer, ScrapeError):
            if not answer.means_absent:
                raise answer
            return
        with contextlib.suppress(ScrapeError):  # another page; the list of before stays
            self._models = read_models(answer)
