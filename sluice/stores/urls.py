"""Store URLs without their secrets, for messages and logs."""

from urllib.parse import parse_qsl, urlencode, urlsplit

_SECRET_PARAMETERS = frozenset({"password", "passfile", "sslpassword", "sslkey"})


def redacted(url: str) -> str:
    """Return the URL with `***` where its password was; something that cannot be parsed is hidden whole."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "***"
    if not parts.scheme:
        return "***"
    credentials, at, place = parts.netloc.rpartition("@")
    user, colon, _ = credentials.partition(":")
    query = [(name, "***" if name in _SECRET_PARAMETERS else value) for name, value in parse_qsl(parts.query)]
    hidden = f"{user}:***" if colon else user
    ending = f"?{urlencode(query, safe='/*:')}" if query else ""
    return f"{parts.scheme}://{hidden}{at}{place}{parts.path}{ending}"
