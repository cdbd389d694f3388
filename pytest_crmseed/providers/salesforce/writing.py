"""The bodies of requests that make records, and what their answers say of each.

Sources: Salesforce docs, "Create Multiple Records with Fewer Round-Trips", "Composite".

Some neutral records are several records here: a product has its entry in the standard price book, a deal
the roles of its contacts. They go out in one composite request, which counts as one; the companions name
their main record by our key, so that each stands or falls by itself. They are removed with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_crmseed.errors import UsageError
from pytest_crmseed.providers.base import Answer
from pytest_crmseed.providers.salesforce import soql
from pytest_crmseed.providers.salesforce.capabilities import KEY, WRITING_HEADERS
from pytest_crmseed.providers.salesforce.refusals import (
    LOCKED,
    STORAGE,
    codes_of,
    errors_of,
    read_refusals,
)
from pytest_crmseed.records import Draft, RecordResult, Refusal

RECORDS, BOOK = "records", "book"
COMPANIONS = "companions"

# Salesforce docs, "Composite": so many parts may be queries or collections; one makes the records, and one
# may ask for the price book.
_MOST_PARTS = 5
_MOST_ROWS = 200

STANDARD_BOOK = "SELECT Id FROM Pricebook2 WHERE IsStandard = true"

Row = dict[str, Any]


def collection(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the body of a collections request whose rows stand or fall one by one."""
    return {"allOrNone": False, "records": list(rows)}


def composite(
    version: str, rows: Sequence[Row], companions: Sequence[Row], *, with_book: bool
) -> dict[str, Any]:
    """Return the body of a composite request: records, and what goes with them.

    ``with_book`` asks for the standard price book first, which rows name by :func:`book`.

    Raises:
        UsageError: more companions than one request takes.
    """
    path = f"{soql.root(version)}/composite/sobjects"
    groups = list(_groups(companions))
    if len(groups) + 1 + with_book > _MOST_PARTS:
        raise UsageError(
            f"A batch of {len(rows)} records has {len(companions)} contacts' roles, and one request to "
            f"Salesforce takes {(_MOST_PARTS - 1) * _MOST_ROWS}.",
            remedy="Make smaller batches (--crm-batch-size 50).",
        )
    parts: list[dict[str, Any]] = []
    if with_book:
        parts.append(soql.part(version, STANDARD_BOOK, BOOK))
    makers = {RECORDS: rows, **{f"{COMPANIONS}{number}": group for number, group in enumerate(groups)}}
    parts += [
        {
            "method": "POST",
            "url": path,
            "referenceId": name,
            "httpHeaders": dict(WRITING_HEADERS),
            "body": collection(some),
        }
        for name, some in makers.items()
    ]
    return {"allOrNone": False, "collateSubrequests": False, "compositeRequest": parts}


def book(known: str) -> str:
    """Return what a row says for the standard price book: its id, or where the same request finds it."""
    return known or f"@{{{BOOK}.records[0].Id}}"


def _groups(rows: Sequence[Row]) -> list[Sequence[Row]]:
    return [rows[start : start + _MOST_ROWS] for start in range(0, len(rows), _MOST_ROWS)]


class Written:
    """A request that makes records beside its answer: each row as it was sent with what came of it.

    ``rows`` are those of the records; ``companions`` those of their companions, each with the key of its
    record. ``book`` is the standard price book's id, if the answer tells it.
    """

    def __init__(self, answer: Answer) -> None:
        self.rows: list[tuple[Row, Any]] = []
        self.companions: list[tuple[str, Row, Any]] = []
        self.book = ""
        body, sent = answer.json(), answer.request.body
        if isinstance(body, list):
            self.rows = _paired(sent["records"], body)
            return
        parts = {str(part.get("referenceId")): part for part in body.get("compositeResponse") or ()}
        found = (parts.get(BOOK) or {}).get("body")
        if isinstance(found, Mapping) and found.get("records"):
            self.book = str(found["records"][0].get("Id") or "")
        for part in sent["compositeRequest"]:
            name = part["referenceId"]
            if name == RECORDS:
                self.rows = _paired(part["body"]["records"], _made(parts.get(name)))
            elif name.startswith(COMPANIONS):
                got = parts.get(name) or {}
                refused = {"success": False, "errors": errors_of(got.get("body"))}
                pairs = _paired(part["body"]["records"], _made(got))
                self.companions += [(_key_of(row), row, one or refused) for row, one in pairs]


def _paired(sent: Sequence[Row], got: Sequence[Any]) -> list[tuple[Row, Any]]:
    """Return rows with their answers; none have one where their number is not the same."""
    answered = got if len(got) == len(sent) else [None] * len(sent)
    return list(zip(sent, answered, strict=True))


def _made(part: Mapping[str, Any] | None) -> Sequence[Any]:
    """Return the rows of a part; where it was refused as a whole, none is left as it is."""
    rows = (part or {}).get("body")
    return rows if isinstance(rows, list) and int((part or {}).get("httpStatusCode") or 0) < 300 else ()


def _key_of(companion: Row) -> str:
    """Return the key of the record that a companion goes with."""
    named = next(value for value in companion.values() if isinstance(value, Mapping) and KEY in value)
    return str(named[KEY])


def result_of(draft: Draft, sent: Row, got: Any, status: int, book_id: str) -> RecordResult:
    """Return what a row of the answer says of a draft.

    A record that was not made because another one was locked is left open: it is looked for, and sent
    again.
    """
    result = RecordResult(draft)
    if not isinstance(got, Mapping):
        result.remarks = ("Salesforce's answer has not as many rows as there are records.",)
    elif got.get("success") and got.get("id"):
        result.id = str(got["id"])
        result.native = {name: value for name, value in sent.items() if not isinstance(value, Mapping)}
        if book_id and result.native.get("Pricebook2Id") == book(""):
            result.native["Pricebook2Id"] = book_id
    elif codes_of(got) == {LOCKED}:
        result.remarks = tuple(refusal.message for refusal in read_refusals(got))
    else:
        result.refusals = _told(read_refusals(got, status=status, sent=sent))
    return result


def _told(refusals: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    """Return refusals; one for want of room says what takes how much."""
    return tuple(
        replace(refusal, message=f"{refusal.message}. {_ROOM}") if refusal.code == STORAGE else refusal
        for refusal in refusals
    )


_ROOM = (
    "Most records take 2 KB of the org's data storage, campaigns 8 KB; a Developer Edition has 5 MB (about "
    "2,500 records), a developer sandbox 200 MB. Setup, 'Storage Usage' shows what is left"
)


def add_companion(result: RecordResult, sent: Row, got: Mapping[str, Any], status: int) -> str | None:
    """Take what became of a companion into its record's result; return the companion's id."""
    if got.get("success") and got.get("id"):
        return str(got["id"])
    what = sent["attributes"]["type"]
    result.refusals += tuple(
        replace(refusal, message=f"{what}: {refusal.message}")
        for refusal in _told(read_refusals(got, status=status, sent=sent))
    )
    return None
