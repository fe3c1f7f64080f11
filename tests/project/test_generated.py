"""What is generated is committed as it would be generated now: stubs and reference pages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sluice.cli.reference import pages
from sluice.cli.reference.enums import EnumPage, values
from sluice.cli.reference.pages import ENUM_PAGES
from sluice.envelope import Refusal
from sluice.execution.v1 import execution_pb2
from sluice.market.v1 import market_pb2
from sluice.risk.v1 import risk_pb2

ROOT = Path(__file__).parents[2]
STUB = re.compile(r"_pb2(_grpc)?\.pyi?$")


def test_stubs_have_no_drift(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "proto" / "generate.py", tmp_path], check=True, capture_output=True)
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    committed = {path.relative_to(ROOT) for path in (ROOT / "sluice").rglob("*.py*") if STUB.search(path.name)}
    assert made == committed, "run `make proto`"
    different = [str(path) for path in sorted(made) if (tmp_path / path).read_bytes() != (ROOT / path).read_bytes()]
    assert different == [], "run `make proto`"


def test_reference_pages_have_no_drift() -> None:
    folder = ROOT / "docs" / "reference"
    different = [name for name, text in pages().items()
                 if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8") != text]
    assert different == [], "run `make docs`"


def test_reference_folder_has_no_drift_from_the_list_of_pages() -> None:
    assert {path.name for path in (ROOT / "docs" / "reference").iterdir()} == set(pages())


def test_every_metric_of_the_source_is_on_its_page() -> None:
    rooms = sorted(path.parent for path in ROOT.glob("*/__init__.py"))
    sources = "\n".join(path.read_text() for room in rooms for path in room.rglob("*.py"))
    names = re.findall(r"\b(?:Counter|Gauge|Histogram|Summary)\(\s*\"(\w+)\"", sources)
    page = pages()["metrics.md"]
    assert len(names) > 10
    assert [name for name in names if not re.search(rf"`{name}(_total)?`", page)] == []


@pytest.mark.parametrize("page", ENUM_PAGES, ids=lambda page: page.enum)
def test_every_code_that_can_be_sent_is_explained_on_its_page(page: EnumPage) -> None:
    enums = {"ReasonCode": risk_pb2.ReasonCode, "RefusalCode": execution_pb2.RefusalCode,
             "DeadLetterReason": market_pb2.DeadLetterReason}
    found = values((ROOT / "proto" / page.contract).read_text(), page.enum)
    assert [value.number for value in found] == list(enums[page.enum].values())
    assert all(full.endswith(f"_{value.name}") for value, full in zip(found, enums[page.enum].keys(), strict=True))
    assert all(value.meaning for value in found if value.number)


def test_refusals_of_the_envelope_are_those_of_the_contract() -> None:
    contract = {name.removeprefix("REFUSAL_CODE_"): number for name, number in execution_pb2.RefusalCode.items()}
    assert contract == {"UNSPECIFIED": 0} | {refusal.name: refusal.value for refusal in Refusal}
