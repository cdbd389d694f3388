"""Owners: list and read; they cannot be made by the API (HubSpot docs, "Owners")."""

from __future__ import annotations

from typing import Any

from pytest_crmseed.portal.behaviour import Owner
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.hubspot.errors import ApiError, invalid
from pytest_crmseed.portal.message import PortalResponse

PAGE_DEFAULT = 100
PAGE_LIMIT = 500

# When the owners were made; any fixed moment before a portal's first record will do.
_MADE = "2020-06-30T15:57:37.247Z"


def list_owners(call: Call) -> PortalResponse:
    """List owners page by page, of one address with ``email``; deactivated ones with ``archived``."""
    archived, email = call.flag("archived"), call.argument("email")
    found = [
        owner
        for owner in call.account.owners()
        if owner.archived == archived and (not email or owner.email.lower() == email.lower())
    ]
    start = 0
    after = call.argument("after")
    if after:
        ids = [owner.id for owner in found]
        if after not in ids:
            raise invalid(f"after must be a value that paging.next.after had, not {after}")
        start = ids.index(after)
    limit = call.limit(default=PAGE_DEFAULT, most=PAGE_LIMIT)
    page, rest = found[start : start + limit], found[start + limit :]
    body: dict[str, Any] = {"results": [_answer(owner) for owner in page]}
    if rest:
        body["paging"] = {"next": {"after": rest[0].id, "link": f"?after={rest[0].id}"}}
    return PortalResponse.of(200, body)


def read(call: Call) -> PortalResponse:
    """Read an owner by id or, with ``idProperty=userId``, by the user's id; 404 when there is none."""
    kind = (call.argument("idProperty") or "id").lower()
    if kind not in ("id", "userid"):
        # [unsure] of the wording.
        raise invalid(f"idProperty must be id or userId, not {call.argument('idProperty')}")
    wanted = call.params["id"]
    for owner in call.account.owners():
        if owner.archived != call.flag("archived"):
            continue
        if wanted == (owner.id if kind == "id" else str(_user_id(owner))):
            return PortalResponse.of(200, _answer(owner))
    # [unsure] of the text.
    raise ApiError(404, f"No owner with {kind} {wanted}", "OBJECT_NOT_FOUND")


def _user_id(owner: Owner) -> int | None:
    return int(owner.id) if owner.id.isascii() and owner.id.isdigit() and not owner.queue else None


def _answer(owner: Owner) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": owner.id,
        "email": owner.email,
        "type": "QUEUE" if owner.queue else "PERSON",
        "firstName": owner.first_name,
        "lastName": owner.last_name,
    }
    user_id = _user_id(owner)
    if user_id is not None:
        # Someone who was deactivated is no user any more.
        answer |= {"userId": None if owner.archived else user_id, "userIdIncludingInactive": user_id}
    answer |= {"createdAt": _MADE, "updatedAt": _MADE, "archived": owner.archived}
    if owner.teams:
        answer["teams"] = [
            {"id": str(place), "name": name, "primary": place == 1}
            for place, name in enumerate(owner.teams, 1)
        ]
    return answer
