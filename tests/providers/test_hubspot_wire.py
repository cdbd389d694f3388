"""HubSpot's requests, byte by byte, and what is read from its answers."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import ApiRefused, CrmseedError, NotAPortal, PortalError, Unauthorized
from pytest_crmseed.providers.base import Account, Answer, Effect, Found, KeyRoute, Outcome, Request, Sought
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.records import Batch, Draft, Link, Warned
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import Association, ObjectType, Schema

TOKEN = {"HUBSPOT_ACCESS_TOKEN": "pat-eu1-secret"}


def on_the_wire(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def answered(request: Request, status: int, body: object) -> Answer:
    return Answer(status, {}, on_the_wire(body).encode(), request)


# -- create ----------------------------------------------------------------------------------------
def test_the_create_of_a_batch_is_what_the_documentation_and_the_official_client_send(
    hubspot: HubSpot,
) -> None:
    deal = Draft("deals", 0, "K1", {"dealname": "Ä"}, (Link("company", "companies", index=3),))
    request = hubspot.create(Batch("deals", 1, 1, [deal]), {("companies", 3): "42"})
    assert (request.method, request.path) == ("POST", "/crm/objects/2026-03/deals/batch/create")
    assert (request.what, request.effect, request.records) == ("create 1 deals", Effect.CREATE, 1)
    assert request.query == ()
    # As hubspot-api-client sends it, but for the order of keys and the properties themselves.
    assert on_the_wire(request.body) == (
        '{"inputs":[{"objectWriteTraceId":"K1","properties":{"dealname":"Ä","crmseed_key":"K1"},'
        '"associations":[{"to":{"id":"42"},"types":['
        '{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":341},'
        '{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":5}]}]}]}'
    )


def test_every_input_carries_its_own_trace_id_and_key(hubspot: HubSpot) -> None:
    drafts = [Draft("contacts", i, f"K{i}", {"email": f"{i}@r.example.com"}) for i in range(100)]
    inputs = hubspot.create(Batch("contacts", 1, 1, drafts), {}).body["inputs"]
    assert [entry["objectWriteTraceId"] for entry in inputs] == [f"K{i}" for i in range(100)]
    assert [entry["properties"]["crmseed_key"] for entry in inputs] == [f"K{i}" for i in range(100)]
    assert not any("associations" in entry for entry in inputs)


def links_of(hubspot: HubSpot, object_type: str, *links: Link) -> list[tuple[str, list[int]]]:
    ids = {("companies", i): f"1{i}" for i in range(3)} | {("contacts", i): f"2{i}" for i in range(3)}
    request = hubspot.create(Batch(object_type, 1, 1, [Draft(object_type, 0, "K", {}, links)]), ids)
    return [
        (entry["to"]["id"], [kind["associationTypeId"] for kind in entry["types"]])
        for entry in request.body["inputs"][0]["associations"]
    ]


def test_the_type_ids_by_direction(hubspot: HubSpot) -> None:
    company, contact = Link("company", "companies", index=0), Link("contacts", "contacts", index=0)
    assert links_of(hubspot, "contacts", company) == [("10", [279, 1])]
    assert links_of(hubspot, "deals", company, contact) == [("10", [341, 5]), ("20", [3])]


def test_one_company_only_is_the_primary_one(hubspot: HubSpot) -> None:
    first, second = Link("company", "companies", index=0), Link("company", "companies", id="99")
    assert links_of(hubspot, "deals", first, second) == [("10", [341, 5]), ("99", [341])]


def test_two_links_to_one_record_are_one_entry(hubspot: HubSpot) -> None:
    twice = [Link("contacts", "contacts", index=0), Link("contacts", "contacts", id="20")]
    assert links_of(hubspot, "deals", *twice) == [("20", [3])]


def test_a_contact_and_a_company_of_one_id_stay_two(hubspot: HubSpot) -> None:
    links = [Link("company", "companies", id="7"), Link("contacts", "contacts", id="7")]
    assert links_of(hubspot, "deals", *links) == [("7", [341, 5]), ("7", [3])]


@pytest.fixture
def labelled() -> HubSpot:
    bundled = catalog.bundled("hubspot")
    deals = bundled.object_types["deals"]
    own = (
        Association("contacts", 37, "USER_DEFINED", label="Decision maker"),
        Association("companies", 38, "USER_DEFINED", label="Reseller"),
    )
    fields = {name: getattr(deals, name) for name in ObjectType.__slots__}
    widened = ObjectType(**{**fields, "associations": (*deals.associations, *own)})
    return HubSpot(Schema("hubspot", {**bundled.object_types, "deals": widened}))


def test_a_label_goes_beside_the_unlabelled_type_in_its_own_category(labelled: HubSpot) -> None:
    link = Link("contacts", "contacts", index=0, label="Decision maker")
    request = labelled.create(
        Batch("deals", 1, 1, [Draft("deals", 0, "K", {}, (link,))]), {("contacts", 0): "20"}
    )
    assert request.body["inputs"][0]["associations"][0]["types"] == [
        {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3},
        {"associationCategory": "USER_DEFINED", "associationTypeId": 37},
    ]


def test_a_labelled_company_is_still_the_primary_one(labelled: HubSpot) -> None:
    links = [Link("company", "companies", index=0, label="Reseller"), Link("company", "companies", index=1)]
    assert links_of(labelled, "deals", *links) == [("10", [341, 38, 5]), ("11", [341])]


TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(["dealname", "amount", "description"]), TEXTS),
            st.integers(min_value=0, max_value=4),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_size_is_never_too_small(rows: list[tuple[dict[str, str], int]]) -> None:
    hubspot = HubSpot(catalog.bundled("hubspot"))
    drafts = [
        Draft(
            "deals", i, "k" * 100, values, tuple(Link("contacts", "contacts", index=n) for n in range(links))
        )
        for i, (values, links) in enumerate(rows)
    ]
    ids = {("contacts", n): str(10**11 + n) for n in range(4)}
    body = hubspot.create(Batch("deals", 1, 1, drafts), ids).body
    size = sum(hubspot.size(draft) for draft in drafts)
    assert len(on_the_wire(body).encode()) <= size
    assert size <= 2 * len(on_the_wire(body).encode()) + 500


# -- versions and paths ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("version", "objects", "properties", "account"),
    [
        ("2026-03", "/crm/objects/2026-03", "/crm/properties/2026-03", "/account-info/2026-03"),
        ("2026-09", "/crm/objects/2026-09", "/crm/properties/2026-09", "/account-info/2026-09"),
        ("v3", "/crm/v3/objects", "/crm/v3/properties", "/account-info/v3"),
    ],
)
def test_paths_by_version(version: str, objects: str, properties: str, account: str) -> None:
    provider = HubSpot(catalog.bundled("hubspot"), api_version=version)
    assert provider.create(Batch("deals", 1, 1, []), {}).path == f"{objects}/deals/batch/create"
    assert provider.read("deals", ["1"], ()).path == f"{objects}/deals/batch/read"
    assert provider.delete("deals", ["1"]).path == f"{objects}/deals/batch/archive"
    keys = provider.key_routes(["deals"])
    assert next(keys).path == f"{properties}/deals/crmseed_key"
    exchange = provider.account(TOKEN)
    details = next(exchange)
    assert (details.method, details.path) == ("GET", f"{account}/details")


def test_read_and_delete_are_what_the_official_client_sends(hubspot: HubSpot) -> None:
    read = hubspot.read("contacts", ["101"], ["email", "crmseed_key"])
    assert on_the_wire(read.body) == '{"properties":["email","crmseed_key"],"inputs":[{"id":"101"}]}'
    assert (read.what, read.effect) == ("read 1 contacts", Effect.READ)
    unique = KeyRoute("unique", "crmseed_key")
    by_key = next(hubspot.find("contacts", unique, [Sought("K1")], [], since=0.0))
    # The key's property names the ids, at the top of the body.
    assert by_key.body == {
        "properties": ["crmseed_key"],
        "inputs": [{"id": "K1"}],
        "idProperty": "crmseed_key",
    }
    delete = hubspot.delete("contacts", ["101"])
    assert on_the_wire(delete.body) == '{"inputs":[{"id":"101"}]}'
    assert (delete.what, delete.effect, delete.records) == ("archive 1 contacts", Effect.DELETE, 1)


def test_the_way_in(hubspot: HubSpot) -> None:
    assert hubspot.base_url(TOKEN) == "https://api.hubapi.com"
    assert hubspot.headers(TOKEN) == {"Authorization": "Bearer pat-eu1-secret"}


def test_the_scopes_by_object_type(hubspot: HubSpot) -> None:
    scopes = hubspot.scopes([*hubspot.schema.object_types, "2-7", "p123_pets"])
    own = ("companies", "contacts", "deals", "leads", "orders", "quotes")
    expected = {
        **{name: ({f"crm.objects.{name}.read"}, {f"crm.objects.{name}.write"}) for name in own},
        **{
            name: ({f"crm.objects.{name}.read", "e-commerce"}, {f"crm.objects.{name}.write", "e-commerce"})
            for name in ("products", "line_items")
        },
        **{
            name: ({"crm.objects.contacts.read"}, {"crm.objects.contacts.write"})
            for name in ("notes", "tasks", "calls", "meetings", "emails")
        },
        **{
            name: ({"crm.objects.custom.read"}, {"crm.objects.custom.write"}) for name in ("2-7", "p123_pets")
        },
        "tickets": ({"tickets"}, {"tickets"}),
    }
    assert {name: tuple(map(set, sets)) for name, sets in scopes.items()} == expected


def test_the_versions_and_their_rules() -> None:
    assert HubSpot.api_versions == ("2026-03", "2026-09", "v3")
    bundled = catalog.bundled("hubspot")
    assert HubSpot(bundled).api_version == "2026-03"
    enforcing = [v for v in HubSpot.api_versions if HubSpot(bundled, api_version=v).enforces_admin_rules]
    assert enforcing == ["2026-09"]


# -- results ---------------------------------------------------------------------------------------
def a_batch(n: int) -> Batch:
    return Batch("contacts", 1, 1, [Draft("contacts", i, f"K{i}", {"email": f"{i}@x"}) for i in range(n)])


@pytest.mark.parametrize("echo", [True, False])
def test_results_are_matched_by_trace_id_or_key_never_by_position(hubspot: HubSpot, echo: bool) -> None:
    batch = a_batch(30)
    rows = []
    for i in range(30):
        row: dict[str, Any] = {"id": 1000 + i, "properties": {"email": f"{i}@x"}, "url": f"https://u/{i}"}
        if echo:
            row["objectWriteTraceId"] = f"K{i}"
        else:
            row["properties"]["crmseed_key"] = f"K{i}"
        rows.append(row)
    random.Random(5).shuffle(rows)
    request = hubspot.create(batch, {})
    results = hubspot.results(batch, answered(request, 201, {"status": "COMPLETE", "results": rows}))
    assert [(r.draft.index, r.id, r.url) for r in results] == [
        (i, str(1000 + i), f"https://u/{i}") for i in range(30)
    ]
    assert [r.native["email"] for r in results] == [f"{i}@x" for i in range(30)]


def test_a_row_of_nobody_s_and_one_without_an_id_are_nobody_s_result(hubspot: HubSpot) -> None:
    rows = [
        {"id": "1", "properties": {"crmseed_key": "other"}},
        {"id": "2", "properties": None},
        {"objectWriteTraceId": "K0", "properties": {}},
    ]
    batch = a_batch(1)
    (result,) = hubspot.results(batch, answered(hubspot.create(batch, {}), 201, {"results": rows}))
    assert (result.id, result.refusals, result.remarks) == (None, (), ())


def test_the_errors_of_a_207_go_to_the_rows_they_name(hubspot: HubSpot) -> None:
    message = 'Property values were not valid: [{"message":"bad","error":"INVALID_EMAIL","name":"email"}]'
    body = {
        "status": "COMPLETE",
        "results": [{"id": "7", "objectWriteTraceId": "K0", "properties": {}}],
        "numErrors": 2,
        "errors": [
            {
                "status": "error",
                "category": "V",
                "message": message,
                "context": {"objectWriteTraceId": ["K2"]},
            },
            {
                "status": "error",
                "category": "C",
                "message": "clash",
                "context": {"objectWriteTraceId": ["K1", "K2"]},
            },
        ],
    }
    batch = a_batch(3)
    good, one, two = hubspot.results(batch, answered(hubspot.create(batch, {}), 207, body))
    assert good.ok and good.refusals == ()
    assert [(r.message, r.field, r.value, r.status) for r in one.refusals] == [("clash", None, None, 207)]
    assert [(r.message, r.field, r.value) for r in two.refusals] == [
        ("bad", "email", "2@x"),
        ("clash", None, None),
    ]


def test_an_error_that_names_no_row_is_kept_as_a_remark(hubspot: HubSpot) -> None:
    body = {
        "results": [{"id": "7", "objectWriteTraceId": "K0", "properties": {}}],
        "errors": [
            {"message": "odd", "context": {}},
            {"message": "alien", "context": {"objectWriteTraceId": ["Z"]}},
        ],
    }
    batch = a_batch(2)
    good, silent = hubspot.results(batch, answered(hubspot.create(batch, {}), 207, body))
    assert good.ok and good.remarks == ()
    assert (silent.id, silent.refusals, silent.remarks) == (None, (), ("odd", "alien"))


WARNED = {
    "category": "PROPERTY_VALUE_NORMALIZED",
    "message": "date_of_birth was normalized",
    "context": {
        "propertyName": "date_of_birth",
        "rawValue": "1990-01-01T00:00:00Z",
        "normalizedValue": "631152000000",
    },
}


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    ("properties", "held"), [({"date_of_birth": "1990-01-01"}, "1990-01-01"), ({}, "631152000000")]
)
def test_a_value_that_the_portal_normalised_is_told(
    hubspot: HubSpot, properties: dict[str, str], held: str, several: bool
) -> None:
    context = {name: [value] if several else value for name, value in WARNED["context"].items()}  # type: ignore[attr-defined]
    rows = [
        {
            "id": "7",
            "objectWriteTraceId": "K0",
            "properties": properties,
            "warnings": [{**WARNED, "context": context}],
        },
        {"id": "8", "objectWriteTraceId": "K1", "properties": properties},
    ]
    batch = a_batch(2)
    body = {"status": "COMPLETE", "results": rows}
    told, silent = hubspot.results(batch, answered(hubspot.create(batch, {}), 201, body))
    assert told.ok and told.warnings == (
        Warned(
            "date_of_birth was normalized",
            "PROPERTY_VALUE_NORMALIZED",
            "date_of_birth",
            "1990-01-01T00:00:00Z",
            held,
        ),
    )
    assert silent.ok and silent.warnings == ()


def test_a_warning_of_no_property(hubspot: HubSpot) -> None:
    rows = [{"id": "7", "objectWriteTraceId": "K0", "properties": {}, "warnings": [{"category": "ODD"}, {}]}]
    batch = a_batch(1)
    (told,) = hubspot.results(batch, answered(hubspot.create(batch, {}), 201, {"results": rows}))
    assert told.warnings == (Warned("ODD", "ODD"), Warned("a warning without a reason"))


def test_the_errors_of_2026_09_stand_in_a_plain_200(hubspot: HubSpot) -> None:
    error = {
        "code": "MISSING_REQUIRED_PROPERTY",
        "message": "A value for firstname must be provided",
        "context": {"propertyName": ["firstname"]},
    }
    body = {
        "status": "COMPLETE",
        "results": [{"id": "7", "objectWriteTraceId": "K0", "properties": {}}],
        "numErrors": 1,
        "errors": [
            {
                "status": "error",
                "category": "VALIDATION_ERROR",
                "message": "The property values provided are invalid",
                "errors": [error],
                "context": {"objectWriteTraceId": ["K1"]},
            }
        ],
    }
    batch = a_batch(2)
    answer = answered(hubspot.create(batch, {}), 200, body)
    assert hubspot.judge(answer.request, answer).outcome is Outcome.DONE
    good, bad = hubspot.results(batch, answer)
    assert good.ok
    assert [(r.field, r.code, r.message, r.status) for r in bad.refusals] == [
        ("firstname", "MISSING_REQUIRED_PROPERTY", "A value for firstname must be provided", 200)
    ]


# -- reading back ----------------------------------------------------------------------------------
def test_found_leaves_out_what_a_207_lists_as_missing(hubspot: HubSpot) -> None:
    request = hubspot.read("contacts", ["1", "2"], ["email"])
    body = {
        "status": "COMPLETE",
        "results": [{"id": "1", "properties": {"email": None}, "url": "https://u/1"}],
        "numErrors": 1,
        "errors": [
            {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "…", "context": {"ids": ["2"]}}
        ],
    }
    assert hubspot.found(answered(request, 207, body)) == [Found("1", {"email": None}, "https://u/1")]


def test_found_takes_no_doubtful_answer_for_absence(hubspot: HubSpot) -> None:
    request = hubspot.read("contacts", ["1"], [])
    with pytest.raises(NotAPortal, match=r"answered 200 without results to: read 1 contacts\."):
        hubspot.found(answered(request, 200, {"status": "PENDING"}))
    body = {"results": [], "errors": [{"category": "INTERNAL_ERROR", "message": "later"}]}
    with pytest.raises(PortalError, match=r"^HubSpot could not read 1 contacts: later$"):
        hubspot.found(answered(request, 207, body))


# -- the account -----------------------------------------------------------------------------------
DETAILS = {
    "portalId": 1234567,
    "accountType": "SANDBOX",
    "uiDomain": "app-eu1.hubspot.com",
    "companyCurrency": "EUR",
}
SCOPES = {"userId": 1, "hubId": 1234567, "scopes": ["oauth", "crm.objects.contacts.read"]}
QUOTA = {
    "results": [
        {"name": "x", "usageLimit": 1, "currentUsage": 0, "fetchStatus": "TIMEOUT"},
        {
            "name": "private-apps-api-calls-daily",
            "usageLimit": 250_000,
            "currentUsage": 172_326,
            "fetchStatus": "CACHED",
        },
    ]
}


def run(exchange: Any, answers: Iterator[object]) -> tuple[Any, list[Request]]:
    """Run an exchange with bodies, or errors, as its answers."""
    sent = []
    try:
        request = next(exchange)
        while True:
            sent.append(request)
            given_ = next(answers)
            if isinstance(given_, CrmseedError):
                request = exchange.throw(given_)
            else:
                request = exchange.send(answered(request, 200, given_))
    except StopIteration as done:
        return done.value, sent


def test_the_account_in_three_requests(hubspot: HubSpot) -> None:
    account, sent = run(hubspot.account(TOKEN), iter([DETAILS, SCOPES, QUOTA]))
    assert account == Account(
        "1234567",
        "SANDBOX",
        production=False,
        scopes=frozenset({"oauth", "crm.objects.contacts.read"}),
        daily_limit=250_000,
        daily_left=77_674,
        ui_url="https://app-eu1.hubspot.com/contacts/1234567",
        currency="EUR",
    )
    assert [(r.method, r.path, r.effect) for r in sent] == [
        ("GET", "/account-info/2026-03/details", Effect.READ),
        ("POST", "/oauth/v2/private-apps/get/access-token-info", Effect.READ),
        ("GET", "/account-info/2026-03/api-usage/daily/private-apps", Effect.READ),
    ]
    assert sent[1].body == {"tokenKey": "pat-eu1-secret"}
    assert "secret" not in repr(sent)


@pytest.mark.parametrize(
    ("kind", "production"),
    [
        ("SANDBOX", False),
        ("DEVELOPER_TEST", False),
        ("STANDARD", True),
        ("APP_DEVELOPER", True),
        ("NEW_KIND", True),
    ],
)
def test_only_two_kinds_of_account_are_no_production(hubspot: HubSpot, kind: str, production: bool) -> None:
    account, _ = run(hubspot.account(TOKEN), iter([{**DETAILS, "accountType": kind}, SCOPES, QUOTA]))
    assert (account.kind, account.production) == (kind, production)


@pytest.mark.parametrize(
    "error", [ApiRefused("no", status=400), Unauthorized("no"), NotAPortal("page", status=404)]
)
def test_an_oauth_token_tells_no_scopes_and_a_portal_may_tell_no_quota(
    hubspot: HubSpot, error: CrmseedError
) -> None:
    account, _ = run(hubspot.account(TOKEN), iter([DETAILS, error, error]))
    assert (account.scopes, account.daily_limit, account.daily_left) == (None, None, None)
    assert account.portal_id == "1234567"


@pytest.mark.parametrize(
    "usage", [{}, {"results": []}, {"results": [{"usageLimit": None, "currentUsage": None}]}]
)
def test_a_quota_without_figures(hubspot: HubSpot, usage: Mapping[str, Any]) -> None:
    account, _ = run(hubspot.account(TOKEN), iter([DETAILS, {"scopes": None}, usage]))
    assert (account.scopes, account.daily_limit, account.daily_left) == (None, None, None)


def test_more_used_than_allowed_leaves_nothing(hubspot: HubSpot) -> None:
    usage = {"results": [{"usageLimit": 10, "currentUsage": 12}]}
    account, _ = run(hubspot.account(TOKEN), iter([DETAILS, SCOPES, usage]))
    assert (account.daily_limit, account.daily_left) == (10, 0)


@pytest.mark.parametrize("details", [{}, {"portalId": 1}])
def test_another_api_s_answer_is_no_account(hubspot: HubSpot, details: Mapping[str, Any]) -> None:
    with pytest.raises(NotAPortal) as wrong:
        run(hubspot.account(TOKEN), iter([details]))
    assert (
        str(wrong.value)
        == "The address answers, but not with a HubSpot account's details. Check the base URL."
    )


def test_the_routes_by_what_the_portal_says_of_the_property(hubspot: HubSpot) -> None:
    absent = ApiRefused("no", status=404)
    names = ["companies", "contacts", "deals", "products", "leads", "emails", "0-999"]
    answers = iter([{"hasUniqueValue": True}, absent, {"hasUniqueValue": False}, *[absent] * 4])
    routes, _ = run(hubspot.key_routes(names), answers)
    assert routes == {
        "companies": KeyRoute("unique", "crmseed_key"),
        "contacts": KeyRoute("value", "email"),
        "deals": KeyRoute("field", "crmseed_key"),
        "products": KeyRoute("text", "description"),
        "leads": KeyRoute("parents", "hs_lead_name"),
        "emails": KeyRoute("text", "hs_email_text"),
    }
    with pytest.raises(ApiRefused):
        run(hubspot.key_routes(["companies"]), iter([ApiRefused("bad request", status=400)]))
