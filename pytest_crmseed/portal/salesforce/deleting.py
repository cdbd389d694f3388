"""Deletes: what goes with a row, what stops it, and what only loses its lookup.

Salesforce docs, "sObject Describe": ``cascadeDelete`` and ``restrictedDelete`` of child relationships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce.errors import locked, refusal
from pytest_crmseed.portal.salesforce.rules import rules_of
from pytest_crmseed.portal.salesforce.writing import run_trigger

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.definitions import Child
    from pytest_crmseed.portal.salesforce.rows import Row
    from pytest_crmseed.portal.salesforce.writing import Writer


def delete(writer: Writer, row: Row) -> None:
    """Put a row into the recycle bin, with what goes with it.

    Raises:
        Refusal: something keeps it; then nothing is deleted.
    """
    if not row.object.flags["deletable"]:
        message = "insufficient access rights on object id"
        raise refusal("INSUFFICIENT_ACCESS_OR_READONLY", message)
    rules_of(row.object.name).deleting_alone(writer, row)
    going: dict[str, Row] = {}
    held: list[tuple[Row, Row]] = []
    _collect(writer, row, going, held)
    stopping = [(parent, child) for parent, child in held if child.id not in going]
    if stopping:
        parent = stopping[0][0]
        raise _associated(parent, [child for other, child in stopping if other is parent])
    now = writer.org.now()
    for each in going.values():
        run_trigger(writer.org, each.object, "before delete")
    for each in going.values():
        _let_go(writer, each, going)
    for each in going.values():
        writer.org.rows.delete(each, now)
    for each in going.values():
        rules_of(each.object.name).deleted(writer, each)


def _collect(writer: Writer, row: Row, going: dict[str, Row], held: list[tuple[Row, Row]]) -> None:
    """Add a row and what goes with it, parents before their children, and pairs of a row and what holds it.

    Raises:
        Refusal: a rule keeps one of them.
    """
    if row.id in going:
        return
    taken = writer.org.switches.locked
    if row.id in taken or row.id[:15] in taken:
        raise locked(row.id)
    rules_of(row.object.name).deleting(writer, row)
    going[row.id] = row
    for child, effect in _children(writer, row):
        if effect.cascade:
            _collect(writer, child, going, held)
        elif effect.restrict:
            held.append((row, child))


def _let_go(writer: Writer, row: Row, going: dict[str, Row]) -> None:
    """Let rows that stay lose their lookup to one that goes."""
    for child, effect in _children(writer, row):
        if child.id not in going and not effect.cascade:
            writer.touch(child, **{effect.field: None})


def _children(writer: Writer, row: Row) -> list[tuple[Row, Child]]:
    rows = writer.org.rows
    effects = {(child.object, child.field): child for child in row.object.children}
    found: list[tuple[Row, Child]] = []
    numbers: dict[str, list[int]] = {}
    links = rows.children(row)
    for name, number, _ in links:
        numbers.setdefault(name, []).append(number)
    loaded = {name: rows.get(writer.org.object(name), some) for name, some in numbers.items()}
    for name, number, field in links:
        child, effect = loaded[name].get(number), effects.get((name, field))
        if child is not None and not child.deleted and effect is not None:
            found.append((child, effect))
    return found


def _associated(row: Row, stopping: list[Row]) -> Exception:
    first = stopping[0].object
    names = next((field.name for field in first.fields if field.facts["nameField"]), "Id")
    same = [child for child in stopping if child.object.name == first.name]
    listed = ", ".join(child[names] or child.id for child in same)
    message = (
        f"Your attempt to delete {row['Name'] or row.id} could not be completed because it is associated with"
        f" the following {first.label_plural.lower()}.: {listed}\n"
    )
    return refusal("DELETE_FAILED", message)
