"""Records that the portal made by itself for ours: found before ours go, and removed with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.entries import Entry
from pytest_crmseed.ingest.keys import unique_tag
from pytest_crmseed.ingest.ledger import Ledger


def take_in(
    connection: Connection, ledger: Ledger, object_type: str, records: Mapping[str, Sequence[Entry]]
) -> list[Entry]:
    """Note in the ledger what the portal made for records of one object type, and return those entries.

    ``records`` are ledger entries by id. Only a record whose domain has the unique label of a seed is
    taken, which stands in no address but those of that seed. Whatever else is linked to our records is
    somebody's.

    Raises:
        PortalError: the portal cannot be asked.
    """
    provider = connection.provider
    if object_type not in provider.portal_makes_for:
        return []
    seeds: dict[tuple[str, str], list[str]] = {}
    for record_id, entries in records.items():
        for entry in entries:
            if entry.key is not None:
                seeds.setdefault((entry.run_id, entry.seed), []).append(record_id)
    taken: list[Entry] = []
    for (run_id, seed), ids in seeds.items():
        ours = {entry.id for entry in ledger.live(run_id) if entry.id is not None}
        label = unique_tag(run_id, seed)
        adopted = set()
        for made in connection.run(provider.portal_made(object_type, ids, ours)):
            if label in made.domain.split("."):
                ledger.made_by_portal(run_id, seed, made.object_type, made.id)
                adopted.add((made.object_type, made.id))
        taken += [entry for entry in ledger.live(run_id, seed) if (entry.object_type, entry.id) in adopted]
    return taken
