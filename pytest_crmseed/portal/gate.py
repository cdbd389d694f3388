"""Who may ask a portal on a loopback address: this machine's programs, no page of a foreign site.

A page that a browser has open can send requests to 127.0.0.1. It says so in ``Origin``; or it has
its own name resolve to 127.0.0.1 (DNS rebinding), and then ``Host`` says that name.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from pytest_crmseed.portal.message import PortalRequest, PortalResponse


def refusal(request: PortalRequest, names: Collection[str]) -> PortalResponse | None:
    """Return the answer to a request that may not come in; None when it may.

    ``names`` are host names that are the portal's beside the loopback ones.
    """
    host = request.headers.get("host", "")
    # No browser leaves Host out; clients of HTTP/1.0 do.
    if host and not is_own(host, names):
        return _refused(
            f"The local portal answers on 127.0.0.1 and localhost, not on {host!r}. Name another host"
            " with LocalPortal(host_names=[...]) or `crmseed portal --host-name`."
        )
    origin = request.headers.get("origin")
    if origin is not None and not is_own(_host_of(origin), names):
        return _refused(f"The local portal refuses requests from pages of another site ({origin}).")
    return None


def is_own(host: str, names: Collection[str]) -> bool:
    """Return whether a ``Host``, with or without a port, is loopback or one of ``names``."""
    try:
        parsed = urlsplit(f"//{host}")
        name = (parsed.hostname or "").lower()
        if parsed.username is not None or parsed.path or parsed.query or parsed.fragment:
            return False
        if name == "localhost" or name in names:
            return True
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _host_of(origin: str) -> str:
    scheme, separator, host = origin.partition("://")
    return host if separator and scheme in ("http", "https") else ""


def _refused(message: str) -> PortalResponse:
    return PortalResponse.of(403, {"status": "error", "category": "FORBIDDEN", "message": message})
