"""Seeding and cleaning a database in memory, by both protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from factory import Iterator

from pytest_crmseed.errors import RecordsRefused
from pytest_crmseed.planning import count
from pytest_crmseed.providers.base import Effect


@pytest.mark.parametrize(("major", "path"), [(19, "/json/2/crm.lead/load"), (14, "/jsonrpc")])
def test_records_are_made_found_and_removed(scene: Callable[..., Any], major: int, path: str) -> None:
    here = scene(major)
    records = here.seed({"companies": 2, "contacts": 3, "deals": 9, "tasks": 2, "notes": 1}).records
    database = here.database
    assert {model: len(rows) for model, rows in database.records.items() if rows} == {
        "res.partner": 5,
        "crm.lead": 9,
        "mail.activity": 2,
        "mail.message": 1,
    }
    creates = [request for request in database.sent if request.effect is Effect.CREATE]
    assert path in {request.path for request in creates}
    company = database.records["res.partner"][int(records.companies[0].id)]
    assert company["is_company"] == "1"
    contact = database.records["res.partner"][int(records.contacts[0].id)]
    assert contact["parent_id/.id"] in {each.id for each in records.companies}
    deal = database.records["crm.lead"][int(records.deals[0].id)]
    assert deal["type"] == "opportunity"
    assert deal["partner_id/.id"] in {each.id for each in records.contacts}
    task = database.records["mail.activity"][int(records.tasks[0].id)]
    assert task["activity_type_id/id"] == "mail.mail_activity_data_todo"
    assert (task["res_model_id/id"], task["res_id"]) == (
        "base.model_res_partner",
        next(link.id for link in records.tasks[0].links if link.field == "contacts"),
    )
    assert database.records["mail.message"][int(records.notes[0].id)]["model"] == "res.partner"
    assert here.engine.clean().complete
    assert not any(database.records.values()) and not database.external


def test_records_of_one_request_have_the_same_columns(scene: Callable[..., Any]) -> None:
    """An empty cell would take away what the server fills in itself."""
    here = scene()
    here.seed({"companies": 1, "contacts": 1, "deals": count(30, description=Iterator([None, "Text"]))})
    for request in here.database.sent:
        if request.path == "/json/2/crm.lead/load":
            lost = request.body["fields"].index("stage_id/.id")
            for row in request.body["data"]:
                assert all(cell for place, cell in enumerate(row) if place != lost)


def test_a_lost_deal_is_archived_and_comes_back_as_lost(scene: Callable[..., Any]) -> None:
    here = scene()
    (lost,) = here.seed({"deals": count(1, stage="closed_lost")}).records.deals
    (open_,) = here.seed({"deals": count(1, stage="new")}).records.deals
    rows = here.database.records["crm.lead"]
    assert (rows[int(lost.id)]["active"], rows[int(lost.id)]["stage_id/.id"]) == ("0", "")
    assert (rows[int(open_.id)]["active"], rows[int(open_.id)]["stage_id/.id"]) == ("1", "1")
    assert lost.reload()["stage"] == "closed_lost"
    assert open_.reload()["stage"] == "new"


def test_the_guilty_record_is_found_in_an_import_that_is_refused_as_a_whole(
    scene: Callable[..., Any],
) -> None:
    here = scene()
    names = [f"Deal {number}" for number in range(7)]
    names[4] = "nameless"
    with pytest.raises(RecordsRefused) as refused:
        here.seed({"deals": count(7, name=Iterator(names))})
    (result,) = [each for each in refused.value.results if each.refusals[0].code != "NOT_SENT"]
    assert (result.draft.index, result.refusals[0].field, result.refusals[0].message) == (
        4,
        "name",
        "Missing required value for the field 'Opportunity' (name).",
    )
    assert not any(here.database.records.values())


def test_one_record_that_cannot_be_deleted_keeps_no_other(scene: Callable[..., Any]) -> None:
    here = scene()
    contacts = here.seed({"contacts": 9}).records.contacts
    here.database.protected = {int(contacts[5].id)}
    result = here.engine.clean()
    assert [entry.id for entry in result.left] == [contacts[5].id]
    assert list(here.database.records["res.partner"]) == [int(contacts[5].id)]
    (error,) = result.errors
    assert error.startswith("contacts: 1 records are still there after their deletion.")
    assert "You cannot delete contacts linked to an active user." in error
    here.database.protected = set()
    assert here.engine.clean().complete


def test_one_record_that_is_gone_already_keeps_no_other(scene: Callable[..., Any]) -> None:
    here = scene()
    contacts = here.seed({"contacts": 5}).records.contacts
    here.database.call("res.partner", "unlink", [int(contacts[2].id)], {"context": {"lang": "en_US"}})
    assert here.engine.clean().complete
    assert not any(here.database.records.values())


def test_an_import_that_comes_twice_makes_its_records_once(scene: Callable[..., Any]) -> None:
    here = scene()
    here.seed({"companies": 3})
    (create,) = [request for request in here.database.sent if request.effect is Effect.CREATE]
    here.database.send(create)
    assert len(here.database.records["res.partner"]) == 3
