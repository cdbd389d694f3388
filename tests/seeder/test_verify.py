"""Reading back: absent records and dropped values fail a seed, changed ones are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_crmseed.errors import PortalError, VerificationFailed
from pytest_crmseed.events import ValueChanged
from pytest_crmseed.planning import count
from pytest_crmseed.providers.base import Answer, Effect, Request
from pytest_crmseed.providers.hubspot import HubSpot
from pytest_crmseed.schema.model import Field, Kind
from pytest_crmseed.seeder.verify import same

Send = Callable[[Request], Answer]


def created(request: Request, object_type: str = "") -> bool:
    return request.path.endswith(f"{object_type}/batch/create")


def changed(bench: Any, object_type: str, properties: Mapping[str, str]) -> None:
    """Have a workflow of the portal change records right after they were made; the answer does not know."""

    def meddle(request: Request, send: Send) -> Answer:
        answer = send(request)
        if created(request, object_type):
            for row in answer.json()["results"]:
                path = f"/crm/objects/2026-03/{object_type}/{row['id']}"
                body = {"properties": dict(properties)}
                send(Request("PATCH", path, "meddle", Effect.UPDATE, body=body))
        return answer

    bench.wire.fault = meddle


def reads(bench: Any) -> list[int]:
    return [len(r.body["inputs"]) for r in bench.wire.sent if r.path.endswith("batch/read")]


def test_a_record_that_is_gone_when_it_is_read_back_fails_the_seed_and_undoes_it(bench: Any) -> None:
    def lose_one(request: Request, send: Send) -> Answer:
        answer = send(request)
        if created(request, "deals"):
            gone = next(r["id"] for r in answer.json()["results"] if r["properties"]["amount"])
            send(bench.target.provider.delete("deals", [gone]))
        return answer

    bench.wire.fault = lose_one
    with pytest.raises(VerificationFailed) as failed:
        bench.seed({"deals": 3})
    (result,) = failed.value.results
    index = result.draft.index
    assert str(failed.value) == (
        "HubSpot does not hold 1 deals as sent.\n"
        f"  deals[{index}]: it was made, and is not there when it is read back [ABSENT]\n"
        f"The seed was undone: 5 records removed. All of them: {bench.errors.path}."
    )
    # It is looked for once more before that is said.
    assert bench.slept == [bench.target.provider.capabilities.settle_seconds]
    assert reads(bench)[:4] == [1, 1, 3, 1]
    assert bench.records == {}
    assert bench.ledger.live("run1") == []
    (line,) = bench.lines
    assert (line["object"], line["index"], line["refusals"][0]["code"]) == ("deals", index, "ABSENT")


def test_a_value_the_portal_dropped_fails_the_seed_in_neutral_words(bench: Any) -> None:
    changed(bench, "contacts", {"jobtitle": "", "firstname": ""})
    with pytest.raises(VerificationFailed) as failed:
        bench.seed({"contacts": count(2, job_title="Buyer", first_name="Jo")})
    assert str(failed.value) == (
        "HubSpot does not hold 2 contacts as sent.\n"
        "  contacts[0].first_name (firstname) = 'Jo' (and 1 more): the portal holds no value there "
        "[DROPPED]; contacts[0].job_title (jobtitle) = 'Buyer' (and 1 more): the portal holds no value "
        "there [DROPPED]\n"
        f"The seed was undone: 2 records removed. All of them: {bench.errors.path}."
    )
    assert bench.records == {}


def test_a_value_the_portal_changed_is_told_and_the_records_hold_it(bench: Any) -> None:
    changed(bench, "deals", {"amount": "12.50", "description": "By a workflow"})
    seed = bench.seed({"deals": count(2, amount=Decimal("99"), description="Ours")})
    assert [(d["amount"], d["description"]) for d in seed.records.deals] == [
        (Decimal("12.50"), "By a workflow")
    ] * 2
    told = [event for event in bench.heard if isinstance(event, ValueChanged)]
    assert [(e.index, e.field, e.native, e.sent, e.held) for e in told if e.field == "amount"] == [
        (0, "amount", "amount", "99", "12.50"),
        (1, "amount", "amount", "99", "12.50"),
    ]
    assert {e.id for e in told} == {deal.id for deal in seed.records.deals}
    assert bench.engine.clean(seed.name).removed == 4


def test_strict_fails_for_a_changed_value(bench: Any) -> None:
    bench.engine = bench.another("run2", verify="strict")
    changed(bench, "deals", {"amount": "12.50"})
    with pytest.raises(VerificationFailed) as failed:
        bench.seed({"deals": count(2, amount=99)})
    assert str(failed.value) == (
        "HubSpot does not hold 2 deals as sent.\n"
        "  deals[0].amount = '99' (and 1 more): the portal holds '12.50' [CHANGED]\n"
        f"The seed was undone: 4 records removed. All of them: {bench.errors.path}."
    )
    assert bench.records == {}


def test_strict_takes_what_a_portal_only_spells_otherwise(bench: Any) -> None:
    """Capitals of an e-mail address, and every stock value of every object type."""
    bench.engine = bench.another("run2", verify="strict")
    bench.seed({"contacts": 20, "companies": 5, "deals": 20})
    capitals = bench.seed({"contacts": count(1, email="Jo.Doe@R1.example.com")})
    assert capitals.records.contacts[0]["email"] == "jo.doe@r1.example.com"
    assert not [event for event in bench.heard if isinstance(event, ValueChanged)]


def test_off_reads_nothing(one_bench: Any) -> None:
    one_bench.engine = one_bench.another("run2", verify="off")
    changed(one_bench, "contacts", {"jobtitle": ""})
    seed = one_bench.seed({"contacts": 2})
    assert reads(one_bench) == []
    assert seed.requests == 1


def test_it_takes_one_request_for_each_hundred_records_and_is_in_the_forecast(one_bench: Any) -> None:
    counts = {"contacts": 250, "companies": 3}
    demand = one_bench.engine.demand([one_bench.engine.plan(counts)])
    seed = one_bench.seed(counts)
    assert sorted(reads(one_bench)) == [3, 50, 100, 100]
    assert (demand.cost.writes, demand.cost.reads) == (4, 4)
    assert seed.requests == demand.cost.writes + demand.cost.reads
    off = one_bench.another("run2", verify="off")
    assert off.demand([off.plan(counts)]).cost.reads == 0


def test_a_portal_that_cannot_be_read_fails_the_seed_and_undoes_it(bench: Any) -> None:
    down = [True]

    def no_reads(request: Request, send: Send) -> Answer:
        if request.path.endswith("contacts/batch/read") and down:
            return Answer(403, {"content-type": "application/json"}, b'{"message": "No."}', request)
        if request.path.endswith("batch/archive"):
            down.clear()
        return send(request)

    bench.wire.fault = no_reads
    with pytest.raises(PortalError) as failed:
        bench.seed({"contacts": 2})
    assert str(failed.value).startswith("HubSpot refused to read 2 contacts (403): No.")
    assert str(failed.value).endswith(
        f"The seed was undone: 2 records removed. The answer: {bench.errors.path}."
    )
    assert json.loads(bench.errors.path.read_text())["body"] == {"message": "No."}
    assert bench.records == {}


def test_a_seed_that_should_be_kept_is_undone_when_it_is_not_as_sent(one_bench: Any) -> None:
    changed(one_bench, "contacts", {"jobtitle": ""})
    with pytest.raises(VerificationFailed):
        one_bench.seed({"contacts": 1}, keep=True)
    assert one_bench.records == {}


# -- when two values are the same ---------------------------------------------------------------------
def field_of(kind: Kind) -> Field:
    return Field("f", "F", kind)


def one_of(kind: Kind, sent: object, held: object) -> bool:
    return same(HubSpot.legend, field_of(kind), sent, held)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.integers(0, 4))
def test_a_number_is_the_same_with_more_zeros(number: Decimal, zeros: int) -> None:
    text = format(number, "f")
    assert one_of(Kind.DECIMAL, text, text + "0" * zeros)
    assert not one_of(Kind.DECIMAL, text, format(number + 1, "f"))


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))
def test_a_moment_is_the_same_in_milliseconds_and_as_text(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    since = round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    wire = HubSpot.legend.to_wire[Kind.DATETIME](moment)
    assert one_of(Kind.DATETIME, wire, str(since))
    assert not one_of(Kind.DATETIME, wire, str(since + 1))


@given(st.dates(min_value=date(1970, 1, 1)))
def test_a_day_is_the_same_as_its_midnight(day: date) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    since = int((midnight - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    assert one_of(Kind.DATE, day.isoformat(), str(since))


@given(
    st.lists(st.sampled_from("ABCD"), unique=True, min_size=1).flatmap(
        lambda options: st.tuples(st.just(options), st.permutations(options))
    )
)
def test_options_are_the_same_in_any_order(case: tuple[list[str], list[str]]) -> None:
    sent, held = case
    assert one_of(Kind.OPTIONS, ";".join(sent), ";".join(held))
    assert not one_of(Kind.OPTIONS, ";".join(sent), ";".join([*held, "E"]))


@pytest.mark.parametrize(
    ("kind", "sent", "held", "alike"),
    [
        (Kind.EMAIL, "Jo@Example.com", "jo@example.com", True),
        (Kind.EMAIL, "jo@example.com", "joe@example.com", False),
        (Kind.BOOLEAN, "true", "TRUE", True),
        (Kind.STRING, "Jo", "jo", False),
        (Kind.STRING, "Jo ", "Jo", False),
        (Kind.DECIMAL, "12", "twelve", False),
        (Kind.INTEGER, "5", "5.0", True),
    ],
)
def test_values_of_each_kind(kind: Kind, sent: str, held: str, alike: bool) -> None:
    assert one_of(kind, sent, held) is alike


@pytest.mark.parametrize(
    ("sent", "held", "alike"), [("5000", "5000.00", True), (5, "5", True), ("a", "b", False)]
)
def test_values_of_a_field_no_schema_knows(sent: object, held: object, alike: bool) -> None:
    assert same(HubSpot.legend, None, sent, held) is alike
