"""What every section of the configuration is made of, so that sections may live in files of their own."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
#: TOML has no null, so an empty text says that there is none.
OptionalPath = Annotated[Path | None, BeforeValidator(lambda value: None if value == "" else value)]
Port = Annotated[int, Field(ge=0, le=65535)]
Address = Annotated[str, Field(pattern=r"^(unix:.+|[^:\s]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5})$")]


class Section(BaseModel):
    """A section: immutable, and an unknown key in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
