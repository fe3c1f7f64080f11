"""Generates the Python stubs of the contracts: `python proto/generate.py [FOLDER]`, by default into the checkout.

A file of gRPC stubs in which no service is defined is left out. Run it after every change of a .proto file; the test of
the project compares what it makes with what is committed.
"""

import os
import subprocess
import sys
from pathlib import Path

CONTRACTS = Path(__file__).resolve().parent
KINDS = ("python", "grpc_python", "mypy", "mypy_grpc")


def generate(target: Path) -> list[Path]:
    """Write the stubs of every contract below a folder and return their paths."""
    target.mkdir(parents=True, exist_ok=True)
    contracts = sorted(CONTRACTS.rglob("*.proto"))
    outputs = [f"--{kind}_out={'quiet:' if kind.startswith('mypy') else ''}{target}" for kind in KINDS]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{CONTRACTS}", *outputs, *map(str, contracts)],
                   check=True, cwd=CONTRACTS, env=_environment())
    made: list[Path] = []
    for contract in contracts:
        stem = target / contract.relative_to(CONTRACTS).with_suffix("")
        made += _kept(stem, has_service="\nservice " in contract.read_text())
    return made


def _environment() -> dict[str, str]:
    # protoc finds its plug-ins on PATH, and the virtual environment need not be active.
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _kept(stem: Path, *, has_service: bool) -> list[Path]:
    messages = [stem.with_name(f"{stem.name}_pb2{suffix}") for suffix in (".py", ".pyi")]
    services = [stem.with_name(f"{stem.name}_pb2_grpc{suffix}") for suffix in (".py", ".pyi")]
    if has_service:
        return messages + services
    for path in services:
        path.unlink(missing_ok=True)
    return messages


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else CONTRACTS.parent
    print(f"wrote {len(generate(folder))} files below {folder}")
