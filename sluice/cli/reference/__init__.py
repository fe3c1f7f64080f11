"""Makes the pages of docs/reference out of what the program says itself: commands, settings, metrics, contracts.

Rooms add pages of their own by entry points. `python -m sluice.cli.reference [FOLDER]` writes them; a test compares
them with what is committed. It works in a checkout only, because the contracts' sources are not installed.
"""

from sluice.cli.reference.pages import pages, write

__all__ = ["pages", "write"]
