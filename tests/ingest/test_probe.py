"""Asking an address whether it is a local portal."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_crmseed.errors import OutcomeUnknown, Unreachable
from pytest_crmseed.ingest.probe import probe
from pytest_crmseed.portal import LocalPortal


def test_a_local_portal_says_who_it_is(one_portal: LocalPortal) -> None:
    identity = probe(one_portal.base_url)
    assert identity is not None
    assert identity.tokens["hubspot"] == {
        "seeder": one_portal.seed_token,
        "application": one_portal.token,
    }
    assert identity.environ == one_portal.environ


@pytest.mark.parametrize(
    "body",
    [b"<html>hello</html>", b"[]", b'{"portal": "something else"}', b"{}", b'"pytest-crmseed"'],
)
def test_anything_else_is_none(server: Any, behave: Any, body: bytes) -> None:
    server.script.append(behave.answer(200, body))
    assert probe(server.url) is None
    (received,) = server.received
    assert (received.method, received.target) == ("GET", "/_portal/")
    assert "authorization" not in received.headers


def test_so_is_a_redirect(server: Any, behave: Any) -> None:
    server.script.append(behave.answer(302, b"", {"Location": "https://example.com/"}))
    assert probe(server.url) is None


def test_an_answer_cut_short_tells_nothing(server: Any, behave: Any) -> None:
    server.script.append(behave.reset)
    with pytest.raises(OutcomeUnknown, match="closed the connection without a proper answer"):
        probe(server.url)


def test_an_address_at_which_nothing_listens_is_an_error(dead_url: str) -> None:
    with pytest.raises(Unreachable, match="nothing listens there"):
        probe(dead_url)
