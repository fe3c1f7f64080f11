"""`sluice serve exchange`: run the simulated exchange."""

import asyncio
import contextlib
import resource
import signal
from logging import LogRecord, getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sluice.cli.options import config_option, json_option
from sluice.cli.output import emit
from sluice.config.settings import Settings
from sluice.errors import InputError

if TYPE_CHECKING:
    from sluice.config.exchange import ExchangeSettings

_MOST_FILES: Final = 65_536


@click.command("exchange")
@config_option
@click.option("--tape", "tapes", type=click.Path(path_type=Path), multiple=True, help="A tape or a folder of tapes.")
@click.option("--synthetic", is_flag=True, help="Make the market up, whatever tapes are configured.")
@click.option("--address", help="host:port to listen at; port 0 finds a free one.")
@click.option("--pace", help="realtime, a speed such as 10x, max, or lockstep.")
@click.option("--time", "time_base", type=click.Choice(["now", "recorded"]), help="Times of the tape: shifted or not.")
@click.option("--start-after", "start_after_s", type=click.FloatRange(min=0), help="Seconds to play at once first.")
@click.option("--at-end", type=click.Choice(["stay", "loop", "exit"]), help="What to do at the end of the tape.")
@click.option("--journal", type=click.Path(path_type=Path, dir_okay=False), help="File to rebuild from after a crash.")
@json_option
def serve(settings: Settings, tapes: tuple[Path, ...], synthetic: bool, as_json: bool, **given: Any) -> None:
    """Run a simulated exchange that speaks Binance's futures API.

    REST, market and user streams, and the WebSocket order API are at one address, USD-M and COIN-M together. Its market
    is a tape or made up while it runs.
    """
    # Help pages must not pay for servers and compiled code.
    from sluice.telemetry import logging, metrics  # noqa: PLC0415

    given["time"] = given.pop("time_base")
    chosen = {name: value for name, value in given.items() if value is not None}
    if tapes or synthetic:
        chosen["tapes"] = () if synthetic else tapes
    section = _with(settings.exchange, chosen)
    logging.configure(settings.telemetry.log_level)
    metrics.serve(settings, "exchange")
    _allow_many_connections()
    getLogger("aiohttp.server").addFilter(_is_failure_of_ours)
    asyncio.run(_serve(settings.model_copy(update={"exchange": section}), as_json))


def _allow_many_connections() -> None:
    """Raise the number of files that this process may open to what the machine allows: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _is_failure_of_ours(record: LogRecord) -> bool:
    """Tell whether the HTTP library logs more than a client that sent a malformed request or left before its answer."""
    from aiohttp.http_exceptions import HttpProcessingError  # noqa: PLC0415  # as for other servers

    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError | ConnectionError))


def _with(section: "ExchangeSettings", chosen: dict[str, Any]) -> "ExchangeSettings":
    """Return the section with what the command line says in place. Raises `InputError`."""
    from pydantic import ValidationError  # noqa: PLC0415

    try:
        return section.model_validate({**section.model_dump(), **chosen})
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise InputError(f"--{wrong['loc'][0]} must be as documented, was {wrong['input']!r}",
                         fix="see `sluice serve exchange --help`") from None


async def _serve(settings: Settings, as_json: bool) -> None:
    from backtest.exchange.serving.service import ExchangeService  # noqa: PLC0415
    from sluice.config.loading import catalog_of  # noqa: PLC0415

    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    service = ExchangeService(settings.exchange, catalog_of(settings))
    address = await service.start()
    try:
        emit(*_started(settings.exchange, address, service.market.name, as_json))
        if settings.exchange.at_end == "exit":
            await _first_of(stopping, service.ended)
        await service.run(stopping)
    finally:
        await service.stop()


async def _first_of(stopping: asyncio.Event, ended: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in (stopping, ended)]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
    stopping.set()


def _started(section: "ExchangeSettings", address: str, market: str, as_json: bool) -> tuple[dict[str, Any], bool, str]:
    urls = {"rest": f"http://{address}", "streams": f"ws://{address}", "usdm_order_api": f"ws://{address}/ws-fapi/v1",
            "coinm_order_api": f"ws://{address}/ws-dapi/v1"}
    data = {"address": address, "market": market, "pace": section.pace, "keys": sorted(section.secrets), **urls}
    lines = [f"exchange listens on {address}: {market}, pace {section.pace}",
             f"  REST                  {urls['rest']}/fapi/v1 and /dapi/v1",
             f"  market streams        {urls['streams']}/public and /market, each with /ws and /stream",
             f"  user streams          {urls['streams']}/private/ws?listenKey=KEY",
             f"  order API             {urls['usdm_order_api']} and /ws-dapi/v1",
             f"  API keys              {', '.join(sorted({*section.secrets, *section.public_keys}))}"]
    return data, as_json, "\n".join(lines)
