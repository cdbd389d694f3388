"""Property definitions, and the bundled schema behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_crmseed.portal import Portal
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.model import Kind

TIER = {
    "name": "tier",
    "label": "Tier",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "contactinformation",
    "options": [
        {"label": "Gold", "value": "gold", "displayOrder": 0, "hidden": False},
        {"label": "Tin", "value": "tin", "displayOrder": 1, "hidden": True},
    ],
}
URL = "/crm/v3/properties/contacts"


def text(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "label": name,
        "type": "string",
        "fieldType": "text",
        "groupName": "contactinformation",
        **more,
    }


# -- the snapshot -------------------------------------------------------------------------------------


def test_the_snapshot_has_what_a_seeder_expects() -> None:
    schema = catalog.bundled("hubspot")
    assert {"companies", "contacts", "deals"} <= schema.object_types.keys()
    contacts, companies, deals = (schema.object_types[name] for name in ("contacts", "companies", "deals"))
    assert (contacts.type_id, companies.type_id, deals.type_id) == ("0-1", "0-2", "0-3")
    assert contacts.fields["email"].unique and contacts.fields["email"].kind is Kind.EMAIL
    assert len(companies.fields["industry"].options) == 148
    assert [stage.id for stage in deals.pipelines[0].stages][-2:] == ["closedwon", "closedlost"]
    for object_type in schema.object_types.values():
        assert "crmseed_key" not in object_type.fields
        for field in object_type.fields.values():
            assert field.native.keys() >= {"type", "fieldType", "groupName"}, field.name
            if field.native["type"] == "enumeration" and not field.read_only:
                assert field.options or field.external, field.name
            if field.native.get("calculated") == "true":
                assert field.read_only, field.name


def test_every_association_of_the_snapshot_has_its_way_back() -> None:
    object_types = catalog.bundled("hubspot").object_types
    for object_type in object_types.values():
        for association in object_type.associations:
            back = [
                other
                for other in object_types[association.to].associations
                if other.to == object_type.name and other.type_id == association.inverse
            ]
            assert len(back) == 1, association
            assert back[0].inverse == association.type_id
            assert back[0].primary == association.primary


# -- reading ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["/crm/v3/properties", "/crm/properties/2026-03", "/crm/properties/2026-09"])
@pytest.mark.parametrize("object_type", ["contacts", "companies", "0-3"])
def test_the_list_is_the_snapshot_and_the_key(ask: Any, base: str, object_type: str) -> None:
    answer = ask.get(f"{base}/{object_type}")
    names = {definition["name"] for definition in answer.json()["results"]}
    snapshot = catalog.bundled("hubspot").object_types["deals" if object_type == "0-3" else object_type]
    assert names == {*snapshot.fields, "crmseed_key"}


def test_the_shape_of_a_stock_definition(ask: Any) -> None:
    assert ask.get(f"{URL}/email").json() == {
        "name": "email",
        "label": "Email",
        "type": "string",
        "fieldType": "text",
        "description": "A contact's email address.",
        "groupName": "contactinformation",
        "options": [],
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": True,
        "hidden": False,
        "hubspotDefined": True,
        "formField": True,
        "modificationMetadata": {
            "archivable": True,
            "readOnlyDefinition": True,
            "readOnlyOptions": False,
            "readOnlyValue": False,
        },
        "dataSensitivity": "non_sensitive",
        "createdAt": "2020-06-30T15:57:37.247Z",
        "updatedAt": "2020-06-30T15:57:37.247Z",
    }


def test_what_lives_elsewhere_and_what_is_read_only(ask: Any) -> None:
    owner = ask.get(f"{URL}/hubspot_owner_id").json()
    assert (owner["externalOptions"], owner["options"], owner["referencedObjectType"]) == (True, [], "OWNER")
    amount = ask.get("/crm/v3/properties/deals/amount").json()
    assert (amount["showCurrencySymbol"], amount["currencyPropertyName"]) == (True, "deal_currency_code")
    closed = ask.get("/crm/v3/properties/deals/hs_is_closed").json()
    assert (closed["calculated"], closed["modificationMetadata"]["readOnlyValue"]) == (True, True)


@pytest.mark.parametrize("object_type", ["contacts", "companies", "deals"])
def test_the_key_of_a_portal_that_is_set_up(ask: Any, object_type: str) -> None:
    key = ask.get(f"/crm/v3/properties/{object_type}/crmseed_key").json()
    assert (key["type"], key["fieldType"], key["hasUniqueValue"]) == ("string", "text", True)
    assert (key["hubspotDefined"], key["archived"]) == (False, False)


def test_a_portal_that_is_not_set_up_has_no_key(make_portal: Callable[..., Portal], asker: Any) -> None:
    portal = make_portal(set_up=False)
    ask = asker(portal, portal.hubspot.tokens()["seeder"])
    assert ask.get(f"{URL}/crmseed_key").status == 404
    body = {"properties": {"firstname": "A", "crmseed_key": "k"}}
    assert ask.post("/crm/v3/objects/contacts", body).json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    # It can be made, and works then.
    assert ask.post(URL, text("crmseed_key", hasUniqueValue=True)).status == 201
    assert ask.contact(crmseed_key="k")
    assert (
        ask.post("/crm/v3/objects/contacts", body).json()["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"
    )


def test_a_definition_that_does_not_exist(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    expected = {
        "status": "error",
        "message": "A property named 'nope' does not exist.",
        "category": "OBJECT_NOT_FOUND",
    }
    for method, body in [("GET", None), ("PATCH", {"label": "x"}), ("DELETE", None)]:
        answer = ask(method, f"{URL}/nope", body)
        assert (answer.status, refusal(answer)) == (404, expected)


def test_batch_read(ask: Any) -> None:
    body = {"archived": False, "inputs": [{"name": "email"}, {"name": "nope"}]}
    answer = ask.post(f"{URL}/batch/read", body)
    assert answer.status == 207
    assert [definition["name"] for definition in answer.json()["results"]] == ["email"]
    assert answer.json()["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert ask.post(f"{URL}/batch/read", {"inputs": [{"name": "email"}]}).status == 200


# -- creating -----------------------------------------------------------------------------------------


def test_a_new_property_is_used_at_once(ask: Any) -> None:
    answer = ask.post(URL, TIER)
    assert answer.status == 201
    assert answer.headers["location"] == "http://127.0.0.1/crm/v3/properties/contacts/tier"
    body = answer.json()
    assert (body["hubspotDefined"], body["archived"]) == (False, False)
    assert body["createdAt"] == body["updatedAt"] == "2026-09-21T14:13:20.250Z"
    assert [option["value"] for option in body["options"]] == ["gold", "tin"]
    assert ask.get(f"{URL}/tier").json() == body
    assert ask.contact(tier="gold") and ask.contact(tier="tin")
    bad = ask.post("/crm/v3/objects/contacts", {"properties": {"firstname": "A", "tier": "Gold"}})
    assert bad.json()["errors"][0]["message"] == "Gold was not one of the allowed options: [gold, tin]"


def test_a_name_that_is_taken(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    answer = ask.post(URL, text("email"))
    assert (answer.status, refusal(answer)) == (
        409,
        {
            "status": "error",
            "message": "A property named 'email' already exists.",
            "category": "OBJECT_ALREADY_EXISTS",
            "subCategory": "Properties.PROPERTY_WITH_NAME_EXISTS",
        },
    )


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (
            {"name": "x"},
            "Invalid input JSON on line 1, column 2. Some required fields were not set:"
            " [label, type, fieldType, groupName]",
        ),
        (
            text("x", label=3),
            "Invalid input JSON on line 1, column 1: Cannot deserialize value of type `java.lang.String`"
            " from Integer value (token `JsonToken.VALUE_NUMBER_INT`)",
        ),
        (
            text("x", hasUniqueValue="yes"),
            "Invalid input JSON on line 1, column 1: Cannot deserialize value of type `java.lang.Boolean`"
            " from String value (token `JsonToken.VALUE_STRING`)",
        ),
        (
            text("x", displayOrder=1.5),
            "Invalid input JSON on line 1, column 1: Cannot deserialize value of type `java.lang.Integer`"
            " from Floating-point value (token `JsonToken.VALUE_NUMBER_FLOAT`)",
        ),
        (
            text("Tier Name"),
            "Tier Name is not a valid property name: lower-case letters, digits and _ only",
        ),
        (
            text("x", type="text"),
            "text is not one of the property types: string, number, bool, enumeration, date, datetime,"
            " phone_number",
        ),
        (
            text("x", fieldType="date"),
            "date is not one of the field types of string properties: text, textarea, html, file,"
            " phonenumber, calculation_equation",
        ),
        (
            text("x", groupName="mine"),
            "The property group mine does not exist. There are: contactinformation",
        ),
        (
            {**TIER, "options": []},
            "Invalid input JSON on line 1, column 2. Some required fields were not set: [options]",
        ),
        (
            {**TIER, "options": [{"label": "A", "value": "a"}] * 2},
            "Property option values must be unique.",
        ),
        (
            text("x", type="bool", fieldType="booleancheckbox"),
            "Boolean properties must have exactly two options: true and false.",
        ),
    ],
)
def test_definitions_that_are_refused(
    ask: Any, refusal: Callable[..., dict[str, Any]], definition: dict[str, Any], message: str
) -> None:
    answer = ask.post(URL, definition)
    body = refusal(answer)
    assert (answer.status, body["message"], body["category"]) == (400, message, "VALIDATION_ERROR")


def test_a_boolean_property(ask: Any) -> None:
    options = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
    definition = text("vip", type="bool", fieldType="booleancheckbox", options=options)
    assert ask.post(URL, definition).status == 201
    assert ask.contact(vip=True)


def test_at_most_ten_unique_properties(ask: Any, refusal: Callable[..., dict[str, Any]]) -> None:
    # crmseed_key is the first of them.
    answers = [ask.post(URL, text(f"unique_{number}", hasUniqueValue=True)) for number in range(10)]
    assert [answer.status for answer in answers] == [201] * 9 + [400]
    assert (
        refusal(answers[-1])["message"] == "At most 10 properties of an object type can have unique values."
    )


# -- changing, archiving, bringing back ---------------------------------------------------------------


def test_a_change_replaces_options_and_passes_over_what_may_not_change(ask: Any, clock: Any) -> None:
    ask.post(URL, TIER)
    clock.now += 1
    options = [{"label": "Lead", "value": "lead"}]
    answer = ask("PATCH", f"{URL}/tier", {"label": "Rank", "options": options, "hasUniqueValue": True})
    body = answer.json()
    assert (answer.status, body["label"], body["hasUniqueValue"]) == (200, "Rank", False)
    assert [option["value"] for option in body["options"]] == ["lead"]
    assert (body["createdAt"], body["updatedAt"]) == ("2026-09-21T14:13:20.250Z", "2026-09-21T14:13:21.250Z")
    ask("PATCH", f"{URL}/tier", {"label": "Tier"})
    assert [option["value"] for option in ask.get(f"{URL}/tier").json()["options"]] == ["lead"]


def test_of_a_stock_property_only_the_options_change(
    ask: Any, refusal: Callable[..., dict[str, Any]]
) -> None:
    answer = ask("PATCH", f"{URL}/lifecyclestage", {"options": [{"label": "New", "value": "123"}]})
    assert answer.status == 200
    assert ask.contact(lifecyclestage="123")
    answer = ask("PATCH", f"{URL}/city", {"label": "Town"})
    assert refusal(answer)["message"] == "city is a HubSpot-defined property; its definition is read only."
    answer = ask("PATCH", f"{URL}/hubspot_owner_id", {"options": []})
    assert refusal(answer)["message"] == "The options of hubspot_owner_id are read only."
    answer = ask("DELETE", f"{URL}/city")
    assert refusal(answer)["message"] == "city is a HubSpot-defined property; it cannot be deleted."


def test_an_archived_property_comes_back_with_its_values(ask: Any, clock: Any) -> None:
    ask.post(URL, text("code", hasUniqueValue=True))
    id = ask.contact(code="c1")
    assert ask("DELETE", f"{URL}/code").status == 204
    assert ask.get(f"{URL}/code").status == 404
    archived = ask.get(f"{URL}/code?archived=true").json()
    assert (archived["archived"], archived["archivedAt"]) == (True, "2026-09-21T14:13:20.250Z")
    assert [found["name"] for found in ask.get(f"{URL}?archived=true").json()["results"]] == ["code"]
    read = ask.get(f"/crm/v3/objects/contacts/{id}?properties=code").json()["properties"]
    assert "code" not in read
    refused = ask.post("/crm/v3/objects/contacts", {"properties": {"firstname": "A", "code": "c1"}})
    assert refused.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"

    clock.now += 60
    back = ask.post(URL, text("code", label="Code", hasUniqueValue=True))
    assert (back.status, back.json()["label"]) == (201, "Code")
    assert back.json()["createdAt"] == "2026-09-21T14:13:20.250Z"
    read = ask.get(f"/crm/v3/objects/contacts/{id}?properties=code").json()["properties"]
    assert read["code"] == "c1"
    taken = ask.post("/crm/v3/objects/contacts", {"properties": {"firstname": "A", "code": "c1"}})
    assert taken.json()["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"
    assert ask.get("/crm/v3/objects/contacts/c1?idProperty=code").json()["id"] == id


def test_a_property_that_comes_back_as_unique_counts_the_values_there_are(ask: Any) -> None:
    ask.post(URL, text("code"))
    first, _ = ask.contact(code="c1"), ask.contact(code="c1")
    ask("DELETE", f"{URL}/code")
    assert ask.post(URL, text("code", hasUniqueValue=True)).status == 201
    assert ask.get("/crm/v3/objects/contacts/c1?idProperty=code").json()["id"] == first
    taken = ask.post("/crm/v3/objects/contacts", {"properties": {"firstname": "A", "code": "c1"}})
    assert taken.json()["errors"][0]["code"] == "CONFLICTING_UNIQUE_VALUE"
