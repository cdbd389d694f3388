"""What a route is, and which scopes it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pytest_crmseed.portal.hubspot import scopes as scopes_needed
from pytest_crmseed.portal.hubspot.call import Call
from pytest_crmseed.portal.message import PortalResponse

DATES = ("2025-09", "2026-03", "2026-09")

# What a beta of a version answers that has not been released is [unsure]: it is taken for the latest.
BETAS = {f"{date}-beta": date for date in DATES} | {"2027-03-beta": DATES[-1]}

Scopes = Callable[[Call], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method on a template. Any one of ``scopes`` will do; none are needed when it is empty.

    ``handler`` None marks what HubSpot has and the portal has not, where another template of the
    portal would otherwise match.
    """

    method: str
    template: str
    handler: Callable[[Call], PortalResponse] | None
    version: str
    scopes: Scopes
    write: bool = False
    open: bool = False

    @property
    def searches(self) -> bool:
        """Whether the limit of searches counts it, and no other one."""
        return self.template.endswith("/search")


def no_scopes(call: Call) -> Sequence[str]:
    """Return that nothing is needed but a token."""
    return ()


def any_of(*scopes: str) -> Scopes:
    """Return that one of certain scopes is needed."""
    return lambda call: scopes


def of_records(right: str) -> Scopes:
    """Return what is needed to ``read`` or to ``write`` records of the call's object type."""
    return lambda call: scopes_needed.of_records(call.object_type, right)


def of_links(right: str) -> Scopes:
    """Return what is needed to ``read`` or to ``write`` associations."""

    # [unsure] The specification lists many alternatives; here it is those of the type a call starts at.
    def scopes(call: Call) -> Sequence[str]:
        call.account.object_types.resolve(call.params["to"])
        return scopes_needed.of_records(call.from_type, right)

    return scopes


def read_definitions(call: Call) -> Sequence[str]:
    """Return what is needed to read definitions: any object's scope, that asked for first."""
    others = sorted(call.account.object_types.by_name.values(), key=lambda each: each.name)
    found = [call.object_type, *others] if "type" in call.params else others
    return list(dict.fromkeys(scope for each in found for scope in scopes_needed.to_read_definitions(each)))


def read_any_records(call: Call) -> Sequence[str]:
    """Return what is needed to read figures of all object types: a scope to read or write any records."""
    types = sorted(call.account.object_types.by_name.values(), key=lambda each: each.name)
    rights = ("read", "write")
    return list(
        dict.fromkeys(
            scope for each in types for right in rights for scope in scopes_needed.of_records(each, right)
        )
    )


def write_definitions(call: Call) -> Sequence[str]:
    """Return what is needed to change definitions."""
    return scopes_needed.to_write_definitions(call.object_type)


Handler: TypeAlias = Callable[[Call], PortalResponse]
Entry: TypeAlias = tuple[str, str, Handler | None, Scopes, bool]
"""Method, end of the template, handler, scopes, and whether it creates or updates records or definitions."""

Family: TypeAlias = tuple[Sequence[Entry], Mapping[str, str]]
"""Entries, and the versions by the beginnings of the templates."""


def prefixes(legacy: str, dated: str, version: str = "v3", *, dates: Sequence[str] = DATES) -> dict[str, str]:
    """Return the versions by the beginnings of templates; ``dated`` has a ``{}`` for the date."""
    return {legacy: version, **{dated.replace("{}", date): date for date in dates}}
