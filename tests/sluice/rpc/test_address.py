"""Where a server may listen: a taken or impossible address is refused clearly, and nothing of others is harmed."""

import asyncio
import socket
from pathlib import Path

import pytest

from sluice.errors import NotRunningError
from sluice.rpc import ServerShell
from tests.sluice.rpc.echo import call, registration, served


def test_start_fails_clearly_when_another_server_has_the_port() -> None:
    async def scenario() -> None:
        async with served() as (_, address):
            with pytest.raises(NotRunningError, match=f"risk address must be free, {address} is in use"):
                await ServerShell("risk", address, [registration()]).start()
            assert await call(address) == b"hello"

    asyncio.run(scenario())


def test_start_fails_clearly_when_a_program_of_another_kind_has_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(NotRunningError, match="must be free"):
            asyncio.run(ServerShell("risk", address, []).start())


def test_start_fails_clearly_when_one_address_of_a_name_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(NotRunningError, match="is in use"):
        asyncio.run(ServerShell("risk", f"localhost:{other.getsockname()[1]}", []).start())


def test_start_fails_clearly_when_another_server_has_the_unix_socket(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with served(address=f"unix:{tmp_path / 's'}") as (_, address):
            with pytest.raises(NotRunningError, match="is in use"):
                await ServerShell("risk", address, [registration()]).start()
            assert await call(address) == b"hello"

    asyncio.run(scenario())


def test_start_removes_a_socket_that_a_killed_server_left(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def scenario() -> bytes:
        async with served(address=f"unix:{path}") as (_, address):
            return await call(address)

    assert asyncio.run(scenario()) == b"hello"


def test_start_keeps_a_file_that_is_no_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(NotRunningError, match="no socket"):
        asyncio.run(ServerShell("risk", f"unix:{path}", []).start())
    assert path.read_text() == "precious"


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "unix:/nonexistent/folder/socket", "256.1.1.1:80"])
def test_start_fails_clearly_when_the_address_cannot_be_bound(address: str) -> None:
    with pytest.raises(NotRunningError, match="risk address must be free"):
        asyncio.run(ServerShell("risk", address, []).start())
