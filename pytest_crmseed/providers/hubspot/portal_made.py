"""Companies that HubSpot makes by itself from contacts' e-mail domains.

HubSpot, knowledge base: "Automatically create and associate companies with contacts". A portal may have that
switched on; then a contact whose domain no company has gets a company of that domain.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pytest_crmseed.errors import Unauthorized
from pytest_crmseed.providers.base import Effect, Exchange, PortalMade, Request

# HubSpot docs, "Associations guide": most inputs of one batch read of associations.
ASSOCIATIONS_READ = 1_000


def companies(
    associations: str, read: str, contacts: Sequence[str], ours: Collection[str], *, most: int
) -> Exchange[list[PortalMade]]:
    """Return the companies of contacts, but for those in ``ours``, each with its domain.

    ``associations`` and ``read`` are the paths of the two batch reads, ``most`` is the largest batch of
    the second.
    """
    linked: dict[str, None] = {}
    for start in range(0, len(contacts), ASSOCIATIONS_READ):
        chunk = contacts[start : start + ASSOCIATIONS_READ]
        request = Request(
            "POST",
            associations,
            f"read the companies of {len(chunk)} contacts",
            Effect.READ,
            body={"inputs": [{"id": record_id} for record_id in chunk]},
            records=len(chunk),
        )
        try:
            answer = yield request
        except Unauthorized as error:
            if error.status != 403:
                raise
            # A token for contacts alone may not see companies, and so nothing can be said of them.
            return []
        # Contacts without a company stand in a 207's errors, which is as good.
        for entry in answer.json().get("results") or ():
            linked.update(dict.fromkeys(str(end["toObjectId"]) for end in entry.get("to") or ()))
    others = [company for company in linked if company not in ours]
    found: list[PortalMade] = []
    for start in range(0, len(others), most):
        ids = others[start : start + most]
        answer = yield Request(
            "POST",
            read,
            f"read {len(ids)} companies",
            Effect.READ,
            body={"properties": ["domain"], "inputs": [{"id": record_id} for record_id in ids]},
            records=len(ids),
        )
        found += [
            PortalMade(
                "companies", str(entry["id"]), str((entry.get("properties") or {}).get("domain") or "")
            )
            for entry in answer.json().get("results") or ()
        ]
    return found
