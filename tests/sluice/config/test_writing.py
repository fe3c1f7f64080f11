"""Written settings are read back as they were, and only their owner can read the file."""

import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sluice.config.loading import load_settings
from sluice.config.settings import AccountSettings, Settings
from sluice.config.writing import write_settings

ENVIRON = {"SLUICE_STORES__REDIS_URL": "redis://:hunter2@cache:6379/0", "SLUICE_RUN__NAMESPACE": "other",
           "SLUICE_RISK__LIMITS__MAX_ORDER_NOTIONAL": "1234.5"}


def test_written_settings_are_read_back_and_private_whatever_was_there(tmp_path: Path) -> None:
    settings = load_settings(environ=ENVIRON)
    file = tmp_path / "run" / "sluice.toml"
    for _ in range(2):
        write_settings(settings, file)
        assert load_settings(file, {}) == settings
        assert file.stat().st_mode & 0o777 == 0o600
        file.chmod(0o644)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip))
def test_any_text_survives(text: str) -> None:
    settings = Settings(account=AccountSettings(name=text, balances={text: Decimal(1)}))
    with tempfile.TemporaryDirectory() as folder:
        write_settings(settings, Path(folder) / "sluice.toml")
        assert load_settings(Path(folder) / "sluice.toml", {}) == settings
