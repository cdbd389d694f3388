"""Seeding a portal whose records cannot carry our key in a unique field."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed.errors import PortalError, ValidationFailed, VerificationFailed
from pytest_crmseed.ingest.keys import parse_key
from pytest_crmseed.planning import count
from pytest_crmseed.portal import Behaviour, LocalPortal
from pytest_crmseed.portal.message import PortalRequest
from pytest_crmseed.seeder.sweep import Sweeper
from pytest_crmseed.seeder.target import Target

HOUR = 3600.0
EVERY = {
    "companies": 1,
    "contacts": 2,
    "deals": 2,
    "tickets": 1,
    "leads": 2,
    "products": 2,
    "line_items": 3,
    "orders": 1,
    "notes": 1,
    "tasks": 1,
    "calls": 1,
    "meetings": 1,
    "emails": 2,
}
LOST = ("drop_after_commit", "drop_before_commit", "commit_late", "cut_body")


@pytest.fixture
def bare(opened: Callable[[LocalPortal], Target], tmp_path: Path, one_bench: Any) -> Iterator[Any]:
    """A bench on a portal without the property ``crmseed_key``."""
    with LocalPortal(behaviour=Behaviour(set_up=False)) as portal:
        bench = type(one_bench)(portal, opened(portal), tmp_path / "bare")
        yield bench
        bench.ledger.close()


def strangers(portal: LocalPortal) -> dict[tuple[str, str], Any]:
    """Put records into the portal that are nobody's business, and return them."""
    made = {}
    for name, properties in (
        ("companies", {"name": "Northwind", "description": "crmseed-1-of-somebody"}),
        ("contacts", {"email": "ada@r0000000.example.com"}),
        ("products", {"name": "Ledger", "description": "see crmseed-1-run1-1-2-deals-1-0"}),
    ):
        body = {"properties": properties}
        answer = portal.portal.handle(
            PortalRequest.of("POST", f"/crm/v3/objects/{name}", body, token=portal.token)
        ).json()
        made[(name, answer["id"])] = answer["properties"]
    return made


def left_of(portal: LocalPortal) -> dict[str, int]:
    return {name: number for name, number in portal.stats()["records"]["hubspot"].items() if number}


def test_everything_is_seeded_and_gone_again(bare: Any) -> None:
    others = strangers(bare.portal)
    seed = bare.seed(EVERY)
    assert {name: len(seed.records[name]) for name in EVERY} == EVERY
    assert bare.engine.clean().complete
    assert left_of(bare.portal) == {"companies": 1, "contacts": 1, "products": 1}
    for name, id in others:
        path = f"/crm/v3/objects/{name}/{id}"
        assert bare.portal.portal.handle(PortalRequest.of("GET", path, token=bare.portal.token)).status == 200


def test_the_key_stands_behind_what_a_text_holds(bare: Any) -> None:
    seed = bare.seed({"deals": count(1, description="Renewal")})
    text = seed.records.deals[0]["description"]
    assert text.startswith("Renewal\n\ncrmseed-1-run1-")
    key = parse_key(text.split("\n\n")[1])
    assert key is not None and key.is_of("deals")
    assert parse_key(seed.records.companies[0].native["description"].split()[-1]) is not None


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("object_type", list(EVERY))
def test_what_got_no_answer_is_found_again_and_not_made_twice(
    bare: Any, fault: str, object_type: str
) -> None:
    bare.portal.faults.add(fault, route="*/batch/create", object_type=object_type, seeder=True)
    seed = bare.seed({object_type: EVERY[object_type]})
    assert len(seed.records[object_type]) == EVERY[object_type] == left_of(bare.portal)[object_type]
    assert bare.engine.clean().complete
    assert left_of(bare.portal) == {}


