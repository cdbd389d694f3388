"""Rows that a query can find at all, where an index tells: few ids or unique values of very many rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_crmseed.portal.salesforce import ids, values
from pytest_crmseed.portal.salesforce.definitions import Field, SObject
from pytest_crmseed.portal.salesforce.errors import Refusal
from pytest_crmseed.portal.salesforce.rows import Row
from pytest_crmseed.portal.salesforce.soql.resolving import Names
from pytest_crmseed.portal.salesforce.soql.tree import Comparison, Condition, Every, Membership, Path

if TYPE_CHECKING:
    from pytest_crmseed.portal.salesforce.org import Org


def candidates(
    org: Org, source: SObject, where: Condition | None, names: Names, *, deleted: bool
) -> list[Row] | None:
    """Return rows among which are all that a condition can find, oldest first; None: it may be any."""
    for path, texts in _listed(where):
        try:
            resolved = names.resolve(path)
        except Refusal:
            # Told when the condition is read.
            continue
        field = resolved.field
        if field is None or resolved.steps:
            continue
        rows = _by(org, source, field, texts)
        if rows is not None:
            # Of rows in the recycle bin the ids alone are indexed.
            gone = org.rows.scan(source, deleted=True) if deleted and field.type != "id" else ()
            unique = {row.record.id: row for row in (*rows, *gone)}
            return [unique[number] for number in sorted(unique)]
    return None


def _listed(where: Condition | None) -> Iterator[tuple[Path, Sequence[str]]]:
    """Yield the fields that must have one of some texts."""
    match where:
        case Comparison(path, "=", str(value)):
            yield path, [value]
        case Membership(path, tuple(listed), negated=False):
            texts = [value for value in listed if isinstance(value, str)]
            if len(texts) == len(listed):
                yield path, texts
        case Every(conditions):
            for condition in conditions:
                yield from _listed(condition)


def _by(org: Org, source: SObject, field: Field, texts: Sequence[str]) -> list[Row] | None:
    if field.type == "id":
        return [row for row in org.rows.by_ids(texts).values() if row.object.name == source.name]
    if field.unique:
        held = (org.rows.holder(source, field.name, values.comparable(field, text)) for text in texts)
        return [row for row in held if row is not None]
    if field.references and all(_linked(org, text) for text in texts):
        found: list[Row] = []
        for parent in org.rows.by_ids(texts).values():
            numbers = [n for _, n, name in org.rows.children(parent, source.name) if name == field.name]
            found += org.rows.get(source, numbers).values()
        return found
    return None


def _linked(org: Org, text: str) -> bool:
    """Whether rows that refer to an id are kept by it: not those of the org itself."""
    parsed = ids.parse(text)
    if parsed is None or parsed.number is None:
        return False
    each = org.catalogue.of_id(parsed.prefix)
    return each is not None and not org.rows.is_system(each)
