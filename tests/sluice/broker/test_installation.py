"""What the local broker needs is found, fetched once, or named in a sentence. The `mvn` and `java` here are scripts."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sluice.broker import installation
from sluice.errors import ConfigurationError, NotRunningError

MAVEN = """#!/bin/sh
echo called >> "{calls}"
for argument in "$@"; do
  case "$argument" in
    -DoutputDirectory=*) mkdir -p "${{argument#*=}}" && : > "${{argument#*=}}/kafka-server-4.jar";;
  esac
done
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH but for what a script itself needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text.replace("#!/bin/sh\n", "#!/bin/sh\nPATH=/bin:/usr/bin\n", 1))
    path.chmod(0o755)


def test_jars_are_fetched_once_by_two_at_once_and_then_need_no_maven(programs: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    program(programs, "mvn", MAVEN.format(calls=calls))
    with ThreadPoolExecutor(2) as both:
        folders = set(both.map(lambda _: installation.jars(tmp_path / "cache"), range(2)))
    (programs / "mvn").unlink()
    assert folders == {installation.jars(tmp_path / "cache")}
    assert calls.read_text() == "called\n"
    assert [path.name for path in folders.pop().iterdir()] == ["kafka-server-4.jar"]


def test_another_list_of_jars_is_another_folder(programs: Path, tmp_path: Path) -> None:
    program(programs, "mvn", MAVEN.format(calls=tmp_path / "calls"))
    other = tmp_path / "pom.xml"
    other.write_text("<project/>")
    assert installation.jars(tmp_path, other) != installation.jars(tmp_path)


def test_failed_fetch_says_what_maven_said_and_leaves_nothing_that_counts(programs: Path, tmp_path: Path) -> None:
    program(programs, "mvn", "#!/bin/sh\necho no route to repository >&2\nexit 1\n")
    with pytest.raises(NotRunningError, match="no route to repository"):
        installation.jars(tmp_path / "cache")
    program(programs, "mvn", MAVEN.format(calls=tmp_path / "calls"))
    assert installation.jars(tmp_path / "cache").is_dir()


def test_missing_program_is_named_with_how_to_install_it(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Maven must be installed") as maven:
        installation.jars(tmp_path)
    with pytest.raises(ConfigurationError, match="Java 17 or newer must be installed") as found:
        installation.java()
    assert "apt install maven" in maven.value.fix
    assert "apt install openjdk-17" in found.value.fix


@pytest.mark.parametrize(("told", "fits"), [
    ('openjdk version "17.0.15" 2025-04-15', True), ('java version "21" 2023-09-19', True),
    ('openjdk version "11.0.2" 2019-01-15', False), ('java version "1.8.0_392"', False), ("no such thing", False)])
def test_java_must_be_new_enough(programs: Path, told: str, fits: bool) -> None:
    program(programs, "java", f"#!/bin/sh\necho '{told}' >&2\n")
    if fits:
        assert installation.java() == str(programs / "java")
    else:
        with pytest.raises(ConfigurationError, match="must be 17 or newer"):
            installation.java()


def test_java_home_goes_before_the_path(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "jdk"
    (home / "bin").mkdir(parents=True)
    program(home / "bin", "java", "#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert installation.java() == str(home / "bin" / "java")


def test_cache_is_the_users_and_can_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert installation.user_cache() == tmp_path / "sluice"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert installation.user_cache() == Path.home() / ".cache" / "sluice"
