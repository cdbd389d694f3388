"""Reads by id, with all pages of their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_crmseed.providers.base import Answer, Found, Provider, Request
from pytest_crmseed.providers.optional import Paged


def found_by(request: Request, provider: Provider, send: Callable[[Request], Answer]) -> Iterator[Found]:
    """Yield the records that a read by id finds.

    Raises:
        PortalError: a page cannot be read; then nobody knows what is on it.
    """
    page: Request | None = request
    while page is not None:
        answer = send(page)
        yield from provider.found(answer)
        page = provider.more(answer) if isinstance(provider, Paged) else None
