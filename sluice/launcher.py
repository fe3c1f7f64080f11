"""Starts another program so that it ends with its parent, and, for a server that refuses to be root, as somebody else.

It is a script, run as `python -I -S launcher.py ...` before the program that it then becomes (`exec`, so the process id
stays). Doing this in a fresh process instead of a `preexec_fn` keeps it safe in a parent that has threads.

It is not a supervisor: nothing is watched or restarted here. Standard library only, no import of Sluice.
"""

import argparse
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_KEEPCAPS, PR_SET_PDEATHSIG, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 1, 47, 2  # linux/prctl.h
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2  # linux/capability.h
LINUX_CAPABILITY_VERSION_3 = 0x20080522


def command(argv: Sequence[str], *, death_signal: int = signal.SIGTERM, account: tuple[int, int] | None = None,
            search_folders: bool = False) -> list[str]:
    """Return the command line that starts `argv` through this script.

    `death_signal` is sent to the program when the thread that started it ends (Linux only). `account` is the (user id,
    group id) to become. `search_folders` lets that account pass through folders that are closed to it.
    """
    options = [f"--parent={os.getpid()}", f"--death-signal={int(death_signal)}"]
    if account is not None:
        options += [f"--user={account[0]}", f"--group={account[1]}"]
    if search_folders:
        options.append("--search-folders")
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), *options, "--", *argv]


def _prctl(option: int, *arguments: int) -> None:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    if ctypes.CDLL(None, use_errno=True).prctl(option, *values) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} must succeed, was refused")


def _effective_capabilities() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def _keep_capability(capability: int) -> None:
    """Reduce the capabilities to this one, and let it survive `exec`."""
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, data) != 0:
        raise OSError(ctypes.get_errno(), "capset must succeed, was refused")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _become(user: int, group: int, search_folders: bool) -> None:
    """Give up root; keep at most the right to pass through closed folders."""
    held = _effective_capabilities() if search_folders else 0
    wanted = next((each for each in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if held >> each & 1), None)
    if wanted is not None:
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    if wanted is not None:
        _keep_capability(wanted)


def main(arguments: Sequence[str]) -> None:
    """Do what the options say, then become the program."""
    parser = argparse.ArgumentParser(prog="launcher")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--user", type=int)
    parser.add_argument("--group", type=int)
    parser.add_argument("--search-folders", action="store_true")
    parser.add_argument("argv", nargs="+")
    options = parser.parse_args(arguments)
    if options.user is not None:
        _become(options.user, options.group, options.search_folders)
    if sys.platform == "linux":  # after the change of account, which clears it
        _prctl(PR_SET_PDEATHSIG, options.death_signal)
        if os.getppid() != options.parent:
            sys.exit(0)  # the parent ended before it could be watched
    os.execvp(options.argv[0], options.argv)  # noqa: S606  # a list of its parent's making


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"launcher: {error}")
