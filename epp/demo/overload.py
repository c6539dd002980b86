"""The demo of too much work: the same burst without and with requests that wait."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from epp.demo import bootstrap, laptop, ports
from epp.demo.fleet import fleet
from epp.demo.promise import Kept, Promise, kept
from epp.demo.scoreboard import Scoreboard
from epp.demo.show import MODEL
from epp.demo.sim.options import SimOptions
from epp.demo.traffic import Plan, Traffic

UNGATED = """\
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: marginal-cost-scorer
"""

# Slow cards: few requests fill them, so that this machine can be the clients, too.
REPLICAS = tuple(
    SimOptions(port=0, name=f"replica-{number}", speed=0.25, seed=number) for number in (1, 2, 3)
)


class OverloadOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What `epp demo --overload` is told.

    The plan's rate is above that at which nine of ten requests still have what is promised: a
    figure of these replicas and this traffic, found by trying.
    """

    mode: bootstrap.Mode = "duplex"
    promise: Promise = Promise(ttft_s=8.0, tpot_s=0.2)
    plan: Plan = Plan(
        conversations=180,
        turns=1,
        per_second=4.5,
        instructions_words=8000,
        question_words=1500,
        answer_tokens=100,
    )
    replicas: tuple[SimOptions, ...] = REPLICAS


async def overload(options: OverloadOptions, console: Console) -> None:
    """Send the same requests twice, whatever becomes of them, and compare."""
    plan, promise = options.plan, options.promise
    console.print(
        f"{len(options.replicas)} simulated vLLM replicas; {plan.per_second:g} requests a second "
        "come, more than they can serve in time:\n"
        f"the first token after {promise.ttft_s:g} s at most, the others every "
        f"{promise.tpot_s * 1000:g} ms.\n"
    )
    columns: list[tuple[str, Kept]] = []
    for name, config in (("sent on at once", UNGATED), ("may wait", gated(promise))):
        console.print(f"The same requests: {name} ...")
        board = await _play(options, config)
        columns.append((name, kept(board.answers, promise)))
    console.print()
    console.print(comparison(columns))


def gated(promise: Promise) -> str:
    """Return the configuration that lets requests wait: one line more."""
    ttft, tpot = f"{promise.ttft_s * 1000:.0f}ms", f"{promise.tpot_s * 1000:.0f}ms"
    targets = f"{{ttft: {ttft}, tpot: {tpot}}}"
    return UNGATED + f"flowControl: {{targets: {targets}, whenLate: shed}}\n"


def comparison(columns: list[tuple[str, Kept]]) -> Table:
    """Render what became of the same requests each time."""
    table = Table(title="The same requests", title_justify="left")
    table.add_column("")
    for name, _ in columns:
        table.add_column(name, justify="right")
    figures = [figure for _, figure in columns]
    table.add_row("requests", *(str(f.requests) for f in figures))
    table.add_row("had both targets met", *(f"{f.share:.0%}" for f in figures))
    table.add_row("refused with 429", *(str(f.refused) for f in figures))
    table.add_row("failed", *(str(f.failed) for f in figures))
    table.add_row("first token, p90", *(f"{f.ttft_p90_s:.1f} s" for f in figures))
    table.add_row("between tokens, p90", *(f"{f.tpot_p90_s * 1000:.0f} ms" for f in figures))
    return table


async def _play(options: OverloadOptions, config: str) -> Scoreboard:
    board = Scoreboard()
    with tempfile.TemporaryDirectory(prefix="epp-") as folder:
        file = Path(folder) / "picker.yaml"
        file.write_text(config)
        async with fleet(options.replicas) as urls:
            chosen = laptop.LaptopOptions(
                endpoints=tuple(urls),
                config_file=file,
                listen=f"127.0.0.1:{ports.free_port()}",
                mode=options.mode,
                metrics_port=0,
                transport="native",
            )
            async with laptop.running(chosen) as running:
                await Traffic(f"{running.url}/v1", MODEL, board.tell).play(options.plan)
    return board
