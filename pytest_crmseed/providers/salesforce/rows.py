"""Drafts → the rows that make them, alone or in a graph, and the companions that go with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from pytest_crmseed.providers.salesforce import graph, linking, person_accounts, writing
from pytest_crmseed.providers.salesforce.capabilities import KEY
from pytest_crmseed.providers.salesforce.definitions import PRICE, PRICE_CURRENCY, base_of
from pytest_crmseed.providers.salesforce.legend import CONSTANTS
from pytest_crmseed.records import Batch, Draft
from pytest_crmseed.schema.model import ObjectType, Schema

# No id is longer: bodies are measured before the parents' ids are known.
_ID = "0" * 18
# What stands around a role, a price book entry and their places in a body.
_AROUND_COMPANIONS = 250


class Rows:
    """The rows of one org's records.

    ``book`` is the id of the standard price book, once it is known; ``entries`` are the ids of its entries
    by their product, since line items refer to them and not to products. ``schema`` gives the one that is
    worked by, ``native`` the name of an object type in it; ``has_key`` says whether its records have the
    field for our key.
    """

    def __init__(
        self, schema: Callable[[], Schema], *, native: Callable[[str], str], has_key: Callable[[str], bool]
    ) -> None:
        self.book = ""
        self.entries: dict[str, str] = {}
        self._schema = schema
        self._native = native
        self._has_key = has_key

    def need_book(self, object_type: str) -> bool:
        """Return whether rows of an object type name the standard price book, and it is not known yet."""
        return not self.book and object_type in ("products", "orders")

    def row(self, draft: Draft, ids: linking.Ids, entries: linking.Entries | None = None) -> writing.Row:
        """Return the row of a draft; ``entries`` are, by default, those that are known."""
        native = self._native(draft.object_type)
        object_type = self._schema().object_types.get(native) or ObjectType(native, native, native, {})
        known = self.entries if entries is None else entries
        row = {
            "attributes": {"type": base_of(native)},
            **CONSTANTS.get(native, {}),
            **person_accounts.record_type(object_type),
            **linking.homes(draft, ids, object_type, self._native, known),
            **{name: value for name, value in draft.values.items() if "." not in name},
            **({KEY: draft.key} if self._has_key(draft.object_type) else {}),
        }
        if draft.object_type == "orders":
            row.setdefault("Pricebook2Id", writing.book(self.book))
        return row

    def companions(self, draft: Draft, ids: linking.Ids, own: str = "") -> list[writing.Row]:
        """Return the companions of a draft; they name it by ``own``, which stands for its id, or our key."""
        if draft.object_type == "deals":
            return linking.roles(draft, ids, _named("Opportunity", draft, own))
        if draft.object_type != "products":
            return []
        currency = draft.values.get(PRICE_CURRENCY)
        return [
            {
                "attributes": {"type": "PricebookEntry"},
                "Pricebook2Id": writing.book(self.book),
                **_named("Product2", draft, own),
                # An entry has a price, and without an entry a product cannot be sold at all.
                "UnitPrice": draft.values.get(PRICE, 0),
                "IsActive": True,
                **({"CurrencyIsoCode": currency} if currency else {}),
            }
        ]

    def size(self, draft: Draft) -> int:
        """Return how many bytes a draft takes in a batch's body, rather a few too many."""
        ids = {(link.object_type, link.index or 0): _ID for link in draft.links}
        rows = [self.row(draft, ids, {}), *self.companions(draft, ids)]
        return len(json.dumps(rows, ensure_ascii=False).encode("utf-8")) + _AROUND_COMPANIONS

    def nodes(self, batches: Sequence[Batch]) -> dict[str, writing.Row] | None:
        """Return all rows of batches as the nodes of one graph, by name; None where that does not do."""
        if any(base_of(self._native(batch.object_type)) in graph.ASSIGNED for batch in batches):
            return None
        drafts = graph.in_order([draft for batch in batches for draft in batch.drafts])
        if not drafts:
            return None
        names = {(draft.object_type, draft.index): graph.reference(draft) for draft in drafts}
        ids = {record: graph.id_of(name) for record, name in names.items()}
        entries = self.entries | {
            ids[record]: graph.id_of(graph.companion(name, 0))
            for record, name in names.items()
            if record[0] == "products"
        }
        nodes: dict[str, writing.Row] = {}
        for _, group in groupby(drafts, key=lambda draft: draft.object_type):
            # Rows of one type side by side: triggers see them together.
            companions: dict[str, writing.Row] = {}
            for draft in group:
                name = names[draft.object_type, draft.index]
                nodes[name] = self._with_book(self.row(draft, ids, entries))
                for number, row in enumerate(self.companions(draft, ids, graph.id_of(name))):
                    companions[graph.companion(name, number)] = self._with_book(row)
            nodes |= companions
        return nodes

    def _with_book(self, row: writing.Row) -> writing.Row:
        # Nothing in a graph asks for it.
        known = self.book or "<Id of the standard Pricebook2>"
        return {name: known if value == writing.book("") else value for name, value in row.items()}


def _named(relation: str, draft: Draft, own: str) -> dict[str, Any]:
    """Return the field by which a companion names the record it goes with."""
    return {f"{relation}Id": own} if own else {relation: {KEY: draft.key}}
