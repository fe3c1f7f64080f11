"""`sluice doctor`: is this machine ready, and what to do where it is not. What is looked at is in `diagnosis`."""

from pathlib import Path

import click

from sluice.cli.diagnosis import EXAMINATIONS, Finding
from sluice.cli.options import config_path_option, json_option
from sluice.cli.output import emit
from sluice.config.loading import load_with_origins
from sluice.config.settings import Settings
from sluice.errors import SluiceError


@click.command()
@config_path_option
@json_option
def doctor(path: Path | None, as_json: bool) -> None:
    """Check this machine and configuration, with a fix for each failure.

    Changes nothing. Exit code 0 where all is well, else 1.
    """
    settings, findings = _configuration(path)
    findings += [finding for examine in EXAMINATIONS for finding in examine(settings)]
    healthy = all(finding.healthy for finding in findings)
    emit({"healthy": healthy, "findings": [_row(finding) for finding in findings]}, as_json, _report(findings))
    if not healthy:
        raise click.exceptions.Exit(1)


def _configuration(path: Path | None) -> tuple[Settings, list[Finding]]:
    # A broken configuration is one finding among the others, which then go by the defaults.
    try:
        loaded = load_with_origins(path)
    except SluiceError as error:
        problems = error.message.splitlines()
        return Settings(), [Finding("configuration", False, problem, error.fix) for problem in problems]
    return loaded.settings, [Finding("configuration", True, str(loaded.file or "no file, defaults"))]


def _row(finding: Finding) -> dict[str, object]:
    fix = {} if finding.healthy else {"fix": finding.fix}
    return {"name": finding.name, "healthy": finding.healthy, "message": finding.message, **fix}


def _report(findings: list[Finding]) -> str:
    width = max(len(finding.name) for finding in findings)
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{'ok  ' if finding.healthy else 'FAIL'}  {finding.name:{width}}  {finding.message}")
        if not finding.healthy:
            lines.append(f"{'':{width + 8}}Fix: {finding.fix}")
    failed = sum(not finding.healthy for finding in findings)
    return "\n".join([*lines, "", f"{failed} of {len(findings)} failed." if failed else "All is well."])
