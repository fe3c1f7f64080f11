"""Writes docs/reference, or the folder that is named."""

import sys
from pathlib import Path

import click

from sluice.cli.reference.pages import ROOT, write

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "reference"
    click.echo(f"wrote {len(write(folder))} files in {folder}")
