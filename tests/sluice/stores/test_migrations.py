"""The order and the rules of migrations, without a database."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.errors import ConfigurationError
from sluice.stores.migrations import Migration, load, ordered, plan

numbers = st.sets(st.integers(0, 999), max_size=12)


def migration(number: int, text: str = "SELECT 1") -> Migration:
    """A migration with this number."""
    return Migration(f"{number:03}_step.sql", text)


def applied(*migrations: Migration) -> dict[str, str]:
    """What the database remembers of these."""
    return {each.name: each.sha256 for each in migrations}


@given(numbers.flatmap(lambda found: st.permutations([migration(each) for each in found])))
def test_migrations_are_ordered_by_number_however_they_are_found(found: list[Migration]) -> None:
    assert [each.name for each in ordered(found)] == sorted(each.name for each in found)


@given(numbers, st.data())
def test_plan_is_what_comes_after_the_applied_part(chosen: set[int], data: st.DataObject) -> None:
    every = [migration(each) for each in sorted(chosen)]
    done = data.draw(st.integers(0, len(every)))
    assert plan(every, applied(*every[:done])) == every[done:]


@given(numbers.filter(bool), st.data())
def test_plan_refuses_any_changed_file(chosen: set[int], data: st.DataObject) -> None:
    every = [migration(each) for each in sorted(chosen)]
    changed = data.draw(st.integers(0, len(every) - 1))
    now = [Migration(each.name, each.text + ("; " if index == changed else "")) for index, each in enumerate(every)]
    with pytest.raises(ConfigurationError, match=f"{every[changed].name} must be the one applied"):
        plan(now, applied(*every))


def test_plan_refuses_a_file_that_disappeared() -> None:
    with pytest.raises(ConfigurationError, match=r"002_step\.sql must still exist"):
        plan([migration(1)], applied(migration(1), migration(2)))


def test_plan_refuses_a_file_slipped_in_before_an_applied_one() -> None:
    with pytest.raises(ConfigurationError, match=r"002_step\.sql must come after 003_step\.sql"):
        plan([migration(1), migration(2), migration(3)], applied(migration(1), migration(3)))


def test_plan_tells_every_problem_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan([migration(1, "changed"), migration(2)], applied(migration(1), migration(3)))
    assert len(caught.value.problems) == 3


def test_two_files_of_one_number_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"shared by 001_a\.sql and 001_b\.sql"):
        ordered([Migration("001_a.sql", ""), Migration("001_b.sql", "")])


@pytest.mark.parametrize("name", ["1_a.sql", "001-a.sql", "001_A.sql", "a.sql", "0001_a.sql"])
def test_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"must be called NNN_name\.sql"):
        ordered([Migration(name, "")])


def test_load_reads_the_sql_files_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "loaded_migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "002_b.sql").write_text("SELECT 2")
    (package / "001_a.sql").write_text("SELECT 1")
    (package / "README.md").write_text("no migration")
    monkeypatch.syspath_prepend(tmp_path)
    assert load("loaded_migrations") == [Migration("001_a.sql", "SELECT 1"), Migration("002_b.sql", "SELECT 2")]
    sys.modules.pop("loaded_migrations")


def test_load_of_a_missing_package_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no_such_package must exist"):
        load("no_such_package")
