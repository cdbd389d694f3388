"""Batches of records: all or nothing, or in part with trace ids."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed.portal import Portal

CONTACTS = "/crm/objects/2026-03/contacts/batch"


def live(ask: Any, object_type: str = "contacts") -> int:
    count: int = ask.portal.stats()["records"]["hubspot"][object_type]
    return count


def rows(*properties: dict[str, Any], trace: bool = False) -> dict[str, Any]:
    return {
        "inputs": [
            {"properties": each, **({"objectWriteTraceId": f"t{number}"} if trace else {})}
            for number, each in enumerate(properties)
        ]
    }


def without_times(answer: Any) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert body.pop("status") == "COMPLETE"
    assert body.pop("startedAt") == body.pop("completedAt") == "2026-09-21T14:13:20.250Z"
    return body


# -- create -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/crm/v3/objects/contacts/batch/create", 201),
        ("/crm/objects/2025-09/contacts/batch/create", 200),
        ("/crm/objects/2026-03/contacts/batch/create", 201),
        ("/crm/objects/2026-09/contacts/batch/create", 201),
    ],
)
def test_all_succeed(ask: Any, path: str, status: int) -> None:
    answer = ask.post(path, rows({"email": "a@example.com"}, {"email": "b@example.com"}))
    assert answer.status == status
    body = without_times(answer)
    assert list(body) == ["results"]
    assert [record["properties"]["email"] for record in body["results"]] == ["a@example.com", "b@example.com"]
    assert "objectWriteTraceId" not in body["results"][0]
    assert live(ask) == 2


def test_without_trace_ids_one_bad_row_refuses_all(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask.post(f"{CONTACTS}/create", rows({"email": "a@example.com"}, {"emial": "x"}, {"nope": "y"}))
    assert answer.status == 400
    body = refusal(answer)
    # The first bad row alone is told, in both carriers.
    assert [error["context"] for error in body["errors"]] == [{"propertyName": ["emial"]}]
    assert '\\"nope\\"' not in body["message"]
    assert live(ask) == 0
    # Neither has the good row left its unique value behind.
    assert ask.contact(email="a@example.com")


@pytest.mark.parametrize("ids", [["t", "t"], ["t", None], [None, None]])
def test_trace_ids_count_only_when_each_row_has_its_own(ask: Any, ids: list[str | None]) -> None:
    body = rows({"firstname": "A"}, {"nope": "y"})
    for row, id in zip(body["inputs"], ids, strict=True):
        row["objectWriteTraceId"] = id
    assert ask.post(f"{CONTACTS}/create", body).status == 400
    assert live(ask) == 0


def test_with_trace_ids_the_good_rows_are_written(ask: Any) -> None:
    taken = ask.contact(email="taken@example.com")
    answer = ask.post(
        f"{CONTACTS}/create",
        rows(
            {"email": "a@example.com"},
            {"missing": "x", "email": "no"},
            {"email": "taken@example.com"},
            {"city": "Bled"},
            trace=True,
        ),
    )
    assert answer.status == 207
    body = without_times(answer)
    assert [record["objectWriteTraceId"] for record in body["results"]] == ["t0"]
    assert body["numErrors"] == 3
    unknown, conflict, required = body["errors"]
    assert list(unknown) == ["status", "category", "message", "context"]
    assert (unknown["status"], unknown["category"]) == ("error", "VALIDATION_ERROR")
    assert unknown["context"] == {"objectWriteTraceId": ["t1"]}
    carried = json.loads(unknown["message"].removeprefix("Property values were not valid: "))
    assert [(item["name"], item["error"]) for item in carried] == [
        ("missing", "PROPERTY_DOESNT_EXIST"),
        ("email", "INVALID_EMAIL"),
    ]
    assert conflict == {
        "status": "error",
        "category": "CONFLICT",
        "message": f"Contact already exists. Existing ID: {taken}",
        "context": {"objectWriteTraceId": ["t2"]},
    }
    assert required == {
        "status": "error",
        "category": "VALIDATION_ERROR",
        "message": "Error creating CONTACT. Some required properties were not set.",
        "context": {"properties": ["email", "firstname", "lastname"], "objectWriteTraceId": ["t3"]},
    }
    assert live(ask) == 2


def test_an_address_taken_by_an_older_contact_refuses_the_batch_with_409(
    ask: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    first, second = ask.contact(email="a@example.com"), ask.contact(email="b@example.com")
    body = rows({"email": "new@example.com"}, {"email": "b@example.com"}, {"email": "a@example.com"})
    answer = ask.post(f"{CONTACTS}/create", body)
    assert (answer.status, refusal(answer)["message"]) == (
        409,
        f"Contact already exists. Existing ID: {second}",
    )
    assert first != second and live(ask) == 2


@pytest.mark.parametrize("trace", [False, True])
def test_an_address_twice_in_one_batch_is_like_a_race(ask: Any, trace: bool) -> None:
    body = rows({"email": "a@example.com"}, {"email": "A@example.com"}, trace=trace)
    answer = ask.post(f"{CONTACTS}/create", body)
    found = answer.json()
    message = found["errors"][0]["message"] if trace else found["message"]
    assert answer.status == (207 if trace else 400)
    assert message.startswith("Cannot set PropertyValueCoordinates{portalId=47010001, objectTypeId=")
    assert live(ask) == (1 if trace else 0)


@pytest.mark.parametrize("verb", ["create", "read", "update", "upsert", "archive"])
def test_how_many_inputs_a_batch_takes(ask: Any, refusal: Callable[..., dict[str, Any]], verb: str) -> None:
    row = {"id": "1", "idProperty": "crmseed_key", "properties": {"firstname": "A"}}
    answer = ask.post(f"{CONTACTS}/{verb}", {"inputs": [row] * 101})
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        "The maximum number of inputs supported in a batch request is 100."
        " Please reduce the number of items and try again",
    )
    answer = ask.post(f"{CONTACTS}/{verb}", {"inputs": []})
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        "Batch input provided should have at least one object.",
    )
    answer = ask.post(f"{CONTACTS}/{verb}", {})
    assert (answer.status, refusal(answer)["message"]) == (
        400,
        "Invalid input JSON on line 1, column 2. Some required fields were not set: [inputs]",
    )
    assert live(ask) == 0


def test_a_hundred_are_taken(ask: Any) -> None:
    assert ask.post(f"{CONTACTS}/create", rows(*[{"firstname": "A"}] * 100)).status == 201
    assert live(ask) == 100


# -- the order of results, the echo of trace ids ------------------------------------------------------


def test_shuffled_results_without_echo(make_portal: Callable[..., Portal], asker: Any) -> None:
    portal = make_portal(shuffle_results=True, echo_trace_id=False)
    ask = asker(portal, portal.hubspot.tokens()["seeder"])
    sent = [f"u{number}@example.com" for number in range(2)]
    for turn in range(8):
        addresses = [f"{turn}{address}" for address in sent]
        body = rows(*[{"email": address} for address in addresses], trace=True)
        results = ask.post(f"{CONTACTS}/create", body).json()["results"]
        # Never the order of the inputs, not even by chance: that is what catches a client.
        assert [record["properties"]["email"] for record in results] == addresses[::-1]
        assert all("objectWriteTraceId" not in record for record in results)
        ids = [{"id": record["id"]} for record in results]
        for verb, more in [("read", {}), ("update", {"properties": {"city": "Bled"}})]:
            inputs = [{**id, **more} for id in ids]
            read = ask.post(f"{CONTACTS}/{verb}", {"inputs": inputs}).json()["results"]
            assert [record["id"] for record in read] == [id["id"] for id in ids[::-1]]


# -- read ---------------------------------------------------------------------------------------------


def test_missing_records_are_one_entry_of_a_207(ask: Any) -> None:
    id = ask.contact(email="ann@example.com")
    gone = ask.contact()
    ask("DELETE", f"/crm/v3/objects/contacts/{gone}")
    inputs = [{"id": gone}, {"id": id}, {"id": "abc"}]
    answer = ask.post(f"{CONTACTS}/read", {"properties": ["email"], "inputs": inputs})
    assert answer.status == 207
    body = without_times(answer)
    assert [record["id"] for record in body["results"]] == [id]
    assert (body["numErrors"], body["errors"]) == (
        1,
        [
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "message": "Could not get some CONTACT objects, they may be deleted or not exist."
                " Check that ids are valid.",
                "context": {"ids": [gone, "abc"]},
            }
        ],
    )


def test_reading_by_key_and_archived_records(ask: Any) -> None:
    id = ask.contact(email="ann@example.com", crmseed_key="k")
    for name, value in [("email", "ANN@example.com"), ("crmseed_key", "k")]:
        body = {"idProperty": name, "inputs": [{"id": value}, {"id": value}], "properties": [name]}
        answer = ask.post(f"{CONTACTS}/read", body)
        assert (answer.status, [record["id"] for record in answer.json()["results"]]) == (200, [id])
    ask("DELETE", f"/crm/v3/objects/contacts/{id}")
    archived = ask.post(f"{CONTACTS}/read?archived=true", {"inputs": [{"id": id}]})
    assert (archived.status, archived.json()["results"][0]["archived"]) == (200, True)
    assert ask.post(f"{CONTACTS}/read", {"inputs": [{"id": id}]}).status == 207


def test_reading_by_what_identifies_nothing(ask: Any) -> None:
    body = {"idProperty": "dealname", "inputs": [{"id": "D"}]}
    answer = ask.post("/crm/v3/objects/deals/batch/read", body)
    assert (answer.status, answer.json()["message"]) == (
        400,
        "Unable to perform update/upsert by non-unique 0-3 property dealname",
    )


def test_the_empty_history_that_clients_send_is_no_request_for_it(ask: Any) -> None:
    id = ask.contact()
    body = {"propertiesWithHistory": [], "inputs": [{"id": id}]}
    answer = ask.post(f"{CONTACTS}/read", body)
    assert answer.status == 200
    assert "propertiesWithHistory" not in answer.json()["results"][0]


# -- update -------------------------------------------------------------------------------------------


def test_an_update_changes_those_that_exist(ask: Any) -> None:
    first, second = ask.contact(), ask.contact(email="b@example.com")
    inputs = [
        {"id": first, "properties": {"city": "Bled"}, "objectWriteTraceId": "t0"},
        {"id": "1", "properties": {"city": "Bled"}, "objectWriteTraceId": "t1"},
        {
            "id": "b@example.com",
            "idProperty": "email",
            "properties": {"city": "Kranj"},
            "objectWriteTraceId": "t2",
        },
    ]
    answer = ask.post(f"{CONTACTS}/update", {"inputs": inputs})
    assert answer.status == 207
    body = without_times(answer)
    assert [record["properties"]["city"] for record in body["results"]] == ["Bled", "Kranj"]
    assert [record["id"] for record in body["results"]] == [first, second]
    assert body["errors"][0]["context"] == {"ids": ["1"], "objectWriteTraceId": ["t1"]}


@pytest.mark.parametrize("trace", [False, True])
def test_a_bad_value_in_an_update(ask: Any, trace: bool) -> None:
    first, second = ask.contact(city="Bled"), ask.contact()
    inputs: list[dict[str, Any]] = [
        {"id": first, "properties": {"city": "Kranj"}},
        {"id": second, "properties": {"nope": "x"}},
    ]
    for number, row in enumerate(inputs):
        row |= {"objectWriteTraceId": f"t{number}"} if trace else {}
    answer = ask.post(f"{CONTACTS}/update", {"inputs": inputs})
    assert answer.status == (207 if trace else 400)
    read = ask.get(f"/crm/v3/objects/contacts/{first}?properties=city").json()
    assert read["properties"]["city"] == ("Kranj" if trace else "Bled")


@pytest.mark.parametrize("verb", ["update", "upsert"])
@pytest.mark.parametrize("trace", [False, True])
def test_a_record_twice_in_a_batch_is_refused(
    ask: Any, refusal: Callable[..., dict[str, Any]], verb: str, trace: bool
) -> None:
    ids = ["A@example.com", "a@example.com"] if verb == "upsert" else ["7", "7"]
    inputs: list[dict[str, Any]] = [
        {"id": id, "properties": {"city": "Bled"}, **({"idProperty": "email"} if verb == "upsert" else {})}
        for id in ids
    ]
    for number, row in enumerate(inputs):
        row |= {"objectWriteTraceId": f"t{number}"} if trace else {}
    answer = ask.post(f"{CONTACTS}/{verb}", {"inputs": inputs})
    named = "a@example.com" if verb == "upsert" else "7"
    assert (answer.status, refusal(answer)) == (
        400,
        {
            "status": "error",
            "message": f"Duplicate IDs found in batch input: [{named}]. IDs must be unique",
            "context": {"ids": [named]},
            "category": "VALIDATION_ERROR",
        },
    )


# -- upsert -------------------------------------------------------------------------------------------


def upsert(ask: Any, object_type: str, *pairs: tuple[str, dict[str, Any]], **more: Any) -> Any:
    inputs = [{"id": key, "idProperty": "crmseed_key", "properties": each, **more} for key, each in pairs]
    return ask.post(f"/crm/v3/objects/{object_type}/batch/upsert", {"inputs": inputs})


def test_an_upsert_creates_and_changes_and_says_which(ask: Any) -> None:
    pairs = [("k0", {"name": "A"}), ("k1", {"name": "B", "crmseed_key": "k1"})]
    first = upsert(ask, "companies", *pairs)
    assert first.status == 200
    assert [record["new"] for record in first.json()["results"]] == [True, True]
    second = upsert(ask, "companies", ("k1", {"city": "Bled"}), ("k2", {"name": "C"}))
    assert [record["new"] for record in second.json()["results"]] == [False, True]
    assert second.json()["results"][0]["id"] == first.json()["results"][1]["id"]
    # The same again, as after a lost answer, makes nothing new.
    again = upsert(ask, "companies", *pairs)
    assert [record["new"] for record in again.json()["results"]] == [False, False]
    assert live(ask, "companies") == 3


def test_an_upsert_by_email_is_blind_to_case(ask: Any) -> None:
    id = ask.contact(email="ann@example.com")
    row = {"id": "Ann@Example.com", "idProperty": "email", "properties": {"city": "Bled"}}
    answer = ask.post(f"{CONTACTS}/upsert", {"inputs": [row]})
    assert (answer.json()["results"][0]["id"], answer.json()["results"][0]["new"]) == (id, False)


def test_an_upsert_that_creates_needs_what_a_create_needs(ask: Any) -> None:
    answer = upsert(ask, "deals", ("k", {"amount": "1"}))
    assert (answer.status, answer.json()["message"]) == (
        400,
        "Error creating DEAL. Some required properties were not set.",
    )
    assert live(ask, "deals") == 0


def test_an_upsert_needs_a_unique_property(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    row = {"id": "D", "idProperty": "dealname", "properties": {}}
    answer = ask.post("/crm/v3/objects/deals/batch/upsert", {"inputs": [row]})
    assert refusal(answer) == {
        "status": "error",
        "message": "Unable to perform update/upsert by non-unique 0-3 property dealname",
        "category": "VALIDATION_ERROR",
    }
    answer = ask.post("/crm/v3/objects/deals/batch/upsert", {"inputs": [{"id": "D", "properties": {}}]})
    assert refusal(answer)["message"].endswith("Some required fields were not set: [idProperty]")


def test_an_upsert_in_part(ask: Any) -> None:
    inputs = [
        {"id": "k0", "idProperty": "crmseed_key", "properties": {"name": "A"}, "objectWriteTraceId": "t0"},
        {"id": "k1", "idProperty": "crmseed_key", "properties": {"nope": "A"}, "objectWriteTraceId": "t1"},
    ]
    answer = ask.post("/crm/v3/objects/companies/batch/upsert", {"inputs": inputs})
    assert answer.status == 207
    assert answer.json()["errors"][0]["context"] == {"objectWriteTraceId": ["t1"]}
    assert live(ask, "companies") == 1


# -- archive ------------------------------------------------------------------------------------------


def test_archiving_is_done_whatever_exists(ask: Any) -> None:
    ids = [ask.contact() for _ in range(3)]
    answer = ask.post(f"{CONTACTS}/archive", {"inputs": [{"id": id} for id in [*ids[:2], "1", "abc"]]})
    assert (answer.status, answer.body) == (204, b"")
    assert live(ask) == 1
    assert ask.post(f"{CONTACTS}/archive", {"inputs": [{"id": ids[0]}]}).status == 204
