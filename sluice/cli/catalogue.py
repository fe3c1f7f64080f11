"""How the help page orders the commands: by task. What a command does is said by the command itself.

A command of a plug-in that no section names is shown under "More" and works the same.
"""

from typing import Final

#: Section of the help page -> top-level commands and groups.
SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "Run": ("demo", "backtest", "run"),
    "Serve": ("serve",),
    "Data": ("record", "tape", "data", "features", "train", "stores", "topics"),
    "Operate": ("halt", "reduce-only", "resume"),
    "Inspect": ("status", "doctor", "config"),
}

#: A group has no function that could say what it is for.
GROUPS: Final[dict[str, str]] = {
    "serve": "Start one of the services.",
    "data": "Check recordings of market data.",
    "tape": "Look at, make and compile tapes, and move them to and from Kafka.",
    "stores": "Bring the archive's tables in PostgreSQL up to date, and check them.",
    "topics": "Make, check and show the topics on Kafka, and read them.",
    "config": "Check and show the configuration.",
}

EXAMPLES: Final = """\
Examples:
  sluice demo                              replay a synthetic market, services and stores included
  sluice demo --tape recording.gz          the same with a tape of yours
  sluice backtest --tape recording.gz      the same in one process, many times as fast
  sluice serve risk --config sluice.toml   one service
  sluice status --json                     what is going on, for a script
  sluice halt --reason "odd fills"         stop trading now

Exit codes: 0 ok, 1 error or wrong usage, 2 not found, 3 not running, 4 configuration, 5 timeout, 130 interrupted,
143 terminated.
Every command has --help. Errors go to standard error; --debug shows the traceback of an unexpected one.
"""
