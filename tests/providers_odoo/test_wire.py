"""Requests as they go out, and what is read from answers."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import NotAPortal
from pytest_crmseed.providers.base import Answer, KeyRoute, Sought
from pytest_crmseed.providers.odoo import Odoo
from pytest_crmseed.providers.odoo.forms import FROM_WIRE, TO_WIRE, html, plain
from pytest_crmseed.providers.odoo.legend import LEGEND
from pytest_crmseed.records import Batch, Draft, Link
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.schema.model import Kind

SCHEMA = catalog.bundled("odoo")


@pytest.fixture
def provider() -> Odoo:
    provider = Odoo(SCHEMA, api_version="json-2")
    credentials = {"ODOO_URL": "https://acme.example", "ODOO_DATABASE": "staging", "ODOO_API_KEY": "key"}
    list(provider.sign_in(credentials))
    next(provider.account(credentials))
    return provider


def answer_to(request: Any, body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body).encode(), request)


def draft(object_type: str, index: int, values: dict[str, Any], *links: Link) -> Draft:
    return Draft(object_type, index, f"key-{index}", values, links)


def test_an_import_names_our_key_relations_by_id_and_what_makes_the_object_type(provider: Odoo) -> None:
    drafts = [
        draft(
            "deals",
            number,
            {"name": f"Deal {number}", "stage_id": "4", "tag_ids": "3,5", "expected_revenue": "100.5"},
            Link("company", "companies", index=0),
            Link("contacts", "contacts", index=number),
        )
        for number in range(2)
    ]
    ids = {("companies", 0): "6", ("contacts", 0): "7", ("contacts", 1): "8"}
    batch = Batch("deals", 1, 1, drafts)
    request = provider.create(batch, ids)
    assert (request.method, request.path, request.what) == ("POST", "/json/2/crm.lead/load", "create 2 deals")
    body = request.body
    assert body["fields"] == [
        "id", "type", "name", "stage_id/.id", "active", "tag_ids/.id", "expected_revenue", "partner_id/.id",
    ]  # fmt: skip
    assert body["data"] == [
        ["crmseed.key-0", "opportunity", "Deal 0", "4", "1", "3,5", "100.5", "7"],
        ["crmseed.key-1", "opportunity", "Deal 1", "4", "1", "3,5", "100.5", "8"],
    ]
    assert body["context"]["tracking_disable"] is True
    assert provider.size(drafts[0]) <= len(json.dumps(body)) <= sum(map(provider.size, drafts)) + 400
    made = provider.results(batch, answer_to(request, {"ids": [5, 6], "messages": []}))
    assert [(each.id, each.url) for each in made] == [
        ("5", "https://acme.example/odoo/crm.lead/5"),
        ("6", "https://acme.example/odoo/crm.lead/6"),
    ]


def test_a_deal_without_a_contact_is_with_the_company(provider: Odoo) -> None:
    one = draft("deals", 0, {"name": "Deal"}, Link("company", "companies", id="6"))
    (row,) = provider.create(Batch("deals", 1, 1, [one]), {}).body["data"]
    assert row == ["crmseed.key-0", "opportunity", "Deal", "6"]


@pytest.mark.parametrize(
    ("links", "model", "id"),
    [
        ([("contacts", "contacts", "7")], "base.model_res_partner", "7"),
        ([("contacts", "contacts", "7"), ("deal", "deals", "3")], "crm.model_crm_lead", "3"),
        ([("company", "companies", "6")], "base.model_res_partner", "6"),
    ],
)
def test_an_activity_is_of_one_document(
    provider: Odoo, links: list[tuple[str, str, str]], model: str, id: str
) -> None:
    linked = [Link(field, to, id=of) for field, to, of in links]
    one = draft("calls", 0, {"summary": "Call"}, *linked)
    body = provider.create(Batch("calls", 1, 1, [one]), {}).body
    assert dict(zip(body["fields"], body["data"][0], strict=True)) == {
        "id": "crmseed.key-0",
        "activity_type_id/id": "mail.mail_activity_data_call",
        "summary": "Call",
        "res_model_id/id": model,
        "res_id": id,
    }


def test_a_value_of_the_users_own_goes_before_what_makes_the_object_type(provider: Odoo) -> None:
    one = draft("tasks", 0, {"activity_type_id": "9"})
    body = provider.create(Batch("tasks", 1, 1, [one]), {}).body
    assert body["fields"] == ["id", "activity_type_id/.id"]


def test_a_model_by_its_own_name_links_through_its_references(provider: Odoo) -> None:
    one = draft("calendar.event", 0, {"name": "Demo"}, Link("deal", "deals", id="3"))
    body = provider.create(Batch("calendar.event", 1, 1, [one]), {}).body
    assert dict(zip(body["fields"], body["data"][0], strict=True)) == {
        "id": "crmseed.key-0",
        "name": "Demo",
        "opportunity_id/.id": "3",
    }


@pytest.mark.parametrize("body", [{"ids": [5]}, {"ids": None}, [5, 6], {}])
def test_an_answer_without_an_id_for_each_draft_is_none(provider: Odoo, body: Any) -> None:
    batch = Batch("deals", 1, 1, [draft("deals", number, {}) for number in range(2)])
    request = provider.create(batch, {})
    with pytest.raises(NotAPortal) as other:
        provider.results(batch, answer_to(request, body))
    assert other.value.message == "Odoo's answer does not have 2 ids, to: create 2 deals."


def test_a_read_finds_archived_records_and_asks_for_no_more_fields_than_it_says(provider: Odoo) -> None:
    request = provider.read("contacts", ["7", "8"], ())
    assert request.path == "/json/2/res.partner/search_read"
    assert (request.body["domain"], request.body["fields"]) == ([["id", "in", [7, 8]]], ["id"])
    assert (request.body["context"]["active_test"], request.body["order"]) == (False, "id")
    (found,) = provider.found(answer_to(request, [{"id": 7, "parent_id": [6, "Seed Co"], "active": False}]))
    assert (found.id, found.native["parent_id"], found.native["active"]) == ("7", "6", False)


def test_what_is_not_set_is_none_and_a_lost_deal_has_the_stage_lost(provider: Odoo) -> None:
    request = provider.read("deals", ["5"], ["stage_id", "name", "date_deadline", "tag_ids"])
    assert request.body["fields"] == ["id", "stage_id", "name", "date_deadline", "tag_ids", "active"]
    row = {"id": 5, "stage_id": False, "name": "x", "date_deadline": False, "tag_ids": [3], "active": False}
    (found,) = provider.found(answer_to(request, [row]))
    assert dict(found.native) == {**row, "date_deadline": None, "stage_id": "lost", "tag_ids": ["3"]}


def test_our_key_is_read_where_nothing_else_is_asked_for(provider: Odoo) -> None:
    request = provider.read("contacts", ["7"], ["external_id"])
    assert request.path == "/json/2/ir.model.data/search_read"
    assert request.body["domain"] == [
        ["module", "=", "crmseed"],
        ["model", "=", "res.partner"],
        ["res_id", "in", [7]],
    ]
    (found,) = provider.found(answer_to(request, [{"id": 9, "name": "key-0", "res_id": 7}]))
    assert (found.id, dict(found.native)) == ("7", {"external_id": "key-0"})


def test_records_are_found_by_key_only_where_they_are_still_there(provider: Odoo) -> None:
    route = KeyRoute("unique", "external_id")
    exchange = provider.find("deals", route, [Sought("a"), Sought("b"), Sought("c")], (), since=0)
    names = next(exchange)
    assert names.body["domain"][2] == ["name", "in", ["a", "b", "c"]]
    rows = [{"id": 1, "name": "a", "res_id": 5}, {"id": 2, "name": "b", "res_id": 6}]
    read = exchange.send(answer_to(names, rows))
    assert read.body["domain"] == [["id", "in", [5, 6]]]
    with pytest.raises(StopIteration) as done:
        exchange.send(answer_to(read, [{"id": 6}]))
    assert {key: [each.id for each in found] for key, found in done.value.value.items()} == {"b": ["6"]}


def test_a_list_longer_than_a_page_is_read_to_its_end(provider: Odoo) -> None:
    exchange = provider.marked("deals")
    first = next(exchange)
    assert (first.body["limit"], first.body["offset"]) == (2000, 0)
    rows = [{"id": number, "name": f"key-{number}", "res_id": number} for number in range(2000)]
    second = exchange.send(answer_to(first, rows))
    assert second.body["offset"] == 2000
    with pytest.raises(StopIteration) as done:
        exchange.send(answer_to(second, [{"id": 1, "name": "last", "res_id": 9999}]))
    assert len(done.value.value) == 2001 and done.value.value["9999"] == "last"


def test_an_answer_that_is_no_list_is_none(provider: Odoo) -> None:
    request = provider.read("deals", ["5"], ())
    with pytest.raises(NotAPortal) as other:
        provider.found(answer_to(request, {"hello": 1}))
    assert other.value.message == "Odoo's answer is no list of records, to: read 1 deals."


# -- values ------------------------------------------------------------------------------------------
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.BOOLEAN, st.booleans()),
        (Kind.INTEGER, st.integers()),
        (Kind.DECIMAL, st.decimals(allow_nan=False, allow_infinity=False, places=2)),
        (Kind.DATE, st.dates()),
        (Kind.DATETIME, MOMENTS.map(lambda moment: moment.replace(microsecond=0))),
        (Kind.OPTIONS, st.lists(st.integers(1, 99).map(str), max_size=5).map(tuple)),
        (Kind.STRING, st.text()),
    ],
)
def test_values_come_back_as_they_went_out(kind: Kind, values: st.SearchStrategy[Any]) -> None:
    @given(values)
    def check(value: Any) -> None:
        wire = TO_WIRE[kind](value)
        assert isinstance(wire, str)
        assert FROM_WIRE[kind](wire) == value

    check()


def test_values_as_records_hold_them() -> None:
    assert FROM_WIRE[Kind.DECIMAL](100.5) == Decimal("100.5")
    assert FROM_WIRE[Kind.DATETIME]("2026-11-20 10:00:00") == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert FROM_WIRE[Kind.DATE]("2026-11-20") == date(2026, 11, 20)
    assert FROM_WIRE[Kind.OPTIONS](["3", "5"]) == ("3", "5")
    assert (
        TO_WIRE[Kind.DATETIME](datetime(2026, 1, 1, 1, tzinfo=UTC) - timedelta(hours=2))
        == "2025-12-31 23:00:00"
    )
    for kind, raw in ((Kind.BOOLEAN, "yes"), (Kind.DECIMAL, True), (Kind.INTEGER, False)):
        with pytest.raises(ValueError):
            FROM_WIRE[kind](raw)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<>\r")))
def test_a_text_survives_as_html(text: str) -> None:
    assert plain(html(text)) == text


@pytest.mark.parametrize("markup", ["<p>one</p><ul><li>two</li></ul>", "a <b>bold</b> word"])
def test_html_stays_as_it_is(markup: str) -> None:
    assert html(markup) == markup
    assert plain(markup) == markup


# -- the legend and the bundled schema ---------------------------------------------------------------
def test_every_home_is_a_field_of_the_bundled_schema_that_can_be_written() -> None:
    for entry in LEGEND.objects.values():
        fields = SCHEMA.object_types[entry.native].fields
        homes = [home.native for home in entry.fields.values()] + [each.native for each in entry.composed]
        for native in homes:
            # Odoo 19 took away the second phone number.
            if native != "mobile":
                assert not fields[native].read_only, (entry.neutral, native)


@pytest.mark.parametrize(
    ("object_type", "given_", "native"),
    [
        ("contacts", {"first_name": "Ann", "last_name": "Lee"}, {"name": "Ann Lee"}),
        ("contacts", {"last_name": "Lee"}, {"name": "Lee"}),
        (
            "leads",
            {"first_name": "Ann", "last_name": "Lee", "company_name": "Acme"},
            {"name": "Ann Lee (Acme)", "contact_name": "Ann Lee", "partner_name": "Acme"},
        ),
        ("companies", {"domain": "acme.example", "country": "Germany"}, {"website": "http://acme.example"}),
        ("deals", {"probability": Decimal("0.25")}, {"probability": "25.00"}),
        ("calls", {"at": datetime(2026, 1, 1, 23, 30, tzinfo=UTC)}, {"date_deadline": "2026-01-01"}),
    ],
)
def test_neutral_values_find_their_homes_and_come_back(
    object_type: str, given_: dict[str, Any], native: dict[str, str]
) -> None:
    translator = Translator(LEGEND, SCHEMA)
    values, problems = translator.to_native(object_type, 0, given_)
    assert not problems
    assert values.items() >= native.items()
    back = translator.to_neutral(object_type, values)
    assert {name: back.get(name) for name in given_ if name != "at"} == {
        name: value for name, value in given_.items() if name != "at"
    }
