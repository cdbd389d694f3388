"""Associations: inline on create, the batch calls, the single calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed.portal import Portal

BATCHES = ["/crm/v4/associations", "/crm/associations/2025-09", "/crm/associations/2026-03"]
SINGLES = ["/crm/v4/objects", "/crm/objects/2026-03", "/crm/objects/2026-09"]

UNLABELLED = {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}
PRIMARY = {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}


def spec(type_id: int) -> dict[str, Any]:
    return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}


def to(id: Any, *type_ids: int) -> dict[str, Any]:
    return {"to": {"id": id}, "types": [spec(type_id) for type_id in type_ids]}


def linked(ask: Any, from_type: str, id: str, to_type: str) -> dict[int, list[int]]:
    """Return the type ids between a record and others, by their ids."""
    answer = ask.get(f"/crm/v4/objects/{from_type}/{id}/associations/{to_type}")
    assert answer.status == 200, answer.body
    return {
        row["toObjectId"]: [each["typeId"] for each in row["associationTypes"]]
        for row in answer.json()["results"]
    }


# -- inline -------------------------------------------------------------------------------------------


def test_links_made_with_the_record_are_seen_from_both_sides(ask: Any) -> None:
    company, contact = ask.company(), ask.contact()
    body = {
        "properties": {"dealname": "D", "dealstage": "closedwon"},
        "associations": [to(int(company), 341), to(contact, 3)],
    }
    answer = ask.post("/crm/v3/objects/deals", body)
    assert answer.status == 201
    deal = answer.json()["id"]
    assert linked(ask, "deals", deal, "companies") == {int(company): [341]}
    assert linked(ask, "companies", company, "deals") == {int(deal): [342]}
    assert linked(ask, "deals", deal, "contacts") == {int(contact): [3]}
    assert linked(ask, "contacts", contact, "deals") == {int(deal): [4]}


def test_a_primary_link_is_an_unlabelled_one_as_well(ask: Any) -> None:
    company = ask.company()
    body = {"properties": {"firstname": "A"}, "associations": [to(company, 1)]}
    contact = ask.post("/crm/v3/objects/contacts", body).json()["id"]
    assert linked(ask, "contacts", contact, "companies") == {int(company): [279, 1]}
    assert linked(ask, "companies", company, "contacts") == {int(contact): [280, 2]}
    read = ask.get(f"/crm/v3/objects/contacts/{contact}?properties=associatedcompanyid").json()
    assert read["properties"]["associatedcompanyid"] == company


@pytest.mark.parametrize("back", [False, True])
def test_a_record_has_one_primary_company(ask: Any, back: bool) -> None:
    first, second, contact, other = ask.company(), ask.company(), ask.contact(), ask.contact()
    for who in (contact, other):
        ask("PUT", f"/crm/v4/objects/contacts/{who}/associations/companies/{first}", [spec(1)])
    # Made from either side, the new primary company takes the old one's place, for this contact alone.
    if back:
        ask("PUT", f"/crm/v4/objects/companies/{second}/associations/contacts/{contact}", [spec(2)])
    else:
        ask("PUT", f"/crm/v4/objects/contacts/{contact}/associations/companies/{second}", [spec(1)])
    assert linked(ask, "contacts", contact, "companies") == {int(first): [279], int(second): [279, 1]}
    assert linked(ask, "companies", first, "contacts") == {int(contact): [280], int(other): [280, 2]}


@pytest.mark.parametrize(
    ("association", "context"),
    [
        (
            to("7", 341),
            {
                "INVALID_OBJECT_IDS": ["COMPANY=7 is not valid"],
                "objectId": ["7"],
                "objectType": ["COMPANY"],
            },
        ),
        (
            to("x", 3),
            {
                "INVALID_OBJECT_IDS": ["CONTACT=x is not valid"],
                "objectId": ["x"],
                "objectType": ["CONTACT"],
            },
        ),
        (
            to("7", 279),
            {
                "INVALID_ASSOCIATION_TYPES": [
                    "HUBSPOT_DEFINED association type 279 is not valid from DEAL to any object"
                ]
            },
        ),
    ],
)
def test_a_bad_link_refuses_the_record(
    ask: Any,
    refusal: Callable[..., dict[str, Any]],
    association: dict[str, Any],
    context: dict[str, Any],
) -> None:
    body = {"properties": {"dealname": "D", "dealstage": "closedwon"}, "associations": [association]}
    answer = ask.post("/crm/v3/objects/deals", body)
    assert (answer.status, refusal(answer)) == (
        400,
        {
            "status": "error",
            "message": "One or more associations are invalid",
            "context": context,
            "category": "VALIDATION_ERROR",
        },
    )
    assert ask.portal.stats()["records"]["hubspot"]["deals"] == 0


def test_a_bad_link_in_a_batch_with_trace_ids(ask: Any) -> None:
    row = {
        "properties": {"firstname": "A"},
        "objectWriteTraceId": "t",
        "associations": [to("7", 279)],
    }
    answer = ask.post("/crm/v3/objects/contacts/batch/create", {"inputs": [row]})
    assert answer.status == 207
    [entry] = answer.json()["errors"]
    assert entry["context"]["INVALID_OBJECT_IDS"] == ["COMPANY=7 is not valid"]
    assert entry["context"]["objectWriteTraceId"] == ["t"]
    assert ask.portal.stats()["records"]["hubspot"]["contacts"] == 0


@pytest.mark.parametrize("associations", [None, []])
def test_no_links_are_fine(ask: Any, associations: Any) -> None:
    body = {"properties": {"firstname": "A"}, "associations": associations}
    assert ask.post("/crm/v3/objects/contacts", body).status == 201


@pytest.mark.parametrize(
    "association",
    [
        "x",
        {},
        {"to": {"id": "1"}},
        {"to": {}, "types": []},
        {"to": {"id": "1"}, "types": []},
        {"to": {"id": "1"}, "types": [{"associationTypeId": 341}]},
        {"to": {"id": {}}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341}]},
    ],
)
def test_links_of_the_wrong_shape(ask: Any, association: Any) -> None:
    body = {
        "properties": {"dealname": "D", "dealstage": "closedwon"},
        "associations": [association],
    }
    answer = ask.post("/crm/v3/objects/deals", body)
    assert answer.status == 400
    assert answer.json()["message"].startswith("Invalid input JSON on line 1, column ")


def test_reads_show_links_when_asked(ask: Any) -> None:
    company, contact, lonely = ask.company(), ask.contact(), ask.contact()
    ask("PUT", f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}", [spec(1)])
    expected = {
        "companies": {
            "results": [
                {"id": company, "type": "contact_to_company"},
                {"id": company, "type": "contact_to_company_unlabeled"},
            ]
        }
    }
    url = f"/crm/v3/objects/contacts/{contact}"
    assert "associations" not in ask.get(url).json()
    # deals are not linked, carts cannot be: neither is there.
    assert ask.get(f"{url}?associations=companies,deals,carts").json()["associations"] == expected
    results = ask.get("/crm/v3/objects/contacts?associations=company").json()["results"]
    assert [record.get("associations") for record in results] == [expected, None]
    assert results[1]["id"] == lonely
    assert ask.get(f"{url}?associations=nonsense").status == 400


def test_counts_of_links(ask: Any) -> None:
    company, contact = ask.company(), ask.contact()
    deals = [
        ask.post(
            "/crm/v3/objects/deals",
            {
                "properties": {"dealname": "D", "dealstage": "closedwon"},
                "associations": [to(company, 5), to(contact, 3)],
            },
        ).json()["id"]
        for _ in range(2)
    ]
    names = "num_associated_deals,num_associated_contacts"
    read = ask.get(f"/crm/v3/objects/companies/{company}?properties={names}").json()["properties"]
    assert (read["num_associated_deals"], read["num_associated_contacts"]) == ("2", "0")
    read = ask.get(f"/crm/v3/objects/deals/{deals[0]}?properties={names}").json()["properties"]
    assert read["num_associated_contacts"] == "1"


def test_archiving_a_record_ends_its_links_but_no_other_record(ask: Any) -> None:
    company, contact = ask.company(), ask.contact()
    ask("PUT", f"/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}")
    ask("DELETE", f"/crm/v3/objects/companies/{company}")
    assert linked(ask, "contacts", contact, "companies") == {}
    assert ask.get(f"/crm/v3/objects/contacts/{contact}").status == 200


# -- batches ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BATCHES)
def test_batch_create(ask: Any, base: str) -> None:
    contact, company = ask.contact(), ask.company()
    row = {"from": {"id": contact}, "to": {"id": company}, "types": [spec(279), spec(1)]}
    answer = ask.post(f"{base}/contacts/companies/batch/create", {"inputs": [row]})
    assert answer.status == 201
    body = answer.json()
    assert (body["status"], body["results"]) == (
        "COMPLETE",
        [
            {
                "fromObjectTypeId": "0-1",
                "fromObjectId": int(contact),
                "toObjectTypeId": "0-2",
                "toObjectId": int(company),
                "labels": ["Primary"],
            }
        ],
    )
    # The same again changes nothing.
    assert ask.post(f"{base}/contacts/companies/batch/create", {"inputs": [row]}).status == 201
    assert linked(ask, "contacts", contact, "companies") == {int(company): [279, 1]}


def test_batch_create_with_a_record_that_does_not_exist(ask: Any) -> None:
    contact, company = ask.contact(), ask.company()
    inputs = [{"from": {"id": contact}, "to": {"id": id}, "types": [spec(279)]} for id in ("7", company)]
    answer = ask.post("/crm/v4/associations/contacts/companies/batch/create", {"inputs": inputs})
    assert answer.status == 207
    body = answer.json()
    assert (len(body["results"]), body["numErrors"]) == (1, 1)
    assert body["errors"][0]["context"]["INVALID_OBJECT_IDS"] == ["COMPANY=7 is not valid"]


def test_batch_create_with_a_type_between_other_objects(ask: Any) -> None:
    row = {"from": {"id": ask.contact()}, "to": {"id": ask.company()}, "types": [spec(4)]}
    answer = ask.post("/crm/v4/associations/contacts/companies/batch/create", {"inputs": [row]})
    assert (answer.status, answer.json()["context"]) == (
        400,
        {
            "INVALID_ASSOCIATION_TYPES": [
                "HUBSPOT_DEFINED association type 4 is not valid from CONTACT to COMPANY"
            ]
        },
    )


@pytest.mark.parametrize("both", [False, True])
def test_batch_default(make_portal: Callable[..., Portal], asker: Any, both: bool) -> None:
    portal = make_portal(both_directions_in_default_associations=both)
    ask = asker(portal, portal.hubspot.tokens()["seeder"])
    deal, company = ask.deal(), ask.company()
    row = {"from": {"id": deal}, "to": {"id": company}}
    answer = ask.post("/crm/v4/associations/deals/companies/batch/associate/default", {"inputs": [row]})
    assert answer.status == 200
    back = {"from": {"id": company}, "to": {"id": deal}, "associationSpec": spec(342)}
    assert answer.json()["results"] == [
        {"from": {"id": deal}, "to": {"id": company}, "associationSpec": spec(341)},
        *([back] if both else []),
    ]
    assert linked(ask, "deals", deal, "companies") == {int(company): [341]}


@pytest.mark.parametrize("base", BATCHES)
def test_batch_read(ask: Any, base: str) -> None:
    company, other, contact, lonely = ask.company(), ask.company(), ask.contact(), ask.contact()
    ask("PUT", f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}", [spec(1)])
    ask("PUT", f"/crm/v4/objects/contacts/{contact}/associations/companies/{other}", [spec(279)])
    inputs = [{"id": contact}, {"id": lonely}, {"id": "x"}]
    answer = ask.post(f"{base}/0-1/0-2/batch/read", {"inputs": inputs})
    assert answer.status == 207
    body = answer.json()
    assert body["results"] == [
        {
            "from": {"id": contact},
            "to": [
                {"toObjectId": int(company), "associationTypes": [UNLABELLED, PRIMARY]},
                {"toObjectId": int(other), "associationTypes": [UNLABELLED]},
            ],
        }
    ]
    assert body["numErrors"] == 2
    assert body["errors"][0] == {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No company is associated with contact {lonely}.",
        "context": {
            "fromObjectId": [lonely],
            "fromObjectType": ["contact"],
            "toObjectType": ["company"],
        },
    }
    assert ask.post(f"{base}/contact/company/batch/read", {"inputs": inputs[:1]}).status == 200


@pytest.mark.parametrize(("base", "status"), [(BATCHES[0], 204), (BATCHES[2], 200)])
def test_batch_archive(ask: Any, base: str, status: int) -> None:
    contact, companies = ask.contact(), [ask.company() for _ in range(3)]
    for company in companies:
        ask("PUT", f"/crm/v4/objects/contacts/{contact}/associations/companies/{company}", [spec(1)])
    row = {"from": {"id": contact}, "to": [{"id": companies[0]}, {"id": companies[1]}, {"id": "9"}]}
    answer = ask.post(f"{base}/contacts/companies/batch/archive", {"inputs": [row]})
    assert answer.status == status
    assert linked(ask, "contacts", contact, "companies") == {int(companies[2]): [279, 1]}
    assert linked(ask, "companies", companies[0], "contacts") == {}


@pytest.mark.parametrize(
    ("verb", "limit"), [("create", 2000), ("associate/default", 2000), ("read", 1000), ("archive", 100)]
)
def test_how_many_inputs_an_association_batch_takes(ask: Any, verb: str, limit: int) -> None:
    row = {"id": "1", "from": {"id": "1"}, "to": {"id": "1"}, "types": [spec(279)]}
    url = f"/crm/v4/associations/contacts/companies/batch/{verb}"
    answer = ask.post(url, {"inputs": [row] * (limit + 1)})
    assert (answer.status, answer.json()["message"]) == (
        400,
        f"The maximum number of inputs supported in a batch request is {limit}."
        " Please reduce the number of items and try again",
    )


# -- single calls -------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", SINGLES)
def test_put_read_delete(ask: Any, base: str) -> None:
    contact, company = ask.contact(), ask.company()
    url = f"{base}/contacts/{contact}/associations/companies"
    answer = ask("PUT", f"{url}/{company}", [spec(1)])
    assert (answer.status, answer.json()) == (
        201,
        {
            "fromObjectTypeId": "0-1",
            "fromObjectId": int(contact),
            "toObjectTypeId": "0-2",
            "toObjectId": int(company),
            "labels": ["Primary"],
        },
    )
    assert ask.get(url).json() == {
        "results": [{"toObjectId": int(company), "associationTypes": [UNLABELLED, PRIMARY]}]
    }
    assert ask("DELETE", f"{url}/{company}").status == 204
    assert ask.get(url).json() == {"results": []}
    assert linked(ask, "companies", company, "contacts") == {}
    assert ask("DELETE", f"{url}/{company}").status == 204
    assert ask("DELETE", f"{url}/x").status == 204


@pytest.mark.parametrize("base", SINGLES)
def test_put_default(ask: Any, base: str) -> None:
    contact, company = ask.contact(), ask.company()
    answer = ask("PUT", f"{base}/contacts/{contact}/associations/default/companies/{company}")
    assert (answer.status, answer.json()["results"]) == (
        200,
        [{"from": {"id": contact}, "to": {"id": company}, "associationSpec": spec(279)}],
    )


def test_putting_a_bare_object_is_refused_as_live_portals_do(ask: Any) -> None:
    url = f"/crm/v4/objects/contacts/{ask.contact()}/associations/companies/{ask.company()}"
    answer = ask("PUT", url, spec(1))
    assert (answer.status, answer.json()["message"]) == (
        400,
        "Invalid input JSON on line 1, column 1: Cannot deserialize value of type"
        " `java.util.HashSet<AssociationSpec>` from Object value (token `JsonToken.START_OBJECT`)",
    )


def test_links_go_page_by_page(ask: Any) -> None:
    contact, companies = ask.contact(), [ask.company() for _ in range(5)]
    for company in companies:
        ask("PUT", f"/crm/v4/objects/contacts/{contact}/associations/default/companies/{company}")
    url = f"/crm/v4/objects/contacts/{contact}/associations/companies?limit=2"
    first = ask.get(url).json()
    assert first["paging"] == {"next": {"after": companies[2]}}
    last = ask.get(f"{url}&after={companies[4]}").json()
    assert [row["toObjectId"] for row in last["results"]] == [int(companies[4])]
    assert "paging" not in last
    row = {"id": contact, "after": companies[3]}
    read = ask.post("/crm/v4/associations/contacts/companies/batch/read", {"inputs": [row]}).json()
    assert [each["toObjectId"] for each in read["results"][0]["to"]] == [int(id) for id in companies[3:]]


def test_links_of_a_record_that_does_not_exist(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask.get("/crm/v4/objects/contacts/7/associations/companies")
    assert (answer.status, refusal(answer)) == (404, {"status": "error", "message": "resource not found"})


@pytest.mark.parametrize(
    "url",
    [
        "/crm/v4/associations/contacts/companies/labels",
        "/crm/associations/v4/0-1/company/labels",
        "/crm/associations/2026-09/Contacts/Companies/labels",
    ],
)
def test_labels(ask: Any, url: str) -> None:
    assert ask.get(url).json() == {"results": [UNLABELLED, PRIMARY]}


def test_records_of_one_type_can_be_linked(ask: Any) -> None:
    parent, child = ask.company(), ask.company()
    url = f"/crm/v4/objects/companies/{parent}/associations/companies/{child}"
    assert ask("PUT", url, [spec(13)]).status == 201
    assert linked(ask, "companies", parent, "companies") == {int(child): [13]}
    assert linked(ask, "companies", child, "companies") == {int(parent): [14]}
    read = ask.get(f"/crm/v3/objects/companies/{child}?associations=companies").json()["associations"]
    assert read["companies"]["results"] == [{"id": parent, "type": "child_to_parent_company"}]


def test_object_types_that_are_not_emulated(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    body = {"inputs": [{"id": "1"}]}
    answer = ask.post("/crm/v4/associations/contacts/carts/batch/read", body)
    assert (answer.status, refusal(answer)["category"]) == (501, "NOT_EMULATED")
