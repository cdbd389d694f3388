"""Whatever a client sends, the portal answers like HubSpot: never with a fault of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_crmseed.portal import Portal, PortalRequest, PortalResponse
from pytest_crmseed.portal.hubspot.routes import Routes

TYPES = ["contacts", "companies", "deals", "0-1", "Deal", "tickets", "notes", "carts", "2-7", "widgets", ""]
TEMPLATES = sorted({template for _, template in Routes().coverage})
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "BREW", ""]
NAMES = [
    "email",
    "firstname",
    "hs_buying_role",
    "crmseed_key",
    "name",
    "domain",
    "dealname",
    "amount",
    "closedate",
    "dealstage",
    "pipeline",
    "hubspot_owner_id",
    "hs_object_id",
    "associatedcompanyid",
    "num_associated_deals",
    "nope",
]
# Words of the API's own bodies, so that random data is now and then nearly right.
KEYS = [
    "properties",
    "propertiesWithHistory",
    "associations",
    "inputs",
    "id",
    "idProperty",
    "objectWriteTraceId",
    "to",
    "from",
    "types",
    "associationCategory",
    "associationTypeId",
    "after",
    "name",
    "label",
    "type",
    "fieldType",
    "groupName",
    "options",
    "value",
    "hidden",
    "displayOrder",
    "hasUniqueValue",
    "archived",
    "tokenKey",
    "filterGroups",
    "filters",
    "propertyName",
    "operator",
    "values",
    "highValue",
    "sorts",
    "direction",
    "query",
    "limit",
    "primaryObjectId",
    "objectIdToMerge",
    "objectId",
    "labels",
    "singular",
    "plural",
    "primaryDisplayProperty",
    "requiredProperties",
    "searchableProperties",
    "secondaryDisplayProperties",
    "associatedObjects",
    "fromObjectTypeId",
    "toObjectTypeId",
    "stages",
    "metadata",
    "probability",
    "isClosed",
    "ticketState",
    "inverseLabel",
    "ruleArguments",
    "dataSensitivity",
    "description",
    "externalOptions",
    *NAMES,
]
WORDS = [
    "1",
    "a@example.com",
    "HUBSPOT_DEFINED",
    "closedwon",
    "default",
    "string",
    "text",
    "enumeration",
    "select",
    "contactinformation",
    "MAX_LENGTH",
    "REGEX",
    "sensitive",
    "2026-01-01",
    "9" * 25,
    "-9" * 9,
    "\u0000",
    "\ud800",
    "",
    ";",
]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, -(10**30), 279, 1, 1e308, 1e-300, 631152000000]),
    st.floats(allow_nan=True),
    st.sampled_from(WORDS + NAMES),
    st.text(),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


# Stand for the ids of records that exist when a request is sent: what is drawn must not depend on them.
IDS = [f"~{number}~" for number in range(6)]


def with_ids(portal: Portal, text: str) -> str:
    """Put ids of live records in the place of the ``IDS`` in a text."""
    found = [
        str(record.id)
        for name in portal.hubspot.account.object_types.by_name
        for record in portal.store.page("hubspot", name, start=0, limit=2)
    ] or ["1"]
    for number, stand_in in enumerate(IDS):
        text = text.replace(stand_in, found[number % len(found)])
    return text


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    portal = Portal()
    token = portal.hubspot.tokens()["seeder"]
    for name, properties in [
        ("contacts", {"email": "a@example.com"}),
        ("companies", {"name": "A"}),
        ("deals", {"dealname": "D", "dealstage": "closedwon"}),
    ]:
        body = {"properties": properties}
        request = PortalRequest.of("POST", f"/crm/v3/objects/{name}", body, token=token)
        assert portal.handle(request).status == 201
    yield portal
    portal.close()


def check(portal: Portal, request: PortalRequest) -> PortalResponse:
    answer = portal.handle(request)
    assert answer.status != 500, answer.json()["traceback"]
    assert 200 <= answer.status < 600
    if answer.body and "json" in answer.headers["content-type"]:
        json.loads(answer.body)
    elif answer.body:
        assert answer.status == 404
    portal.stats()
    return answer


def ask(portal: Portal, method: str, path: str, body: bytes, query: str = "") -> PortalResponse:
    token = portal.hubspot.tokens()["seeder"]
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "host": "127.0.0.1"}
    path, body = with_ids(portal, path), with_ids(portal, body.decode()).encode()
    return check(portal, PortalRequest(method, path, query, headers, body))


@settings(max_examples=250)
@given(st.data())
def test_random_bodies_on_every_path(portal: Portal, data: Any) -> None:
    template = data.draw(st.sampled_from(TEMPLATES), "template")
    segments = []
    for segment in template.split("/"):
        if segment in ("{type}", "{from}", "{to}"):
            segment = data.draw(st.sampled_from(TYPES), "type")
        elif segment.startswith("{"):
            segment = quote(data.draw(st.sampled_from([*IDS, *WORDS[:14], *NAMES, "9" * 25])), safe="~")
        segments.append(segment)
    method = data.draw(st.sampled_from(METHODS), "method")
    query = data.draw(
        st.sampled_from(
            [
                "",
                "archived=true",
                "idProperty=email",
                "limit=1&after=x",
                "properties=a,b&%ff=%00",
                "dataSensitivity=sensitive",
                "client_id=a&redirect_uri=http://x/%0a",
                "client_id=a&redirect_uri=http://x/&scope=oauth%20a&state=%00",
            ]
        )
    )
    body = json.dumps(data.draw(values, "body")).encode()
    ask(portal, method, "/".join(segments), body, query)


OPERATORS = [
    "LT",
    "LTE",
    "GT",
    "GTE",
    "EQ",
    "NEQ",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
    "LIKE",
]
searched = st.sampled_from(
    [*NAMES, "createdate", "lastmodifieddate", "hs_is_closed", "associations.company", "associations.x"]
)
texts = st.one_of(scalars, st.sampled_from(["*a*", "**", "*", "2026-01-01", "-1", "1e5", "nan"]))


@settings(max_examples=200)
@given(st.data())
def test_random_searches(portal: Portal, data: Any) -> None:
    one = st.fixed_dictionaries(
        {"propertyName": searched, "operator": st.sampled_from(OPERATORS)},
        optional={"value": texts, "highValue": texts, "values": st.lists(texts, max_size=3)},
    )
    body = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "filterGroups": st.lists(
                    st.fixed_dictionaries({"filters": st.lists(one, max_size=3)}), max_size=3
                ),
                "sorts": st.lists(searched | searched.map(lambda name: f"-{name}"), max_size=1),
                "query": st.text(max_size=8) | st.sampled_from(WORDS),
                "limit": st.sampled_from([0, 1, "10", 200, -1, "x"]),
                "after": st.sampled_from(["0", "1", 9_990, "x", ""]),
                "properties": st.lists(st.sampled_from(NAMES), max_size=3),
            },
        )
    )
    portal.behaviour.search_lag = data.draw(st.sampled_from([0.0, 0.001, 60.0]))
    name = data.draw(st.sampled_from(["contacts", "companies", "deals"]))
    ask(
        portal, "PATCH", f"/crm/v3/objects/{name}/~0~", b'{"properties":{"email":"b@example.com","name":"B"}}'
    )
    ask(portal, "POST", f"/crm/v3/objects/{name}/search", json.dumps(body).encode())


@settings(max_examples=40)
@given(st.data())
def test_random_merges_and_legacy_associations(portal: Portal, data: Any) -> None:
    ids = st.sampled_from([*IDS, "7"])
    name = data.draw(st.sampled_from(["contacts", "companies", "deals", "notes"]))
    merging = {"primaryObjectId": data.draw(ids), "objectIdToMerge": data.draw(ids)}
    ask(portal, "POST", f"/crm/v3/objects/{name}/merge", json.dumps(merging).encode())
    row = {
        "from": {"id": data.draw(ids)},
        "to": {"id": data.draw(ids)},
        "id": data.draw(ids),
        "type": data.draw(st.sampled_from(["contact_to_company", "279", "deal_to_contact"])),
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}],
    }
    body = json.dumps({"inputs": [row]}).encode()
    for verb in ("create", "read", "archive"):
        ask(portal, "POST", f"/crm/v3/associations/contact/company/batch/{verb}", body)
    ask(portal, "POST", "/crm/v4/associations/contacts/companies/batch/labels/archive", body)


texts_or_scalars = st.one_of(st.sampled_from(["a", "A", "name", "0", "1"]), scalars)
definition = st.fixed_dictionaries(
    {
        "name": texts_or_scalars,
        "label": texts_or_scalars,
        "type": st.sampled_from(["string", "number", "bool", "enumeration", "date", "x"]),
        "fieldType": st.sampled_from(["text", "number", "booleancheckbox", "checkbox", "date", "x"]),
    },
    optional={
        "groupName": st.sampled_from(["contactinformation", "Pet_information", "g", 1]),
        "hasUniqueValue": st.booleans(),
        "options": st.lists(
            st.fixed_dictionaries({"label": st.sampled_from(["a", "b", 1]), "value": texts_or_scalars}),
            max_size=2,
        ),
        "displayOrder": scalars,
        "dataSensitivity": scalars,
    },
)
stage = st.fixed_dictionaries(
    {"label": texts_or_scalars},
    optional={
        "displayOrder": scalars,
        "metadata": st.dictionaries(
            st.sampled_from(["probability", "isClosed", "ticketState"]),
            st.sampled_from(["0.5", "1", 0, 0.25, "x", "nan", "1e999", "CLOSED", True, None, []]),
            max_size=3,
        ),
    },
)


@settings(max_examples=150)
@given(st.data())
def test_random_definitions_of_the_right_shape(portal: Portal, data: Any) -> None:
    def send(method: str, path: str, body: Any = None) -> PortalResponse:
        return ask(portal, method, path, b"" if body is None else json.dumps(body).encode())

    version = data.draw(st.sampled_from(["v3", "2026-09"]))
    dated = version != "v3"
    schemas = f"/crm-object-schemas/{version}/schemas"
    name = data.draw(st.sampled_from(["Pet", "pet", "contacts", "x" * 51, 5]))
    rows = data.draw(st.lists(definition, max_size=3))
    named = st.lists(st.sampled_from(["a", "name", "nope", "hs_object_id"]), max_size=2)
    body = {
        "name": name,
        "labels": {"singular": "Pet", "plural": data.draw(texts_or_scalars)},
        "properties": rows,
        "primaryDisplayProperty": data.draw(st.sampled_from(["a", "name", "hs_object_id"])),
        "requiredProperties": data.draw(named),
        "searchableProperties": data.draw(named),
        "associatedObjects": data.draw(st.lists(st.sampled_from(["contacts", "0-3", "Pet", 1]), max_size=2)),
    }
    send("POST", schemas, body)
    of = data.draw(st.sampled_from(["contacts", "deals", "tickets", "Pet", "products"]))
    properties = f"/crm/properties/{version}/{of}" if dated else f"/crm/v3/properties/{of}"
    pipelines = f"/crm/pipelines/{version}/{of}" if dated else f"/crm/v3/pipelines/{of}"
    records = f"/crm/objects/{version}/{of}"
    group = data.draw(st.sampled_from(["g", "contactinformation", "Pet_information"]))
    id = data.draw(st.sampled_from(["default", "0", "1", "740010001", "740010003"]))
    calls = [
        ("PATCH", f"{schemas}/{of}", body),
        ("POST", f"{schemas}/{of}/associations", {"fromObjectTypeId": of, "toObjectTypeId": "0-1"}),
        ("POST", properties, data.draw(definition)),
        ("POST", f"{properties}/batch/create", {"inputs": rows}),
        ("PATCH", f"{properties}/a", data.draw(definition)),
        ("DELETE", f"{properties}/a", None),
        ("POST", f"{properties}/groups", {"name": group, "label": data.draw(texts_or_scalars)}),
        ("DELETE", f"{properties}/groups/{group}", None),
        ("POST", pipelines, {"label": data.draw(texts_or_scalars), "stages": data.draw(st.lists(stage))}),
        ("PUT", f"{pipelines}/{id}", {"label": "L", "displayOrder": 0, "stages": data.draw(st.lists(stage))}),
        ("PATCH", f"{pipelines}/{id}", {"archived": data.draw(st.booleans())}),
        ("POST", f"{pipelines}/{id}/stages", data.draw(stage)),
        ("PATCH", f"{pipelines}/{id}/stages/{data.draw(st.sampled_from(['1', '740010002']))}", {}),
        ("DELETE", f"{pipelines}/{id}", None),
        ("POST", f"/crm/associations/v4/{of}/companies/labels", {"name": "n", "label": "N"}),
        ("PUT", f"/crm/associations/v4/{of}/companies/labels", {"associationTypeId": 1, "label": "M"}),
        ("DELETE", f"/crm/associations/v4/{of}/companies/labels/1", None),
        ("PUT", f"/crm/property-validations/2026-09/{of}/a/rule-type/REGEX", {"ruleArguments": ["(a"]}),
        ("POST", records, {"properties": {"a": data.draw(scalars), "name": data.draw(scalars)}}),
        ("POST", f"{records}/search", {"query": "a"}),
        ("GET", f"{schemas}/{of}", None),
        ("DELETE", f"{schemas}/{of}?archived={data.draw(st.booleans())}", None),
    ]
    for method, path, each in data.draw(st.permutations(calls)):
        path, _, query = path.partition("?")
        ask(portal, method, path, b"" if each is None else json.dumps(each).encode(), query)
    for path in (schemas, properties, "/crm/v3/limits/records", "/crm/v3/limits/associations/labels"):
        send("GET", path)


@settings(max_examples=60)
@given(
    path=st.sampled_from(["/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-09/token/introspect"]),
    fields=st.dictionaries(
        st.sampled_from(["grant_type", "client_id", "client_secret", "code", "refresh_token", "token"]),
        st.sampled_from(["authorization_code", "refresh_token", "a", "client_credentials"]) | st.text(),
    ),
)
def test_random_forms(portal: Portal, path: str, fields: dict[str, str]) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode(fields, errors="replace").encode()
    check(portal, PortalRequest("POST", path, "", headers, body))


properties = st.dictionaries(st.sampled_from(NAMES), scalars, max_size=5)
spec = st.fixed_dictionaries(
    {"associationCategory": st.just("HUBSPOT_DEFINED"), "associationTypeId": st.integers(0, 460)}
)


@settings(max_examples=120)
@given(st.data())
def test_random_values_in_bodies_of_the_right_shape(portal: Portal, data: Any) -> None:
    ids = st.sampled_from([*IDS, "7", "a@example.com", "k"])
    name = data.draw(st.sampled_from(["contacts", "companies", "deals"]))
    verb = data.draw(st.sampled_from(["create", "read", "update", "upsert", "archive"]))
    version = data.draw(st.sampled_from(["v3/objects", "objects/2026-09"]))
    row = st.fixed_dictionaries(
        {"id": ids, "properties": properties},
        optional={
            "idProperty": st.sampled_from(["email", "crmseed_key", "domain", "dealname", "hs_object_id"]),
            "objectWriteTraceId": st.text(max_size=3),
            "associations": st.lists(
                st.fixed_dictionaries(
                    {"to": st.fixed_dictionaries({"id": ids}), "types": st.lists(spec, max_size=2)}
                ),
                max_size=2,
            ),
        },
    )
    inputs = data.draw(st.lists(row, max_size=4))
    body = {"inputs": inputs, "properties": NAMES}
    ask(portal, "POST", f"/crm/{version}/{name}/batch/{verb}", json.dumps(body).encode())
    for path in (f"/crm/v3/objects/{name}", "/crm/v3/objects/contacts?associations=companies,deals"):
        path, _, query = path.partition("?")
        answer = ask(portal, "GET", path, b"", query or f"properties={','.join(NAMES)}")
        # Every value that is answered is text or null, whatever it was sent as.
        for record in answer.json()["results"]:
            assert all(value is None or isinstance(value, str) for value in record["properties"].values())


@settings(max_examples=150)
@given(
    method=st.sampled_from(METHODS) | st.text(max_size=6),
    path=st.text()
    | st.lists(st.sampled_from(["crm", "v3", "objects", "_portal", "%", "%ff", "..", ""])).map("/".join),
    query=st.text(),
    headers=st.dictionaries(
        st.sampled_from(["authorization", "content-type", "host", "origin"]), st.text(), max_size=4
    ),
    body=st.binary(),
)
def test_random_requests(
    portal: Portal, method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    check(portal, PortalRequest(method, path, query, headers, body))


@settings(max_examples=60)
@given(body=st.binary() | values.map(lambda value: json.dumps(value).encode()))
def test_random_control_requests(portal: Portal, body: bytes) -> None:
    for path in ("/_portal/tokens", "/_portal/stats", "/_portal/coverage"):
        for method in ("GET", "POST"):
            check(portal, PortalRequest(method, path, "", {"host": "localhost"}, body))


def test_whatever_was_sent_is_recorded(portal: Portal) -> None:
    odd = PortalRequest("POST", "/crm/\ud800", "\ud800", {}, b'{"a": "\\ud800"}')
    check(portal, odd)
    check(portal, PortalRequest("GET", "/_portal/requests", "", {"host": "localhost"}))
