"""Loading: where values come from, and that every mistake is reported at once, in words, without secrets."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from sluice.config.loading import (
    catalog_of,
    key_directory,
    load_settings,
    load_with_origins,
    public_key_directory,
)
from sluice.config.settings import Settings
from sluice.errors import ConfigurationError, NotFoundError

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a configuration from TOML text and environment variables, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def loader(toml: str = "", **environ: str) -> Settings:
        Path("sluice.toml").write_text(toml)
        return load_settings(environ=environ)

    return loader


def problems_of(load: Load, toml: str = "", environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(toml, **(environ or {}))
    return caught.value.problems


def test_defaults_hold_when_there_is_neither_file_nor_variable(load: Load) -> None:
    assert load() == Settings()


def test_file_wins_over_default_and_variable_over_file(load: Load) -> None:
    toml = '[run]\nnamespace = "from_file"\n[source]\ntick_interval_ms = 250\n'
    settings = load(toml, SLUICE_RUN__NAMESPACE="from_variable")
    assert (settings.run.namespace, settings.source.tick_interval_ms) == ("from_variable", 250)


def test_numbers_with_a_point_stay_exact(load: Load) -> None:
    toml = "[risk.limits]\nmax_drawdown_day = 0.1\nmax_order_notional = 12345678901234567.123456789\n"
    limits = load(toml).risk.limits
    assert limits.max_drawdown_day == Decimal("0.1")
    assert limits.max_order_notional == Decimal("12345678901234567.123456789")


@pytest.mark.parametrize("text", ["a.gz,b.gz", '["a.gz", "b.gz"]', " a.gz , b.gz "])
def test_list_from_a_variable(load: Load, text: str) -> None:
    assert load(SLUICE_SOURCE__TAPES=text).source.tapes == (Path("a.gz"), Path("b.gz"))


def test_table_from_variables_keeps_the_case_of_its_keys(load: Load) -> None:
    assert load(SLUICE_ACCOUNT__BALANCES__USDT="5").account.balances == {"USDT": Decimal(5)}
    assert load(SLUICE_ACCOUNT__BALANCES='{"BTC": 0.3}').account.balances == {"BTC": Decimal("0.3")}


def test_origins_name_file_variable_and_default(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('[run]\nnamespace = "mine"\n[account.balances]\nUSDT = 1\n')
    loaded = load_with_origins(file, {"SLUICE_RISK__ADDRESS": "127.0.0.1:7"})
    assert loaded.origin(("run", "namespace")) == str(file)
    assert loaded.origin(("account", "balances")) == str(file)
    assert loaded.origin(("risk", "address")) == "SLUICE_RISK__ADDRESS"
    assert loaded.origin(("run", "clock")) == "default"


def test_named_file_by_argument_wins_over_the_variable(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(f'[run]\nnamespace = "{name}"\n')
    environ = {"SLUICE_CONFIG": str(tmp_path / "b")}
    assert load_settings(tmp_path / "a", environ).run.namespace == "a"
    assert load_settings(None, environ).run.namespace == "b"


@pytest.mark.parametrize("environ", [{}, {"SLUICE_CONFIG": "missing.toml"}])
def test_missing_named_file_is_not_found(environ: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match=r"must name an existing file, was missing\.toml"):
        load_settings(None if environ else Path("missing.toml"), environ)


def test_every_mistake_is_reported_at_once(load: Load) -> None:
    toml = """
        [run]
        clock = "evnt"
        enviroment = "live"
        [risk]
        address = "nowhere"
        [risk.limits]
        max_order_notional = -5
        order_window_ms = "soon"
    """
    assert problems_of(load, toml, {"SLUICE_RISK__LIMITS__MAX_DRAWDOWN_DAY": "7"}) == [
        "sluice.toml:run.clock: must be one of event, system, was 'evnt'",
        "sluice.toml:run.enviroment: unknown key; did you mean run.environment?",
        "sluice.toml:risk.address: must be host:port or unix:/path, was 'nowhere'; such as \"127.0.0.1:50051\"",
        "sluice.toml:risk.limits.max_order_notional: must be above 0, was -5; use a number above 0",
        "sluice.toml:risk.limits.order_window_ms: must be a whole number, was 'soon'; write it without quotes",
        "SLUICE_RISK__LIMITS__MAX_DRAWDOWN_DAY: must be at most 1, was '7'; use a number at most 1",
    ]


def test_key_in_the_wrong_section_is_sent_to_the_right_one(load: Load) -> None:
    assert problems_of(load, "[risk]\nmax_order_notional = 1\n") == [
        "sluice.toml:risk.max_order_notional: unknown key; did you mean risk.limits.max_order_notional?"]


def test_key_like_no_other_lists_what_is_known(load: Load) -> None:
    assert problems_of(load, "[stores]\nzzz = 1\n") == [
        "sluice.toml:stores.zzz: unknown key; known here: postgres_url, redis_url"]


def test_variable_with_one_underscore_too_few_is_not_ignored(load: Load) -> None:
    assert problems_of(load, environ={"SLUICE_RISK_ADDRESS": "h:1"}) == [
        "SLUICE_RISK_ADDRESS: unknown variable; did you mean SLUICE_RISK__ADDRESS?"]


@pytest.mark.parametrize("variable", ["SLUICE_CONFIG", "SLUICE_DATA", "SLUICE_DEBUG", "SLUICE_REQUIRE"])
def test_variables_that_are_no_settings_are_left_alone(variable: str, tmp_path: Path) -> None:
    file = tmp_path / "sluice.toml"
    file.touch()
    assert load_settings(file, {variable: str(file)}) == Settings()


@pytest.mark.parametrize(("variable", "value"), [
    ("SLUICE_RUN", "x"), ("SLUICE_RUN__CLOCK__FAST", "1"), ("SLUICE_FOO__BAR", "1"), ("SLUICE_SOURCE__TAPES__0", "a"),
    ("SLUICE___X", "1"), ("SLUICE_RUN__", "1"), ("SLUICE_SOURCE__TAPES", "[1,"), ("SLUICE_ACCOUNT__BALANCES", "USDT"),
])
def test_odd_variable_is_a_problem_or_ignored_and_never_an_accident(load: Load, variable: str, value: str) -> None:
    if variable == "SLUICE_RUN":
        assert load(SLUICE_RUN="x") == Settings()
        return
    assert any(variable in problem for problem in problems_of(load, environ={variable: value}))


@pytest.mark.parametrize(("toml", "line"), [
    ("[run]\nclock = event\n", 2), ("[run\n", 1), ('a = "x\n', 1), ("a = 1\na = 2\n", 2)])
def test_broken_toml_is_one_sentence_with_its_line(load: Load, toml: str, line: int) -> None:
    (problem,) = problems_of(load, toml)
    assert problem.startswith("sluice.toml: the file must be valid TOML, and is not: ")
    assert f"line {line}," in problem


def test_file_that_is_no_text_or_a_folder_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path, words in ((tmp_path / "binary", "UTF-8"), (tmp_path, "readable")):
        with pytest.raises(ConfigurationError, match=words):
            load_settings(path, {})


def test_directories_of_keys_follow_the_data_folder_unless_set(load: Load) -> None:
    settings = load('[run]\ndata_dir = "d"\n[execution]\npublic_key_dir = "trusted"\n')
    assert (key_directory(settings), public_key_directory(settings)) == (Path("d/keys"), Path("trusted"))


ENTRY = """
[[instruments]]
venue = "BINANCE_USDM"
symbol = "{symbol}"
contract_kind = "LINEAR"
base_asset = "DOGE"
quote_asset = "USDT"
settlement_asset = "USDT"
contract_size = "1"
tick_size = "{tick_size}"
lot_size = "1"
min_quantity = "1"
max_quantity = "1000"
max_market_quantity = "1000"
min_notional = "5"
price_multiplier_up = "1.1"
price_multiplier_down = "0.9"
"""


def test_own_instruments_add_to_the_shipped_ones_and_replace_them(load: Load) -> None:
    toml = ENTRY.format(symbol="DOGEUSDT", tick_size="0.1") + ENTRY.format(symbol="BTCUSDT", tick_size="7")
    catalog = catalog_of(load(toml))
    assert catalog.require("BINANCE_USDM:DOGEUSDT").tick_size == Decimal("0.1")
    assert catalog.require("BINANCE_USDM:BTCUSDT").tick_size == Decimal(7)
    assert catalog.get("BINANCE_USDM:ETHUSDT") is not None


def test_instrument_that_does_not_parse_is_reported_with_its_place(load: Load) -> None:
    (problem,) = problems_of(load, ENTRY.format(symbol="DOGEUSDT", tick_size="-1"))
    place = "sluice.toml:instruments[0]: instrument DOGEUSDT"
    assert problem == f"{place}: tick_size must be positive, was -1; see sluice/instruments.toml for complete entries"


def test_empty_text_for_an_optional_folder_means_that_there_is_none(load: Load) -> None:
    assert load('[risk]\nkey_dir = ""\n').risk.key_dir is None
