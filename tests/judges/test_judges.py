"""Other people's clients, unmodified, on the real server: ccxt.pro and Binance's SDKs cannot tell it from the venue.

Every script of this folder is a session of one client. They run side by side, each with an account of its own. What
docs/exchange.md tells its reader to type is run too.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backtest.exchange.serving.faults import FaultKind
from tests.conftest import judges
from tests.integration.served_exchange import ServedExchange, served_exchange

pytestmark = pytest.mark.needs("judges")

SCRIPTS = Path(__file__).parent
DOCUMENT = (SCRIPTS.parents[1] / "docs" / "exchange.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^<!-- run on a served[^>]*-->\n```sh\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
ENDED_S = 120
CCXT = ("ccxt_session", "ccxt_watching", "ccxt_account")
SDK = ("sdk_session", "sdk_streams", "sdk_order_api")
SESSIONS = [
    *((script, product) for script in CCXT for product in ("binanceusdm", "binancecoinm")),
    *((script, product) for script in SDK for product in ("usds", "coin")),
]
#: Beside the venue's limit, because all sessions come from one address within one minute.
REQUEST_WEIGHT = 12_000
#: Fields that the SDKs' models do not know. Each must be one that is sent.
UNKNOWN = {
    "futuresType": "the venue sends it, its SDK lacks it", "maxMoveOrderLimit": "the same",
    "lastUpdateId": "the same: sent with best prices", "breakEvenPrice": "the same: sent wherever positions are",
    "asks": "the SDK's model of the order API's depth has the levels beside the result, the venue has them in it",
    "bids": "the same",
}

Told = dict[str, object]


def configuration(folder: Path) -> Path:
    """Write a configuration in which every session has a key and an account of its own."""
    names = [f"{script}-{product}" for script, product in SESSIONS]
    path = folder / "exchange.toml"
    path.write_text("\n".join([
        "[exchange]", f"request_weight = {REQUEST_WEIGHT}",
        "[exchange.secrets]", 'sluice-simulated-key = "sluice-simulated-secret"',
        *(f'{name} = "secret"' for name in names),
        "[exchange.accounts]", *(f'{name} = "{name}"' for name in names)]))
    return path


def start(script: str, product: str, address: str, key: str) -> "subprocess.Popen[str]":
    command = [str(judges()), str(SCRIPTS / f"{script}.py"), product, address, key, "secret"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def heard(process: "subprocess.Popen[str]") -> list[Told]:
    """Return what a judge told, once it has ended; what it said otherwise, if it broke off."""
    output, errors = process.communicate(timeout=ENDED_S)
    told: list[Told] = [json.loads(line) for line in output.splitlines()]
    if not told or told[-1]["step"] != "end":
        told.append({"step": "end", "ok": False, "seen": errors})
    return told


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedExchange]:
    folder = tmp_path_factory.mktemp("judges")
    with served_exchange([], "--synthetic", "--config", str(configuration(folder)), folder=folder) as served:
        yield served


@pytest.fixture(scope="module")
def verdicts(exchange: ServedExchange) -> dict[tuple[str, str], list[Told]]:
    """Run all sessions side by side."""
    address = f"127.0.0.1:{exchange.port}"
    running = {(script, product): start(script, product, address, f"{script}-{product}")
               for script, product in SESSIONS}
    return {session: heard(process) for session, process in running.items()}


@pytest.mark.parametrize(("script", "product"), SESSIONS)
def test_a_client_takes_it_for_the_venue(
    verdicts: dict[tuple[str, str], list[Told]], script: str, product: str,
) -> None:
    told = verdicts[script, product]
    assert [step for step in told if not step["ok"]] == []
    assert len(told) > 10


def test_the_sdks_know_every_field_but_those_that_are_listed(verdicts: dict[tuple[str, str], list[Told]]) -> None:
    seen = [step["seen"] for told in verdicts.values() for step in told]
    unknown = {path.rpartition(".")[2] for each in seen if isinstance(each, dict) for path in each.get("unknown", ())}
    assert unknown == set(UNKNOWN)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda text: text.split("\n", 1)[0])
def test_a_program_of_the_document_runs(exchange: ServedExchange, program: str) -> None:
    here = program.replace("127.0.0.1:15080", f"127.0.0.1:{exchange.port}")
    done = subprocess.run([str(judges()), "-c", here], capture_output=True, text=True, timeout=ENDED_S, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_commands_of_the_document_ask_for_faults_and_take_them_back(exchange: ServedExchange) -> None:
    for line in "".join(COMMANDS).splitlines():
        here = line.replace("127.0.0.1:15080", f"127.0.0.1:{exchange.port}")
        done = subprocess.run(["bash", "-c", here], capture_output=True, text=True, timeout=60, check=True)
        assert "error" not in json.loads(done.stdout), done.stdout
    assert json.loads(done.stdout) == {"waiting": []}


def test_the_document_names_every_fault() -> None:
    table = DOCUMENT.split("| `kind` |")[1].split("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == {kind.value for kind in FaultKind}


def test_a_client_that_asks_for_too_much_is_slowed_down_and_then_banned(
    exchange: ServedExchange, verdicts: dict[tuple[str, str], list[Told]],
) -> None:
    key = "ccxt_session-binanceusdm"
    told = heard(start("ccxt_limits", "binanceusdm", f"127.0.0.1:{exchange.port}", key))
    assert [step for step in told if not step["ok"]] == []
