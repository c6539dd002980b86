from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping

import pytest

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scrape.engines import Engine, Metric
from epp.scrape.errors import ScrapeError
from epp.scrape.interview import MODELS_EVERY_S, Interview
from epp.scrape.ways import Ways
from tests.scrape.pages import llama_cpp, real, small

ABSENT = ScrapeError("status", "404")
NOT_STARTED = ScrapeError("status", "501")
LOADING = ScrapeError("status", "503")
DOWN = ScrapeError("connect", "refused")
HTML = b"<!DOCTYPE html><html><body>Hello</body></html>"
MODELS = b'{"object": "list", "data": [{"id": "m"}]}'
PS = json.dumps({"models": [{"name": "qwen3:8b", "model": "qwen3:8b"}]}).encode()
TAGS = json.dumps({"models": [{"name": "qwen3:8b"}, {"name": "mistral:latest"}]}).encode()
TRTLLM = b"trtllm_num_requests_waiting 2\ntrtllm_num_requests_running 3\n"

Pages = Mapping[str, bytes | ScrapeError]

SERVERS: dict[str, tuple[Pages, str]] = {
    "vllm": ({"/metrics": real("busy"), "/v1/models": MODELS}, "vllm"),
    "trtllm-serve": (
        {"/metrics": b'[{"gpuMemUsage": 1}]', "/prometheus/metrics": TRTLLM, "/v1/models": MODELS},
        "trtllm-serve",
    ),
    "ollama": ({"/api/ps": PS, "/api/tags": TAGS}, "ollama"),
    "llama.cpp": (
        {
            "/metrics": llama_cpp("metrics-busy.txt"),
            "/slots": llama_cpp("slots-busy.json"),
            "/v1/models": llama_cpp("models.json"),
        },
        "llama.cpp",
    ),
    "llama.cpp without metrics": (
        {
            "/metrics": NOT_STARTED,
            "/slots": llama_cpp("slots-busy.json"),
            "/v1/models": llama_cpp("models.json"),
        },
        "llama.cpp",
    ),
    "llama.cpp without metrics and slots": (
        {
            "/metrics": NOT_STARTED,
            "/slots": NOT_STARTED,
            "/props": llama_cpp("props.json"),
            "/v1/models": llama_cpp("models.json"),
        },
        "llama.cpp",
    ),
    "something else": ({"/v1/models": MODELS}, "unknown"),
    "a web server": (dict.fromkeys(("/metrics", "/slots", "/props", "/api/ps"), HTML), "unknown"),
}


class Server:
    """A server of pages, interviewed; time passes only when a test says so."""

    def __init__(self, pages: Pages, engine: str = "auto", **ways: object) -> None:
        self.pages = dict(pages)
        self.asked: list[str] = []
        self.loads: list[Load] = []
        self.now = 100.0
        self.ours = 0
        self.endpoint = Endpoint(
            "10.0.0.1:8000", metrics_url="http://10.0.0.1:8000/metrics", engine=engine
        )
        self.interview = Interview(
            self.endpoint,
            Ways(self.endpoint, "", **ways),  # type: ignore[arg-type]
            clock=lambda: self.now,
            ours=lambda _: self.ours,
        )

    def turn(self) -> ScrapeError | None:
        """Let one turn go by; returns its error."""
        turn = self.interview.turn(self.loads.append)
        send: Callable[[], object] = lambda: next(turn)  # noqa: E731
        try:
            while True:
                path = send().request.split(b" ", 2)[1].decode()  # type: ignore[attr-defined]
                self.asked.append(path)
                page = self.pages.get(path, ABSENT)
                send = lambda page=page: turn.send(page)  # type: ignore[misc]  # noqa: E731
        except StopIteration as end:
            error: ScrapeError | None = end.value
            return error

    def turns(self, count: int, apart_s: float = 1.0) -> None:
        for _ in range(count):
            assert self.turn() is None
            self.now += apart_s

    @property
    def load(self) -> Load:
        return self.loads[-1]


@pytest.mark.parametrize("name", SERVERS)
def test_the_engine_is_found_out(name: str) -> None:
    pages, engine = SERVERS[name]
    server = Server(pages)
    server.turns(2)
    assert server.load.engine == server.interview.engine == engine


def test_what_the_servers_tell_is_read() -> None:
    told = {}
    for name, (pages, _) in SERVERS.items():
        server = Server(pages)
        server.ours = 7
        server.turns(2)
        load = server.load
        told[name] = (load.waiting, load.running, load.waiting_is_ours, load.models, load.loaded)
    tiny, m = frozenset({"tiny"}), frozenset({"m"})
    qwen = frozenset({"qwen3:8b"})
    assert told == {
        "vllm": (0, 6, False, m, None),
        "trtllm-serve": (2, 3, False, m, None),
        "ollama": (7, None, True, {"qwen3:8b", "mistral:latest", "mistral"}, qwen),
        "llama.cpp": (3, 1, False, tiny, None),
        "llama.cpp without metrics": (6, 1, True, tiny, None),
        "llama.cpp without metrics and slots": (7, None, True, tiny, None),
        "something else": (7, None, True, m, None),
        "a web server": (7, None, True, None, None),
    }


def test_what_was_found_is_remembered() -> None:
    server = Server(SERVERS["vllm"][0])
    server.turns(1000, apart_s=0.05)
    assert set(server.asked) == {"/metrics", "/v1/models"}
    assert server.asked.count("/metrics") == 1001


