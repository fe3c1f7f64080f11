"""What the local broker needs of the machine: Java 17, and Kafka's jars, which Maven fetches once.

They lie in the user's cache; after the first time neither Maven nor the network is needed. Nothing is installed outside
that cache and Maven's own.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import sluice
from sluice.errors import ConfigurationError, NotRunningError

POM: Final = Path(sluice.__file__).resolve().parent.parent / "deploy" / "dev" / "pom.xml"
OLDEST_JAVA: Final = 17
_FETCH_TIMEOUT_S: Final = 600
_OTHERWISE: Final = "or name a broker of your own in kafka.bootstrap_servers"
_NETWORK_FIX: Final = f"look at Maven's message: it needs the network or a mirror in ~/.m2/settings.xml; {_OTHERWISE}"


def java() -> str:
    """Return the path of a Java that Kafka runs on. Raises ConfigurationError where there is none, or it is too old."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    fix = f"install it, for example with: apt install openjdk-17-jre-headless; {_OTHERWISE}"
    if found is None:
        raise ConfigurationError(
            [f"Java {OLDEST_JAVA} or newer must be installed to run a local Kafka, was not found"], fix=fix)
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < OLDEST_JAVA:
        what = version[1] if version else f"unknown ({told.strip()[:100]})"
        raise ConfigurationError([f"Java must be {OLDEST_JAVA} or newer to run a local Kafka, was {what}"], fix=fix)
    return found


def user_cache() -> Path:
    """Return the user's cache folder of Sluice: `$XDG_CACHE_HOME/sluice`, else `~/.cache/sluice`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sluice"


def jars(cache: Path | None = None, pom: Path = POM) -> Path:
    """Return the folder of Kafka's jars, fetched where the cache does not hold them. Two callers fetch once.

    Raises ConfigurationError where Maven or the list of jars is missing, and NotRunningError where the fetch fails.
    """
    try:
        wanted = hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    except OSError:
        raise ConfigurationError([f"the list of Kafka's jars must be at {pom}, was not found"],
                                 fix=f"run from a checkout of the project, {_OTHERWISE}") from None
    folder = (cache or user_cache()) / "kafka" / wanted
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f"{wanted}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _fetch(pom, folder)
    return folder


def _fetch(pom: Path, folder: Path) -> None:
    """Let Maven copy the jars beside the folder; it gets its name when it is complete."""
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigurationError(["Maven must be installed to fetch a local Kafka, was not found"],
                                 fix=f"install it, for example with: apt install maven; {_OTHERWISE}")
    unfinished = folder.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    argv = [maven, "--quiet", "--batch-mode", "--strict-checksums", "--file", str(pom),
            "dependency:copy-dependencies", f"-DoutputDirectory={unfinished}"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_FETCH_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise NotRunningError(f"Maven must fetch Kafka's jars within {_FETCH_TIMEOUT_S} s, did not",
                              fix=_NETWORK_FIX) from None
    if done.returncode != 0 or not any(unfinished.glob("kafka-server-*.jar")):
        told = (done.stdout + done.stderr).strip()[:1000]
        raise NotRunningError(f"Maven must fetch Kafka's jars, ended with {done.returncode}: {told}", fix=_NETWORK_FIX)
    unfinished.rename(folder)
