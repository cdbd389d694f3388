"""Ask an address whether it is a local portal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_crmseed.errors import NotAPortal
from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.providers.base import Effect, Request

LOCAL = "pytest-crmseed"
READ_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class LocalIdentity:
    """What a local portal says of itself: tokens by provider and by purpose, an application's variables.

    ``stock`` are the providers of which it has the definitions of the bundled schema, and no others.
    """

    tokens: Mapping[str, Mapping[str, str]]
    environ: Mapping[str, str]
    stock: frozenset[str] = frozenset()


def probe(base_url: str) -> LocalIdentity | None:
    """Return a local portal's identity, or None when something else answers; sends no credentials.

    Raises:
        Unreachable: nothing listens at this address.
        OutcomeUnknown: what listens there gives no proper answer.
    """
    transport = Transport(base_url, headers={}, read_timeout=READ_TIMEOUT)
    try:
        answer = transport.send(Request("GET", "/_portal/", "ask whether it is a local portal", Effect.READ))
        body = answer.json()
    except (NotAPortal, ValueError):
        # A redirect, an HTML page: some other server.
        return None
    finally:
        transport.close()
    if not isinstance(body, dict) or body.get("portal") != LOCAL:
        return None
    return LocalIdentity(
        body.get("tokens") or {}, body.get("environ") or {}, frozenset(body.get("stock") or ())
    )
