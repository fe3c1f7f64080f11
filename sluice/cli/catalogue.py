"""How the help page orders the commands: by task, with one line each.

The page must be quick, so it imports no command. The lines here are the commands' own first lines; a test compares
them. A command of a plug-in that is not listed here is shown under "More" and works the same.
"""

from typing import Final

#: Section of the help page -> top-level command -> one line.
SECTIONS: Final[dict[str, dict[str, str]]] = {
    "Run": {
        "demo": "Replay a tape through the whole system and show what it did.",
        "run": "Run the trading dataflow against running services.",
    },
    "Serve": {
        "serve": "Start one of the services.",
    },
    "Data": {
        "tape": "Look at, make and compile tapes.",
        "train": "Train models on tapes and export a bundle.",
    },
    "Operate": {
        "halt": "Refuse every order from now on.",
        "reduce-only": "Let only orders pass that make a position smaller.",
        "resume": "Go back to normal trading.",
    },
    "Inspect": {
        "status": "Show trading state, positions, orders and the services' health.",
        "doctor": "Check this machine and configuration, with a fix for each failure.",
        "config": "Check and show the configuration.",
    },
}

#: Group -> command -> one line.
SUBCOMMANDS: Final[dict[str, dict[str, str]]] = {
    "serve": {
        "inference": "Serve the models.",
        "risk": "Serve the risk gate.",
        "execution": "Serve order execution.",
    },
    "tape": {
        "info": "Show what tapes hold.",
        "make": "Make a synthetic tape.",
        "compile": "Compile tapes into the columnar form.",
    },
    "config": {
        "check": "Report every mistake in the configuration at once.",
        "show": "Show the configuration in force and where each value comes from.",
    },
}

GROUP_HELP: Final[dict[str, str]] = {name: line for section in SECTIONS.values() for name, line in section.items()}

EXAMPLES: Final = """\
Examples:
  sluice demo                              replay the shipped tape, services and stores included
  sluice demo --tape recording.gz          the same with a tape of yours
  sluice serve risk --config sluice.toml   one service
  sluice status --json                     what is going on, for a script
  sluice halt --reason "odd fills"         stop trading now

Exit codes: 0 ok, 1 error or wrong usage, 2 not found, 3 not running, 4 configuration, 5 timeout, 130 interrupted.
Every command has --help. Errors go to standard error; --debug shows the traceback of an unexpected one.
"""
