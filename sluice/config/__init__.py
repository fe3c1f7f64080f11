"""Typed configuration: one TOML file plus environment variables, all mistakes reported at once."""

from sluice.config.loading import load_settings
from sluice.config.settings import Settings

__all__ = ["Settings", "load_settings"]
