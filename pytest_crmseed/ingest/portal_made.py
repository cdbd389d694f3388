"""Records that the portal made by itself for ours: found before ours go, and taken into their cleanup."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.entries import Entry, State
from pytest_crmseed.ingest.keys import unique_tag
from pytest_crmseed.ingest.ledger import Ledger


def take_in(connection: Connection, ledger: Ledger, entries: Iterable[Entry]) -> list[Entry]:
    """Note in the ledger what the portal made for the records of ``entries``, and return those entries.

    Only a record whose domain is of the seed's own unique subdomain is taken: that label stands in no
    address but those of this seed. Everything else that is linked to our records is somebody's.

    Raises:
        PortalError: the portal cannot be read.
    """
    provider = connection.provider
    seeds: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        if entry.key is not None and entry.id is not None and entry.object_type in provider.portal_makes_for:
            seeds.setdefault((entry.run_id, entry.seed, entry.object_type), []).append(entry)
    taken: list[Entry] = []
    for (run_id, seed, object_type), group in seeds.items():
        known = {(entry.object_type, entry.id) for entry in ledger.live(run_id)}
        ours = {record_id for _, record_id in known if record_id is not None}
        ids = [str(entry.id) for entry in group]
        tag = unique_tag(run_id, seed)
        for made in connection.run(provider.portal_made(object_type, ids, ours)):
            if tag in made.domain.split(".") and (made.object_type, made.id) not in known:
                ledger.adopt(run_id, seed, made.object_type, made.id)
                known.add((made.object_type, made.id))
                taken += [
                    entry
                    for entry in ledger.live(run_id, seed)
                    if (entry.object_type, entry.id, entry.state) == (made.object_type, made.id, State.KNOWN)
                ]
    return taken
