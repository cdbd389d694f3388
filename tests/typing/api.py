"""Typed uses of the public API. Checked by mypy, strict, and never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, assert_type

import pytest
import requests

from pytest_crmseed import (
    CallFactory,
    CompanyFactory,
    ContactFactory,
    Count,
    CRMFactory,
    CrmPortal,
    CrmSeeder,
    DealFactory,
    LeadFactory,
    LineItemFactory,
    LocalPortal,
    MeetingFactory,
    NoteFactory,
    OrderFactory,
    ProductFactory,
    Record,
    Ref,
    SeededRecords,
    Seeder,
    TaskFactory,
    TicketFactory,
    count,
    mock_crm,
    ref,
)
from pytest_crmseed.errors import CrmseedError, GuardRefused, RecordsRefused, UnknownName
from pytest_crmseed.factories import DecimalBetween, IntegerBetween, Pick, Weighted
from pytest_crmseed.portal import Behaviour, Fault, RecordedRequest, VirtualClock

# -- markers ---------------------------------------------------------------------------------------
assert_type(count(9, stage="closed_won", amount=5000, close_date=date(2026, 1, 31)), Count)
assert_type(ref("companies", 0), Ref)
assert_type(ref("contacts", 1, label="decision_maker"), Ref)

count(2, company=None, contacts=[ref("contacts", 0), ref("contacts", 1, label="champion")])
count(1, amount=Decimal("19.90"), native={"p1_custom__field": "x"})

pytestmark = pytest.mark.crm_seed(companies=3, scope="module")


@pytest.mark.crm_seed(deals=count(3, company=ref("companies", 0)), objects={"2-123": 4}, keep=True)
def test_fixtures(
    crm_records: SeededRecords, crm_seeder: CrmSeeder, crm_portal: CrmPortal, crm_client: requests.Session
) -> None:
    deals = crm_records.deals
    assert_type(deals, tuple[Record, ...])
    assert_type(crm_records["companies"], tuple[Record, ...])
    assert_type(crm_records.get("contacts"), tuple[Record, ...])
    assert_type([record.id for record in crm_records], list[str])
    deal = deals[0]
    assert_type(deal["amount"], Any)
    assert_type(deal.native, dict[str, Any])
    assert_type(deal.url, str | None)
    assert_type(deal.reload(), Record)

    assert_type(crm_seeder(deals=3), SeededRecords)
    assert_type(crm_seeder(objects={"2-123": 1}, contacts=count(2, company=deal)), SeededRecords)
    assert_type(crm_seeder.adopt("deals", "123"), Record)
    crm_seeder.wait_until_searchable(crm_records, seconds=5)

    assert_type(crm_portal.provider, str)
    assert_type(crm_portal.base_url, str)
    assert_type(crm_portal.token, str)
    assert_type(crm_portal.environ, dict[str, str])
    assert_type(crm_portal.is_local, bool)
    crm_portal.reset()


# -- what a conftest overrides ---------------------------------------------------------------------
class RenewalFactory(DealFactory):
    class Params:
        seats = IntegerBetween(5, 500)

    amount = DecimalBetween("100.00", "900.00", step=50)  # type: ignore[assignment]
    stage = Weighted({"new": 3, "closed_won": 1})
    description = Pick(("one", "two"))  # type: ignore[assignment]


class PrinterTicketFactory(TicketFactory):
    subject = "Printer on fire"  # type: ignore[assignment]


class CarFactory(CRMFactory):
    class Meta:
        object_type = "2-123"

    plate = "B-AB 12"


STOCK: list[type[CRMFactory]] = [
    LeadFactory,
    ProductFactory,
    LineItemFactory,
    OrderFactory,
    NoteFactory,
    TaskFactory,
    CallFactory,
    MeetingFactory,
    PrinterTicketFactory,
]


@pytest.fixture(scope="session")
def crm_factories() -> Mapping[str, type[CRMFactory]]:
    return {"companies": CompanyFactory, "contacts": ContactFactory, "deals": RenewalFactory}


@pytest.fixture(scope="session")
def crm_credentials() -> Mapping[str, str]:
    return {"HUBSPOT_ACCESS_TOKEN": "…"}


assert_type(RenewalFactory.build(seats=20), dict[str, Any])
assert_type(RenewalFactory.build_batch(3), list[dict[str, Any]])


# -- without pytest --------------------------------------------------------------------------------
def seed() -> int:
    portal = LocalPortal(db="portal.sqlite", port=0, latency=0.1, rate=(190, 10.0), behaviour=Behaviour())
    with portal, Seeder(portal, factories={"deals": RenewalFactory}, random_seed=1) as seeder:
        records = seeder.seed(companies=2, deals=count(5, amount=100), keep=True)
        assert_type(records, SeededRecords)
        assert_type(seeder.adopt("deals", "123"), Record)
        assert_type(seeder.run_id, str)
        assert_type(portal.requests, list[RecordedRequest])
        assert_type(portal.stats(), dict[str, Any])
        return seeder.clean()


def sandbox() -> None:
    try:
        with Seeder(
            target="sandbox", portal_id="1234567", credentials={"HUBSPOT_ACCESS_TOKEN": "…"}
        ) as seeder:
            seeder.seed(contacts=1)
    except GuardRefused as refused:
        assert_type(refused.guard, str)
    except RecordsRefused as refused:
        assert_type([result.draft.object_type for result in refused.results], list[str])
    except UnknownName as unknown:
        assert_type(unknown.known, tuple[str, ...])
    except CrmseedError as error:
        assert_type(error.remedy, str)


# -- misuse is found by the type checker: an ignore that is not needed is an error, too ------------
count("9")  # type: ignore[arg-type]
ref("companies", "0")  # type: ignore[arg-type]
LocalPortal(rate="190/10")  # type: ignore[arg-type]
from pytest_crmseed import Sedeer  # type: ignore[attr-defined]  # noqa: E402, F401


# -- the local portal's own tools ------------------------------------------------------------------
def tools(crm_portal: CrmPortal) -> None:
    assert_type(crm_portal.faults.throttle("daily", times=None, route="*/batch/create"), Fault)
    assert_type(crm_portal.requests, list[RecordedRequest])
    crm_portal.restore(crm_portal.snapshot())
    portal = LocalPortal(clock=VirtualClock(), tls=True, host_names=["crm.test"])
    portal.restore(portal.snapshot())
    with mock_crm(crm_portal) as crm, mock_crm(portal), mock_crm(behaviour=Behaviour()):
        assert_type(crm.portal, LocalPortal)
        crm.faults.partial([0, 2], silent=True)


@mock_crm
def decorated() -> int:
    return 1


@mock_crm()
async def awaited(number: int) -> str:
    return str(number)


assert_type(decorated(), int)
LocalPortal().faults.throttle("weekly")  # type: ignore[arg-type]
