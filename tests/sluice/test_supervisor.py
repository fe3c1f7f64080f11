"""The supervisor with real processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sluice.errors import DeadlineError, InputError, NotFoundError, NotRunningError
from sluice.supervisor import ProcessEvent, ProcessSpec, Supervisor, What

ROOT = Path(__file__).resolve().parents[2]
SERVER = """
import asyncio, sys
from sluice.rpc import ServerShell
async def main():
    shell = ServerShell("test", sys.argv[1], [])
    await shell.start()
    await asyncio.sleep(0.3)
    shell.set_serving(True)
    await shell.run_until_stopped()
    print("stopped in order", flush=True)
asyncio.run(main())
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
SLEEP = "import time; print('up', flush=True); time.sleep(60)"


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., ProcessSpec]:
    """Make the specification of a Python program with its arguments."""
    def make(program: str, *arguments: str, name: str = "child", address: str = "",
             restart: bool = True) -> ProcessSpec:
        return ProcessSpec(name, (sys.executable, "-c", program, *arguments), {"PYTHONPATH": str(ROOT)},
                           tmp_path / f"{name}.log", address, restart)

    return make


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(max_restarts=3, stop_timeout_s=1.0) as running:
        yield running


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def eventually(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "this must become true, did not"
        time.sleep(0.01)


def poll_until(supervisor: Supervisor, what: What) -> list[ProcessEvent]:
    """Every event up to the first of this kind."""
    seen: list[ProcessEvent] = []

    def happened() -> bool:
        seen.extend(supervisor.poll())
        return any(each.what is what for each in seen)

    eventually(happened)
    return seen


def test_process_is_ready_when_its_health_says_so_and_stops_in_order(
        supervisor: Supervisor, spec: Callable[..., ProcessSpec]) -> None:
    server = spec(SERVER, address := free_address(), address=address)
    supervisor.start(server)
    supervisor.wait_ready("child", timeout_s=20)
    supervisor.stop("child")
    assert supervisor.exit_code("child") == 0
    assert "stopped in order" in server.log.read_text()


def test_killed_process_is_restarted(supervisor: Supervisor, spec: Callable[..., ProcessSpec]) -> None:
    supervisor.start(spec(SLEEP))
    first = supervisor.pid("child")
    os.kill(first, signal.SIGKILL)
    events = poll_until(supervisor, What.RESTARTED)
    assert events == [ProcessEvent("child", What.CRASHED, -signal.SIGKILL), ProcessEvent("child", What.RESTARTED)]
    assert supervisor.pid("child") != first
    assert psutil.pid_exists(supervisor.pid("child"))
    assert supervisor.exit_code("child") is None


def test_process_that_keeps_crashing_is_given_up_with_the_end_of_its_log(
        supervisor: Supervisor, spec: Callable[..., ProcessSpec]) -> None:
    supervisor.start(spec("import sys; print('the disk is full', flush=True); sys.exit(7)"))
    events = poll_until(supervisor, What.GAVE_UP)
    assert [each.what for each in events] == [What.CRASHED, What.RESTARTED] * 3 + [What.GAVE_UP]
    assert events[-1].exit_code == supervisor.exit_code("child") == 7
    assert "the disk is full" in events[-1].log_tail
    with pytest.raises(NotRunningError):
        supervisor.pid("child")


def test_delay_before_a_restart_doubles(tmp_path: Path, spec: Callable[..., ProcessSpec]) -> None:
    now_s = 1000.0
    with Supervisor(max_restarts=4, monotonic_s=lambda: now_s) as supervisor:
        supervisor.start(spec("raise SystemExit(7)"))
        for delay_s in (0.2, 0.4, 0.8, 1.6):
            poll_until(supervisor, What.CRASHED)
            now_s += delay_s - 0.01
            assert supervisor.poll() == []
            now_s += 0.02
            assert [each.what for each in supervisor.poll()] == [What.RESTARTED]


def test_crashes_of_long_ago_do_not_count(spec: Callable[..., ProcessSpec]) -> None:
    now_s = 1000.0
    with Supervisor(max_restarts=1, window_s=10.0, monotonic_s=lambda: now_s) as supervisor:
        supervisor.start(spec("raise SystemExit(7)"))
        for _ in range(3):
            poll_until(supervisor, What.CRASHED)
            now_s += 11.0
            poll_until(supervisor, What.RESTARTED)


def test_wrong_configuration_is_not_tried_again(supervisor: Supervisor, spec: Callable[..., ProcessSpec]) -> None:
    supervisor.start(spec("print('x must be y, was z', flush=True); raise SystemExit(4)", address="127.0.0.1:1"))
    with pytest.raises(NotRunningError, match="ended with 4: x must be y, was z"):
        supervisor.wait_ready("child", timeout_s=20)
    assert [each.what for each in supervisor.poll()] == [What.GAVE_UP]


@pytest.mark.parametrize(("code", "restart"), [(0, True), (9, False)])
def test_process_that_ends_for_good_is_not_restarted(
        supervisor: Supervisor, spec: Callable[..., ProcessSpec], code: int, restart: bool) -> None:
    supervisor.start(spec(f"raise SystemExit({code})", restart=restart))
    assert [(each.what, each.exit_code) for each in poll_until(supervisor, What.ENDED)] == [(What.ENDED, code)]
    time.sleep(0.3)
    assert supervisor.poll() == []
    assert supervisor.exit_code("child") == code


def test_wait_ready_gives_up_at_its_deadline(supervisor: Supervisor, spec: Callable[..., ProcessSpec]) -> None:
    supervisor.start(spec(SLEEP, address=free_address()))
    with pytest.raises(DeadlineError, match=r"child must be ready within 0\.5 s"):
        supervisor.wait_ready("child", timeout_s=0.5)


def test_program_that_does_not_exist_is_reported(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(ProcessSpec("child", ("/no/such/program",), {}, tmp_path / "child.log", restart=False))
    assert "No such file" in poll_until(supervisor, What.ENDED)[0].log_tail


def test_process_that_ignores_sigterm_is_killed(supervisor: Supervisor, spec: Callable[..., ProcessSpec]) -> None:
    stubborn = spec(STUBBORN)
    supervisor.start(stubborn)
    eventually(lambda: "up" in stubborn.log.read_text())
    supervisor.stop("child")
    assert supervisor.exit_code("child") == -signal.SIGKILL


def test_stop_ends_what_the_process_itself_started(supervisor: Supervisor, spec: Callable[..., ProcessSpec]) -> None:
    parent = spec("import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)")
    supervisor.start(parent)
    eventually(lambda: parent.log.read_text().endswith("\n"))
    grandchild = int(parent.log.read_text())
    supervisor.stop("child")
    eventually(lambda: not running(grandchild))


def test_all_are_stopped_in_reverse_order_at_the_end(tmp_path: Path, spec: Callable[..., ProcessSpec]) -> None:
    order = tmp_path / "order"
    program = ("import signal, sys, time\n"
               "def stop(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2]); sys.exit(0)\n"
               "signal.signal(signal.SIGTERM, stop)\nprint('up', flush=True)\ntime.sleep(60)")
    with Supervisor() as supervisor:
        for name in ("a", "b", "c"):
            each = spec(program, str(order), name, name=name)
            supervisor.start(each)
            eventually(lambda log=each.log: "up" in log.read_text())  # type: ignore[misc]
    assert order.read_text() == "cba"


def test_nothing_is_left_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    program = f"""
import time
from pathlib import Path
from sluice.supervisor import ProcessSpec, Supervisor
with Supervisor() as supervisor:
    supervisor.start(ProcessSpec("child", ("sleep", "60"), {{}}, Path({str(tmp_path / 'child.log')!r})))
    print(supervisor.pid("child"), flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        eventually(lambda: running(child) and psutil.Process(child).name() == "sleep")
        parent.kill()
    eventually(lambda: not running(child))


def running(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_process_outlives_the_thread_that_asked_for_it(
        supervisor: Supervisor, spec: Callable[..., ProcessSpec]) -> None:
    sleeper = spec(SLEEP)
    thread = threading.Thread(target=supervisor.start, args=(sleeper,))
    thread.start()
    thread.join()
    eventually(lambda: "up" in sleeper.log.read_text())
    time.sleep(0.1)
    assert supervisor.poll() == []
    assert running(supervisor.pid("child"))


def test_name_is_used_once_until_its_process_has_ended(
        supervisor: Supervisor, spec: Callable[..., ProcessSpec]) -> None:
    supervisor.start(spec(SLEEP))
    with pytest.raises(InputError, match="was child, which is running"):
        supervisor.start(spec(SLEEP))
    supervisor.stop("child")
    supervisor.start(spec(SLEEP))
    assert supervisor.exit_code("child") is None


def test_unknown_name_is_refused(supervisor: Supervisor) -> None:
    with pytest.raises(NotFoundError, match="was 'nobody'"):
        supervisor.pid("nobody")
