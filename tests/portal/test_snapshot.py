"""Going back to what a portal held; its clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import LocalPortal
from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import Clock, Portal, PortalRequest, VirtualClock

TIER = {
    "name": "tier",
    "label": "Tier",
    "type": "string",
    "fieldType": "text",
    "groupName": "contactinformation",
    "hasUniqueValue": True,
}


def names(ask: Any) -> list[str]:
    return [each["properties"]["firstname"] for each in ask.get("/crm/v3/objects/contacts").json()["results"]]


def test_records_definitions_links_and_unique_values_come_back(portal: Portal, ask: Any) -> None:
    contact, company = ask.contact(firstname="Ann", email="a@example.com"), ask.company()
    ask("PUT", f"/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}")
    held = portal.snapshot()
    assert repr(held) == "<Snapshot>"
    for turn in range(2):
        ask("PATCH", f"/crm/v3/objects/contacts/{contact}", {"properties": {"firstname": "Bea"}})
        ask("DELETE", f"/crm/v3/objects/companies/{company}")
        assert ask.post("/crm/v3/properties/contacts", TIER).status == 201
        other = ask.contact(firstname="Cid", email=f"c{turn}@example.com", tier="gold")
        portal.restore(held)
        assert names(ask) == ["Ann"]
        assert ask.get(f"/crm/v3/objects/companies/{company}").status == 200
        links = ask.get(f"/crm/v4/objects/contacts/{contact}/associations/companies").json()["results"]
        assert [each["toObjectId"] for each in links] == [int(company)]
        assert ask.get("/crm/v3/properties/contacts/tier").status == 404
        # No id is given twice, and what was unique is free again.
        assert int(ask.contact(email="c0@example.com")) > int(other)
        portal.restore(held)
    assert ask.post("/crm/v3/objects/contacts", {"properties": {"email": "a@example.com"}}).status == 409


def test_tokens_stay(portal: Portal, asker: Any) -> None:
    held = portal.snapshot()
    token = portal.hubspot.issue(name="n", scopes=["crm.objects.contacts.read"])
    standing = portal.hubspot.tokens()
    portal.restore(held)
    assert asker(portal, token).get("/crm/v3/objects/contacts").status == 200
    assert portal.hubspot.tokens() == standing


def test_a_file_is_restored_as_well(tmp_path: Path) -> None:
    file = tmp_path / "portal.sqlite"

    def ask(local: LocalPortal, method: str, path: str, body: Any = None) -> Any:
        return local.portal.handle(PortalRequest.of(method, path, body, token=local.seed_token)).json()

    first = LocalPortal(db=file)
    ask(first, "POST", "/crm/v3/objects/contacts", {"properties": {"firstname": "Ann"}})
    held = first.snapshot()
    ask(first, "POST", "/crm/v3/objects/contacts", {"properties": {"firstname": "Bea"}})
    token = first.portal.hubspot.issue(name="n", scopes=[])
    first.restore(held)
    first.close()
    second = LocalPortal(db=file)
    assert len(ask(second, "GET", "/crm/v3/objects/contacts")["results"]) == 1
    assert second.portal.hubspot.account.tokens.find(token) is not None
    # The snapshot outlives its portal, and fits another one.
    with LocalPortal() as third:
        third.restore(held)
        (ann,) = ask(third, "GET", "/crm/v3/objects/contacts")["results"]
        # What is made there gets ids of its own, and never that of a record from elsewhere.
        bob = ask(third, "POST", "/crm/v3/objects/contacts", {"properties": {"firstname": "Bob"}})
        assert int(bob["id"]) > int(ann["id"])
        assert len(ask(third, "GET", "/crm/v3/objects/contacts")["results"]) == 2
    second.close()


def test_used_up_limits_are_as_new(make_portal: Any, asker: Any) -> None:
    portal = make_portal(rate=(1, 10.0))
    app = asker(portal, portal.hubspot.tokens()["application"])
    held = portal.snapshot()
    assert [app.get("/crm/v3/objects/contacts").status for _ in range(2)] == [200, 429]
    portal.restore(held)
    assert app.get("/crm/v3/objects/contacts").status == 200


# -- the clock ---------------------------------------------------------------------------------------
def test_a_clock_is_set_forward_and_never_back(clock: Any) -> None:
    own = Clock(clock)
    assert own.advance(60) == own.now() == own() == clock.now + 60
    clock.now += 1
    assert (own.now(), own.ahead) == (clock.now + 60, 60)
    for seconds in (-1, float("inf"), float("nan")):
        with pytest.raises(UsageError) as refused:
            own.advance(seconds)
        assert str(refused.value) == f"A clock is set forward by 0 seconds or more, not by {seconds!r}."


def test_a_clock_is_not_set_beyond_what_dates_can_say() -> None:
    clock = VirtualClock()
    clock.advance(90 * 365 * 86_400)
    with pytest.raises(UsageError) as refused:
        clock.advance(1e9)
    assert str(refused.value) == ("A clock is set forward by 100 years at most, not by 1000000000.0 seconds.")


def test_a_virtual_clock_stands_still() -> None:
    clock = VirtualClock()
    assert clock.now() == clock.now() == 1_767_225_600
    clock.sleep(5)
    assert VirtualClock(10).now() == 10 and clock.now() == 1_767_225_605


def test_timestamps_and_limits_follow_the_clock() -> None:
    portal = Portal(clock=VirtualClock(), rate=(1, 10.0), latency=0.5)
    token = portal.hubspot.tokens()["application"]

    def create() -> Any:
        body = {"properties": {"firstname": "Ann"}}
        return portal.handle(PortalRequest.of("POST", "/crm/v3/objects/contacts", body, token=token))

    assert create().json()["createdAt"] == "2026-01-01T00:00:00.500Z"
    assert create().status == 429
    portal.clock.advance(10)
    assert create().json()["createdAt"] == "2026-01-01T00:00:11.500Z"
    portal.close()


def test_the_clocks_endpoint(portal: Portal) -> None:
    def ask(method: str, body: Any = None) -> Any:
        answer = portal.handle(PortalRequest.of(method, "/_portal/clock", body))
        return answer.status, answer.json()

    now = portal.clock.now()
    assert ask("GET") == (200, {"now": now, "ahead": 0.0})
    assert ask("POST", {"advance": 3600}) == (200, {"now": now + 3600, "ahead": 3600.0})
    for wrong in (None, True, "1"):
        assert ask("POST", {"advance": wrong}) == (400, {"error": '"advance" is a number of seconds.'})
    assert ask("POST", {"advance": -1}) == (
        400,
        {"error": "A clock is set forward by 0 seconds or more, not by -1."},
    )
