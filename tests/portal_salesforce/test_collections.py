"""Collections row by row, the recorded exchanges of a real org among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.portal import Behaviour
from pytest_crmseed.portal.salesforce import ids
from pytest_crmseed.portal.salesforce.behaviour import CustomField, DuplicateRule, SalesforceBehaviour

_URL = "/composite/sobjects"
_ROLLED_BACK = {
    "success": False,
    "errors": [
        {
            "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
            "message": "Record rolled back because not all records were valid and the request was using "
            "AllOrNone header",
            "fields": [],
        }
    ],
}


def _row(type: str = "Account", **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": type}, **values}


def _failed(code: str, message: str, *fields: str) -> dict[str, Any]:
    error = {"statusCode": code, "message": message, "fields": list(fields)}
    return {"success": False, "errors": [error]}


# -- as recorded -------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def recorded(new_org: Callable[..., Any]) -> Any:
    fields = (
        CustomField("email_field__c", "email_field", "email", 80),
        CustomField("Custom_External_ID__c", "Custom External ID"),
    )
    return new_org(Behaviour(salesforce=SalesforceBehaviour(custom_fields={"Account": fields})))


def test_the_life_of_two_companies_as_it_was_recorded(recorded: Any) -> None:
    """What a client sent to a Developer Edition org at version 42.0, and what came back."""
    home = "/services/data/v42.0"

    def asked(method: str, path: str, body: Any = None) -> Any:
        return recorded.json(method, f"{home}{path}", body)

    query = "/query?q=SELECT%20Id%20FROM%20Account%20WHERE%20AccountNumber%20%3D%20%27brian%40demo.com%27"
    assert asked("GET", query) == {"totalSize": 0, "done": True, "records": []}
    record = {"AccountNumber": "brian@demo.com", "Name": "Smith", "attributes": {"type": "Account"}}
    (made,) = asked("POST", _URL, {"allOrNone": False, "records": [record]})
    first = made["id"]
    assert made == {"id": first, "success": True, "errors": []} and len(first) == 18
    assert asked("GET", query) == {
        "totalSize": 1,
        "done": True,
        "records": [
            {"attributes": {"type": "Account", "url": f"{home}/sobjects/Account/{first}"}, "Id": first}
        ],
    }
    (made,) = asked("POST", _URL, {"allOrNone": False, "records": [record]})
    second = made["id"]
    changed = [
        {"AccountNumber": "brian@demo.com", "Name": "Test", "id": first, "attributes": {"type": "Account"}},
        {"Name": "Simpson", "email_field__c": "badone", "id": second, "attributes": {"type": "Account"}},
    ]
    assert asked("PATCH", _URL, {"allOrNone": False, "records": changed}) == [
        {"id": first, "success": True, "errors": []},
        _failed("INVALID_EMAIL_ADDRESS", "email_field: invalid email address: badone", "email_field__c"),
    ]
    missing = {"AccountNumber": "shouldnotexist", "Name": None, "attributes": {"type": "Account"}}
    assert asked("POST", _URL, {"allOrNone": False, "records": [missing]}) == [
        _failed("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name")
    ]
    keyed = [_row(Name=f"Keyed {key}", Custom_External_ID__c=key) for key in ("1id", "2id")]
    asked("POST", _URL, {"allOrNone": False, "records": keyed})
    found = asked(
        "GET",
        "/query?q=SELECT+Id,+Custom_External_ID__c+FROM+Account+WHERE+Custom_External_ID__c+IN+('1id',+'2id')",
    )
    assert [
        (each["Name"] if "Name" in each else each["Custom_External_ID__c"]) for each in found["records"]
    ] == [
        "1id",
        "2id",
    ]
    removed = asked("DELETE", f"{_URL}?ids={first},{second}&allOrNone=true")
    assert removed == [{"id": id, "success": True, "errors": []} for id in (first, second)]
    gone = recorded.ask("GET", f"{home}/sobjects/Account/{first}")
    assert gone.status == 404
    assert gone.json() == [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


# -- limits of a call ----------------------------------------------------------------------------------
_TOO_MANY = "record limit reached. cannot submit more than 200 records into this call"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", _URL, {"records": [_row(Name="A")] * 201}),
        ("PATCH", _URL, {"records": [_row(id="001000000000000AAA")] * 201}),
        ("PATCH", f"{_URL}/Account/crmseed_key__c", {"records": [_row(crmseed_key__c="k")] * 201}),
        ("DELETE", f"{_URL}?ids={','.join(['001000000000000AAA'] * 201)}", None),
    ],
)
def test_two_hundred_rows_and_no_more(org: Any, method: str, path: str, body: Any) -> None:
    assert org.refused(method, path, body) == (400, "EXCEEDED_ID_LIMIT", _TOO_MANY)
    assert org.live == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "said"),
    [
        ("POST", _URL, {}, "MISSING_ARGUMENT", "records not specified"),
        ("POST", _URL, {"records": []}, "MISSING_ARGUMENT", "records not specified"),
        ("POST", _URL, {"records": ["x"]}, "JSON_PARSER_ERROR", "each of the records is an object"),
        ("DELETE", f"{_URL}?ids=", None, "MISSING_ARGUMENT", "ids not specified"),
        ("GET", f"{_URL}/Account?ids=x", None, "MISSING_ARGUMENT", "ids and fields have to be specified"),
        (
            "POST",
            f"{_URL}/Account",
            {"ids": "x", "fields": []},
            "JSON_PARSER_ERROR",
            "ids and fields are lists",
        ),
        (
            "POST",
            f"{_URL}/Account",
            {"ids": ["x"], "fields": ["Nme"]},
            "INVALID_FIELD",
            "No such column 'Nme' on sobject of type Account",
        ),
        (
            "POST",
            _URL,
            {"records": [_row("Account"), _row("Contact")] * 6},
            "LIMIT_EXCEEDED",
            "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce "
            "chunking.",
        ),
    ],
)
def test_calls_that_are_refused_as_a_whole(
    org: Any, method: str, path: str, body: Any, code: str, said: str
) -> None:
    assert org.refused(method, path, body) == (400, code, said)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"{_URL}/Account/Namez", "Provided external ID field does not exist or is not accessible: Namez"),
        (f"{_URL}/Account/Phone", "Provided external ID field does not exist or is not accessible: Phone"),
        (f"{_URL}/Nothing/Id", "The requested resource does not exist"),
    ],
)
def test_upserts_by_what_is_no_key(org: Any, path: str, said: str) -> None:
    assert org.refused("PATCH", path, {"records": [_row(Name="A")]}) == (404, "NOT_FOUND", said)


def test_collections_are_as_old_as_their_versions(org: Any) -> None:
    body = {"records": [_row(Name="A", crmseed_key__c="k")]}
    assert org.ask("POST", f"/services/data/v41.0{_URL}", body).status == 501
    assert org.ask("POST", f"/services/data/v42.0{_URL}", body).status == 200
    assert org.ask("PATCH", f"/services/data/v45.0{_URL}/Account/crmseed_key__c", body).status == 501
    assert org.ask("PATCH", f"/services/data/v46.0{_URL}/Account/crmseed_key__c", body).status == 200


# -- rows that fail ----------------------------------------------------------------------------------
def test_each_row_fails_for_itself_and_without_an_id(org: Any) -> None:
    id = org.make("Account", Name="A")
    person = org.make("Contact", LastName="B")
    gone = org.make("Account", Name="Gone")
    org.delete("Account", gone)
    records = [
        _row(Id=id, Phone="1"),
        _row(Phone="1"),
        _row(id=gone, Phone="1"),
        _row(id=person, Phone="1"),
        {"Name": "A", "id": id},
        _row("Nothing", id=id),
        _row(id=id, Nme="x"),
        _row("Contact", id=person[:15], Title="Countess"),
    ]
    assert org.json("PATCH", _URL, {"records": records}) == [
        {"id": id, "success": True, "errors": []},
        _failed("MISSING_ARGUMENT", "Id not specified in an update call"),
        _failed("ENTITY_IS_DELETED", "entity is deleted"),
        _failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        _failed("INVALID_TYPE", "attributes.type not specified"),
        _failed("INVALID_TYPE", "sObject type 'Nothing' is not supported."),
        _failed("INVALID_FIELD", "No such column 'Nme' on sobject of type Account"),
        {"id": person, "success": True, "errors": []},
    ]
    assert org.column("SELECT Phone FROM Account", "Phone") == ["1"]
    assert org.column("SELECT Title FROM Contact", "Title") == ["Countess"]


def test_what_a_duplicate_rule_matched_is_not_told(org: Any) -> None:
    org.behaviour.salesforce.duplicate_rules = (DuplicateRule("Contact", ("Email",)),)
    record = _row("Contact", LastName="Byron", Email="ada@x.org")
    first, second = org.json("POST", _URL, {"records": [record, record]})
    assert first["success"] is True
    assert second == _failed("DUPLICATES_DETECTED", "Use one of these records?")
    allowed = org.json("POST", _URL, {"records": [record]}, sforce_duplicate_rule_header="allowSave=true")
    assert allowed[0]["success"] is True


@pytest.mark.parametrize("word", [True, "true", "TRUE"])
def test_all_or_none_in_every_call(org: Any, word: Any) -> None:
    id, other = org.make("Account", Name="A"), org.make("Account", Name="B")
    bad = _failed("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name")
    made = org.json("POST", _URL, {"allOrNone": word, "records": [_row(Name="C"), _row(), _row(Name="D")]})
    assert made == [_ROLLED_BACK, bad, _ROLLED_BACK]
    changed = org.json(
        "PATCH", _URL, {"allOrNone": word, "records": [_row(id=id, Name="X"), _row(id=other, Name=None)]}
    )
    assert changed == [_ROLLED_BACK, bad]
    put = org.json(
        "PATCH",
        f"{_URL}/Account/crmseed_key__c",
        {"allOrNone": word, "records": [_row(Name="E", crmseed_key__c="e"), _row(crmseed_key__c="f")]},
    )
    assert put == [_ROLLED_BACK, bad]
    removed = org.json("DELETE", f"{_URL}?ids={id},{'001000000000000AAA'}&allOrNone={word}")
    assert removed == [_ROLLED_BACK, _failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")]
    assert org.column("SELECT Name FROM Account") == ["A", "B"]


# -- upserts -----------------------------------------------------------------------------------------
def test_upserts_say_whether_they_created(org: Any) -> None:
    url = f"{_URL}/Account/CRMSEED_KEY__C"
    records = [_row(Name="A", crmseed_key__c="a"), _row(Name="B", Crmseed_Key__c="b")]
    a, b = org.json("PATCH", url, {"records": records})
    assert (a["success"], a["errors"], a["created"], b["created"]) == (True, [], True, True)
    again = org.json(
        "PATCH", url, {"records": [_row(Name="A2", crmseed_key__c="A"), _row(Name="C", crmseed_key__c="c")]}
    )
    assert [(each["id"] == a["id"], each["created"]) for each in again] == [(True, False), (False, True)]
    assert org.column("SELECT Name FROM Account") == ["A2", "B", "C"]


def test_upserts_fail_row_by_row(org: Any) -> None:
    records = [
        _row(Name="A", crmseed_key__c="k1"),
        _row(Name="B", crmseed_key__c="K1"),
        _row(Name="C"),
        _row("Contact", LastName="D", crmseed_key__c="k2"),
        _row(crmseed_key__c="k3"),
    ]
    results = org.json("PATCH", f"{_URL}/Account/crmseed_key__c", {"records": records})
    assert results[0]["created"] is True
    assert results[1:] == [
        _failed("DUPLICATE_EXTERNAL_ID", "duplicate external id specified: K1"),
        _failed("MISSING_ARGUMENT", "crmseed_key__c not specified"),
        _failed("INVALID_TYPE", "an upsert takes one type: Account, not Contact"),
        _failed("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name"),
    ]
    assert org.column("SELECT Name FROM Account") == ["A"]


def test_upserts_by_a_lookup_value_and_by_id(org: Any) -> None:
    by_mail = [_row("Contact", LastName="Byron", Email="ada@x.org")]
    (made,) = org.json("PATCH", f"{_URL}/Contact/Email", {"records": by_mail})
    (again,) = org.json("PATCH", f"{_URL}/Contact/Email", {"records": by_mail})
    assert (made["created"], again["created"], again["id"]) == (True, False, made["id"])
    by_id = [_row(Id=None, Name="A"), _row(Name="B")]
    assert [each["created"] for each in org.json("PATCH", f"{_URL}/Account/Id", {"records": by_id})] == [
        True,
        True,
    ]
    id = org.make("Account", Name="C")
    (changed,) = org.json("PATCH", f"{_URL}/Account/Id", {"records": [_row(Id=id, Name="D")]})
    assert changed == {"id": id, "success": True, "errors": [], "created": False}
    assert org.column("SELECT Name FROM Account") == ["A", "B", "D"]


def test_a_mail_that_two_people_have_is_no_key(org: Any) -> None:
    for name in ("Ada", "Eve"):
        org.make("Contact", LastName=name, Email="same@x.org")
    records = [_row("Contact", LastName="X", Email="same@x.org")]
    (result,) = org.json("PATCH", f"{_URL}/Contact/Email", {"records": records})
    message = "A user-specified external ID matches more than one record during an upsert."
    assert result == _failed("DUPLICATE_EXTERNAL_ID", message)


# -- to read -----------------------------------------------------------------------------------------
def test_rows_are_read_in_the_order_of_their_ids(org: Any) -> None:
    a, b, gone = (org.make("Account", Name=name) for name in ("A", "B", "Gone"))
    person = org.make("Contact", LastName="C")
    org.delete("Account", gone)
    wanted = [b, "001000000000000AAA", a[:15], gone, person, "x", b]
    read = org.json("POST", f"{_URL}/Account", {"ids": wanted, "fields": ["id", "NAME"]})
    assert [each and each["Name"] for each in read] == ["B", None, "A", None, None, None, "B"]
    assert read[2] == {
        "attributes": {"type": "Account", "url": f"{org.root}/sobjects/Account/{a}"},
        "Id": a,
        "Name": "A",
    }
    assert org.json("GET", f"{_URL}/Account?ids={','.join(wanted)}&fields=Id,Name") == read


def test_two_thousand_rows_are_read_at_once_and_no_more(org: Any) -> None:
    id = org.make("Account", Name="A")
    read = org.json("POST", f"{_URL}/Account", {"ids": [id] * 2_000, "fields": ["Id"]})
    assert len(read) == 2_000 and all(each["Id"] == id for each in read)
    refused = org.refused("POST", f"{_URL}/Account", {"ids": [id] * 2_001, "fields": ["Id"]})
    assert refused == (400, "EXCEEDED_ID_LIMIT", _TOO_MANY.replace("200", "2000"))


# -- one rule for all --------------------------------------------------------------------------------
@given(
    st.lists(st.sampled_from(["good", "bad", "untyped", "person"]), min_size=1, max_size=12),
    st.booleans(),
)
def test_results_are_those_of_the_rows_in_order(mixed_org: Any, kinds: list[str], all_or_none: bool) -> None:
    records = {
        "good": _row(Name="A"),
        "bad": _row(Name="x" * 256),
        "untyped": {"Name": "A"},
        "person": _row("Contact", LastName="B"),
    }
    runs = sum(1 for place, kind in enumerate(kinds) if not place or _type(kinds[place - 1]) != _type(kind))
    before = mixed_org.live
    answer = mixed_org.ask(
        "POST", _URL, {"allOrNone": all_or_none, "records": [records[kind] for kind in kinds]}
    )
    added = sum(mixed_org.live.values()) - sum(before.values())
    if runs > 10:
        assert (answer.status, answer.json()[0]["errorCode"], added) == (400, "LIMIT_EXCEEDED", 0)
        return
    failing = [kind in ("bad", "untyped") for kind in kinds]
    assert answer.status == 200
    results = answer.json()
    undone = all_or_none and any(failing)
    assert [result["success"] for result in results] == [not failed and not undone for failed in failing]
    assert all(("id" in result) is result["success"] for result in results)
    assert added == (0 if undone else failing.count(False))
    for result, failed in zip(results, failing, strict=True):
        if result["success"]:
            assert ids.parse(result["id"]) is not None and result["errors"] == []
        else:
            code = result["errors"][0]["statusCode"]
            assert (code == "ALL_OR_NONE_OPERATION_ROLLED_BACK") is not failed


def _type(kind: str) -> str:
    return {"good": "Account", "bad": "Account", "person": "Contact", "untyped": ""}[kind]


@pytest.fixture(scope="module")
def mixed_org(new_org: Callable[..., Any]) -> Any:
    return new_org()