@pytest.mark.parametrize("object_type", ["companies", "deals", "line_items", "leads"])
def test_what_a_proxy_delivered_twice_fails_the_seed_and_goes(bare: Any, object_type: str) -> None:
    bare.portal.faults.deliver_twice(route="*/batch/create", object_type=object_type, seeder=True)
    with pytest.raises(VerificationFailed) as failed:
        bare.seed({object_type: 2})
    assert "the portal has 2 records with its key" in str(failed.value)
    assert left_of(bare.portal) == {}


def test_contacts_are_found_by_their_address_and_made_once_even_so(bare: Any) -> None:
    bare.portal.faults.deliver_twice(route="*/batch/create", object_type="contacts", seeder=True)
    assert len(bare.seed({"contacts": 3}).records.contacts) == 3
    assert left_of(bare.portal)["contacts"] == 3
    assert bare.engine.clean().complete
    assert left_of(bare.portal) == {}


def test_a_crashed_run_is_swept_by_the_ledger(bare: Any) -> None:
    bare.target.address = replace(bare.target.address, private=False)
    strangers(bare.portal)
    others = left_of(bare.portal)
    bare.portal.faults.drop_after_commit(route="*/batch/create", object_type="leads", seeder=True)
    bare.portal.faults.fail(503, route="*/batch/read", seeder=True, times=None)
    bare.portal.faults.fail(503, route="*/batch/archive", seeder=True, times=None)
    bare.portal.faults.fail(503, route="*/associations/*", seeder=True, times=None)
    with pytest.raises(PortalError, match="remove them with"):
        bare.seed({"leads": 2})
    assert left_of(bare.portal)["leads"] == 2
    bare.portal.faults.clear()
    bare.engine.end()
    later = bare.another("run2")
    assert Sweeper(later, clock=lambda: time.time() + 25 * HOUR).by_ledger().left == {}
    assert left_of(bare.portal) == others


def test_from_elsewhere_all_but_those_without_a_key_are_swept(bare: Any, tmp_path: Path) -> None:
    strangers(bare.portal)
    bare.seed({"deals": 2, "leads": 1, "products": 1})
    elsewhere = type(bare)(bare.portal, bare.target, tmp_path / "elsewhere")
    swept = Sweeper(elsewhere.another("run2"), clock=lambda: time.time() + 25 * HOUR).by_keys()
    assert (swept.removed, swept.left) == ({"run1": 4}, {})
    assert {"contacts", "leads"} <= set(swept.unkeyed)
    assert left_of(bare.portal) == {"companies": 1, "contacts": 2, "leads": 1, "products": 1}
    elsewhere.ledger.close()


def test_a_strangers_address_is_refused_before_anything_is_sent(bare: Any) -> None:
    with pytest.raises(ValidationFailed) as refused:
        bare.seed({"contacts": count(1, email="ada@acme.example")})
    assert str(refused.value) == (
        "A value cannot be sent; nothing was written.\n"
        "  contacts[0].email = 'ada@acme.example': without a unique field for our key, contacts are found "
        "again by an address that is this seed's own, and any other may be a stranger's; "
        "`crmseed setup` makes the field for the key that would"
    )
    assert bare.ledger.runs() == []


def test_what_has_no_parents_cannot_be_found_again(bare: Any) -> None:
    with pytest.raises(ValidationFailed, match="it has no parents"):
        bare.seed({"leads": count(1, contacts=None)})


def test_children_of_one_parent_with_one_name_are_told_apart(bare: Any) -> None:
    bare.portal.faults.drop_after_commit(route="*/batch/create", object_type="leads", seeder=True)
    same = {"first_name": "Ada", "last_name": "Byron"}
    wanted = {"contacts": 1, "leads": count(3, **same)}
    seed = bare.seed(wanted)
    assert len({record.id for record in seed.records.leads}) == 3
    assert left_of(bare.portal) == {"contacts": 1, "leads": 3}
    again = bare.seed({"leads": count(2, **same)}, wider={"contacts": seed.records.contacts})
    assert len(again.records.leads) == 2
    assert bare.engine.clean().complete
    assert left_of(bare.portal) == {}
