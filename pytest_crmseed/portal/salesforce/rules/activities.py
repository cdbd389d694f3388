"""Tasks and events (Salesforce docs, "Task", "Event"). Most of it is [unsure]: no recording tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.instants import stamp
from pytest_crmseed.portal.salesforce.rules.base import Rules
from pytest_crmseed.portal.salesforce.rules.prices import integrity

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.draft import Draft
    from pytest_crmseed.portal.salesforce.org import Org
    from pytest_crmseed.portal.salesforce.writing import Writer

LONGEST_EVENT = 14 * 24 * 60
"""Minutes that an event lasts at most."""

_FORMAT = "%Y-%m-%dT%H:%M:%S.%f%z"


class ActivityRules(Rules):
    """Those of both: what it is about, and the account behind that."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        draft.put("AccountId", _account(writer.org, draft["WhatId"]) or _account(writer.org, draft["WhoId"]))

    def check(self, writer: Writer, draft: Draft) -> None:
        if (draft["WhoId"] or "").startswith("00Q") and draft["WhatId"] is not None:
            raise integrity(
                "Related To ID: a task or event of a lead cannot be related to anything else", "WhatId"
            )


class TaskRules(ActivityRules):
    """Those of Task."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        super().prepare(writer, draft)
        done = draft["Status"] in writer.org.closed["Task"]
        draft.put("IsClosed", "true" if done else "false")
        draft.put("IsHighPriority", "true" if draft["Priority"] == "High" else "false")
        if done and draft["CompletedDateTime"] is None:
            draft.put("CompletedDateTime", stamp(writer.org.now()))
        elif not done:
            draft.put("CompletedDateTime", None)


class EventRules(ActivityRules):
    """Those of Event: it has a start and an end, told in one of three ways."""

    def prepare(self, writer: Writer, draft: Draft) -> None:
        super().prepare(writer, draft)
        if draft.flag("IsAllDayEvent"):
            self._all_day(draft)
        else:
            self._timed(draft)

    def required(self, writer: Writer, draft: Draft) -> Sequence[str]:
        if draft.flag("IsAllDayEvent"):
            return () if draft["ActivityDate"] else ("ActivityDate",)
        missing = []
        if not draft["StartDateTime"]:
            missing.append("ActivityDateTime")
        if not draft["DurationInMinutes"]:
            missing.append("DurationInMinutes")
        return missing

    def check(self, writer: Writer, draft: Draft) -> None:
        super().check(writer, draft)
        minutes = int(draft["DurationInMinutes"] or 0)
        if minutes < 0:
            raise integrity("The event's end is before its start.", "EndDateTime")
        if minutes > LONGEST_EVENT:
            raise integrity("An event lasts 14 days at most.", "DurationInMinutes")

    def _all_day(self, draft: Draft) -> None:
        start = draft["ActivityDate"] or (draft["StartDateTime"] or draft["ActivityDateTime"] or "")[:10]
        if not start:
            return
        end = (draft["EndDateTime"] or start)[:10]
        days = max(0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).days)
        midnight = "T00:00:00.000+0000"
        draft.put("ActivityDate", start)
        draft.put("ActivityDateTime", f"{start}{midnight}")
        draft.put("StartDateTime", f"{start}{midnight}")
        draft.put("EndDateTime", f"{end}{midnight}")
        draft.put("EndDate", end)
        draft.put("DurationInMinutes", str((days + 1) * 24 * 60))

    def _timed(self, draft: Draft) -> None:
        new = draft.old is None
        named = "StartDateTime" if new or draft.changes("StartDateTime") else "ActivityDateTime"
        other = {"StartDateTime": "ActivityDateTime", "ActivityDateTime": "StartDateTime"}[named]
        start = draft[named] or draft[other]
        if start is None:
            return
        begin = datetime.strptime(start, _FORMAT)
        draft.put("StartDateTime", start)
        draft.put("ActivityDateTime", start)
        draft.put("ActivityDate", start[:10])
        end, minutes = draft["EndDateTime"], draft["DurationInMinutes"]
        told = "EndDateTime" in draft.given if draft.given & {"EndDateTime", "DurationInMinutes"} else new
        if end is not None and (told or minutes is None):
            lasts = datetime.strptime(end, _FORMAT) - begin
            if (
                "DurationInMinutes" in draft.given
                and minutes is not None
                and int(minutes) * 60 != lasts.total_seconds()
            ):
                raise integrity(
                    "The event's duration is not the time between its start and end.", "DurationInMinutes"
                )
            draft.put("DurationInMinutes", str(int(lasts.total_seconds() // 60)))
        elif minutes is not None:
            try:
                finish = begin + timedelta(minutes=int(minutes))
            except OverflowError:
                raise integrity("An event lasts 14 days at most.", "DurationInMinutes") from None
            end = finish.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
            draft.put("EndDateTime", end)
        draft.put("EndDate", None if end is None else end[:10])


def _account(org: Org, id: str | None) -> str | None:
    row = org.rows.by_id(id or "")
    if row is None:
        return None
    return row.id if row.object.name == "Account" else row["AccountId"]
