"""`epp sim`: a model server that is only simulated."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from epp.cli.options import PORT
from epp.cli.running import fail, run_until_signal
from epp.demo.error import DemoError
from epp.demo.sim.dialect import TITLES, dialect
from epp.demo.sim.faults import Faults
from epp.demo.sim.options import SimOptions
from epp.demo.sim.server import serve

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on; 0: any.", **PORT)]
Engine = Annotated[
    str, typer.Option(help="Whose pages it shows beside OpenAI's API: vllm, ollama or llama.cpp.")
]
Name = Annotated[str, typer.Option(help="What answers say in the header x-served-by.")]
ServedModelName = Annotated[
    list[str] | None, typer.Option(help="A model that it serves. Can be repeated.")
]
MaxLoadedModels = Annotated[
    int,
    typer.Option(help="Models in memory at a time, as in Ollama; 0: all that it serves.", min=0),
]
ModelLoad = Annotated[
    float,
    typer.Option(
        "--model-load", metavar="SECONDS", help="Until a model is in memory that was not.", min=0
    ),
]
Lora = Annotated[
    list[str] | None, typer.Option(help="A LoRA adapter that it has. Can be repeated.")
]
MaxNumSeqs = Annotated[int, typer.Option(help="Requests in a batch.")]
NumGpuBlocks = Annotated[int, typer.Option(help="Size of the KV cache.")]
Speed = Annotated[
    float, typer.Option(help="Of the hardware, 1 is an H100: 0.5 takes twice as long.")
]
TimeScale = Annotated[float, typer.Option(help="Of the clock: 10 plays ten seconds in one.")]
BackgroundRps = Annotated[
    float, typer.Option(help="Requests that it makes up for itself, per second.")
]
Seed = Annotated[int, typer.Option(help="Of everything that is drawn by lot.")]
KvEventsEndpoint = Annotated[
    str, typer.Option(help="Where KV events go, as tcp://*:5557 to bind or tcp://host:5557.")
]
KvEventsReplayEndpoint = Annotated[
    str, typer.Option(help="Where missed KV events can be asked for, as tcp://*:5558.")
]
ErrorRate = Annotated[float, typer.Option(help="Share of requests answered 500.", min=0, max=1)]
Hang = Annotated[bool, typer.Option("--hang", help="Never answer.")]
SlowMetrics = Annotated[
    float, typer.Option(metavar="SECONDS", help="How long /metrics takes.", min=0)
]
GarbageMetrics = Annotated[
    bool, typer.Option("--garbage-metrics", help="Answer /metrics with nonsense.")
]
ExitAfter = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Go away after so long.", min=0)
]


def sim(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    engine: Engine = "vllm",
    name: Name = "",
    served_model_name: ServedModelName = None,
    max_loaded_models: MaxLoadedModels = 0,
    model_load: ModelLoad = 0.0,
    lora: Lora = None,
    max_num_seqs: MaxNumSeqs = 256,
    num_gpu_blocks: NumGpuBlocks = 26_312,
    speed: Speed = 1.0,
    time_scale: TimeScale = 1.0,
    background_rps: BackgroundRps = 0.0,
    seed: Seed = 0,
    kv_events_endpoint: KvEventsEndpoint = "",
    kv_events_replay_endpoint: KvEventsReplayEndpoint = "",
    error_rate: ErrorRate = 0.0,
    hang: Hang = False,
    slow_metrics: SlowMetrics = 0.0,
    garbage_metrics: GarbageMetrics = False,
    exit_after: ExitAfter = None,
) -> None:
    """Simulate a vLLM server: OpenAI API, batching, KV cache, metrics, and faults on request.

    Faults can also be switched while it runs: POST /sim/faults {"error_rate": 0.5}. GET
    /sim/lateness tells whether the machine keeps up with what it simulates.
    """
    defaults = SimOptions()
    try:
        options = SimOptions(
            host=host,
            port=port,
            engine=dialect(engine),
            name=name,
            served_model_name=tuple(served_model_name or defaults.served_model_name),
            max_loaded_models=max_loaded_models,
            model_load_s=model_load,
            loras=tuple(lora or ()),
            max_num_seqs=max_num_seqs,
            num_gpu_blocks=num_gpu_blocks,
            speed=speed,
            time_scale=time_scale,
            background_rps=background_rps,
            seed=seed,
            kv_events_endpoint=kv_events_endpoint,
            kv_events_replay_endpoint=kv_events_replay_endpoint,
            faults=Faults(
                error_rate=error_rate,
                hang=hang,
                slow_metrics_s=slow_metrics,
                garbage_metrics=garbage_metrics,
                exit_after_s=exit_after,
            ),
        )
    except ValueError as error:
        fail(str(error))

    async def simulate(stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(_serve(options, stop))
            await stop.wait()
            serving.cancel()

    run_until_signal(simulate)


async def _serve(options: SimOptions, stop: asyncio.Event) -> None:
    try:
        title = TITLES[options.engine]
        await serve(options, started=lambda url: typer.echo(f"simulated {title} at {url}"))
    except OSError as error:
        reason = error.strerror or error
        message = f"cannot listen on {options.host}:{options.port}: {reason}; choose another --port"
        raise DemoError(message) from error
    finally:
        stop.set()
