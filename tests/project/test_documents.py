"""What the documents tell a reader to type works, and what they link to exists."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from backtest.report.journal import RunJournal
from backtest.report.summary import summarise
from sluice.cli.groups import installed_commands
from sluice.config.settings import Settings
from sluice.instruments import InstrumentCatalog

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINKED = [*DOCUMENTS, ROOT / "inference" / "bundles" / "README.md"]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXECUTED = re.compile(r"^<!-- executed by [^>]*-->\n```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def lines_of(pattern: re.Pattern[str]) -> list[str]:
    found = [line.split("   #")[0].strip() for document in DOCUMENTS
             for block in pattern.findall(document.read_text()) for line in block.splitlines()]
    return [line for line in found if line]


@pytest.mark.parametrize("line", lines_of(EXECUTED))
def test_quick_command_of_a_document_succeeds(line: str, tmp_path: Path) -> None:
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(shlex.split(line), cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_some_commands_are_executed() -> None:
    assert len(lines_of(EXECUTED)) >= 3


@pytest.mark.parametrize("line", [line for line in lines_of(BLOCK) if line.startswith("sluice ")])
def test_sluice_command_of_a_document_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)
    if words[1].startswith("-"):
        return
    points = installed_commands()
    name = words[1] if words[1] in points else f"{words[1]}.{words[2]}"
    options = {option for parameter in points[name].load().params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("line", [line for line in lines_of(BLOCK) if line.startswith("make ")])
def test_make_target_of_a_document_exists(line: str) -> None:
    done = subprocess.run(["make", "--dry-run", *shlex.split(line)[1:]], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "MAKEFLAGS": ""}, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("method", sorted(set(re.findall(r"(sluice\.\w+\.v1\.\w+/\w+)", "\n".join(lines_of(BLOCK))))))
def test_grpc_method_of_a_document_is_in_the_contract(method: str) -> None:
    package, service, name = re.split(r"\.(?=\w+/)|/", method)
    contracts = "\n".join(path.read_text() for path in (ROOT / "proto").rglob("*.proto"))
    assert f"package {package};" in contracts
    assert re.search(rf"^service {service} \{{[^}}]*rpc {name}\(", contracts, re.MULTILINE)


def test_every_key_of_the_summary_is_explained() -> None:
    summary = summarise(RunJournal((), (), (), ()), InstrumentCatalog.shipped(), Settings(), {}, 1.0)
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "run.md").read_text()))
    assert set(summary.as_dict()) <= explained


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    return target.exists() and (not anchor or (target.suffix == ".md" and anchor in anchors(target)))


@pytest.mark.parametrize("document", LINKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!\w+:)([^)\s]+)\)", document.read_text())
    assert [link for link in links if not leads_somewhere(document, link)] == []


@pytest.mark.parametrize(("link", "leads"), [
    ("README.md", True), ("README.md#the-way-of-an-order", True), ("README.md#nowhere", False), ("nowhere.md", False),
    ("#the-rooms", True), ("#nowhere", False), ("docs/decisions", True)])
def test_link_is_followed_to_its_file_and_heading(link: str, leads: bool) -> None:
    assert leads_somewhere(ROOT / "CONTRIBUTING.md", link) is leads


def test_every_page_of_the_documents_is_linked_from_another() -> None:
    linked = {(document.parent / link.partition("#")[0]).resolve() for document in DOCUMENTS
              for link in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", document.read_text())}
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.resolve() not in linked]
    assert pages == []


def test_no_document_is_for_insiders() -> None:
    assert [path.name for path in DOCUMENTS if re.search(r"/work/|\.\./shared", path.read_text())] == []
