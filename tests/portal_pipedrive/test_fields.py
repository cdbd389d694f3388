"""Fields of both versions, their options, and the values of custom fields."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_crmseed.portal.pipedrive import values
from pytest_crmseed.portal.pipedrive.fields import CREATABLE, Field, Option

KEY = re.compile(r"[0-9a-f]{40}")
HOLDERS = {"deal": "deals", "person": "persons", "organization": "organizations", "product": "products"}


@pytest.mark.parametrize("entity", [*HOLDERS])
def test_the_marker_field_is_there_and_carries_a_key(ask: Any, entity: str) -> None:
    key = ask.key(entity)
    assert KEY.fullmatch(key)
    name = "title" if entity == "deal" else "name"
    id = ask.made(HOLDERS[entity], **{name: "x"}, custom_fields={key: "mine"})
    assert ask.get(f"/api/v2/{HOLDERS[entity]}/{id}")["custom_fields"] == {key: "mine"}


def test_a_company_that_is_not_set_up_has_no_marker(make_portal: Any, seeder: Any) -> None:
    ask = seeder(make_portal(set_up=False))
    assert not [field for field in ask.get("/api/v2/dealFields?limit=500") if field["is_custom_field"]]


def test_keys_are_other_ones_in_another_company(make_portal: Any, seeder: Any) -> None:
    keys = {seeder(make_portal(company_id=id)).key("deal") for id in (1, 1, 2)}
    assert len(keys) == 2


def test_a_field_is_made_changed_and_deleted(ask: Any, refusal: Any) -> None:
    made = ask.field("deal", "enum", "Low", "High", name="Priority")
    code = made["field_code"]
    low, high = made["options"]
    assert made == {
        "field_name": "Priority",
        "field_code": code,
        "description": None,
        "field_type": "enum",
        "options": [
            {"id": low["id"], "label": "Low", "color": None, "update_time": None, "add_time": None},
            {"id": high["id"], "label": "High", "color": None, "update_time": None, "add_time": None},
        ],
        "subfields": None,
        "is_custom_field": True,
        "is_optional_response_field": False,
    }
    path = f"/api/v2/dealFields/{code}"
    body = {"field_name": "Urgency", "description": "How", "ui_visibility": {"add_visible_flag": True}}
    assert ask("PATCH", path, body).json()["data"]["description"] == "How"
    shown = ask.get(f"{path}?include_fields=ui_visibility,important_fields,required_fields")
    assert shown["field_name"] == "Urgency"
    assert shown["ui_visibility"] == {
        "add_visible_flag": True,
        "details_visible_flag": True,
        "projects_detail_visible_flag": False,
        "show_in_pipelines": {"show_in_all": True, "pipeline_ids": []},
    }
    id = ask.made("deals", title="D", custom_fields={code: low["id"]})
    assert ask("DELETE", path).json()["data"]["field_code"] == code
    assert code not in ask.get(f"/api/v2/deals/{id}")["custom_fields"]
    assert refusal(ask("GET", path)) == (404, "Field not found", "ERR_NOT_FOUND")
    assert ask.field("deal", "varchar", name="Urgency")["field_code"] != code


def test_options_are_added_renamed_and_deleted_all_or_none(ask: Any, refusal: Any) -> None:
    made = ask.field("deal", "set", "A")
    path = f"/api/v2/dealFields/{made['field_code']}/options"
    added = ask("POST", path, [{"label": "B"}, {"label": "C"}]).json()["data"]
    assert [option["label"] for option in added] == ["B", "C"]
    renamed = ask("PATCH", path, [{"id": added[0]["id"], "label": "D"}]).json()["data"]
    assert renamed == [{"id": added[0]["id"], "label": "D"}]
    unknown = ask("DELETE", path, [{"id": added[1]["id"]}, {"id": 5}])
    assert refusal(unknown)[1] == "Validation failed: id: Option with id '5' was not found"
    assert ask("DELETE", path, [{"id": added[1]["id"]}]).json()["data"] == [added[1]]
    for body, problem in (
        ([], "options: At least one option is required"),
        ([{"label": "A"}], "options: Labels of options must be unique"),
        ([{"name": "A"}], "options: Unknown key 'name'"),
    ):
        assert refusal(ask("POST", path, body))[1] == f"Validation failed: {problem}"
    labels = [each["label"] for each in ask.get(path.removesuffix("/options"))["options"]]
    assert labels == ["A", "D"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "Validation failed: field_name: The value is required; field_type: The value is required"),
        (
            {"field_name": "x" * 256, "field_type": "text"},
            "Validation failed: field_name: The value is longer than 255 characters",
        ),
        (
            {"field_name": "x", "field_type": "url"},
            f"Validation failed: field_type: The value must be one of {', '.join(CREATABLE)}",
        ),
        (
            {"field_name": "x", "field_type": "enum"},
            "Validation failed: options: Options are required for a field of the type 'enum'",
        ),
        (
            {"field_name": "x", "field_type": "text", "options": [{"label": "a"}]},
            "Validation failed: options: Options are not allowed for a field of the type 'text'",
        ),
    ],
)
def test_a_field_that_is_wrong_is_refused(ask: Any, refusal: Any, body: Any, error: str) -> None:
    assert refusal(ask("POST", "/api/v2/personFields", body))[1] == error


def test_built_in_fields_stay_as_they_are(ask: Any, refusal: Any) -> None:
    assert refusal(ask("DELETE", "/api/v2/dealFields/title"))[1] == "Only custom fields can be changed"
    status = ask.get("/api/v2/dealFields/status")
    assert [option["id"] for option in status["options"]] == ["open", "won", "lost", "deleted"]
    assert ask("POST", "/api/v2/activityFields", {}).status == 405


def test_the_plan_caps_custom_fields(make_portal: Any, seeder: Any) -> None:
    ask = seeder(make_portal(custom_fields_limit=4))
    answer = ask("POST", "/api/v2/dealFields", {"field_name": "x", "field_type": "text"})
    assert (answer.status, answer.json()["code"]) == (403, "feature_capping_custom_fields_limit")


# -- values ------------------------------------------------------------------------------------------
ZONE = {"timezone_id": 1, "timezone_name": "UTC"}
ADDRESS = {
    "country": None,
    "admin_area_level_1": None,
    "admin_area_level_2": None,
    "locality": None,
    "sublocality": None,
    "route": None,
    "street_number": None,
    "subpremise": None,
    "postal_code": None,
}


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("varchar", "x", "x"),
        ("varchar_auto", "x", "x"),
        ("text", "x" * 1000, "x" * 1000),
        ("phone", "+34 915 000 000", "+34 915 000 000"),
        ("double", 9007199254740993, 9007199254740993),
        ("double", 0.25, 0.25),
        ("monetary", {"value": 5}, {"value": 5, "currency": "USD"}),
        ("monetary", {"value": 5, "currency": "EUR"}, {"value": 5, "currency": "EUR"}),
        ("user", 1234, 1234),
        ("org", 1234, 1234),
        ("people", 1234, 1234),
        ("date", "2024-01-01", "2024-01-01"),
        (
            "daterange",
            {"value": "2024-01-01", "until": "2024-02-01"},
            {"value": "2024-01-01", "until": "2024-02-01"},
        ),
        ("time", {"value": "09:00"}, {"value": "09:00:00", **ZONE}),
        (
            "timerange",
            {"value": "09:00:00", "until": "10:00:00"},
            {"value": "09:00:00", "until": "10:00:00", **ZONE},
        ),
        (
            "address",
            {"value": "Here", "route": "St"},
            {"value": "Here", **ADDRESS, "route": "St", "formatted_address": "Here"},
        ),
        ("varchar", None, None),
    ],
)
def test_a_value_of_every_type_is_kept(ask: Any, kind: str, value: Any, kept: Any) -> None:
    code = ask.field("deal", kind)["field_code"]
    id = ask.made("deals", title="D", custom_fields={code: value})
    assert ask.get(f"/api/v2/deals/{id}?custom_fields={code}")["custom_fields"] == {code: kept}
    cleared = ask("PATCH", f"/api/v2/deals/{id}", {"custom_fields": {code: None}}).json()["data"]
    assert cleared["custom_fields"][code] is None


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("varchar", 5, "Expected 'string' as value for deal custom field '{code}'"),
        ("varchar", "x" * 256, "The value of deal custom field '{code}' is longer than 255 characters"),
        ("varchar", {"value": "x"}, "Invalid collection"),
        ("double", "5", "Expected 'number' as value for deal custom field '{code}'"),
        ("double", {"value": 5}, "Invalid collection"),
        ("user", "5", "Expected 'number' as value for deal custom field '{code}'"),
        ("date", "2024-02-30", "Expected 'date' as value for deal custom field '{code}'"),
        ("monetary", 5, "Expected 'object' as value for deal custom field '{code}'"),
        ("monetary", {"value": "5"}, "Expected 'number' as value for deal custom field '{code}'"),
        ("time", "09:00:00", "Time custom field value expected 'object' for field '{code}'"),
        (
            "daterange",
            {"start_date": "2024-01-01", "end_date": "2024-02-01"},
            "Unknown key 'start_date' for deal custom field '{code}'",
        ),
        ("address", {"route": "x"}, "Expected 'string' as value for deal custom field '{code}'"),
    ],
)
def test_a_value_of_another_shape_is_refused(
    ask: Any, refusal: Any, kind: str, value: Any, problem: str
) -> None:
    code = ask.field("deal", kind)["field_code"]
    answer = ask("POST", "/api/v2/deals", {"title": "D", "custom_fields": {code: value}})
    assert refusal(answer) == (
        400,
        f"Validation failed: custom_fields: {problem.format(code=code)}",
        "ERR_SCHEMA_VALIDATION_FAILED",
    )


def test_custom_fields_that_are_wrapped_twice_make_the_service_fail(ask: Any) -> None:
    answer = ask("POST", "/api/v2/deals", {"title": "D", "custom_fields": {"custom_fields": {}}})
    assert (answer.status, answer.json()) == (
        500,
        {"success": False, "error": "Internal Server Error", "code": "ERR_UNKNOWN"},
    )


def test_options_are_ids_and_told_with_labels_when_asked_for(ask: Any, refusal: Any) -> None:
    one, some = ask.field("deal", "enum", "A", "B"), ask.field("deal", "set", "C", "D")
    (a, _), (c, d) = ([option["id"] for option in field["options"]] for field in (one, some))
    enum, many = one["field_code"], some["field_code"]
    id = ask.made("deals", title="D", custom_fields={enum: a, many: [c, d]})
    path = f"/api/v2/deals/{id}?custom_fields={enum},{many}"
    assert ask.get(path)["custom_fields"] == {enum: a, many: [c, d]}
    assert ask.get(f"{path}&include_option_labels=true")["custom_fields"] == {
        enum: {"id": a, "label": "A"},
        many: [{"id": c, "label": "C"}, {"id": d, "label": "D"}],
    }
    for custom, problem in (
        ({enum: "A"}, f"Expected 'number' as value for deal custom field '{enum}'"),
        ({enum: 5}, f"Invalid option '5' for deal custom field '{enum}'"),
        ({many: []}, f"Expected 'array' as value for deal custom field '{many}'"),
        ({many: [5]}, f"Invalid option '5' for deal custom field '{many}'"),
    ):
        answer = ask("PATCH", f"/api/v2/deals/{id}", {"custom_fields": custom})
        assert refusal(answer)[1] == f"Validation failed: custom_fields: {problem}"
    ask("DELETE", f"/api/v2/dealFields/{many}/options", [{"id": c}])
    assert ask.get(path)["custom_fields"][many] == [d]


def test_at_most_15_keys_are_asked_for(ask: Any, refusal: Any) -> None:
    keys = ",".join(f"{number:040x}" for number in range(16))
    ask.made("deals", title="D")
    answer = ask("GET", f"/api/v2/deals?custom_fields={keys}")
    assert refusal(answer)[1] == "Validation failed: custom_fields: At most 15 keys can be requested"


OPTIONS = (Option(1, "A"), Option(2, "B"), Option(3, "C"))
TEXT = st.text(max_size=20)
DATE = st.dates().map(str)
TIME = st.times().map(lambda at: at.strftime("%H:%M:%S"))
VALUES = {
    "varchar": TEXT.filter(bool),
    "double": st.integers(-(2**53), 2**53),
    "enum": st.sampled_from([1, 2, 3]),
    "set": st.lists(st.sampled_from([1, 2, 3]), min_size=1, unique=True),
    "date": DATE,
    "monetary": st.fixed_dictionaries(
        {"value": st.integers(0, 10**9), "currency": st.sampled_from(["EUR", "USD"])}
    ),
    "daterange": st.fixed_dictionaries({"value": DATE, "until": DATE}),
    "timerange": st.fixed_dictionaries({"value": TIME, "until": TIME}),
    "address": st.fixed_dictionaries({"value": TEXT.filter(bool)}),
}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind])))
def test_a_value_survives_the_way_through_v1(pair: tuple[str, Any]) -> None:
    kind, value = pair
    field = Field("k" * 40, "F", kind, custom=True, options=OPTIONS if kind in ("enum", "set") else ())
    kept = values.accepted(field, value, "deal", "USD")
    assert values.of_flat(field, values.flat(field, kept), "deal", "USD") == kept


# -- v1 ----------------------------------------------------------------------------------------------
def test_v1_knows_fields_by_numbers(ask: Any, refusal: Any) -> None:
    body = {"name": "Kind", "field_type": "enum", "options": [{"label": "A"}]}
    made = ask("POST", "/v1/dealFields", body).json()["data"]
    assert (made["edit_flag"], KEY.fullmatch(made["key"]) is not None) == (True, True)
    assert ask.get(f"/api/v2/dealFields/{made['key']}")["field_name"] == "Kind"
    [option] = made["options"]
    path = f"/v1/dealFields/{made['id']}"
    changed = ask("PUT", path, {"options": [{**option, "label": "B"}, {"label": "C"}]}).json()["data"]
    assert [each["label"] for each in changed["options"]] == ["B", "C"]
    assert changed["options"][0]["id"] == option["id"]
    assert ask.get(path)["name"] == "Kind"
    assert ask("DELETE", path).json()["data"] == {"id": made["id"]}
    assert refusal(ask("DELETE", path)) == (404, "Field not found", None)


def test_v1_deletes_several_and_says_410_for_fields_of_products(ask: Any) -> None:
    answer = ask("POST", "/v1/productFields", {"name": "Kind", "field_type": "text"})
    id = answer.json()["data"]["id"]
    assert (answer.status, ask.get(f"/v1/productFields/{id}")["name"]) == (201, "Kind")
    assert ask("DELETE", f"/v1/productFields?ids={id},1").json()["data"] == {"id": [id]}
    gone = ask("GET", f"/v1/productFields/{id}")
    assert (gone.status, gone.json()) == (410, {"success": False, "error": "The field is not found"})


def test_v1_lists_fields_with_a_start(ask: Any) -> None:
    answer = ask("GET", "/v1/dealFields?start=2&limit=1").json()
    assert [field["key"] for field in answer["data"]] == ["value"]
    assert answer["additional_data"]["pagination"]["next_start"] == 3
    # The document lists the types of custom fields alone here, and shows others in its example.
    of_leads = ask.get("/v1/leadFields?limit=500", documented=False)
    assert "crmseed_key" in {field["name"] for field in of_leads}
    assert ask.get("/v1/noteFields", documented=False)[0]["key"] == "content"
    of_activities = ask.get("/v1/activityFields?limit=500", documented=False)
    types = next(field for field in of_activities if field["key"] == "type")
    assert types["options"][0] == {"id": "call", "label": "Call"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"field_type": "text"}, "Name must be given."),
        (
            {"name": "x", "field_type": "url"},
            "Field type must be given, and be one of those that can be created.",
        ),
        (
            {"name": "x", "field_type": "enum", "options": ["A"]},
            "Options must be a list of objects with labels.",
        ),
    ],
)
def test_a_field_of_v1_that_is_wrong_is_refused(ask: Any, refusal: Any, body: Any, error: str) -> None:
    assert refusal(ask("POST", "/v1/dealFields", body)) == (400, error, None)
