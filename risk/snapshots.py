"""The portfolio and the limits as messages."""

from risk.drawdown import Period
from risk.engine import RiskEngine
from risk.limits import limits_version, named_limits
from sluice.config.settings import LimitSettings
from sluice.decimals import ZERO, text, text_or_empty
from sluice.orders import number_of
from sluice.positions import Position
from sluice.risk.v1 import order_pb2 as orders
from sluice.risk.v1 import risk_pb2 as risk


def portfolio_snapshot(engine: RiskEngine, risk_epoch: int) -> risk.PortfolioSnapshot:
    """Return the account as the engine counts it now."""
    exposure = engine.gross_exposure()
    return risk.PortfolioSnapshot(
        event_time_ns=engine.market.event_time_ns,
        report_sequence=engine.portfolio.report_sequence,
        trading_state=risk.TradingState.ValueType(engine.trading_state.value),
        risk_epoch=risk_epoch,
        positions=[_position(engine, position) for position in engine.portfolio.positions()],
        equity=_equity(engine),
        gross_exposure=text_or_empty(exposure),
        reservations=_reservations(engine),
    )


def limits_message(limits: LimitSettings) -> risk.GetLimitsResponse:
    """Return the limits in force with their version."""
    return risk.GetLimitsResponse(
        version=limits_version(limits),
        limits=[
            risk.Limit(name=limit.name, value=limit.value,
                       code=risk.ReasonCode.ValueType(limit.code.value if limit.code else 0))
            for limit in named_limits(limits)
        ])


def _position(engine: RiskEngine, position: Position) -> risk.Position:
    key = position.instrument.key
    mark, reserved = engine.market.reference_price(key), engine.portfolio.reservations.quantities(key)
    unrealised = position.unrealised_pnl(mark) if mark is not None else None
    return risk.Position(
        instrument=key,
        quantity=text(position.quantity),
        entry_price=text(position.entry_price),
        mark_price=text_or_empty(mark),
        unrealised_pnl=text_or_empty(unrealised),
        realised_pnl=text(position.realised_pnl),
        fees=text(position.fees),
        reserved_buy_quantity=text(reserved.buy),
        reserved_sell_quantity=text(reserved.sell),
    )


def _equity(engine: RiskEngine) -> list[risk.Equity]:
    lines = [engine.portfolio.equity(asset, engine.market.reference_price) for asset in engine.portfolio.assets()]
    marks = engine.guard.marks
    return [
        risk.Equity(
            asset=line.asset, balance=text(line.balance), unrealised_pnl=text(line.unrealised_pnl),
            equity=text(line.equity),
            drawdown_day=text(marks[line.asset].drawdown(Period.DAY) if line.asset in marks else ZERO),
            drawdown_week=text(marks[line.asset].drawdown(Period.WEEK) if line.asset in marks else ZERO))
        for line in lines if line is not None
    ]


def _reservations(engine: RiskEngine) -> list[risk.Reservation]:
    return [
        risk.Reservation(
            decision_id=held.decision_id, instrument=held.instrument.key,
            side=orders.Side.ValueType(number_of(held.side)),
            quantity=text(held.quantity), notional=text(held.notional))
        for held in engine.portfolio.reservations
    ]
