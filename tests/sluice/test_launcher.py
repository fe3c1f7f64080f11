"""The launcher: whom the program runs as, and that it ends with its parent."""

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sluice import launcher

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False, cwd="/")


def nobody() -> tuple[int, int]:
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def test_program_replaces_the_launcher_and_its_exit_code_is_kept() -> None:
    done = run(launcher.command(["sh", "-c", "echo hello; exit 7"]))
    assert (done.returncode, done.stdout) == (7, "hello\n")


def test_arguments_that_look_like_options_reach_the_program() -> None:
    assert run(launcher.command(["echo", "--user=5", "--", "-x"])).stdout == "--user=5 -- -x\n"


def test_missing_program_is_one_line_without_a_traceback() -> None:
    done = run(launcher.command(["/no/such/program"]))
    assert done.returncode == 1
    assert done.stderr == "launcher: [Errno 2] No such file or directory\n"


@as_root
def test_account_is_taken_on_for_good() -> None:
    user, group = nobody()
    done = run(launcher.command(["sh", "-c", "id -u; id -g; id -G"], account=nobody()))
    assert done.stdout.split() == [str(user), str(group), str(group)]


@as_root
def test_closed_folder_stays_closed_to_the_account_unless_it_may_search(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner"
    inner.mkdir(parents=True)
    (inner / "text").write_text("hello")
    os.chown(inner, *nobody())
    (tmp_path / "closed").chmod(0o700)
    read = ["cat", str(inner / "text")]
    assert "Permission denied" in run(launcher.command(read, account=nobody())).stderr
    assert run(launcher.command(read, account=nobody(), search_folders=True)).stdout == "hello"


@as_root
def test_account_that_may_search_still_cannot_write_where_it_has_no_right(tmp_path: Path) -> None:
    done = run(launcher.command(["touch", str(tmp_path / "made")], account=nobody(), search_folders=True))
    assert "Permission denied" in done.stderr
    assert not (tmp_path / "made").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal at a parent's death is Linux's")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_program_gets_its_signal_when_the_parent_is_killed(number: signal.Signals) -> None:
    root = Path(__file__).resolve().parents[2]
    program = ("import subprocess, time\nfrom sluice import launcher\n"
               f"child = subprocess.Popen(launcher.command(['sleep', '60'], death_signal={int(number)}))\n"
               "print(child.pid, flush=True)\ntime.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        while child.name() != "sleep":
            time.sleep(0.01)
        parent.kill()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
