"""Values of the past: ``propertiesWithHistory``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CONTACTS = "/crm/v3/objects/contacts"
START = "2026-09-21T14:13:20.250Z"


def test_a_value_that_never_changed_dates_from_the_creation(ask: Any, clock: Any) -> None:
    id = ask.contact(city="Bled")
    clock.now += 10
    ask("PATCH", f"{CONTACTS}/{id}", {"properties": {"firstname": "B"}})
    answer = ask.get(f"{CONTACTS}/{id}?propertiesWithHistory=city,zip,nope").json()
    app = str(ask.portal.hubspot.account.tokens.seeder.app_id)
    assert answer["propertiesWithHistory"] == {
        "city": [{"value": "Bled", "timestamp": START, "sourceType": "INTEGRATION", "sourceId": app}],
        "zip": [],
    }
    assert (answer["properties"]["city"], answer["properties"]["zip"]) == ("Bled", None)


def test_changes_come_newest_first_with_their_sources(ask: Any, asker: Any, clock: Any) -> None:
    portal = ask.portal
    id = ask.contact(city="Bled")
    app = asker(portal, portal.hubspot.tokens()["application"])
    for city in ("Rome", "Rome", ""):
        clock.now += 10
        assert app("PATCH", f"{CONTACTS}/{id}", {"properties": {"city": city}}).status == 200
    history = ask.get(f"{CONTACTS}/{id}?propertiesWithHistory=city").json()["propertiesWithHistory"]["city"]
    tokens = portal.hubspot.account.tokens
    apps = [str(token.app_id) for token in (tokens.application, tokens.application, tokens.seeder)]
    assert [(each["value"], each["sourceId"]) for each in history] == list(
        zip(["", "Rome", "Bled"], apps, strict=True)
    )
    assert [each["timestamp"][17:19] for each in history] == ["50", "30", "20"]


def test_lists_and_batches_have_it_too(ask: Any) -> None:
    id = ask.contact(city="Bled")
    [listed] = ask.get(f"{CONTACTS}?propertiesWithHistory=city&properties=zip").json()["results"]
    body = {"propertiesWithHistory": ["city"], "properties": ["zip"], "inputs": [{"id": id}]}
    [read] = ask.post(f"{CONTACTS}/batch/read", body).json()["results"]
    assert listed == read
    assert [each["value"] for each in listed["propertiesWithHistory"]["city"]] == ["Bled"]


@pytest.mark.parametrize(("limit", "status"), [("50", 200), ("51", 400)])
def test_a_page_has_at_most_fifty(ask: Any, limit: str, status: int) -> None:
    answer = ask.get(f"{CONTACTS}?propertiesWithHistory=city&limit={limit}")
    assert answer.status == status
    if status == 400:
        assert answer.json()["message"] == "limit must be a number from 1 to 50, not 51"


def test_a_batch_has_at_most_fifty(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    body = {"propertiesWithHistory": ["city"], "inputs": [{"id": str(id)} for id in range(51)]}
    answer = ask.post(f"{CONTACTS}/batch/read", body)
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        "The maximum number of inputs supported in a batch request for property histories is 50."
        " Please reduce the number of items and try again",
    )
