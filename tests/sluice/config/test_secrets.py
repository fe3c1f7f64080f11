"""A secret never leaves the configuration: not in an error, not in a repr, not in what `config show` prints."""

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.config.loading import load_settings
from sluice.config.problems import redacted
from sluice.errors import ConfigurationError

SECRET = "hunter2/with@odd:parts"
WRONG_SCHEME = "mysql://trader:hunter2@db/x"
URL = f"postgresql://trader:{SECRET}@db:5432/x"


def test_repr_of_settings_hides_urls() -> None:
    settings = load_settings(environ={"SLUICE_STORES__POSTGRES_URL": URL})
    assert settings.stores.postgres_url.get_secret_value() == URL
    assert "hunter2" not in f"{settings!r} {settings} {settings.stores}"


@pytest.mark.parametrize("variable", [
    "SLUICE_STORES__POSTGRES_URL",     # another store's scheme
    "SLUICE_STORES__POSTGRES_URLL",    # a key that does not exist
    "SLUICE_RUN__CLOCK",               # pasted into the wrong place
    "SLUICE_RISK__ADDRESS",
    "SLUICE_STORES__POSTGRES_URL__X",
])
def test_error_does_not_quote_a_secret(variable: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ={variable: WRONG_SCHEME})
    printed = "".join(traceback.format_exception(caught.value))
    assert variable in printed
    assert "hunter2" not in printed


def test_section_written_as_a_value_is_not_quoted(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("secrets") / "sluice.toml"
    file.write_text(f'stores = "{URL}"\n')
    with pytest.raises(ConfigurationError, match=r"stores: must be a section, was \*\*\*") as caught:
        load_settings(file, {})
    assert "hunter2" not in str(caught.value)


@given(st.text(alphabet=st.characters(exclude_characters="/@ ", exclude_categories=["Z", "C"]), min_size=8))
def test_credentials_of_a_url_are_masked_wherever_they_stand(password: str) -> None:
    text = redacted(f"was 'redis://:{password}@host:6379/0'")
    assert text == "was 'redis://***@host:6379/0'"
