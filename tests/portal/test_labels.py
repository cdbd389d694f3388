"""Association labels: definitions, and links that use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

URL = "/crm/v4/associations/contacts/companies/labels"
BASES = [
    URL,
    "/crm/associations/v4/contacts/companies/labels",
    *(f"/crm/associations/{date}/0-1/0-2/labels" for date in ("2025-09", "2026-03", "2026-09")),
]
BOSS = {"label": "Manager", "name": "boss", "inverseLabel": "Managed by"}


@pytest.fixture
def ids(ask: Any) -> tuple[int, int]:
    answer = ask.post(URL, BOSS)
    assert answer.status == 200, answer.body
    there, back = answer.json()["results"]
    assert (there["category"], there["label"]) == ("USER_DEFINED", "Manager")
    assert (back["category"], back["label"]) == ("USER_DEFINED", "Managed by")
    return there["typeId"], back["typeId"]


def labels(ask: Any, url: str = URL) -> dict[int, str]:
    found = ask.get(url).json()["results"]
    return {each["typeId"]: each["label"] for each in found if each["category"] == "USER_DEFINED"}


def test_a_label_is_listed_in_both_directions(ask: Any, ids: tuple[int, int]) -> None:
    for url in BASES:
        assert labels(ask, url) == {ids[0]: "Manager"}
    assert labels(ask, "/crm/v4/associations/companies/contacts/labels") == {ids[1]: "Managed by"}
    assert {each["typeId"] for each in ask.get(URL).json()["results"]} > {1, 279}


def test_a_label_is_used_at_once(ask: Any, ids: tuple[int, int]) -> None:
    contact, company = ask.contact(), ask.company()
    spec = [{"associationCategory": "USER_DEFINED", "associationTypeId": ids[0]}]
    url = f"/crm/v4/objects/contacts/{contact}/associations/companies"
    answer = ask("PUT", f"{url}/{company}", spec)
    assert (answer.status, answer.json()["labels"]) == (201, ["Manager"])
    [linked] = ask.get(url).json()["results"]
    assert [(each["typeId"], each["label"]) for each in linked["associationTypes"]] == [
        (279, None),
        (ids[0], "Manager"),
    ]
    back = ask.get(f"/crm/v4/objects/companies/{company}/associations/contacts").json()["results"]
    assert (ids[1], "Managed by") in [(e["typeId"], e["label"]) for e in back[0]["associationTypes"]]
    # Without the label the two stay linked.
    assert ask("DELETE", f"{URL}/{ids[0]}").status == 204
    [linked] = ask.get(url).json()["results"]
    assert [each["typeId"] for each in linked["associationTypes"]] == [279]
    refused = ask("PUT", f"{url}/{company}", spec)
    assert refused.status == 400


def test_changing_a_label(ask: Any, ids: tuple[int, int]) -> None:
    body = {"associationTypeId": ids[0], "label": "Chief", "inverseLabel": "Led by"}
    assert ask("PUT", URL, body).status == 204
    assert labels(ask) == {ids[0]: "Chief"}
    assert labels(ask, "/crm/v4/associations/companies/contacts/labels") == {ids[1]: "Led by"}
    assert ask("PUT", URL, {"associationTypeId": 279, "label": "X"}).status == 400
    assert ask("PUT", URL, {"label": "X"}).json()["message"].endswith("not set: [associationTypeId]")


def test_deleting_removes_both_directions(ask: Any, ids: tuple[int, int]) -> None:
    assert ask("DELETE", f"{URL}/{ids[0]}").status == 204
    assert labels(ask) == labels(ask, "/crm/v4/associations/companies/contacts/labels") == {}
    assert ask("DELETE", f"{URL}/{ids[0]}").status == 204
    # HubSpot's own types are no labels that could be removed.
    assert ask("DELETE", f"{URL}/279").status == 204
    assert 279 in {each["typeId"] for each in ask.get(URL).json()["results"]}
    # An id is never given twice, and is none of HubSpot's own.
    assert min(each["typeId"] for each in ask.post(URL, BOSS).json()["results"]) > ids[1]


def test_names_and_missing_fields(
    ask: Any, ids: tuple[int, int], refusal: Callable[..., dict[str, Any]]
) -> None:
    answer = ask.post(URL, {"label": "Other", "name": "boss"})
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        "Association definition named boss already exists for portal",
    )
    answer = ask.post(URL, {})
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        "Invalid input JSON on line 1, column 2. Some required fields were not set: [label, name]",
    )


def test_the_51st_label_is_refused(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    for number in range(50):
        assert ask.post(URL, {"label": f"L{number}", "name": f"n{number}"}).status == 200
    answer = ask.post(URL, {"label": "L", "name": "n"})
    assert (answer.status, refusal(answer)) == (
        437,
        {
            "status": "error",
            "message": "Two object types can have at most 50 association labels.",
            "category": "VALIDATION_ERROR",
        },
    )
    assert ask.post("/crm/v4/associations/contacts/deals/labels", BOSS).status == 200


def test_a_label_between_records_of_one_type(ask: Any) -> None:
    url = "/crm/v4/associations/contacts/contacts/labels"
    [peer] = ask.post(url, {"label": "Peer", "name": "peer"}).json()["results"]
    parent, child = ask.post(url, {"label": "Parent", "name": "p", "inverseLabel": "Child"}).json()["results"]
    assert labels(ask, url) == {
        peer["typeId"]: "Peer",
        parent["typeId"]: "Parent",
        child["typeId"]: "Child",
    }
    a, b = ask.contact(), ask.contact()
    for found in (peer, parent):
        spec = [{"associationCategory": "USER_DEFINED", "associationTypeId": found["typeId"]}]
        assert ask("PUT", f"/crm/v4/objects/contacts/{a}/associations/contacts/{b}", spec).status == 201
    [back] = ask.get(f"/crm/v4/objects/contacts/{b}/associations/contacts").json()["results"]
    assert {each["label"] for each in back["associationTypes"]} == {None, "Peer", "Child"}
