"""What ``include_fields`` adds to a record: counts of what hangs on it, and a few facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_crmseed.portal.pipedrive.company import Company
from pytest_crmseed.portal.pipedrive.rows import Row

Counter = Callable[[Company, Row], Any]


def _activities(key: str, done: bool | None = None) -> Counter:
    def count(company: Company, row: Row) -> int:
        found = company.rows_with("activities", key, row.id)
        return len([each for each in found if done is None or bool(each["done"]) is done])

    return count


def _activity_id(key: str, *, done: bool) -> Counter:
    def find(company: Company, row: Row) -> int | None:
        found = [each for each in company.rows_with("activities", key, row.id) if bool(each["done"]) is done]
        found.sort(key=lambda each: (each["due_date"] or "", each.id), reverse=done)
        return found[0].id if found else None

    return find


def _rows(object_type: str, key: str, **values: Any) -> Counter:
    def count(company: Company, row: Row) -> int:
        found = company.rows_with(object_type, key, row.id)
        return len([each for each in found if all(each[name] == value for name, value in values.items())])

    return count


def _nothing(value: Any) -> Counter:
    return lambda company, row: value


def _smart_bcc(kind: str) -> Counter:
    return lambda company, row: f"{company.behaviour.company_domain}+{kind}{row.id}@pipedrivemail.com"


def _common(key: str) -> dict[str, Counter]:
    return {
        "next_activity_id": _activity_id(key, done=False),
        "last_activity_id": _activity_id(key, done=True),
        "files_count": _nothing(0),
        "notes_count": _rows("notes", key),
        "followers_count": _nothing(1),
        "email_messages_count": _nothing(0),
        "activities_count": _activities(key),
        "done_activities_count": _activities(key, True),
        "undone_activities_count": _activities(key, False),
    }


def _deals(key: str) -> dict[str, Counter]:
    return {
        "open_deals_count": _rows("deals", key, status="open"),
        "won_deals_count": _rows("deals", key, status="won"),
        "lost_deals_count": _rows("deals", key, status="lost"),
        "closed_deals_count": lambda company, row: len(
            [each for each in company.rows_with("deals", key, row.id) if each["status"] != "open"]
        ),
    }


_RELATED = ("related_open_deals_count", "related_won_deals_count", "related_lost_deals_count")

COUNTERS: Mapping[str, Mapping[str, Counter]] = {
    "deals": {
        **_common("deal_id"),
        "first_won_time": lambda company, row: row["won_time"],
        "products_count": lambda company, row: len(company.products_of(row.id)),
        "participants_count": lambda company, row: 0 if row["person_id"] is None else 1,
        "last_incoming_mail_time": _nothing(None),
        "last_outgoing_mail_time": _nothing(None),
        "smart_bcc_email": _smart_bcc("deal"),
        "source_lead_id": _nothing(None),
    },
    "persons": {
        **_common("person_id"),
        **_deals("person_id"),
        "participant_open_deals_count": _nothing(0),
        "participant_closed_deals_count": _nothing(0),
        **dict.fromkeys((*_RELATED, "related_closed_deals_count"), _nothing(0)),
        "last_incoming_mail_time": _nothing(None),
        "last_outgoing_mail_time": _nothing(None),
        "marketing_status": lambda company, row: row["marketing_status"] or "no_consent",
        "doi_status": _nothing("not_sent"),
        "smart_bcc_email": _smart_bcc("person"),
    },
    "organizations": {
        **_common("org_id"),
        **_deals("org_id"),
        **dict.fromkeys((*_RELATED, "related_closed_deals_count"), _nothing(0)),
        "people_count": _rows("persons", "org_id"),
        "smart_bcc_email": _smart_bcc("org"),
    },
    "activities": {"attendees": lambda company, row: row["attendees"] or []},
}
