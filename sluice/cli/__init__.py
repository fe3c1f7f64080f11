"""The `sluice` command: finds the rooms' commands by entry point, prints every error as one sentence with its fix.

It is a thin shell: what a command does lives in the command's own room.
"""

from sluice.cli.application import main

__all__ = ["main"]
