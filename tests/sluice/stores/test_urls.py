"""No secret of a URL survives redaction."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.stores.urls import redacted

# What the URLs below show anyhow, a secret may equal without being told.
_SHOWN = "postgresql://user:***@db/x redis://:***@db/0 postgresql://db/x?password=***"
secrets = st.text(min_size=8, max_size=30).filter(lambda text: quote(text, safe="") not in _SHOWN)


@pytest.mark.parametrize(("url", "shown"), [
    ("postgresql://sluice:hunter22@db:5432/trading", "postgresql://sluice:***@db:5432/trading"),
    ("postgresql://postgres@/postgres?host=/tmp/x", "postgresql://postgres@/postgres?host=/tmp/x"),
    ("postgresql://db/trading?user=a&password=hunter22", "postgresql://db/trading?user=a&password=***"),
    ("redis://:hunter22@cache:6379/0", "redis://:***@cache:6379/0"),
    ("unix:///tmp/x/redis.sock?db=0", "unix:///tmp/x/redis.sock?db=0"),
    ("host=db password=hunter22", "***"),
    ("http://[broken:hunter22", "***"),
    ("", "***"),
])
def test_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert redacted(url) == shown


@given(secrets)
@example("pass*ord")
def test_no_password_survives(secret: str) -> None:
    encoded = quote(secret, safe="")
    for url in (f"postgresql://user:{encoded}@db/x", f"redis://:{encoded}@db/0", f"postgresql://db/x?password={encoded}"):
        assert encoded not in redacted(url)
