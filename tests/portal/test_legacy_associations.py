"""The association calls of v3, with types as texts; the removal of single labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

BASE = "/crm/v3/associations/contact/company"
V4 = "/crm/v4/associations/contacts/companies"


def pair(contact: str, company: str, type: str = "contact_to_company") -> dict[str, Any]:
    return {"from": {"id": contact}, "to": {"id": company}, "type": type}


def types_of(ask: Any, contact: str) -> list[int]:
    answer = ask.post(f"{V4}/batch/read", {"inputs": [{"id": contact}]}).json()
    return [each["typeId"] for row in answer["results"] for each in row["to"][0]["associationTypes"]]


@pytest.mark.parametrize(
    ("type", "made"),
    [("contact_to_company", [279, 1]), ("contact_to_company_unlabeled", [279]), ("1", [279, 1])],
)
def test_create_read_archive(ask: Any, type: str, made: list[int]) -> None:
    contact, company = ask.contact(), ask.company()
    answer = ask.post(f"{BASE}/batch/create", {"inputs": [pair(contact, company, type)]})
    assert (answer.status, answer.json()["results"]) == (201, [pair(contact, company, type)])
    assert types_of(ask, contact) == made
    answer = ask.post(f"{BASE}/batch/read", {"inputs": [{"id": contact}, {"id": "7"}]})
    body = answer.json()
    assert (answer.status, body["numErrors"], body["errors"][0]["subCategory"]) == (
        207,
        1,
        "crm.associations.NO_ASSOCIATIONS_FOUND",
    )
    [row] = body["results"]
    assert row["from"] == {"id": contact}
    assert {each["id"] for each in row["to"]} == {company}
    assert "contact_to_company_unlabeled" in {each["type"] for each in row["to"]}
    assert ask.post(f"{BASE}/batch/archive", {"inputs": [pair(contact, company, type)]}).status == 204
    assert types_of(ask, contact) == ([279] if 1 in made else [])


def test_records_that_do_not_exist(ask: Any) -> None:
    contact = ask.contact()
    answer = ask.post(f"{BASE}/batch/create", {"inputs": [pair(contact, "7")]})
    body = answer.json()
    assert (answer.status, body["results"]) == (207, [])
    assert body["errors"][0]["context"]["INVALID_OBJECT_IDS"] == ["COMPANY=7 is not valid"]
    assert ask.post(f"{BASE}/batch/archive", {"inputs": [pair("7", "x")]}).status == 204


def test_types(ask: Any) -> None:
    assert ask.get("/crm/v3/associations/contacts/companies/types").json() == {
        "results": [
            {"id": "279", "name": "contact_to_company_unlabeled"},
            {"id": "1", "name": "contact_to_company"},
        ]
    }
    names = {each["name"] for each in ask.get("/crm/v3/associations/deal/contact/types").json()["results"]}
    assert names == {"deal_to_contact"}


def test_a_type_that_there_is_not(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask.post(f"{BASE}/batch/create", {"inputs": [pair("1", "2", "deal_to_company")]})
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        "deal_to_company is no association type from contact to company",
    )


def test_the_scope_of_the_type_it_starts_at(ask: Any, asker: Any) -> None:
    narrow = asker(ask.portal, ask.portal.hubspot.issue(name="x", scopes=["crm.objects.contacts.read"]))
    assert narrow.get("/crm/v3/associations/contacts/companies/types").status == 200
    assert narrow.post(f"{BASE}/batch/create", {"inputs": []}).status == 403
    assert narrow.get("/crm/v3/associations/companies/contacts/types").status == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [(V4, 204), ("/crm/associations/2026-03/contacts/companies", 200)],
)
@pytest.mark.parametrize(("type_id", "left"), [(1, [279]), (279, [1])])
def test_a_single_label_is_removed(ask: Any, path: str, status: int, type_id: int, left: list[int]) -> None:
    contact, company = ask.contact(), ask.company()
    ask.post(f"{BASE}/batch/create", {"inputs": [pair(contact, company)]})
    row = {
        "from": {"id": contact},
        "to": {"id": company},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}],
    }
    answer = ask.post(f"{path}/batch/labels/archive", {"inputs": [row]})
    assert answer.status == status
    if status == 200:
        assert (answer.json()["status"], answer.json()["results"]) == ("COMPLETE", [])
    assert types_of(ask, contact) == left
