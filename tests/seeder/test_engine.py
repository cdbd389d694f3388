"""One seed after another through an engine: all or nothing, and nothing left."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from factory.declarations import LazyFunction

from pytest_crmseed.errors import (
    CleanupIncomplete,
    Conflict,
    GuardRefused,
    LedgerError,
    OutcomeUnknown,
    PortalError,
    RecordsRefused,
    Unreachable,
    UsageError,
    ValidationFailed,
)
from pytest_crmseed.events import Cleaned, PlanReady, Reconciled, RecordFailed, Seeded
from pytest_crmseed.factories import DealFactory
from pytest_crmseed.ingest.guard import Limits
from pytest_crmseed.ingest.keys import unique_tag
from pytest_crmseed.planning import count
from pytest_crmseed.portal import Behaviour, LocalPortal
from pytest_crmseed.providers.base import Answer, Effect, Exchange, KeyRoute, Request
from pytest_crmseed.records import ref
from pytest_crmseed.seeder import recipe
from pytest_crmseed.seeder.seeder import Recipe
from pytest_crmseed.seeder.target import Target


def created(request: Request) -> bool:
    return request.path.endswith("batch/create")


# -- what a seed gives -----------------------------------------------------------------------------
def test_ten_deals_take_three_writes_and_leave_nothing(bench: Any) -> None:
    seed = bench.seed({"deals": 10})
    assert bench.records == {"companies": 1, "contacts": 1, "deals": 10}
    assert bench.portal.stats()["requests"]["writes"] == 3
    assert (seed.name, seed.requests, seed.plan.counts) == (
        "1",
        6,  # three to make them, three to read them back
        {"companies": 1, "contacts": 1, "deals": 10},
    )
    assert [deal.index for deal in seed.records.deals] == list(range(10))
    for deal in seed.records.deals:
        # What a record says is what the portal holds.
        held = bench.everything()["deals"][deal.id]
        written = ("dealname", "amount", "dealstage", "pipeline", "closedate", "description", "hs_object_id")
        assert [deal.native[name] for name in written] == [held[name] for name in written]
        assert isinstance(deal["amount"], Decimal) and isinstance(deal["close_date"], date)
        assert [(link.field, link.id) for link in deal.links] == [
            ("company", seed.records.companies[0].id),
            ("contacts", seed.records.contacts[0].id),
        ]
    result = bench.engine.clean(seed.name)
    assert (result.removed, result.left) == (12, [])
    assert bench.records == {}
    assert bench.ledger.live("run1") == []


def test_the_portal_s_links_are_those_of_the_plan(bench: Any) -> None:
    seed = bench.seed({"companies": 2, "contacts": 4, "deals": 6})
    for deal in seed.records.deals:
        for to in ("companies", "contacts"):
            path = f"/crm/objects/2026-03/deals/{deal.id}/associations/{to}"
            found = bench.target.connection.send(Request("GET", path, "links", Effect.READ)).json()["results"]
            assert [str(row["toObjectId"]) for row in found] == [
                link.id for link in deal.links if link.object_type == to
            ]


def test_a_large_plan_takes_as_few_writes_as_its_batches_and_is_never_throttled(one_bench: Any) -> None:
    seed = one_bench.seed({"contacts": 1000, "companies": 500, "deals": 2000})
    stats = one_bench.portal.stats()
    assert stats["requests"]["writes"] == 35
    assert stats["throttled"] == 0
    assert one_bench.records == {"companies": 500, "contacts": 1000, "deals": 2000}
    assert one_bench.engine.clean(seed.name).removed == 3500
    assert one_bench.records == {}


def test_events_tell_the_story(one_bench: Any) -> None:
    seed = one_bench.seed({"deals": 2})
    one_bench.engine.clean(seed.name)
    plan, *batches, seeded, cleaned = one_bench.heard
    counts = {"companies": 1, "contacts": 1, "deals": 2}
    assert plan == PlanReady(counts, 3)
    assert [(event.object_type, event.number, event.of, event.records) for event in batches] == [
        ("companies", 1, 1, 1),
        ("contacts", 1, 1, 1),
        ("deals", 1, 1, 2),
    ]
    assert isinstance(seeded, Seeded) and (seeded.counts, seeded.requests) == (counts, 6)
    assert isinstance(cleaned, Cleaned) and (cleaned.removed, cleaned.left) == (4, 0)


def test_nothing_of_something_is_an_empty_tuple(one_bench: Any) -> None:
    seed = one_bench.seed({"deals": 0, "contacts": 1})
    assert seed.records.deals == ()
    assert one_bench.records == {"contacts": 1}


@pytest.mark.parametrize("name", ["Deals", "deal", "0-3", "DEAL"])
def test_object_types_by_any_of_their_names(one_bench: Any, name: str) -> None:
    assert len(one_bench.seed({name: 1}).records.deals) == 1


def test_records_by_type_id(one_bench: Any) -> None:
    records = one_bench.seed({"0-3": 2}).records
    assert records["0-3"] == records.deals


def test_a_name_asked_for_twice(one_bench: Any) -> None:
    with pytest.raises(UsageError) as twice:
        one_bench.seed({"deals": 1, "0-3": 2})
    assert str(twice.value) == "'0-3' is deals, which is asked for twice; give one."


def test_wider_records_are_parents_and_stay(one_bench: Any) -> None:
    wide = one_bench.seed({"companies": 2}, node="session")
    narrow = one_bench.seed({"deals": 4}, wider={"companies": wide.records.companies})
    assert narrow.plan.counts == {"contacts": 1, "deals": 4}
    ids = [company.id for company in wide.records.companies]
    assert [deal.links[0].id for deal in narrow.records.deals] == [*ids, *ids]
    one_bench.engine.clean(narrow.name)
    assert one_bench.records == {"companies": 2}
    one_bench.engine.clean(wide.name)
    assert one_bench.records == {}


def test_the_same_recipe_and_node_give_the_same_values_but_for_unique_ones(one_bench: Any) -> None:
    first, second = (one_bench.seed({"contacts": 5}).records.contacts for _ in range(2))
    other = one_bench.seed({"contacts": 5}, node="another").records.contacts
    assert [c["first_name"] for c in first] == [c["first_name"] for c in second]
    assert [c["job_title"] for c in first] != [c["job_title"] for c in other]
    assert not {c["email"] for c in first} & {c["email"] for c in second}


def test_reload_sees_what_the_application_changed(one_bench: Any) -> None:
    (deal,) = one_bench.seed({"deals": 1}).records.deals
    path, body = f"/crm/objects/2026-03/deals/{deal.id}", {"properties": {"amount": "12.50"}}
    one_bench.target.connection.send(Request("PATCH", path, "change", Effect.UPDATE, body=body))
    assert deal["amount"] != Decimal("12.50")
    assert deal.reload() is deal
    assert deal["amount"] == Decimal("12.50")
    assert deal.url is not None


def test_reload_of_a_record_that_is_gone(one_bench: Any) -> None:
    seed = one_bench.seed({"contacts": 1})
    (contact,) = seed.records.contacts
    one_bench.engine.clean(seed.name)
    with pytest.raises(PortalError) as gone:
        contact.reload()
    assert str(gone.value) == (
        f"contacts[0] (id {contact.id}) is gone from the portal. Did the application delete or merge it?"
    )


# -- overrides --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "overrides",
    [
        {"name": "X"},
        {"dealname": "X"},
        {"Deal Name": "X"},
        {"native": {"dealname": "X"}},
        {"dealname": "no", "name": "X"},
        {"name": "X", "native": {"dealname": "no"}},
    ],
)
def test_a_field_may_be_overridden_by_any_of_its_names(one_bench: Any, overrides: dict[str, Any]) -> None:
    (deal,) = one_bench.seed({"deals": count(1, **overrides)}).records.deals
    assert deal["name"] == deal.native["dealname"] == "X"


@pytest.mark.parametrize(
    "overrides",
    [
        {"stage": "closed_won"},
        {"dealstage": "closedwon"},
        {"native": {"dealstage": "closedwon"}},
        {"stage": "Closed Won"},
    ],
)
def test_a_stage_by_any_of_its_names(one_bench: Any, overrides: dict[str, Any]) -> None:
    (deal,) = one_bench.seed({"deals": count(1, **overrides)}).records.deals
    assert (deal["stage"], deal.native["dealstage"]) == ("closed_won", "closedwon")


def test_two_other_names_for_one_field_are_too_many(one_bench: Any) -> None:
    with pytest.raises(UsageError) as both:
        one_bench.seed({"deals": count(1, **{"dealname": "a", "Deal Name": "b"})})
    assert str(both.value) == "deals: 'dealname' and 'Deal Name' both set 'name'; give one."


def test_a_field_a_factory_declares_by_its_native_name_replaces_the_stock_one(one_bench: Any) -> None:
    class Renewal(DealFactory):
        dealname = "Renewal"
        native = {"dealstage": "closedwon"}  # noqa: RUF012

    renewals = Recipe(1, date(2026, 1, 1), factories={"deals": Renewal})
    (deal,) = one_bench.engine.seed({"deals": 1}, renewals, node="n").records.deals
    assert (deal["name"], deal["stage"]) == ("Renewal", "closed_won")
    (deal,) = one_bench.engine.seed({"deals": count(1, name="Mine")}, renewals, node="n").records.deals
    assert deal["name"] == "Mine"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            {"pipline": 1},
            "unknown field 'pipline' of deals; did you mean 'pipeline'? Valid: name, amount, currency, "
            "stage, "
            "pipeline, close_date, description, ",
        ),
        (
            {"probability": 1},
            "deals.probability cannot be set: HubSpot computes a deal's probability from its stage; ",
        ),
        (
            {"contacts": [ref("contacts", 0, label="decision_maker")]},
            "unknown association label 'decision_maker' from deals to contacts. The bundled schema has "
            "no labels that "
            "a portal defined for itself.",
        ),
    ],
)
def test_names_that_are_none_are_refused_before_anything_is_written(
    one_bench: Any, overrides: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as wrong:
        one_bench.seed({"contacts": 1, "deals": count(2, **overrides)})
    assert str(wrong.value).startswith(said)
    assert one_bench.portal.stats()["requests"]["writes"] == 0
    assert one_bench.ledger.runs() == []


def test_all_problems_of_a_plan_in_one_report(one_bench: Any) -> None:
    with pytest.raises(ValidationFailed) as failed:
        one_bench.seed(
            {
                "companies": count(3, industry="nonsense"),
                "deals": count(2, amount="much", native={"createdate": "2026-01-01"}, close_date="soon"),
                "contacts": count(2, email="one@r.example.com", native={"crmseed_key": "mine"}),
            }
        )
    text = str(failed.value)
    head, *lines = text.splitlines()
    assert head == "6 values cannot be sent; nothing was written."
    assert lines[0].startswith(
        "  companies[0].industry = 'nonsense': is not one of the options. Allowed: ACCOUNTING, "
    )
    assert lines[0].endswith(
        " and 136 more. If the portal has it all the same, write native={'industry': 'nonsense'} (and 2 "
        "more records)"
    )
    assert lines[1:] == [
        "  contacts[0].crmseed_key = 'mine': is the unique key by which records of ours are known; it "
        "cannot be "
        "given (and 1 more record)",
        "  contacts[1].email = 'one@r.example.com': must be unique, and contacts[0] has the same value",
        "  deals[0].createdate = '2026-01-01': is read-only; the portal sets it itself (and 1 more record)",
        "  deals[0].amount = 'much': is no number (and 1 more record)",
        "  deals[0].close_date (closedate) = 'soon': is no date; give a date, or text as 2026-03-31 (and "
        "1 more record)",
    ]
    assert len(failed.value.problems) == 12
    assert one_bench.portal.stats()["requests"]["writes"] == 0


def test_an_object_type_without_a_factory_is_made_by_its_schema(
    one_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "default_factories", dict)
    made = one_bench.seed({"companies": 2}).records.companies
    assert [record["name"] for record in made] == [record.native["name"] for record in made]
    assert all(record["name"] for record in made)


# -- guards -----------------------------------------------------------------------------------------
def test_guards_speak_before_anything_is_written(one_bench: Any) -> None:
    with pytest.raises(
        GuardRefused, match=r"^The plan has 12 records, more than --crm-max-records allows \(11\)"
    ):
        engine = one_bench.another("run2", Limits(max_records=11))
        engine.plan({"deals": 10})
    one_bench.target.account = one_bench.target.account.__class__(
        "1", "SANDBOX", production=False, scopes=frozenset({"crm.objects.deals.read"})
    )
    with pytest.raises(GuardRefused, match=r"lacks crm\.objects\.companies\.read \(for companies\), "):
        one_bench.seed({"deals": 1})
    assert one_bench.portal.stats()["requests"]["writes"] == 0


def test_unique_keys_are_asked_for_once(one_bench: Any) -> None:
    for _ in range(2):
        one_bench.seed({"deals": 1})
    asked = [request.path for request in one_bench.wire.sent if "/properties/" in request.path]
    assert sorted(asked) == [
        f"/crm/properties/2026-03/{n}/crmseed_key" for n in ("companies", "contacts", "deals")
    ]


# -- failing ----------------------------------------------------------------------------------------
def test_a_refused_record_undoes_the_seed_and_leaves_the_portal_exactly_as_it_was(bench: Any) -> None:
    bench.stranger("companies", name="Stranger")
    bench.stranger("contacts", email="stranger@example.org", firstname="S")
    before = bench.everything()
    # The portal's own rule, which the bundled schema cannot know.
    with pytest.raises(RecordsRefused) as refused:
        bench.seed({"companies": 2, "deals": count(3, native={"no_such_property": "x"})})
    assert type(refused.value) is RecordsRefused
    assert str(refused.value) == (
        "HubSpot refused 3 deals.\n"
        "  deals[0].no_such_property = 'x' (and 2 more): Property \"no_such_property\" does not exist "
        "[PROPERTY_DOESNT_EXIST]\n"
        f"The seed was undone: 3 records removed. All of them: {bench.errors.path}."
    )
    assert [result.draft.index for result in refused.value.results] == [0, 1, 2]
    assert bench.everything() == before
    assert bench.ledger.live("run1") == []
    assert len([event for event in bench.heard if isinstance(event, RecordFailed)]) == 3


def test_the_error_file_holds_what_was_sent_and_what_was_said(bench: Any) -> None:
    with pytest.raises(RecordsRefused):
        bench.seed({"companies": count(1, native={"industry": "NONSENSE"})})
    answer, line = bench.lines
    (refusal,) = line.pop("refusals")
    # A long answer stands in a line of its own.
    name = answer.pop("answer")
    assert refusal.pop("body") == {"answer": name}
    said = answer.pop("body")
    assert answer == {"run": "run1", "test": "test_x.py::test_it", "provider": "hubspot"}
    assert (said["category"], said["message"][:32]) == (
        "VALIDATION_ERROR",
        "Property values were not valid: ",
    )
    sent = line.pop("sent")
    key = line.pop("key")
    assert line == {
        "run": "run1",
        "test": "test_x.py::test_it",
        "provider": "hubspot",
        "object": "companies",
        "index": 0,
    }
    assert key.startswith("crmseed-1-run1-") and key.endswith("-companies-1-0")
    assert sent["industry"] == "NONSENSE" and sent["name"]
    assert refusal.pop("message").startswith("NONSENSE was not one of the allowed options: [ACCOUNTING, ")
    assert refusal.pop("allowed")[:2] == ["ACCOUNTING", "AIRLINES_AVIATION"]
    assert refusal.pop("request_id") is None  # the entries of a 207 have none
    assert refusal == {
        "field": "industry",
        "neutral_field": "industry",
        "value": "NONSENSE",
        "code": "INVALID_OPTION",
        "status": 207,
        "existing_id": None,
        "suggestion": None,
    }


def test_an_error_file_that_cannot_be_written_hides_neither_the_refusal_nor_the_undo(one_bench: Any) -> None:
    one_bench.errors.path.mkdir()
    with pytest.raises(RecordsRefused) as refused:
        one_bench.seed({"companies": 1, "deals": count(1, native={"no_such_property": "x"})})
    text = str(refused.value)
    assert 'Property "no_such_property" does not exist' in text
    assert (
        "The seed was undone: 2 records removed. What was sent is not written down: the error file "
        f"{one_bench.errors.path} cannot be written: Is a directory. Name another with --crm-errors PATH."
    ) in text
    assert one_bench.records == {}


def test_a_stranger_with_the_same_e_mail_is_a_conflict_and_not_touched(bench: Any) -> None:
    stranger = bench.stranger("contacts", email="jo@example.org", firstname="Jo", lastname="Stranger")
    before = bench.everything()
    with pytest.raises(Conflict) as conflict:
        bench.seed({"companies": 1, "contacts": count(1, email="JO@example.org", first_name="Seeded")})
    text = str(conflict.value)
    assert text.startswith("HubSpot refused 1 contacts.\n  contacts[0].email = 'JO@example.org': ")
    assert stranger in text
    assert (
        "The seed was undone: 1 records removed. A record that this run did not make holds the value; it "
        "was not "
        "touched."
    ) in text
    (result,) = conflict.value.results
    assert result.refusals[0].existing_id == stranger
    assert bench.everything() == before
    assert bench.lines[0]["refusals"][0]["existing_id"] == stranger


def test_a_value_held_by_an_earlier_seed_of_ours_is_explained(bench: Any) -> None:
    earlier = bench.seed({"contacts": count(1, email="jo@r.example.com")})
    (contact,) = earlier.records.contacts
    with pytest.raises(RecordsRefused) as refused:
        bench.seed({"contacts": count(1, email="jo@r.example.com")})
    assert type(refused.value) is RecordsRefused
    assert (
        "Nothing was left in the portal. The value is held by "
        f"contacts[0] (id {contact.id}) of seed 1 of run run1; give another one."
    ) in str(refused.value)
    assert bench.records == {"contacts": 1}
    assert bench.engine.clean(earlier.name).removed == 1


def test_keep_good_keeps_the_good_ones_and_still_fails(one_bench: Any) -> None:
    engine = one_bench.another("run2", on_error="keep-good")
    one_bench.engine = engine
    with pytest.raises(RecordsRefused) as refused:
        one_bench.seed({"companies": 2, "contacts": 1, "deals": count(2, native={"no_such_property": "x"})})
    assert (
        "3 records were made and are kept (--crm-on-error keep-good); remove them with `crmseed cleanup "
        "--run run2`."
    ) in str(refused.value)
    assert one_bench.records == {"companies": 2, "contacts": 1}
    assert all(entry.kept_until is not None for entry in one_bench.ledger.live("run2"))
    assert engine.clean().removed == 3
    assert one_bench.records == {}


def fail_after_commit(request: Request, send: Callable[[Request], Answer]) -> Answer:
    answer = send(request)
    return Answer(502, {}, b"<html>", request) if created(request) and "deals" in request.path else answer


def drop_after_commit(request: Request, send: Callable[[Request], Answer]) -> Answer:
    answer = send(request)
    if created(request) and "deals" in request.path:
        raise OutcomeUnknown("create 3 deals: no answer.", remedy="Look before it is sent again.")
    return answer


@pytest.mark.parametrize("fault", [fail_after_commit, drop_after_commit])
def test_records_whose_answer_was_lost_are_found_by_their_keys_and_the_test_has_its_seed(
    bench: Any, fault: Any
) -> None:
    bench.stranger("deals", dealname="Stranger", dealstage="closedwon", pipeline="default")
    before = bench.everything()
    bench.wire.fault = fault
    seed = bench.seed({"deals": 3})
    bench.wire.fault = None
    held = bench.everything()["deals"]
    assert len(held) == 4
    for deal in seed.records.deals:
        assert deal.native["dealname"] == held[deal.id]["dealname"]
        assert deal.url
    assert len([request for request in bench.wire.sent if created(request)]) == 3
    assert bench.slept == []
    assert Reconciled("deals", 3, 0) in bench.heard
    assert bench.engine.clean(seed.name).removed == 5
    assert bench.everything() == before
    assert bench.ledger.live("run1") == []


def test_what_never_arrives_is_sent_again_a_few_times_and_then_undone(bench: Any) -> None:
    bench.stranger("deals", dealname="Stranger", dealstage="closedwon", pipeline="default")
    before = bench.everything()

    def lose(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if created(request) and "deals" in request.path:
            return Answer(502, {}, b"<html>Bad gateway", request)
        return send(request)

    bench.wire.fault = lose
    with pytest.raises(OutcomeUnknown) as unknown:
        bench.seed({"deals": 3})
    bench.wire.fault = None
    assert str(unknown.value) == (
        "create 3 deals: it may or may not have been executed. HubSpot failed with 502 at: create 3 "
        "deals. 3 deals do not exist after 4 requests like it. Check the portal's status and the network, "
        f"and try again. The seed was undone: 2 records removed. The answer: {bench.errors.path}."
    )
    # Before each repetition, and once more when the seed was undone.
    assert bench.slept == [bench.target.provider.capabilities.settle_seconds] * 5
    assert bench.everything() == before
    assert bench.ledger.live("run1") == []
    (line,) = bench.lines
    assert (line["error"], line["status"], line["body"]) == ("OutcomeUnknown", 502, "<html>Bad gateway")


def test_a_row_carried_out_later_than_anyone_waits_is_known_by_its_key_when_it_is_sent_again(
    bench: Any,
) -> None:
    """The portal refuses the second one: for the e-mail address, or for our own key."""
    late: list[Any] = []

    def delay(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if created(request) and not late:
            late.append(request)
            raise OutcomeUnknown("no answer.")
        if created(request) and len(late) == 1:
            late.append(send(late[0]))
        return send(request)

    bench.wire.fault = delay
    seed = bench.seed({"contacts": 3})
    assert bench.records == {"contacts": 3}
    held = bench.everything()["contacts"]
    assert {c.id: c.native["email"] for c in seed.records.contacts} == {
        record_id: values["email"] for record_id, values in held.items()
    }
    assert bench.engine.clean(seed.name).removed == 3
    assert bench.records == {}


def test_a_failure_says_what_was_refused_beside_it(one_bench: Any) -> None:
    def mute(request: Request, send: Callable[[Request], Answer]) -> Answer:
        """Do nothing with the good ones, and say nothing of them."""
        if not created(request):
            return send(request)
        inputs = [row for row in request.body["inputs"] if row["properties"]["industry"] == "nonsense"]
        if not inputs:
            return Answer(207, {}, b'{"status": "COMPLETE", "results": []}', request)
        return send(replace(request, body={"inputs": inputs}))

    one_bench.wire.fault = mute
    calls = iter(["nonsense", "LIBRARIES"])
    with pytest.raises(OutcomeUnknown) as unknown:
        one_bench.seed(
            {
                "companies": count(
                    2,
                    native=LazyFunction(  # type: ignore[no-untyped-call]
                        lambda: {"industry": next(calls)}
                    ),
                )
            }
        )
    one_bench.wire.fault = None
    text = str(unknown.value)
    assert text.startswith(
        "The portal's answer to a batch of companies does not say what became of companies[1]. 1 companies "
        "do not exist after 4 requests like it.\n"
    )
    assert (
        "HubSpot refused 1 companies.\n  companies[0].industry = 'nonsense': nonsense was not one of" in text
    )
    assert text.endswith(
        "\nCheck the portal's status and the network, and try again. Nothing was left in the portal. "
        f"All of them: {one_bench.errors.path}."
    )
    assert one_bench.records == {}


def test_an_undo_that_fails_names_the_command_and_the_next_cleanup_does_it(one_bench: Any) -> None:
    def cut(request: Request, send: Callable[[Request], Answer]) -> Answer:
        if created(request) and "contacts" in request.path:
            one_bench.wire.fault = down
            raise Unreachable("the cable was pulled.")
        return send(request)

    def down(request: Request, send: Callable[[Request], Answer]) -> Answer:
        raise Unreachable("the cable was pulled.")

    one_bench.wire.fault = cut
    with pytest.raises(Unreachable) as unreachable:
        one_bench.seed({"deals": 1})
    assert str(unreachable.value).startswith("the cable was pulled. Tried 3 times in ")
    assert "Undoing left 1 records in the portal (companies: the cable was pulled. Tried 3 times in " in str(
        unreachable.value
    )
    assert str(unreachable.value).endswith("remove them with `crmseed cleanup --run run1`.")
    one_bench.wire.fault = None
    assert one_bench.records == {"companies": 1}
    assert one_bench.engine.clean().removed == 1
    assert one_bench.records == {}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_ctrl_c_in_the_middle_undoes_and_says_so(bench: Any, kind: type[BaseException]) -> None:
    def press(event: object) -> None:
        if type(event).__name__ == "BatchSent" and getattr(event, "object_type", "") == "contacts":
            raise kind

    bench.engine = bench.another("run9", listener=press)
    with pytest.raises(kind) as pressed:
        bench.seed({"deals": 5})
    assert pressed.value.__notes__ == ["crmseed: The seed was undone: 2 records removed."]
    assert bench.records == {}
    assert bench.ledger.live("run9") == []


def test_a_ledger_that_fails_in_the_middle_leaves_nothing(one_bench: Any) -> None:
    known, calls = one_bench.ledger.known, []

    def full_once(run_id: str, records: Any) -> None:
        calls.append(run_id)
        if len(calls) == 2:
            raise LedgerError("the disk is full.")
        known(run_id, records)

    one_bench.ledger.known = full_once
    with pytest.raises(LedgerError, match="the disk is full") as failed:
        one_bench.seed({"deals": 2})
    assert failed.value.__notes__ == ["crmseed: The seed was undone: 2 records removed."]
    assert one_bench.records == {}


def test_a_disk_that_is_full_from_any_moment_on_loses_nothing(one_bench: Any) -> None:
    database = one_bench.ledger._database
    write = database.write
    for room in itertools.count():
        written = 0

        def full(room: int = room) -> Any:
            nonlocal written
            written += 1
            if written > room:
                raise LedgerError("the ledger cannot be written (database or disk is full).")
            return write()

        engine = one_bench.another(f"full{room}")
        database.write = full
        try:
            engine.seed({"companies": 1, "deals": 2}, Recipe(1, date(2026, 1, 1)), node="test", keep=True)
        except LedgerError as error:
            (note,) = getattr(error, "__notes__", ["crmseed: nothing was sent"])
            if one_bench.records:
                assert f"`crmseed cleanup --run full{room}`" in note
        else:
            break
        finally:
            database.write = write
        # Once there is room again, the ledger knows all that may be there.
        if one_bench.records:
            assert engine.clean_entries(one_bench.ledger.live(f"full{room}")).complete
        assert one_bench.records == {}
    assert room > 8
    assert engine.clean().complete
    assert one_bench.records == {}


def test_a_ledger_that_is_deleted_in_the_middle_of_a_run_does_its_work(one_bench: Any) -> None:
    seed = one_bench.seed({"deals": 2})
    for file in one_bench.ledger.path.parent.glob("ledger.sqlite*"):
        file.unlink()
    one_bench.seed({"contacts": 3}, node="another")
    assert one_bench.engine.clean(seed.name).complete
    assert one_bench.engine.clean().complete
    assert one_bench.records == {}


def test_a_failed_seed_that_should_have_been_kept_is_not(one_bench: Any) -> None:
    with pytest.raises(RecordsRefused):
        one_bench.seed({"companies": 1, "deals": count(1, native={"no_such_property": "x"})}, keep=True)
    assert one_bench.records == {}
    kept = one_bench.seed({"companies": 1}, keep=True)
    (entry,) = one_bench.ledger.live("run1")
    assert entry.kept_until is not None and entry.seed == kept.name


# -- runs, adopting, ending -------------------------------------------------------------------------
def test_a_run_stands_in_the_ledger_from_its_first_write_to_its_end(one_bench: Any) -> None:
    assert one_bench.ledger.runs() == []
    one_bench.seed({"contacts": 1})
    one_bench.seed({"contacts": 2})
    (summary,) = one_bench.ledger.runs()
    run = summary.run
    assert (run.run_id, run.provider, run.portal_id, run.target) == ("run1", "hubspot", "47010001", "local")
    assert run.base_url == one_bench.portal.base_url
    assert run.expires_at == pytest.approx(run.heartbeat_at + 7200)
    assert run.ephemeral and run.ended_at is None and summary.live == 3
    assert one_bench.engine.clean().removed == 3
    one_bench.engine.end()
    one_bench.engine.end()
    assert one_bench.ledger.run("run1").ended_at is not None
    assert one_bench.engine.clean().removed == 0


def test_adopted_records_are_cleaned_with_their_seed(one_bench: Any) -> None:
    stranger = one_bench.stranger("deals", dealname="By the app", dealstage="closedwon", pipeline="default")
    deal = one_bench.engine.adopt("adopted", "0-3", stranger)
    assert (deal.object_type, deal.id, deal["name"], deal["stage"]) == (
        "deals",
        stranger,
        "By the app",
        "closed_won",
    )
    assert one_bench.records == {"deals": 1}
    assert one_bench.engine.clean("adopted").removed == 1
    assert one_bench.records == {}


def test_adopting_what_is_not_there(one_bench: Any) -> None:
    with pytest.raises(UsageError) as nothing:
        one_bench.engine.adopt("adopted", "deals", 123456789012)
    assert str(nothing.value) == (
        "adopt('deals', 123456789012): the portal has no such record. Adopt a record after the "
        "application made it, "
        "by its id."
    )
    assert one_bench.ledger.runs() == []


def test_require_clean_names_the_command(one_bench: Any) -> None:
    seed = one_bench.seed({"contacts": 1})

    def down(request: Request, send: Callable[[Request], Answer]) -> Answer:
        raise Unreachable("gone fishing.")

    one_bench.wire.fault = down
    result = one_bench.engine.clean(seed.name)
    with pytest.raises(CleanupIncomplete) as incomplete:
        one_bench.engine.require_clean(result)
    assert str(incomplete.value).startswith(
        "1 records are left in HubSpot local portal 47010001: contacts: gone fishing. Tried 3 times"
    )
    assert str(incomplete.value).endswith("Remove them with `crmseed cleanup --run run1`.")


def test_strangers_that_look_like_ours_survive_everything(bench: Any) -> None:
    seed = bench.seed({"deals": 3})
    name = seed.records.companies[0]["name"]
    bench.stranger("companies", name=name)
    bench.stranger("companies", name=name, crmseed_key="crmseed-1-run1-zz-zzz-companies-1-0")
    bench.stranger("contacts", firstname="A", lastname="B", crmseed_key="crmseed-1-run2-zz-zzz-contacts-1-0")
    strangers = {"companies": 2, "contacts": 1}
    with pytest.raises(RecordsRefused):
        bench.seed({"companies": 1, "deals": count(1, native={"no_such_property": "x"})})
    bench.engine.clean()
    assert bench.records == strangers


def test_the_batch_size_is_kept_to(one_bench: Any) -> None:
    engine = one_bench.another("run2", batch_size=4)
    one_bench.engine = engine
    one_bench.seed({"contacts": 10})
    # Batches are in flight side by side, so they may overtake each other.
    sent = [len(request.body["inputs"]) for request in one_bench.wire.sent if created(request)]
    assert sorted(sent) == [2, 4, 4]


def test_the_tracer_bullet_makes_one_of_each(one_bench: Any) -> None:
    one_bench.engine = one_bench.another("run2", count=1)
    seed = one_bench.seed({"companies": 5, "deals": count(9, company=ref("companies", 4))})
    assert seed.plan.counts == {"companies": 1, "contacts": 1, "deals": 1}


def test_unique_tags_are_names_and_differ() -> None:
    tags = {unique_tag(f"run{i}", str(n)) for i in range(100) for n in range(10)}
    assert len(tags) == 1000
    assert all(tag.isalnum() and tag.islower() and tag[0] == "r" and len(tag) == 8 for tag in tags)
    assert unique_tag("run1", "1") == unique_tag("run1", "1")


def test_object_types_without_any_route_are_refused_before_the_ledger_knows_a_run(
    opened: Callable[[LocalPortal], Target], tmp_path: Any, one_bench: Any
) -> None:
    with LocalPortal(behaviour=Behaviour(set_up=False)) as portal:
        bench = type(one_bench)(portal, opened(portal), tmp_path / "other")
        exchange = bench.target.provider.key_routes

        def without_deals(names: Sequence[str]) -> Exchange[dict[str, KeyRoute]]:
            routes = yield from exchange(names)
            return {name: route for name, route in routes.items() if name != "deals"}

        bench.target.provider.key_routes = without_deals
        with pytest.raises(GuardRefused, match="has no unique text field 'crmseed_key' for deals"):
            bench.seed({"deals": 1})
        assert bench.ledger.runs() == []
        bench.ledger.close()
