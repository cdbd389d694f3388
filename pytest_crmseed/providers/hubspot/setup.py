"""Make the property for our unique key: the only thing that ever changes a portal's schema."""

from __future__ import annotations

from pytest_crmseed.errors import PortalError
from pytest_crmseed.providers.base import Effect, Exchange, Request
from pytest_crmseed.providers.hubspot.capabilities import KEY

# HubSpot docs, "Properties guide": the groups that stock properties of these objects are shown in. A portal
# may have renamed or removed them, so they are looked for first.
_STOCK_GROUP = "{}information"


def make_key(path: str, object_type: str, singular: str) -> Exchange[None]:
    """Make the unique property on an object type; ``path`` is that of its property definitions.

    HubSpot allows ten unique properties to an object type, and lets nobody make an existing property
    unique.

    Raises:
        PortalError: the portal refuses, or has no group to put the property in.
    """
    groups = (
        yield Request("GET", f"{path}/groups", f"read the property groups of {object_type}", Effect.READ)
    ).json()
    names = [str(group["name"]) for group in groups.get("results") or () if not group.get("archived")]
    if not names:
        raise PortalError(
            f"{object_type} has no group of properties to put {KEY} in.",
            remedy="Make one in HubSpot's settings, and run this again.",
        )
    stock = _STOCK_GROUP.format(singular)
    yield Request(
        "POST",
        path,
        f"make {KEY} on {object_type}",
        Effect.CREATE,
        body={
            "name": KEY,
            "label": "crmseed key",
            "description": (
                "Marks test records made by pytest-crmseed, so that they are found and removed again. "
                "Records of your own leave it empty."
            ),
            "type": "string",
            "fieldType": "text",
            "groupName": stock if stock in names else names[0],
            "hasUniqueValue": True,
            "formField": False,
        },
    )
