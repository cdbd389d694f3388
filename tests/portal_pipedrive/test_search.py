"""Search, which trails behind writes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest


def found(ask: Any, url: str) -> list[Any]:
    return [each["item"]["id"] for each in ask.get(url)["items"]]


def test_each_type_has_its_own_shape_in_search(ask: Any) -> None:
    key = ask.key("deal")
    organization = ask.made("organizations", name="Acorn", address={"value": "Main St"})
    person = ask.made(
        "persons",
        name="Ann Acorn",
        org_id=organization,
        emails=[{"value": "ann@acorn.example"}],
        phones=[{"value": "555"}],
    )
    deal = ask.made(
        "deals",
        title="Acorn deal",
        value=5,
        person_id=person,
        org_id=organization,
        custom_fields={key: "acorn!"},
    )
    product = ask.made("products", name="Acorn", code="AC")
    lead = ask("POST", "/v1/leads", {"title": "Acorn lead", "person_id": person}).json()["data"]["id"]
    ask("POST", "/v1/notes", {"content": "about acorns", "deal_id": deal})
    items = {each["item"]["type"]: each["item"] for each in ask.get("/api/v2/itemSearch?term=acorn")["items"]}
    place = {"id": organization, "name": "Acorn", "address": "Main St"}
    owner, nothing = {"id": 14700001}, {"custom_fields": [], "notes": []}
    assert items["deal"] == {
        "id": deal,
        "type": "deal",
        "title": "Acorn deal",
        "value": 5,
        "currency": "USD",
        "status": "open",
        "stage": {"id": 1, "name": "Qualified"},
        "person": {"id": person, "name": "Ann Acorn"},
        "organization": place,
        "is_archived": False,
        "visible_to": 7,
        "owner": owner,
        "custom_fields": ["acorn!"],
        "notes": ["about acorns"],
    }
    assert items["person"] == {
        "id": person,
        "type": "person",
        "name": "Ann Acorn",
        "phones": ["555"],
        "emails": ["ann@acorn.example"],
        "organization": place,
        "visible_to": 7,
        "owner": owner,
        **nothing,
    }
    assert items["organization"] == {
        "id": organization,
        "type": "organization",
        "name": "Acorn",
        "address": "Main St",
        "visible_to": 7,
        "owner": owner,
        **nothing,
    }
    assert (items["product"]["id"], items["product"]["code"]) == (product, "AC")
    assert (items["lead"]["id"], items["lead"]["emails"]) == (lead, ["ann@acorn.example"])
    assert found(ask, "/v1/leads/search?term=acorn") == [lead]


def test_what_is_equal_comes_first(ask: Any) -> None:
    ids = [ask.made("organizations", name=name) for name in ("Big Acorn", "Acorn Ltd", "acorn")]
    assert found(ask, "/api/v2/organizations/search?term=Acorn") == ids[::-1]
    assert found(ask, "/api/v2/organizations/search?term=Acorn&exact_match=true") == [ids[2]]
    page = ask("GET", "/api/v2/organizations/search?term=Acorn&limit=2").json()
    cursor = page["additional_data"]["next_cursor"]
    assert found(ask, f"/api/v2/organizations/search?term=Acorn&limit=2&cursor={cursor}") == ids[:1]


def test_search_is_narrowed_by_fields_and_by_what_belongs_to_it(ask: Any) -> None:
    organization, person = ask.made("organizations", name="O"), ask.made("persons", name="P")
    won = ask.made("deals", title="Acorn", status="won", org_id=organization)
    opened = ask.made("deals", title="Acorn", person_id=person)
    ask("POST", "/v1/notes", {"content": "hazel", "deal_id": won})
    base = "/api/v2/deals/search?term="
    assert found(ask, f"{base}acorn&status=won") == [won]
    assert found(ask, f"{base}acorn&organization_id={organization}") == [won]
    assert found(ask, f"{base}acorn&person_id={person}") == [opened]
    assert (found(ask, f"{base}hazel"), found(ask, f"{base}hazel&fields=title,custom_fields")) == ([won], [])
    assert found(ask, "/api/v2/itemSearch?term=acorn&item_types=person,file") == []


def test_a_field_is_searched_case_by_case(ask: Any) -> None:
    key = ask.key("deal")
    id = ask.made("deals", title="D", custom_fields={key: "Red Monkey"})

    def hits(term: str, match: str) -> Any:
        return ask.get(
            f"/api/v2/itemSearch/field?entity_type=deal&field={key}&match={match}&term={quote(term)}"
        )

    one = [{"id": id, "title": "D"}]
    assert (hits("Red Monkey", "exact"), hits("red monkey", "exact"), hits("Red", "exact")) == (one, [], [])
    assert (hits("Mon", "beginning"), hits("onk", "beginning"), hits("onk", "middle")) == (one, [], one)
    person = ask.made("persons", name="Ann", emails=[{"value": "a@example.com"}])
    url = "/api/v2/itemSearch/field?entity_type=person&field=emails&match=exact&term=a%40example.com"
    assert ask.get(url) == [{"id": person, "name": "Ann"}]


def test_search_sees_late_what_lists_see_at_once(make_portal: Any, seeder: Any, clock: Any) -> None:
    ask = seeder(make_portal(search_lag=3.0))
    url = "/api/v2/deals/search?term=acorn"
    id = ask.made("deals", title="Acorn")
    assert [deal["id"] for deal in ask.get("/api/v2/deals")] == [id]
    assert found(ask, url) == []
    clock.now += 3
    assert found(ask, url) == [id]
    ask("PATCH", f"/api/v2/deals/{id}", {"title": "Hazel"})
    assert found(ask, url) == [id]
    clock.now += 3
    assert found(ask, url) == []
    ask("DELETE", f"/api/v2/deals/{id}")
    assert found(ask, "/api/v2/deals/search?term=hazel") == [id]
    clock.now += 3
    assert found(ask, "/api/v2/deals/search?term=hazel") == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("/deals/search", '"term" is required'),
        ("/deals/search?term=", '"term" is not allowed to be empty'),
        ("/deals/search?term=a", '"term" length must be at least 2 characters long'),
        ("/deals/search?term=ab&fields=email", '"fields" must be one of [custom_fields, notes, title]'),
        (
            "/itemSearch?term=ab&item_types=ticket",
            '"item_types" must be one of [deal, person, organization, product, lead, file, mail_attachment,'
            " project]",
        ),
        (
            "/itemSearch/field?term=ab&entity_type=ticket",
            '"entity_type" must be one of [deal, person, organization, product, lead]',
        ),
        (
            "/itemSearch/field?term=ab&entity_type=deal&match=fuzzy",
            '"match" must be one of [exact, beginning, middle]',
        ),
        ("/itemSearch/field?term=ab&entity_type=deal&field=x", "\"field\" 'x' cannot be searched"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(ask: Any, refusal: Any, url: str, problem: str) -> None:
    assert refusal(ask("GET", f"/api/v2{url}")) == (400, f"Invalid input: {problem}", "ERR_INVALID_INPUT")


def test_one_letter_is_enough_for_an_exact_match(ask: Any, refusal: Any) -> None:
    id = ask.made("deals", title="x")
    assert found(ask, "/api/v2/deals/search?term=x&exact_match=true") == [id]
    assert refusal(ask("GET", "/api/v2/itemSearch?term=ab&limit=101"))[1] == (
        "Validation failed: limit: The value must be between 1 and 100"
    )


def test_options_and_dates_are_not_searched(ask: Any, refusal: Any) -> None:
    code = ask.field("deal", "date")["field_code"]
    ask.made("deals", title="D", custom_fields={code: "2026-01-01"})
    assert found(ask, "/api/v2/deals/search?term=2026-01-01") == []
    answer = ask("GET", f"/api/v2/itemSearch/field?entity_type=deal&field={code}&term=2026-01-01")
    assert refusal(answer)[0] == 400
