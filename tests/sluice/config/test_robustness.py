"""Whatever stands in a configuration, loading answers with settings or with sentences."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.config import shape
from sluice.config.loading import load_settings
from sluice.config.settings import Settings
from sluice.config.sources import variable_of
from sluice.errors import ConfigurationError

PLACES = sorted(shape.leaves())
VALUES = st.one_of(st.text(max_size=20), st.integers().map(str), st.decimals().map(str), st.just("[]"), st.just("{}"))


@given(st.dictionaries(st.sampled_from(PLACES), VALUES, max_size=4))
def test_any_value_of_any_variable(values: dict[tuple[str, ...], str]) -> None:
    environ = {variable_of(place): text for place, text in values.items()}
    try:
        assert isinstance(load_settings(environ=environ), Settings)
    except ConfigurationError as error:
        assert error.problems
        assert all("\n" not in problem and ": " in problem for problem in error.problems)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60))
def test_any_bytes_in_the_file(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "sluice.toml"
    file.write_bytes(content)
    try:
        assert load_settings(file, {}) == Settings()
    except ConfigurationError as error:
        assert all(str(file) in problem for problem in error.problems)


@pytest.mark.parametrize("place", PLACES, ids=shape.dotted)
def test_table_in_place_of_any_setting(place: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "sluice.toml"
    file.write_text(f"[{'.'.join(place)}.deeper]\nvalue = 1\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {})
    assert shape.dotted(place) in caught.value.problems[0]