def test_models_are_asked_for_at_first_then_seldom_and_after_a_failure() -> None:
    server = Server(SERVERS["vllm"][0])
    server.turns(1000, apart_s=0.1)
    assert server.asked.count("/v1/models") == 4
    assert MODELS_EVERY_S == 30.0
    asked = len(server.asked)
    server.pages["/metrics"] = DOWN
    assert server.turn() == DOWN
    server.pages = {"/metrics": real("busy"), "/v1/models": b'{"data": [{"id": "other"}]}'}
    server.turns(2, apart_s=0.1)
    assert server.asked[asked:].count("/v1/models") == 1
    assert server.load.models == frozenset({"other"})


@pytest.mark.parametrize("models", [ABSENT, DOWN, HTML, b"[" * 100_000])
def test_a_list_of_models_that_cannot_be_had_is_no_failure(models: bytes | ScrapeError) -> None:
    server = Server({"/metrics": real("busy"), "/v1/models": models})
    server.turns(40)
    assert server.load.models is None
    assert server.load.running == 6


def test_models_are_told_as_soon_as_they_are_known() -> None:
    server = Server(SERVERS["vllm"][0])
    server.turns(1)
    assert [load.models for load in server.loads] == [None, {"m"}]
    server.turns(100)
    assert len(server.loads) == 102


def test_the_last_list_of_models_stays_while_there_is_no_other() -> None:
    server = Server(SERVERS["vllm"][0])
    server.turns(2)
    server.pages["/v1/models"] = HTML
    server.turns(100)
    assert server.load.models == frozenset({"m"})


def test_the_api_of_ollama_is_asked_at_most_about_once_a_second() -> None:
    server = Server(SERVERS["ollama"][0], engine="ollama")
    server.turns(200, apart_s=0.05)
    assert 10 <= server.asked.count("/api/ps") <= 12
    assert server.now - server.load.at < 1.0


def test_requests_that_are_ours_are_counted_in_every_turn() -> None:
    server = Server(SERVERS["ollama"][0])
    counts = []
    for ours in (1, 5, 2, 0):
        server.ours = ours
        server.turns(1, apart_s=0.05)
        counts.append(server.load.waiting)
    assert counts == [1, 5, 2, 0]


def test_a_recount_needs_no_question_and_is_for_servers_that_do_not_tell() -> None:
    ollama, vllm = Server(SERVERS["ollama"][0]), Server(SERVERS["vllm"][0])
    assert ollama.interview.recount() is None
    for server in (ollama, vllm):
        server.turns(1)
        server.ours = 9
    asked = list(ollama.asked)
    recount = ollama.interview.recount()
    assert recount is not None
    assert (recount.waiting, recount.at) == (9, ollama.load.at)
    assert ollama.asked == asked
    assert vllm.interview.recount() is None


def test_a_server_that_tells_nothing_is_probed_again_but_ever_less() -> None:
    server = Server(SERVERS["something else"][0])
    server.turns(600)
    probes = server.asked.count("/metrics")
    assert 12 <= probes <= 18
    server.pages["/metrics"] = real("busy")
    server.turns(61)
    assert server.load.engine == "vllm"


def test_trouble_is_no_answer_to_the_question_what_it_is() -> None:
    server = Server({"/metrics": LOADING})
    assert server.turn() is LOADING
    assert server.asked == ["/metrics"]
    assert server.loads == []
    server.pages = {"/metrics": llama_cpp("metrics-idle.txt")}
    server.turns(1)
    assert server.load.engine == "llama.cpp"


def test_a_server_that_tells_nothing_and_goes_down_is_a_failure() -> None:
    server = Server(SERVERS["something else"][0])
    server.turns(3)
    server.pages["/v1/models"] = DOWN
    assert server.turn() is DOWN


def test_another_engine_at_the_same_address_is_found_after_some_failures() -> None:
    server = Server(SERVERS["vllm"][0])
    server.turns(3)
    server.pages = dict(SERVERS["ollama"][0])
    errors = [server.turn() for _ in range(4)]
    assert [error is None for error in errors] == [False, False, False, True]
    assert server.load.engine == "ollama"


def test_an_engine_that_is_given_is_not_doubted() -> None:
    server = Server(SERVERS["ollama"][0], engine="vllm")
    for _ in range(20):
        error = server.turn()
        assert error is ABSENT
    assert set(server.asked) == {"/metrics"}


def test_a_page_without_the_numbers_of_its_engine_is_a_failure() -> None:
    server = Server({"/metrics": small(waiting="NaN", running="NaN", usage="NaN")})
    error = server.turn()
    assert error is not None
    assert error.kind == "empty"


def test_no_engine_is_never_asked() -> None:
    server = Server(SERVERS["vllm"][0], engine="none")
    server.ours = 3
    server.turns(100)
    assert server.asked == []
    assert server.load == Load(199.0, waiting=3, engine="none", waiting_is_ours=True)


def test_an_engine_of_the_configuration_is_found_out_too() -> None:
    own = {"own": Engine(waiting=Metric("jobs"))}
    pages = {"/metrics": b"jobs 4\nvllm:num_requests_waiting 9\n"}
    for engine in ("auto", "own"):
        server = Server(pages, engine=engine, custom=own)
        server.turns(1)
        assert (server.load.engine, server.load.waiting) == ("own", 4)


def test_what_was_found_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "epp.scrape")
    server = Server(SERVERS["something else"][0])
    server.turns(300)
    server.pages["/metrics"] = real("busy")
    server.turns(300)
    assert [record.getMessage() for record in caplog.records] == [
        "engine of 10.0.0.1:8000: none that is known; only the requests sent from here count",
        "engine of 10.0.0.1:8000: vllm",
    ]
