"""Settings of the feature rows: which set, on bars of which lengths, and how the flow of features writes them."""

from typing import Annotated, Literal

from pydantic import Field

from sluice.config.section import Section

BarLength = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}[smhd]$")]


class FeatureSettings(Section):
    """What a feature row holds."""

    set: Literal["light", "full"] = Field(
        "light", description="`light`: what the shipped model reads. `full`: every family of indicators as well.")
    bars: Annotated[tuple[BarLength, ...], Field(min_length=1)] = Field(
        ("1s", "1m", "5m"), description="Lengths of the bars that the full set has indicators on.")
    reference: str = Field(
        "BINANCE_USDM:BTCUSDT", min_length=1,
        description="Key of the instrument that rolling correlation and beta of the full set are to.")
    part_rows: Annotated[int, Field(ge=1, le=100_000)] = Field(
        600, description="Most rows of one Parquet part of `dataflows.features`; as many may wait in its state.")
