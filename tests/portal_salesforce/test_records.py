"""Single rows: create, read, update, upsert by a key, delete, and how each is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

Org = Any

MISSING = (404, "NOT_FOUND", "The requested resource does not exist")
NO_ROW = (404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
DELETED = (404, "ENTITY_IS_DELETED", "entity is deleted")


@pytest.fixture(scope="module")
def shared(new_org: Callable[..., Org]) -> Iterator[Org]:
    """An org for tests that leave nothing others would see."""
    yield new_org()


def test_a_row_and_its_answer(org: Org) -> None:
    answer = org.ask("POST", "/sobjects/Account/", {"Name": "Acorn", "NumberOfEmployees": "10000"})
    id = answer.json()["id"]
    assert answer.json() == {"id": id, "success": True, "errors": []}
    assert (answer.status, answer.headers["Location"]) == (
        201,
        f"/services/data/v66.0/sobjects/Account/{id}",
    )
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert len(id) == 18 and id.startswith("0017e0")
    read = org.ask("GET", f"/sobjects/account/{id}/")
    row = read.json()
    assert read.headers["Last-Modified"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert row["attributes"] == {"type": "Account", "url": f"/services/data/v66.0/sobjects/Account/{id}"}
    described = [field["name"] for field in org.json("GET", "/sobjects/Account/describe")["fields"]]
    assert list(row) == ["attributes", *described]
    told = {name: row[name] for name in ("Id", "Name", "NumberOfEmployees", "IsDeleted", "CreatedDate")}
    assert told == {
        "Id": id,
        "Name": "Acorn",
        "NumberOfEmployees": 10000,
        "IsDeleted": False,
        "CreatedDate": "2026-01-01T00:00:00.000+0000",
    }
    assert row["OwnerId"] == row["CreatedById"] == row["LastModifiedById"]
    assert org.json("GET", f"/sobjects/User/{row['OwnerId']}")["Username"] == "admin@local-portal.example.com"
    assert (row["PhotoUrl"], row["CleanStatus"]) == (f"/services/images/photo/{id}", "Pending")


def test_some_fields_are_asked_for(shared: Org) -> None:
    id = shared.make("Contact", LastName="Bell", MailingCity="Bled", MailingLatitude="46.4")
    row = shared.json("GET", f"/sobjects/Contact/{id}?fields=lastname,MailingAddress")
    del row["attributes"]
    assert row == {
        "LastName": "Bell",
        "MailingAddress": {
            "city": "Bled",
            "country": None,
            "geocodeAccuracy": None,
            "latitude": 46.4,
            "longitude": None,
            "postalCode": None,
            "state": None,
            "street": None,
        },
    }
    assert shared.json("GET", f"/sobjects/Contact/{id[:15]}?fields=OtherAddress")["OtherAddress"] is None
    assert shared.refused("GET", f"/sobjects/Contact/{id}?fields=Id,Nme") == (
        400,
        "INVALID_FIELD",
        "No such column 'Nme' on sobject of type Contact",
    )


def test_a_row_is_changed(org: Org) -> None:
    id = org.make("Account", Name="Acorn", Phone="1", Description="old")
    org.clock.advance(61)
    answer = org.ask("PATCH", f"/sobjects/Account/{id}", {"name": "Birch", "Phone": None, "Description": ""})
    assert (answer.status, answer.body) == (204, b"")
    row = org.json("GET", f"/sobjects/Account/{id}")
    assert [row[name] for name in ("Name", "Phone", "Description")] == ["Birch", None, None]
    assert row["CreatedDate"] == "2026-01-01T00:00:00.000+0000"
    assert row["LastModifiedDate"] == row["SystemModstamp"] == "2026-01-01T00:01:01.000+0000"
    answer = org.ask("POST", f"/sobjects/Account/{id}?_HttpMethod=PATCH", {"Name": "Cedar"})
    assert answer.status == 204
    assert org.column("SELECT Name FROM Account") == ["Cedar"]


@pytest.mark.parametrize(
    ("values", "code", "message", "fields"),
    [
        ({}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"]),
        ({"Name": None}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"]),
        ({"Name": "  "}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ["Name"]),
        ({"Name": "A", "foo": 1}, "INVALID_FIELD", "No such column 'foo' on sobject of type Account", None),
        (
            {"Name": "A", "Id": "0017e000001Luw4AAC"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "cannot specify Id in an insert call",
            ["Id"],
        ),
        (
            {"Name": "A", "CreatedDate": "2026-01-01", "IsDeleted": True},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "Unable to create/update fields: CreatedDate, IsDeleted. Please check the security settings"
            " of this"
            " field and verify that it is read/write for your profile or permission set.",
            ["CreatedDate", "IsDeleted"],
        ),
        (
            {"Name": "A", "Phone": "1" * 41},
            "STRING_TOO_LONG",
            f"Account Phone: data value too large: {'1' * 41} (max length=40)",
            ["Phone"],
        ),
        (
            {"Name": "A", "CleanStatus": "Nope"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Clean Status: bad value for restricted picklist field: Nope",
            ["CleanStatus"],
        ),
        (
            {"Name": "A", "NumberOfEmployees": 123456789},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Employees: value outside of valid range on numeric field: 123456789",
            ["NumberOfEmployees"],
        ),
        (
            {"Name": "A", "AnnualRevenue": 1e18},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Annual Revenue: value outside of valid range on numeric field: 1000000000000000000",
            ["AnnualRevenue"],
        ),
        (
            {"Name": "A", "NumberOfEmployees": "many"},
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of int from VALUE_STRING value many or request may be missing a"
            " required"
            " field at [line:1, column:1]",
            None,
        ),
        (
            {"Name": {"first": "A"}},
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of string from START_OBJECT value { or request may be missing a"
            " required"
            " field at [line:1, column:1]",
            None,
        ),
        (
            {"Name": "A", "ParentId": "nobody"},
            "MALFORMED_ID",
            "Parent Account ID: id value of incorrect type: nobody",
            ["ParentId"],
        ),
        (
            {"Name": "A", "ParentId": "0017e000001Luw4AAA"},
            "MALFORMED_ID",
            "Parent Account ID: id value of incorrect type: 0017e000001Luw4AAA",
            ["ParentId"],
        ),
        (
            {"Name": "A", "OwnerId": "0017e000001Luw4AAC"},
            "FIELD_INTEGRITY_EXCEPTION",
            "Owner ID: id value of incorrect type: 0017e000001Luw4AAC",
            ["OwnerId"],
        ),
        (
            {"Name": "A", "ParentId": "0017e00000zzzzzAAA"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            [],
        ),
        (
            {"Name": "A", "ParentId": "0015500001QdQWfAAN"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            [],
        ),
        (
            {"Name": "A", "DandbCompanyId": "06E7e0000000001"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            [],
        ),
    ],
)
def test_what_no_account_is_made_of(
    shared: Org, values: dict[str, Any], code: str, message: str, fields: list[str] | None
) -> None:
    answer = shared.ask("POST", "/sobjects/Account", values)
    told = {} if fields is None else {"fields": fields}
    assert (answer.status, answer.json()) == (400, [{"message": message, "errorCode": code, **told}])
    assert "Sforce-Limit-Info" in answer.headers
    assert "Account" not in shared.live


def test_several_faults_are_told_at_once_where_they_are_of_values(shared: Org) -> None:
    answer = shared.ask("POST", "/sobjects/Contact", {"LastName": "B", "Email": "123", "Phone": "1" * 41})
    assert [(error["errorCode"], error["fields"]) for error in answer.json()] == [
        ("STRING_TOO_LONG", ["Phone"]),
        ("INVALID_EMAIL_ADDRESS", ["Email"]),
    ]
    answer = shared.ask("POST", "/sobjects/Lead", {"Email": "123"})
    assert answer.json() == [
        {
            "message": "Required fields are missing: [LastName, Company]",
            "errorCode": "REQUIRED_FIELD_MISSING",
            "fields": ["LastName", "Company"],
        }
    ]


@pytest.mark.parametrize("address", ["123", "a@b", "a@b.", "@b.co", "a b@c.de", "a@b..co", "é@b.co"])
def test_addresses_that_are_none(shared: Org, address: str) -> None:
    assert shared.refused("POST", "/sobjects/Contact", {"LastName": "B", "Email": address}) == (
        400,
        "INVALID_EMAIL_ADDRESS",
        f"Email: invalid email address: {address}",
    )


def test_standard_picklists_take_anything_and_know_their_own_in_any_case(org: Org) -> None:
    id = org.make("Account", Name="A", Industry="Basket weaving", Type="prospect", CleanStatus="MATCHED")
    row = org.json("GET", f"/sobjects/Account/{id}")
    assert (row["Industry"], row["Type"], row["CleanStatus"]) == ("Basket weaving", "Prospect", "Matched")


def test_paths_that_lead_nowhere(org: Org) -> None:
    account = org.make("Account", Name="A")
    for path in ("/sobjects/Nope", "/sobjects/Nope/describe", f"/sobjects/Nope/{account}"):
        assert org.refused("GET", path) == MISSING
    for path in (f"/sobjects/Contact/{account}", "/sobjects/Account/0015500001QdQWfAAN"):
        assert org.refused("GET", path) == MISSING
        assert org.refused("PATCH", path, {"Name": "B"}) == NO_ROW
        assert org.refused("DELETE", path) == NO_ROW
    assert org.refused("GET", "/sobjects/Account/Namez") == (
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: Namez",
    )
    assert org.refused("PUT", f"/sobjects/Account/{account}", {}) == (
        405,
        "METHOD_NOT_ALLOWED",
        "HTTP Method 'PUT' not allowed. Allowed are DELETE,GET,HEAD,PATCH,POST",
    )


def test_the_ways_of_being_gone(org: Org) -> None:
    id = org.make("Account", Name="A")
    path = f"/sobjects/Account/{id}"
    answer = org.ask("DELETE", path)
    assert (answer.status, answer.body) == (204, b"")
    assert org.refused("GET", path) == MISSING
    assert org.refused("DELETE", path) == DELETED
    assert org.refused("PATCH", path, {"Name": "B"}) == DELETED
    assert org.refused("POST", "/sobjects/Contact", {"LastName": "B", "AccountId": id}) == (
        400,
        "ENTITY_IS_DELETED",
        "entity is deleted",
    )
    row = org.inner.rows.by_id(id)
    org.inner.rows.purge(row)
    assert org.refused("DELETE", path) == NO_ROW


def test_the_id_stands_in_the_path_alone(org: Org) -> None:
    id = org.make("Account", Name="A")
    assert org.refused("PATCH", f"/sobjects/Account/{id}", {"Id": id}) == (
        400,
        "INVALID_FIELD",
        "The Id field should not be specified in the sobject data.",
    )
    assert org.refused(
        "PATCH", "/sobjects/Account/crmseed_key__c/k", {"CRMSEED_KEY__C": "k", "Name": "A"}
    ) == (
        400,
        "INVALID_FIELD",
        "The crmseed_key__c field should not be specified in the sobject data.",
    )


# -- by a key ----------------------------------------------------------------------------------------
def test_upserts_by_an_external_id(org: Org) -> None:
    path = "/sobjects/Account/crmseed_key__c/crmseed-1%2Fa%20b"
    made = org.ask("PATCH", path, {"Name": "A"})
    id = made.json()["id"]
    assert (made.status, made.json()) == (201, {"id": id, "success": True, "errors": [], "created": True})
    assert made.headers["Location"].endswith(id)
    again = org.ask("PATCH", path, {"Name": "B"})
    assert (again.status, again.json()) == (200, {"id": id, "success": True, "errors": [], "created": False})
    older = org.ask("PATCH", "/services/data/v45.0" + path, {"Name": "C"})
    assert (older.status, older.body) == (204, b"")
    row = org.json("GET", path + "?fields=Id,Name,crmseed_key__c")
    assert (row["Id"], row["Name"], row["crmseed_key__c"]) == (id, "C", "crmseed-1/a b")
    assert org.live == {"Account": 1}
    assert org.ask("DELETE", path.upper().replace("/SOBJECTS", "/sobjects")).status == 204
    assert org.refused("GET", path) == MISSING
    assert org.refused("DELETE", path) == MISSING


def test_an_upsert_by_an_id_that_is_to_be_given(org: Org) -> None:
    made = org.ask("POST", "/sobjects/Account/Id", {"Name": "A"})
    assert (made.status, made.json()["created"]) == (201, True)
    assert org.refused("POST", "/sobjects/Account/Name", {"Name": "A"}) == (
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: Name",
    )


def test_fields_that_are_no_keys(shared: Org) -> None:
    for name in ("Namez", "Phone", "Name"):
        assert shared.refused("GET", f"/sobjects/Account/{name}/A") == (
            404,
            "NOT_FOUND",
            f"Provided external ID field does not exist or is not accessible: {name}",
        )


def test_a_key_that_several_rows_have(org: Org) -> None:
    rows = [org.make("Contact", LastName="B", Email="b@example.com") for _ in range(2)]
    for method, body in (("GET", None), ("PATCH", {"LastName": "C"}), ("DELETE", None)):
        answer = org.ask(method, "/sobjects/Contact/Email/B@example.com", body)
        paths = [f"/services/data/v66.0/sobjects/Contact/{id}" for id in rows]
        assert (answer.status, answer.json()) == (300, paths)


def test_unique_values_are_told_apart_without_case(org: Org) -> None:
    id = org.make("Account", Name="A", crmseed_key__c="crmseed-x")
    refused = org.ask("POST", "/sobjects/Account", {"Name": "B", "crmseed_key__c": "CRMSEED-X"})
    assert (refused.status, refused.json()) == (
        400,
        [
            {
                "message": f"duplicate value found: crmseed_key__c duplicates value on record with id:"
                f" {id[:15]}",
                "errorCode": "DUPLICATE_VALUE",
                "fields": [],
            }
        ],
    )
    # Its own value, another object's, and that of a deleted row are free.
    assert org.ask("PATCH", f"/sobjects/Account/{id}", {"crmseed_key__c": "Crmseed-x"}).status == 204
    org.make("Contact", LastName="B", crmseed_key__c="crmseed-x")
    org.delete("Account", id)
    other = org.make("Account", Name="B", crmseed_key__c="crmseed-x")
    assert org.ask("PATCH", f"/sobjects/Account/{other}", {"crmseed_key__c": "crmseed-y"}).status == 204
    org.make("Account", Name="C", crmseed_key__c="crmseed-x")


def test_a_lookup_by_its_parents_key(org: Org) -> None:
    account = org.make("Account", Name="A", crmseed_key__c="k1")
    contact = org.make("Contact", LastName="B", Account={"crmseed_key__c": "K1"})
    assert org.json("GET", f"/sobjects/Contact/{contact}")["AccountId"] == account
    task = org.make("Task", Who={"attributes": {"type": "Contact"}, "Id": contact})
    assert org.json("GET", f"/sobjects/Task/{task}")["WhoId"] == contact
    assert org.ask("PATCH", f"/sobjects/Contact/{contact}", {"AccountId": None}).status == 204


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"crmseed_key__c": "0116"},
            "Foreign key external ID: 0116 not found for field crmseed_key__c in entity Account",
        ),
        ({"Name": "A"}, "Field name provided, Name is not an External ID or indexed field for Account"),
        ({"Nope__c": "A"}, "No such column 'Nope__c' on sobject of type Account"),
        ({}, "The lookup Account names exactly one external ID field of its parent"),
        ({"Id": "x", "Name": "A"}, "The lookup Account names exactly one external ID field of its parent"),
    ],
)
def test_lookups_by_a_key_that_miss(shared: Org, given: dict[str, Any], message: str) -> None:
    body = {"LastName": "B", "Account": given}
    assert shared.refused("POST", "/sobjects/Contact", body) == (400, "INVALID_FIELD", message)


def test_an_inactive_owner(org: Org) -> None:
    gone = org.query("SELECT Id FROM User WHERE IsActive = false")["records"][0]["Id"]
    olive = org.query("SELECT Id FROM User WHERE FirstName = 'Olive'")["records"][0]["Id"]
    assert org.refused("POST", "/sobjects/Account", {"Name": "A", "OwnerId": gone}) == (
        400,
        "INACTIVE_OWNER_OR_USER",
        f"operation performed with inactive user [{gone[:15]}] as owner of account",
    )
    id = org.make("Account", Name="A", OwnerId=olive[:15])
    assert org.json("GET", f"/sobjects/Account/{id}")["OwnerId"] == olive


@pytest.mark.parametrize(
    ("name", "method", "code", "message"),
    [
        (
            "Organization",
            "POST",
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "entity type cannot be inserted: Organization",
        ),
        (
            "Profile",
            "PATCH",
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "entity type cannot be updated: Profile",
        ),
        ("User", "DELETE", "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"),
    ],
)
def test_rows_that_make_the_org(shared: Org, name: str, method: str, code: str, message: str) -> None:
    id = shared.query(f"SELECT Id FROM {name} LIMIT 1")["records"][0]["Id"]
    path = f"/sobjects/{name}" if method == "POST" else f"/sobjects/{name}/{id}"
    body = None if method == "DELETE" else {"Name": "X"}
    assert shared.refused(method, path, body) == (400, code, message)


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        (
            b"",
            400,
            "JSON_PARSER_ERROR",
            "The HTTP entity body is required, but this request has no entity body.",
        ),
        (
            b'{"Name" j}',
            400,
            "JSON_PARSER_ERROR",
            "Unexpected character ('j' (code 106)): expecting ':' delimiter at [line:1, column:9]",
        ),
        (
            b'{"Name": "A",',
            400,
            "JSON_PARSER_ERROR",
            "Unexpected end-of-input: expected a value at [line:1, column:14]",
        ),
        (
            b'{"Name": NaN}',
            400,
            "JSON_PARSER_ERROR",
            "The HTTP entity body is no JSON: Non-standard token 'NaN'",
        ),
        (
            b"[]",
            400,
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of object from VALUE value or request may be missing a required"
            " field at"
            " [line:1, column:1]",
        ),
    ],
)
def test_bodies_that_are_no_rows(shared: Org, body: bytes, status: int, code: str, message: str) -> None:
    answer = shared.raw("POST", "/sobjects/Account", body, content_type="application/json")
    assert (answer.status, answer.json()) == (status, [{"message": message, "errorCode": code}])


def test_bodies_that_are_not_said_to_be_json(shared: Org) -> None:
    answer = shared.raw(
        "POST", "/sobjects/Account", b"Name=A", content_type="application/x-www-form-urlencoded"
    )
    message = "Content-Type: application/x-www-form-urlencoded is not supported: the local portal takes JSON"
    assert (answer.status, answer.json()) == (
        415,
        [{"message": message, "errorCode": "UNSUPPORTED_MEDIA_TYPE"}],
    )


def test_a_lone_surrogate_is_replaced(org: Org) -> None:
    answer = org.raw("POST", "/sobjects/Account", b'{"Name": "a\\ud800b"}', content_type="application/json")
    row = org.json("GET", f"/sobjects/Account/{answer.json()['id']}")
    assert row["Name"] == "a?b"
