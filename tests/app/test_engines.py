from __future__ import annotations

from epp.app.engines import custom_engines, engine_names
from epp.config.engines import EngineSpec, MetricSpec
from epp.pool.engine_names import ENGINE_NAMES
from epp.pool.load import Load
from epp.scrape.page import PageReader

SPEC = EngineSpec(
    "own",
    waiting=MetricSpec("jobs", {"state": "queued"}),
    running=MetricSpec("info", value_label="active"),
    kv_cache_usage=MetricSpec("percent", scale=0.01),
    kv_cache_usage_of="max",
    block_size=MetricSpec("block"),
    blocks=MetricSpec("blocks"),
)
PAGE = b"""\
jobs{state="queued"} 2
jobs{state="active"} 9
info{active="3"} 1
percent{gpu="0"} 25
percent{gpu="1"} 75
block 16
blocks 1000
"""


def test_an_engine_of_the_configuration_reads_what_it_says() -> None:
    reader = PageReader(custom_engines([SPEC])["own"])
    assert reader.read(PAGE, 5.0) == Load(5.0, 2, 3, 0.75, None, 16, 1000)


def test_what_is_left_out_is_unknown() -> None:
    spec = EngineSpec("own", running=MetricSpec("blocks"))
    assert PageReader(custom_engines([spec])["own"]).read(PAGE, 5.0) == Load(5.0, running=1000)


def test_its_name_is_one_that_may_be_given() -> None:
    assert engine_names([SPEC]) == (*ENGINE_NAMES, "own")
