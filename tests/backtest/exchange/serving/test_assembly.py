"""From settings to an exchange: models of queue and impact, and what trading costs."""

from decimal import Decimal
from typing import get_args

import pytest

from backtest.exchange.serving.assembly import fill_model, open_exchange, rules
from backtest.matching.state import ImpactModel, QueueModel
from sluice.config.exchange import ExchangeSettings
from sluice.instruments import InstrumentCatalog


def choices(key: str) -> set[str]:
    return set(get_args(ExchangeSettings.model_fields[key].annotation))


def test_settings_offer_every_model_that_a_recorded_book_can_feed() -> None:
    assert choices("queue_model") == {model.name.lower() for model in QueueModel if model is not QueueModel.FIFO}
    assert choices("impact_model") == {model.name.lower() for model in ImpactModel}
    chosen = fill_model(ExchangeSettings(queue_model="power_2", queue_power=2.0, impact_model="linear", impact_ticks=3))
    assert (chosen.queue_model, chosen.queue_power) == (QueueModel.POWER_2, 2.0)
    assert (chosen.impact_model, chosen.impact_ticks) == (ImpactModel.LINEAR, 3.0)


@pytest.mark.parametrize(("settings", "maker", "taker"), [
    (ExchangeSettings(), "0.0002", "0.0005"), (ExchangeSettings(maker_fee_bps=Decimal(1)), "0.0001", "0.0005"),
    (ExchangeSettings(fee_tier=1, maker_fee_bps=Decimal(9)), "0.00016", "0.0004")])
def test_a_fee_tier_replaces_both_rates(settings: ExchangeSettings, maker: str, taker: str) -> None:
    rates = open_exchange(settings, InstrumentCatalog.shipped()).fee_rates("main", "BTCUSDT")
    assert (rates.maker, rates.taker) == (Decimal(maker), Decimal(taker))


def test_a_journal_is_of_its_rules() -> None:
    found = {rules(settings) for settings in (
        ExchangeSettings(), ExchangeSettings(fee_tier=3), ExchangeSettings(queue_model="log"),
        ExchangeSettings(impact_lots=2.0), ExchangeSettings(funding_rate=Decimal(0)))}
    assert len(found) == 5
