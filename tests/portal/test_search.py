"""Search: filters, operators, case, sorts, text, pages, limits, an index that trails behind."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.portal import Portal
from pytest_crmseed.portal.searching import has_token
from pytest_crmseed.portal.store import Store, StoredRecord
from pytest_crmseed.portal.stored_search import Column, Search, Term

CONTACTS = "/crm/v3/objects/contacts/search"
DEALS = "/crm/objects/2026-03/0-3/search"


def where(name: str, operator: str, **value: Any) -> dict[str, Any]:
    return {"filterGroups": [{"filters": [{"propertyName": name, "operator": operator, **value}]}]}


def ids(ask: Any, path: str, body: dict[str, Any]) -> list[str]:
    answer = ask.post(path, body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    assert found["total"] >= len(found["results"])
    return [record["id"] for record in found["results"]]


def test_the_shape_of_an_answer(ask: Any) -> None:
    id = ask.contact(email="A@example.com", city="Bled")
    ask.contact(email="b@example.com")
    answer = ask.post(CONTACTS, {**where("email", "EQ", value="a@example.com"), "properties": ["city"]})
    body = answer.json()
    assert (answer.status, set(body), body["total"]) == (200, {"total", "results"}, 1)
    read = ask.get(f"/crm/v3/objects/contacts/{id}?properties=city").json()
    assert body["results"] == [read]


def test_an_empty_search_finds_all_as_they_were_made(ask: Any) -> None:
    made = [ask.contact(), ask.contact(), ask.contact()]
    assert ids(ask, CONTACTS, {}) == made
    assert ids(ask, CONTACTS, {"filterGroups": [], "sorts": [], "after": "0", "query": ""}) == made


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("EQ", {"value": "20"}, "b"),
        ("EQ", {"value": 20}, "b"),
        ("EQ", {"value": "20.0"}, "b"),
        ("NEQ", {"value": "20"}, "ac"),
        ("LT", {"value": "20"}, "a"),
        ("LTE", {"value": "20"}, "ab"),
        ("GT", {"value": "9"}, "bc"),
        ("GTE", {"value": "20"}, "bc"),
        ("BETWEEN", {"value": "3", "highValue": "20"}, "ab"),
        ("IN", {"values": ["3", "100"]}, "ac"),
        ("NOT_IN", {"values": ["3", "100"]}, "b"),
        ("HAS_PROPERTY", {}, "abc"),
        ("NOT_HAS_PROPERTY", {}, "d"),
    ],
)
def test_operators_compare_numbers_as_numbers(
    ask: Any, operator: str, value: dict[str, Any], found: str
) -> None:
    made = {
        ask.deal(dealname="a", amount="3"): "a",
        ask.deal(dealname="b", amount="20"): "b",
        ask.deal(dealname="c", amount="100"): "c",
        ask.deal(dealname="d"): "d",
    }
    assert "".join(made[id] for id in ids(ask, DEALS, where("amount", operator, **value))) == found


@pytest.mark.parametrize(
    ("name", "operator", "value", "found"),
    [
        ("firstname", "EQ", {"value": "ANN"}, True),
        ("firstname", "EQ", {"value": "Änn"}, False),
        ("lastname", "EQ", {"value": "MÜLLER"}, True),
        ("firstname", "GT", {"value": "ALICE"}, True),
        ("firstname", "IN", {"values": ["ann"]}, True),
        ("firstname", "IN", {"values": ["Ann"]}, False),
        ("firstname", "NOT_IN", {"values": ["Ann"]}, True),
        ("lifecyclestage", "EQ", {"value": "lead"}, True),
        ("lifecyclestage", "EQ", {"value": "Lead"}, False),
        ("lifecyclestage", "IN", {"values": ["lead"]}, True),
        ("hs_buying_role", "IN", {"values": ["END_USER"]}, True),
        ("hs_buying_role", "IN", {"values": ["CHAMPION"]}, False),
        ("hs_buying_role", "NOT_IN", {"values": ["END_USER"]}, False),
        ("lastname", "CONTAINS_TOKEN", {"value": "van"}, True),
        ("lastname", "CONTAINS_TOKEN", {"value": "VAN müller"}, True),
        ("lastname", "CONTAINS_TOKEN", {"value": "müller van"}, False),
        ("lastname", "CONTAINS_TOKEN", {"value": "mül"}, False),
        ("lastname", "CONTAINS_TOKEN", {"value": "mül*"}, True),
        ("lastname", "NOT_CONTAINS_TOKEN", {"value": "van"}, False),
        ("email", "CONTAINS_TOKEN", {"value": "*@Example.com"}, True),
        ("email", "CONTAINS_TOKEN", {"value": "*@example.org"}, False),
        ("city", "NEQ", {"value": "Bled"}, False),
        ("city", "NOT_CONTAINS_TOKEN", {"value": "Bled"}, False),
    ],
)
def test_case_words_and_options(
    ask: Any, name: str, operator: str, value: dict[str, Any], found: bool
) -> None:
    last = "Müller" if operator == "EQ" else "van Müller"
    ask.contact(
        firstname="Ann",
        lastname=last,
        email="ann@example.com",
        lifecyclestage="lead",
        hs_buying_role="DECISION_MAKER;END_USER",
    )
    assert bool(ids(ask, CONTACTS, where(name, operator, **value))) is found


def test_negative_filters_may_find_what_is_empty(make_portal: Any, asker: Any) -> None:
    portal = make_portal(negative_filters_match_empty=True)
    ask = asker(portal, portal.hubspot.tokens()["seeder"])
    ask.contact(city="Bled")
    without = ask.contact()
    for operator, value in [("NEQ", {"value": "bled"}), ("NOT_IN", {"values": ["bled"]})]:
        assert ids(ask, CONTACTS, where("city", operator, **value)) == [without]


@pytest.mark.parametrize(
    ("name", "operator", "value", "found"),
    [
        ("closedate", "EQ", {"value": "1767225600000"}, "a"),
        ("closedate", "EQ", {"value": "2026-01-01"}, "a"),
        ("closedate", "EQ", {"value": "2026-01-01T01:00:00+01:00"}, "a"),
        ("closedate", "GT", {"value": "2026-01-01T00:00:00Z"}, "b"),
        ("closedate", "BETWEEN", {"value": "1767225600000", "highValue": "2026-02-01"}, "ab"),
    ],
)
def test_moments_as_milliseconds_and_as_iso(
    ask: Any, name: str, operator: str, value: dict[str, Any], found: str
) -> None:
    made = {ask.deal(closedate="2026-01-01T00:00:00Z"): "a", ask.deal(closedate="2026-02-01"): "b"}
    assert "".join(made[id] for id in ids(ask, DEALS, where(name, operator, **value))) == found


def test_what_the_portal_keeps_of_a_record(ask: Any, clock: Any) -> None:
    first = ask.contact()
    clock.now += 5
    second = ask.contact()
    made = ask.get(f"/crm/v3/objects/contacts/{second}").json()["createdAt"]
    assert ids(ask, CONTACTS, where("createdate", "EQ", value=made)) == [second]
    assert ids(ask, CONTACTS, where("createdate", "LT", value=str(round(clock.now * 1000)))) == [first]
    assert ids(ask, CONTACTS, where("hs_object_id", "EQ", value=first)) == [first]
    assert ids(ask, CONTACTS, where("hs_object_id", "IN", values=[first, second])) == [first, second]
    clock.now += 5
    ask("PATCH", f"/crm/v3/objects/contacts/{first}", {"properties": {"city": "Bled"}})
    assert ids(ask, CONTACTS, where("lastmodifieddate", "GT", value=made)) == [first]


def test_what_hubspot_computes_can_be_searched(ask: Any) -> None:
    won = ask.deal(dealstage="closedwon", amount="3")
    open_ = ask.deal()
    assert ids(ask, DEALS, where("hs_is_closed_won", "EQ", value="true")) == [won]
    assert ids(ask, DEALS, where("hs_projected_amount", "HAS_PROPERTY")) == [won]
    both = where("hs_is_closed_won", "EQ", value="false")["filterGroups"]
    both += where("amount", "EQ", value="3")["filterGroups"]
    assert ids(ask, DEALS, {"filterGroups": both}) == [won, open_]
    body = ask.post(DEALS, {**where("hs_is_closed", "HAS_PROPERTY"), "limit": 1}).json()
    assert (body["total"], len(body["results"]), body["paging"]) == (2, 1, {"next": {"after": "1"}})


def test_filters_by_linked_records(ask: Any) -> None:
    company, other = ask.company(), ask.company()
    contacts = [ask.contact(), ask.contact(), ask.contact()]
    for contact, to in zip(contacts, (company, other), strict=False):
        path = f"/crm/v4/objects/contacts/{contact}/associations/default/companies/{to}"
        assert ask("PUT", path).status == 200
    for name in ("associations.company", "associations.companies", "associations.0-2"):
        assert ids(ask, CONTACTS, where(name, "EQ", value=company)) == contacts[:1]
    assert ids(ask, CONTACTS, where("associations.company", "IN", values=[company, other])) == contacts[:2]
    assert ids(ask, CONTACTS, where("associations.company", "NEQ", value=company)) == contacts[1:]
    assert ids(ask, CONTACTS, where("associations.company", "HAS_PROPERTY")) == contacts[:2]
    assert ids(ask, CONTACTS, where("associations.company", "NOT_HAS_PROPERTY")) == contacts[2:]


def test_groups_are_alternatives_and_filters_hold_together(ask: Any) -> None:
    a = ask.contact(firstname="a", city="x")
    ask.contact(firstname="a", city="y")
    c = ask.contact(firstname="c", city="y")

    def equal(name: str, value: str) -> dict[str, str]:
        return {"propertyName": name, "operator": "EQ", "value": value}

    groups = [
        {"filters": [equal("firstname", "a"), equal("city", "x")]},
        {"filters": [equal("firstname", "c")]},
        {"filters": [equal("firstname", "c"), equal("city", "y")]},
    ]
    assert ids(ask, CONTACTS, {"filterGroups": groups}) == [a, c]
    assert ids(ask, CONTACTS, {"filterGroups": groups, "query": "c"}) == [c]


@pytest.mark.parametrize(
    "sort",
    [
        {"propertyName": "amount", "direction": "DESCENDING"},
        '{"propertyName":"amount","direction":"DESCENDING"}',
        "-amount",
    ],
)
def test_sorts_are_objects_or_texts(ask: Any, sort: Any) -> None:
    few, none, many = ask.deal(amount="9"), ask.deal(), ask.deal(amount="10")
    assert ids(ask, DEALS, {"sorts": [sort]}) == [many, few, none]
    assert ids(ask, DEALS, {"sorts": ["amount"]}) == [few, many, none]
    assert ids(ask, DEALS, {"sorts": [{"propertyName": "createdate", "direction": "DESCENDING"}]})


def test_the_text_of_a_query(ask: Any) -> None:
    id = ask.contact(firstname="Anna", lastname="Bee", email="anna@example.com", city="Bled")
    ask.contact(firstname="Zoe")
    for text in ("anna", "ANN", "bee anna", "anna@example.com", "example"):
        assert ids(ask, CONTACTS, {"query": text}) == [id], text
    for text in ("nna", "bled", "anna zoe"):
        assert ids(ask, CONTACTS, {"query": text}) == [], text
    deal = ask.deal(dealname="Big one")
    assert ids(ask, DEALS, {"query": "big"}) == [deal]


def test_pages(ask: Any) -> None:
    made = [ask.contact() for _ in range(12)]
    first = ask.post(CONTACTS, {}).json()
    assert (first["total"], len(first["results"]), first["paging"]) == (12, 10, {"next": {"after": "10"}})
    last = ask.post(CONTACTS, {"after": "10"}).json()
    assert [each["id"] for each in last["results"]] == made[10:] and "paging" not in last
    assert ids(ask, CONTACTS, {"limit": 3, "after": 3}) == made[3:6]
    assert ask.post(CONTACTS, {"limit": "200", "after": "9800"}).json()["results"] == []


def test_archived_records_never_appear(ask: Any) -> None:
    gone, stays = ask.contact(city="Bled"), ask.contact(city="Bled")
    ask("DELETE", f"/crm/v3/objects/contacts/{gone}")
    assert ids(ask, CONTACTS, where("city", "EQ", value="bled")) == ids(ask, CONTACTS, {}) == [stays]


NINETEEN = [
    {"filters": [{"propertyName": "city", "operator": "HAS_PROPERTY"}] * count} for count in (6, 6, 6, 1)
]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"limit": 201}, "limit must be a number up to 200, not 201"),
        ({"limit": "x"}, "limit must be a number up to 200, not x"),
        ({"after": "x"}, "after must be a value that paging.next.after had, not x"),
        ({"limit": 1, "after": "10000"}, "A search reaches 10000 records: after + limit is 10001."),
        ({"filterGroups": [{}] * 6}, "A search has at most 5 filter groups, not 6."),
        ({"filterGroups": NINETEEN}, "A search has at most 18 filters, not 19."),
        (
            {"filterGroups": [{"filters": NINETEEN[0]["filters"] + NINETEEN[3]["filters"]}]},
            "A filter group has at most 6 filters, not 7.",
        ),
        ({"sorts": ["city", "email"]}, "A search has at most one sort, not 2."),
        (
            {"sorts": [{"propertyName": "city", "direction": "up"}]},
            "UP is no direction: ASCENDING, DESCENDING.",
        ),
        ({"sorts": ["nope"]}, 'Property "nope" does not exist'),
        (where("nope", "EQ", value="x"), 'Property "nope" does not exist'),
        (
            where("city", "LIKE", value="x"),
            "LIKE is no operator of a search. There are: BETWEEN, CONTAINS_TOKEN, EQ, GT, GTE,"
            " HAS_PROPERTY, IN, LT, LTE, NEQ, NOT_CONTAINS_TOKEN, NOT_HAS_PROPERTY, NOT_IN.",
        ),
        (where("city", "EQ"), "The filter on city needs value."),
        (where("city", "BETWEEN", value="a"), "The filter on city needs highValue."),
        (where("city", "IN", value="a"), "The filter on city needs values."),
        (
            where("city", "HAS_PROPERTY", value="a"),
            "The filter on city must have no value: it asks whether there is one.",
        ),
        (
            where("createdate", "GT", value="soon"),
            "soon is no moment in time, as which createdate is compared.",
        ),
        (where("hs_object_id", "GT", value="x"), "x is no number, as which hs_object_id is compared."),
        (where("hs_object_id", "IN", values=["nan"]), "nan is no number, as which hs_object_id is compared."),
        (
            where("associations.company", "GT", value="1"),
            "associations.company is filtered with EQ, IN, HAS_PROPERTY and their opposites.",
        ),
        (where("associations.company", "EQ", value="x"), "x is no record id."),
        (
            {"filterGroups": [{"filters": [{"value": "x"}]}]},
            "Invalid input JSON on line 1, column 2. Some required fields were not set:"
            " [propertyName, operator]",
        ),
        ({"query": "x" * 3000}, "The body of a search has at most 3000 characters."),
    ],
)
def test_refusals(
    ask: Any, refusal: Callable[..., dict[str, Any]], body: dict[str, Any], message: str
) -> None:
    answer = ask.post(CONTACTS, body)
    assert (answer.status, refusal(answer)["message"]) == (400, message)


def test_sorting_by_what_is_computed_is_not_emulated(
    ask: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    answer = ask.post(DEALS, {"sorts": ["hs_is_closed"]})
    assert (answer.status, refusal(answer)["message"]) == (
        501,
        "Sorting by hs_is_closed, which HubSpot computes, is not emulated by the local portal;"
        " emulated nearby: createdate.",
    )


# -- an index that trails behind ----------------------------------------------------------------------


@pytest.fixture
def slow(make_portal: Callable[..., Portal]) -> Portal:
    return make_portal(search_lag=5.0)


def test_search_sees_writes_late_and_everything_else_at_once(slow: Portal, asker: Any, clock: Any) -> None:
    ask = asker(slow, slow.hubspot.tokens()["seeder"])
    id = ask.contact(email="a@example.com", city="Bled")
    bled, rome = where("city", "EQ", value="bled"), where("city", "EQ", value="rome")
    assert ids(ask, CONTACTS, bled) == []
    assert ask.get("/crm/v3/objects/contacts").json()["results"][0]["id"] == id
    clock.now += 5
    assert ids(ask, CONTACTS, bled) == [id]

    ask("PATCH", f"/crm/v3/objects/contacts/{id}", {"properties": {"city": "Rome"}})
    clock.now += 2
    ask("PATCH", f"/crm/v3/objects/contacts/{id}", {"properties": {"city": "Oslo"}})
    assert (ids(ask, CONTACTS, bled), ids(ask, CONTACTS, rome)) == ([id], [])
    late = ask.post(CONTACTS, {**bled, "properties": ["city"]}).json()["results"]
    assert late[0]["properties"]["city"] == "Bled"
    clock.now += 3
    assert (ids(ask, CONTACTS, bled), ids(ask, CONTACTS, rome)) == ([], [id])
    clock.now += 2
    assert (ids(ask, CONTACTS, rome), ids(ask, CONTACTS, {})) == ([], [id])


def test_search_sees_late_that_records_are_gone(slow: Portal, asker: Any, clock: Any) -> None:
    ask = asker(slow, slow.hubspot.tokens()["seeder"])
    archived, purged = ask.contact(city="Bled"), ask.contact(city="Bled")
    clock.now += 6
    ask("DELETE", f"/crm/v3/objects/contacts/{archived}")
    ask.post("/crm/v3/objects/contacts/gdpr-delete", {"objectId": purged})
    found = ask.post(CONTACTS, where("city", "EQ", value="bled")).json()["results"]
    assert [(each["id"], each["archived"]) for each in found] == [(archived, False), (purged, False)]
    clock.now += 6
    assert ids(ask, CONTACTS, where("city", "EQ", value="bled")) == []


def test_an_index_that_is_told_to_keep_up_does(slow: Portal, asker: Any) -> None:
    ask = asker(slow, slow.hubspot.tokens()["seeder"])
    id = ask.contact()
    assert ids(ask, CONTACTS, {}) == []
    slow.behaviour.search_lag = 0.0
    assert ids(ask, CONTACTS, {}) == [id]


# -- its own limit ------------------------------------------------------------------------------------


def test_five_searches_a_second_for_all_apps_of_the_account(
    portal: Portal, asker: Any, clock: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    apps = [
        asker(portal, portal.hubspot.issue(name=str(n), scopes=["crm.objects.contacts.read"])) for n in (1, 2)
    ]
    for number in range(5):
        answer = apps[number % 2].post(CONTACTS, {})
        assert answer.status == 200
        assert not [name for name in answer.headers if "ratelimit" in name.lower()]
    late = apps[0].post(CONTACTS, {})
    body = refusal(late)
    assert body.pop("requestId") == late.headers["x-hubspot-correlation-id"].replace("-", "")
    assert (late.status, body) == (
        429,
        {
            "status": "error",
            "message": "You have reached your secondly limit.",
            "errorType": "RATE_LIMIT",
            "policyName": "SECONDLY",
        },
    )
    assert "retry-after" not in {name.lower() for name in late.headers}
    # Other calls have their own limit, which searches have not touched.
    other = apps[0].get("/crm/v3/objects/contacts")
    assert (other.status, other.headers["X-HubSpot-RateLimit-Remaining"]) == (200, "189")
    seeder = asker(portal, portal.hubspot.tokens()["seeder"])
    assert seeder.post(CONTACTS, {}).status == 200
    clock.now += 1
    assert apps[1].post(CONTACTS, {}).status == 200


def test_a_search_needs_the_scope_to_read(
    portal: Portal, asker: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    ask = asker(portal, portal.hubspot.issue(name="x", scopes=["crm.objects.deals.read"]))
    assert ask.post(DEALS, {}).status == 200
    answer = ask.post(CONTACTS, {})
    assert (answer.status, refusal(answer)["errors"][0]["context"]) == (
        403,
        {"requiredGranularScopes": ["crm.objects.contacts.read"]},
    )


# -- wildcards ----------------------------------------------------------------------------------------


@given(
    st.text(alphabet="ab ", max_size=8), st.lists(st.text(alphabet="ab", max_size=3), min_size=2, max_size=4)
)
def test_a_star_stands_for_anything(text: str, parts: list[str]) -> None:
    pattern = "*".join(parts)
    candidates = [text, *text.split()]
    assert has_token(text, pattern) == any(fnmatch.fnmatchcase(each, pattern) for each in candidates)


LETTERS = st.text(alphabet="ab.@ ", max_size=7)


@given(
    texts=st.lists(LETTERS, min_size=1, max_size=6),
    later=st.lists(LETTERS, max_size=3),
    pattern=st.text(alphabet="ab.@ *", min_size=1, max_size=6),
    negated=st.booleans(),
)
def test_the_index_of_words_finds_what_reading_everything_finds(
    texts: list[str], later: list[str], pattern: str, negated: bool
) -> None:
    store = Store()
    term = Term(Column("x", "folded"), "token", (pattern,), negated)
    wanted = Search(groups=[[term]])

    def found() -> set[int]:
        return {each.id for each in store.search("p", "t", wanted, offset=0, limit=100)[1]}

    held = dict(enumerate(texts))
    for id, text in held.items():
        store.save("p", "t", StoredRecord(id, {"x": text}, 1.0, 1.0))
    assert found() == {id for id, text in held.items() if has_token(text, pattern) != negated}
    # What changes after the index was made: values, and records that go.
    for id, text in enumerate(later):
        held[id] = text
        store.save("p", "t", StoredRecord(id, {"x": text}, 1.0, 2.0))
    store.archive("p", "t", [len(texts) - 1], 3.0)
    held.pop(len(texts) - 1, None)
    gone = held.pop(0, None)
    store.purge("p", "t", 0)
    assert found() == {id for id, text in held.items() if has_token(text, pattern) != negated}
    assert gone is None or 0 not in found()
    text = Search(text=pattern, fields=("x",))
    narrowed = {each.id for each in store.search("p", "t", text, offset=0, limit=100)[1]}
    assert narrowed == {id for id, held_text in held.items() if has_words({"x": held_text}, pattern)}
    store.close()


def has_words(properties: dict[str, str], text: str) -> bool:
    held = " ".join(properties.values()).casefold()
    starts = [*held.split(), *re.findall(r"\w+", held)]
    return all(any(start.startswith(word) for start in starts) for word in text.split())
