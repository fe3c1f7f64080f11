"""The arrows of imports hold, and the contract covers what must stay pure."""

import configparser
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_import_arrows_hold() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout


def test_contract_of_the_domain_covers_the_pure_parts_of_each_room() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    covered = set(parser["importlinter:contract:domain"]["source_modules"].split())
    assert covered >= {"dataflows.actors", "dataflows.indicators", "dataflows.codecs", "risk.checks", "risk.engine",
                       "execution.state_machine", "backtest.matching"}


def test_every_room_is_watched() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert set(parser["importlinter"]["root_packages"].split()) == rooms
