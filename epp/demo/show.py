"""The demo: the same traffic under round robin and under the picker, and what it met."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from rich.console import Console

from epp.demo import bootstrap, envoy, greeting, laptop, ports
from epp.demo.fleet import fleet
from epp.demo.scoreboard import Scoreboard
from epp.demo.sim.options import SimOptions
from epp.demo.table import comparison
from epp.demo.traffic import Plan, Traffic
from epp.demo.watch import Watch

MODEL = "meta-llama/Llama-3.1-8B-Instruct"

# A small card each, with room for some conversations but not for all, and work from elsewhere.
REPLICAS = tuple(
    SimOptions(
        port=0, name=name, num_gpu_blocks=1200, speed=0.3, background_rps=background_rps, seed=1
    )
    for name, background_rps in (
        ("replica-1", 0.0),
        ("replica-2", 0.5),
        ("replica-3", 1.0),
        ("replica-4", 2.0),
    )
)


class ShowOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What `epp demo` is told."""

    mode: bootstrap.Mode = "duplex"
    hold: bool = False  # keep everything open after the traffic
    config_file: Path | None = None
    preset: str = ""
    plan: Plan = Plan()
    replicas: tuple[SimOptions, ...] = REPLICAS


async def show(options: ShowOptions, console: Console) -> None:
    """Run both halves and compare them."""
    console.print(
        f"{len(options.replicas)} simulated vLLM replicas, the later the busier with other work; "
        f"{options.plan.conversations} conversations of {options.plan.turns} turns each.\n"
    )
    turns = await _round_robin(options, console)
    async with fleet(options.replicas) as urls:
        names = {
            urlsplit(url).netloc: replica.name
            for url, replica in zip(urls, options.replicas, strict=True)
        }
        watch = Watch(names, console)
        async with laptop.running(_laptop(options, urls), [watch.decided]) as running:
            picked = await _picked(options, running, watch)
            boards = [("round robin", turns), ("the picker", picked)]
            console.print(comparison(boards, list(names.values())))
            if options.hold:
                console.print()
                console.print(
                    greeting.text(running.url, running.picker_url, list(names), MODEL),
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
                await asyncio.Event().wait()


async def _round_robin(options: ShowOptions, console: Console) -> Scoreboard:
    board = Scoreboard()
    console.print("First by Envoy's own round robin, without a picker ...")
    async with fleet(options.replicas) as urls, _plain_envoy(urls) as url:
        await Traffic(f"{url}/v1", MODEL, board.tell).play(options.plan)
    figures = board.all()
    console.print(
        f"  {figures.answers} answers, first token after {figures.first_token_p50_s * 1000:.0f} ms "
        f"(median), {figures.first_token_p90_s * 1000:.0f} ms (p90)\n"
    )
    return board


async def _picked(options: ShowOptions, running: laptop.Laptop, watch: Watch) -> Scoreboard:
    board = Scoreboard()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch.run(running.app.pool.store, board))
        await Traffic(f"{running.url}/v1", MODEL, board.tell).play(options.plan)
        watching.cancel()
    return board


def _laptop(options: ShowOptions, urls: Sequence[str]) -> laptop.LaptopOptions:
    return laptop.LaptopOptions(
        endpoints=tuple(urls),
        config_file=options.config_file,
        preset=options.preset,
        listen=f"127.0.0.1:{ports.free_port()}",
        mode=options.mode,
        metrics_port=ports.free_port(),
    )


@asynccontextmanager
async def _plain_envoy(urls: Sequence[str]) -> AsyncIterator[str]:
    options = bootstrap.BootstrapOptions(
        listen_port=ports.free_port(),
        admin_port=ports.free_port(),
        picker_filters=0,
        plain_ports=[urlsplit(url).port or 80 for url in urls],
        request_timeout_s=0,
    )
    with tempfile.TemporaryDirectory(prefix="epp-") as directory:
        async with envoy.running(options, Path(directory)):
            yield greeting.url(options.listen_host, options.listen_port)
