"""The records of a new account: their names start with ``[Sample]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_crmseed.portal.pipedrive.rows import Row

if TYPE_CHECKING:
    from pytest_crmseed.portal.pipedrive.company import Company


def add(company: Company) -> None:
    """Put the samples into a company."""
    now, user = company.now(), company.user.id
    common: dict[str, Any] = {"owner_id": user, "visible_to": 3, "label_ids": []}

    def put(object_type: str, **data: Any) -> int:
        id = company.new_id(object_type)
        company.save(object_type, Row(id, {**common, **data}, now, now))
        return id

    organization = put("organizations", name="[Sample] Acorn Ltd")
    person = put(
        "persons", name="[Sample] Ann Example", first_name="[Sample] Ann", last_name="Example",
        org_id=organization, emails=[], phones=[],
    )  # fmt: skip
    pipeline = company.first_pipeline()
    stages = [] if pipeline is None else company.stages_of(pipeline["id"])
    if pipeline is not None and stages:
        put(
            "deals", title="[Sample] Acorn deal", person_id=person, org_id=organization, value=1000,
            currency=company.behaviour.currency, status="open", pipeline_id=pipeline["id"],
            stage_id=stages[0]["id"], creator_user_id=user, is_archived=False, origin="ManuallyCreated",
        )  # fmt: skip
