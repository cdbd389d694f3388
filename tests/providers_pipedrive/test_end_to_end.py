"""Every object type of Pipedrive, seeded through the engine, read back, and removed."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_crmseed.errors import GuardRefused, UsageError, ValidationFailed
from pytest_crmseed.ingest import guard
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.planning import count
from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.pipedrive.behaviour import PipedriveBehaviour
from pytest_crmseed.providers.base import Effect, KeyRoute, Request
from pytest_crmseed.providers.pipedrive import Pipedrive

OBJECT_TYPES = list(Pipedrive.legend.objects)


def define(bench: Any, entity: str, name: str, kind: str, *labels: str) -> str:
    """Make a custom field, and return its code."""
    body: dict[str, Any] = {"field_name": name, "field_type": kind}
    if labels:
        body["options"] = [{"label": label} for label in labels]
    request = Request("POST", f"/api/v2/{entity}Fields", "make a field", Effect.CREATE, body=body)
    code: str = bench.target.connection.send(request).json()["data"]["field_code"]
    return code


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_an_object_type_is_seeded_as_the_factory_meant_it_and_removed(bench: Any, name: str) -> None:
    records = bench.seed({name: 3}).records
    assert len(records[name]) == 3
    for record in records[name]:
        made = dict(record)
        reloaded = dict(record.reload())
        assert {field: reloaded[field] for field in made} == made
    result = bench.engine.clean()
    assert (result.left, result.errors) == ([], [])
    assert bench.counts == {}


def test_a_deal_has_one_organization_and_one_person_of_it(bench: Any) -> None:
    records = bench.seed({"companies": 2, "contacts": 4, "deals": 6}).records
    of_person = {person.id: person.native["org_id"] for person in records.contacts}
    for deal in records.deals:
        assert of_person[str(deal.native["person_id"])] == deal.native["org_id"]
    assert bench.engine.clean().complete


def test_won_and_lost_are_no_stages(bench: Any) -> None:
    records = bench.seed({"deals": count(1, stage="closed_won")}).records
    (won,) = records.deals
    assert (won.native["status"], won["stage"]) == ("won", "closed_won")
    more = bench.seed({"deals": count(1, stage="Demo Scheduled")}).records
    assert (more.deals[0].native["status"], more.deals[0]["stage"]) == ("open", "proposal")
    assert bench.engine.clean().complete


def test_custom_fields_of_all_types_go_by_label_or_code_and_come_back(bench: Any) -> None:
    codes = {
        name: define(bench, "deal", name, kind, *labels)
        for name, kind, *labels in (
            ("Priority", "enum", "Low", "High"),
            ("Colours", "set", "Red", "Blue"),
            ("Budget", "monetary"),
            ("Site", "address"),
            ("Window", "timerange"),
            ("Season", "daterange"),
            ("Starts", "time"),
            ("Score", "double"),
            ("Agent", "people"),
        )
    }
    bench.use_live_schema()
    wanted = {
        "Priority": "High",
        "Colours": ["Red", "Blue"],
        codes["Budget"]: 500,
        f"{codes['Budget']}_currency": "EUR",
        "Site": "1 Main Street, Boston",
        "Window": "09:00:00",
        f"{codes['Window']}_until": "10:00:00",
        "Season": "2026-01-01",
        f"{codes['Season']}_until": "2026-02-01",
        "Starts": "08:30:00",
        "Score": "1.5",
        "Agent": 12,
    }
    (deal,) = bench.seed({"deals": count(1, **wanted)}).records.deals
    fields = bench.target.translator.object_type("deals").fields
    options = {option.label: option.value for name in codes.values() for option in fields[name].options}
    request = Request("GET", f"/api/v2/deals/{deal.id}", "read", Effect.READ)
    held = bench.target.connection.send(request).json()["data"]["custom_fields"]
    assert held[codes["Priority"]] == int(options["High"])
    assert held[codes["Colours"]] == [int(options["Red"]), int(options["Blue"])]
    assert held[codes["Budget"]] == {"value": 500, "currency": "EUR"}
    assert held[codes["Site"]]["value"] == "1 Main Street, Boston"
    assert (held[codes["Window"]]["value"], held[codes["Window"]]["until"]) == ("09:00:00", "10:00:00")
    assert held[codes["Season"]] == {"value": "2026-01-01", "until": "2026-02-01"}
    assert held[codes["Starts"]]["value"] == "08:30:00"
    assert (held[codes["Score"]], held[codes["Agent"]]) == (1.5, 12)
    assert bench.engine.clean().complete


# -- bad input -------------------------------------------------------------------------------------------
def refused(bench: Any, name: str, /, **overrides: Any) -> str:
    with pytest.raises((ValidationFailed, UsageError)) as caught:
        bench.seed({name: count(1, **overrides)})
    assert bench.counts == {}
    return str(caught.value)


def test_an_unknown_option_label_is_named_with_the_nearest(bench: Any) -> None:
    code = define(bench, "deal", "Priority", "enum", "Low", "High")
    bench.use_live_schema()
    low, high = (o.value for o in bench.target.translator.object_type("deals").fields[code].options)
    assert (
        f"deals[0].{code} = 'Hihg': is not one of the options; did you mean 'High'? Allowed: {low} (Low), "
        f"{high} (High)"
    ) in refused(bench, "deals", Priority="Hihg")


def test_an_empty_list_for_a_set_is_refused(bench: Any) -> None:
    code = define(bench, "deal", "Colours", "set", "Red")
    bench.use_live_schema()
    assert (
        f"deals[0].{code} = []: takes at least one option: Pipedrive refuses an empty list; leave "
        "the field out"
    ) in refused(bench, "deals", Colours=[])


def test_a_code_that_the_company_does_not_have_is_refused(bench: Any) -> None:
    code = "0123456789abcdef0123456789abcdef01234567"
    assert f"unknown field '{code}' of deals" in refused(bench, "deals", **{code: "x"})


def test_a_misspelt_label_is_refused_with_the_nearest(bench: Any) -> None:
    define(bench, "deal", "Priority", "enum", "Low", "High")
    assert "unknown field 'titel' of deals; did you mean 'title'? Valid: name," in refused(
        bench, "deals", titel="x"
    )


def test_a_deal_without_a_title_is_refused(bench: Any) -> None:
    assert "deals[0].name (title): is required on create" in refused(bench, "deals", name=None)


def test_a_lead_without_person_and_organization_is_refused(bench: Any) -> None:
    assert ("leads[0].person_id: a value for person_id or organization_id is required on create") in refused(
        bench, "leads", contacts=None
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tickets", "Pipedrive has no tickets; make deals in a pipeline of their own, or tasks."),
        ("orders", "Pipedrive has no orders; make won deals with line items."),
        ("campaigns", "Pipedrive's API makes no campaigns."),
    ],
)
def test_what_pipedrive_lacks_is_refused_with_a_sentence(bench: Any, name: str, sentence: str) -> None:
    assert refused(bench, name) == sentence


def test_an_exhausted_budget_is_refused_with_the_numbers_before_the_first_write(benches: Any) -> None:
    bench = benches(Behaviour(pipedrive=PipedriveBehaviour(daily_budget=400)))
    left = bench.target.account.daily_left
    with pytest.raises(GuardRefused) as caught:
        bench.engine.check([bench.engine.plan({"deals": 100})])
    assert caught.value.guard == "quota"
    assert str(caught.value) == (
        "All seeds together take at least 978 tokens of the daily budget, and portal "
        f"13470001@local-portal-sandbox has {left} left of its 400 for today. Nothing was written. Ask for "
        "fewer records (--crm-count 1 makes one of each), or wait until the quota resets."
    )
    assert bench.counts == {}


# -- guards ----------------------------------------------------------------------------------------------
def test_a_company_that_is_not_called_a_sandbox_takes_a_pin_and_a_permission(benches: Any) -> None:
    company = Behaviour(pipedrive=PipedriveBehaviour(company_domain="acme"))
    with pytest.raises(GuardRefused) as caught:
        benches(company)
    assert str(caught.value) == (
        "Pipedrive portal 13470001@acme cannot be proven to be a sandbox. Nothing was written. If it is the "
        "one that is meant, pin it with --crm-portal 13470001@acme, and allow it with "
        "--crm-allow-production 13470001@acme."
    )
    with pytest.raises(GuardRefused) as caught:
        benches(company, limits=Limits(portal="13470001@acme"))
    assert str(caught.value) == (
        "Pipedrive portal 13470001@acme is not called as sandboxes are, and nothing else could prove that it "
        "is one. Nothing was written. Use a sandbox; or allow exactly this portal with "
        "--crm-allow-production 13470001@acme."
    )
    benches(company, limits=Limits("13470001@acme", "13470001@acme"))


def test_a_sandbox_by_name_takes_a_pin(bench: Any) -> None:
    account = bench.target.account
    assert (account.production, account.sandbox_name) == (None, True)
    with pytest.raises(GuardRefused) as caught:
        guard.check_account(account, Limits(), title="Pipedrive")
    assert str(caught.value) == (
        "Pipedrive portal 13470001@local-portal-sandbox cannot be proven to be a sandbox. Nothing was "
        "written. If it is the one that is meant, pin it with --crm-portal 13470001@local-portal-sandbox."
    )
    guard.check_account(account, Limits(portal=account.portal_id), title="Pipedrive")
    guard.check_account(account, Limits(), title="Pipedrive", writing=False)


def test_another_company_than_the_pinned_one_is_refused(benches: Any) -> None:
    with pytest.raises(GuardRefused) as caught:
        benches(limits=Limits(portal="1@other-sandbox"))
    assert str(caught.value) == (
        "The credentials lead to Pipedrive portal 13470001@local-portal-sandbox, and --crm-portal pins "
        "1@other-sandbox. Nothing was written. Use the credentials of the pinned portal, or correct the pin."
    )


def test_a_token_of_another_company_than_the_domains_is_refused(bench: Any) -> None:
    exchange = bench.target.provider.account({"PIPEDRIVE_COMPANY_DOMAIN": "https://Acme.pipedrive.com/"})
    with pytest.raises(UsageError) as caught:
        bench.target.connection.run(exchange)
    assert str(caught.value) == (
        "The token in PIPEDRIVE_API_TOKEN is of the company 'local-portal-sandbox', and "
        "PIPEDRIVE_COMPANY_DOMAIN is 'acme'. Nothing was written. Use the token of that company, or correct "
        "the domain."
    )


# -- keys ------------------------------------------------------------------------------------------------
def test_the_field_for_the_key_is_made_where_it_can_be(benches: Any) -> None:
    bench = benches(Behaviour(set_up=False))
    provider, connection = bench.target.provider, bench.target.connection
    routes = connection.run(provider.key_routes(OBJECT_TYPES))
    assert routes == {
        "leads": KeyRoute("field", "origin_id"),
        "deals": KeyRoute("parents", "title"),
        "products": KeyRoute("text", "description"),
        "line_items": KeyRoute("text", "comments"),
        "notes": KeyRoute("text", "content"),
        **dict.fromkeys(("tasks", "calls", "meetings"), KeyRoute("text", "note")),
    }
    with pytest.raises(GuardRefused) as caught:
        bench.engine.check([bench.engine.plan({"deals": 1})])
    assert caught.value.guard == "unique key"
    for name in OBJECT_TYPES:
        connection.run(provider.make_key(name))
        connection.run(provider.make_key(name))
    routes = connection.run(provider.key_routes(OBJECT_TYPES))
    assert {name for name, route in routes.items() if route == KeyRoute("field", "crmseed_key")} == {
        "companies",
        "contacts",
        "deals",
        "products",
    }
    bench.use_live_schema()
    records = bench.seed({"deals": 2}).records
    assert [deal.native["crmseed_key"] for deal in records.deals] == [deal.key for deal in records.deals]
    assert bench.engine.clean().complete


@pytest.mark.parametrize("name", OBJECT_TYPES)
def test_records_are_found_again_by_their_keys(bench: Any, name: str) -> None:
    records = bench.seed({name: 2}).records[name]
    provider, connection = bench.target.provider, bench.target.connection
    assert connection.run(provider.marked(name)) == {record.id: record.key for record in records}
    bench.engine.clean()
    assert connection.run(provider.marked(name)) == {}


@pytest.mark.parametrize("status", [404, 410, 200])
def test_all_ways_of_being_gone_count(benches: Any, status: int) -> None:
    company = PipedriveBehaviour(delete_deleted_status=status, deleted_records_readable=status != 404)
    bench = benches(Behaviour(pipedrive=company))
    records = bench.seed(dict.fromkeys(OBJECT_TYPES, 1)).records
    for record in reversed(list(records)):
        bench.target.connection.send(bench.target.provider.delete(record.object_type, [record.id]))
    assert bench.counts == {}
    result = bench.engine.clean()
    assert (result.left, result.errors) == ([], [])
