"""The names in a query: objects, fields, parents, lists of children."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.definitions import Child, Field, SObject
from pytest_crmseed.portal.salesforce.errors import Refusal, refusal
from pytest_crmseed.portal.salesforce.soql.parsing import framed
from pytest_crmseed.portal.salesforce.soql.tree import Path

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.org import Org

DEEPEST = 5
"""Most levels of parents in a path (docs, "Understanding Relationship Query Limitations")."""

# What a lookup to one of several objects tells of whichever it is (docs, "Name" object).
_OF_ANY = ("Name", "Type", "FirstName", "LastName", "Email", "Phone", "Title", "Username", "Alias")


@dataclass(frozen=True, slots=True)
class Step:
    """A lookup to a parent: its field, and the name by which it was asked for."""

    field: Field
    shown: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path that was found: the lookups on the way, and the field.

    The field is None for what a lookup to one of several objects tells of whichever it is.
    """

    steps: tuple[Step, ...]
    field: Field | None
    name: str


class Names:
    """The names of one query on one object; ``text`` is the whole query's, for messages."""

    def __init__(self, org: Org, text: str, source: SObject, alias: str | None) -> None:
        self._org = org
        self._text = text
        self.source = source
        self._own = {source.name.lower(), *([alias.lower()] if alias else [])}

    def resolve(self, path: Path) -> Resolved:
        """Return what a path leads to.

        Raises:
            Refusal: there is no such field or relationship (``INVALID_FIELD``).
        """
        names = list(path.names)
        if len(names) > 1 and names[0].lower() in self._own and names[0].lower() not in self.source.parents:
            names.pop(0)
        if len(names) - 1 > DEEPEST:
            raise self.refusal(path, f"{path.text} goes through more than {DEEPEST} relationships")
        each: SObject | None = self.source
        several: list[SObject] = []
        steps: list[Step] = []
        for name in names[:-1]:
            lookup = None if each is None else each.parents.get(name.lower())
            if lookup is None:
                raise self.refusal(
                    path,
                    f"Didn't understand relationship '{name}' in field path. If you are attempting to use a "
                    "custom relationship, be sure to append the '__r' after the custom relationship name. "
                    "Please reference your WSDL or the describe call for the appropriate names.",
                )
            steps.append(Step(lookup, lookup.relationship or name))
            several = [found for to in lookup.references if (found := self._org.catalogue.find(to))]
            each = several[0] if len(several) == 1 else None
        last = names[-1]
        if len(several) > 1 and last.lower() == "id":
            # Ids are compared alike whatever they are of.
            return Resolved(tuple(steps), several[0].field("Id"), "Id")
        if steps and len(steps[-1].field.references) > 1:
            general = next((name for name in _OF_ANY if name.lower() == last.lower()), None)
            if general is not None:
                return Resolved(tuple(steps), None, general)
        if each is None:
            raise self._no_column(path, last, "Name")
        field = each.field(last)
        if field is None:
            raise self._no_column(path, last, each.name)
        return Resolved(tuple(steps), field, field.name)

    def children(self, name: str, at: int) -> Child:
        """Return a list of children of the query's object.

        Raises:
            Refusal: there is no such list (``INVALID_TYPE``).
        """
        child = self.source.child_lists.get(name.lower())
        if child is None:
            raise framed(
                self._text,
                at,
                "INVALID_TYPE",
                f"Didn't understand relationship '{name}' in FROM part of query call. If you are attempting "
                "to use a custom relationship, be sure to append the '__r' after the custom relationship "
                "name. Please reference your WSDL or the describe call for the appropriate names.",
            )
        return child

    def _no_column(self, path: Path, name: str, entity: str) -> Refusal:
        return self.refusal(
            path,
            f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be "
            "sure to append the '__c' after the custom field name. Please reference your WSDL or the "
            "describe call for the appropriate names.",
        )

    def refusal(self, path: Path, message: str, code: str = "INVALID_FIELD") -> Refusal:
        """Return the refusal of what is done with a field, in its place in the query."""
        return framed(self._text, path.at, code, message)


def source_of(org: Org, text: str, name: str, at: int) -> SObject:
    """Return the object that a query is of.

    Raises:
        Refusal: there is none, or it cannot be queried (``INVALID_TYPE``).
    """
    each = org.catalogue.find(name)
    if each is None:
        raise framed(
            text,
            at,
            "INVALID_TYPE",
            f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure "
            "to append the '__c' after the entity name. Please reference your WSDL or the describe call for "
            "the appropriate names.",
        )
    if not each.flags.get("queryable", True):
        message = f"entity type {each.name} does not support query"
        raise refusal("INVALID_TYPE_FOR_OPERATION", message, None)
    return each
