"""Files for ghz, the load tester for gRPC: a whole conversation with a picker, without an Envoy.

    python -m benchmarks.load.ghz -o DIR [--host 127.0.0.1:9002] [--mode duplex|buffered]
        [--body-bytes 2400] [--chunks 20] [--concurrency 16] [--total 5000]
    ghz --config DIR/ghz.json

`conversation.json` has the messages of one stream, a request and its answer, in protobuf's JSON;
`ghz.json` says how often and to whom. ghz sends all messages of a stream without waiting for the
replies, and every stream has the same prompt.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from google.protobuf.json_format import MessageToDict

from benchmarks.conditions import ROOT
from benchmarks.script import Script, Talk
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.demo.bootstrap import Mode
from epp.exchange.modes import BodyMode

PROTOS = ROOT / "protos"
SERVICE = pb.DESCRIPTOR.services_by_name["ExternalProcessor"]
DATA = "conversation.json"
CONFIG = "ghz.json"
MODES = {"duplex": BodyMode.FULL_DUPLEX_STREAMED, "buffered": BodyMode.BUFFERED}


def conversation(talk: Talk) -> list[dict[str, Any]]:
    """Return the messages of one stream, in their order."""
    messages = [message for step in Script(talk).next() for message in step]
    return [MessageToDict(message, preserving_proto_field_name=True) for message in messages]


def config(folder: Path, host: str, *, concurrency: int, total: int) -> dict[str, Any]:
    """Return the settings of a run."""
    return {
        "proto": str(PROTOS / pb.DESCRIPTOR.name),
        "import-paths": [str(PROTOS)],
        "call": f"{SERVICE.full_name}/Process",
        "data-file": str(folder / DATA),
        "host": host,
        "insecure": True,
        "concurrency": concurrency,
        "connections": 1,  # as one worker of Envoy has it
        "total": total,
    }


def write(folder: Path, talk: Talk, settings: dict[str, Any]) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DATA).write_text(json.dumps(conversation(talk), indent=1) + "\n")
    (folder / CONFIG).write_text(json.dumps(settings, indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--host", default="127.0.0.1:9002", help="the picker's --grpc-port")
    parser.add_argument("--mode", choices=get_args(Mode), default="duplex")
    parser.add_argument("--body-bytes", type=int, default=2400)
    parser.add_argument("--chunks", type=int, default=20, help="of the answer, a message each")
    parser.add_argument("--concurrency", type=int, default=16, help="streams at a time")
    parser.add_argument("--total", type=int, default=5000, help="streams")
    options = parser.parse_args(arguments)
    talk = Talk(
        mode=MODES[options.mode],
        body_bytes=options.body_bytes,
        chunks=options.chunks,
        together=False,
    )
    folder = options.output.absolute()
    settings = config(folder, options.host, concurrency=options.concurrency, total=options.total)
    write(folder, talk, settings)
    print(f"ghz --config {options.output / CONFIG}")


if __name__ == "__main__":
    main()
