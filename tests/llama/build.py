"""Build llama.cpp's server from the sources in llama-cpp-python: `python -m tests.llama.build`.

Needs cmake, ninja and a C++ compiler, and some minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PLACE = Path(__file__).parents[2] / "build/llama"
SERVER = PLACE / "bin/llama-server"
SOURCE = "llama-cpp-python==0.3.36"
# Small and quick to build; the answers of a model of random weights may take their time.
OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DCMAKE_C_FLAGS_RELEASE=-O1 -DNDEBUG",
    "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG",
    "-DGGML_NATIVE=OFF",
    "-DGGML_OPENMP=OFF",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_UI=OFF",
)


def find() -> Path | None:
    """Return the server that was built, or one that is installed."""
    installed = shutil.which("llama-server")
    return SERVER if SERVER.exists() else Path(installed) if installed else None


def build() -> None:
    """Fetch the sources and build; what was built before stays."""
    with tempfile.TemporaryDirectory() as directory:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        _run(*pip, "--no-binary=llama-cpp-python", "--dest", directory, SOURCE)
        (archive,) = Path(directory).glob("*.tar.gz")
        with tarfile.open(archive) as sources:
            sources.extractall(directory, filter="data")
        (root,) = Path(directory).glob("*/vendor/llama.cpp")
        _run("cmake", "-S", str(root), "-B", str(PLACE), "-G", "Ninja", *OPTIONS)
        jobs = str(max(1, (os.cpu_count() or 2) - 1))
        _run("cmake", "--build", str(PLACE), "--target", "llama-server", "--parallel", jobs)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__" and find() is None:
    build()
