"""Wait until a portal's search finds what was written: its index trails behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from pytest_crmseed.errors import PortalError
from pytest_crmseed.records import Record
from pytest_crmseed.seeder.target import Target

# Seconds between two searches: the first soon, since an index is seldom far behind, then ever less often.
_PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0)


def wait_until_searchable(
    target: Target,
    records: Iterable[Record],
    *,
    seconds: float = 60.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return as soon as the portal's search finds all of ``records``.

    Raises:
        PortalError: it does not within ``seconds``, or the portal cannot be searched.
    """
    missing: dict[str, set[str]] = {}
    for record in records:
        missing.setdefault(record.object_type, set()).add(record.id)
    started = clock()
    rounds = 0
    while True:
        for object_type, ids in list(missing.items()):
            ids -= target.connection.run(target.provider.searchable(object_type, sorted(ids)))
            if not ids:
                del missing[object_type]
        if not missing:
            return
        waited = clock() - started
        if waited >= seconds:
            counts = ", ".join(f"{len(ids)} {name}" for name, ids in missing.items())
            raise PortalError(
                f"After {waited:.0f} s the search of {target.title} does not find {counts}.",
                remedy="Wait longer: wait_until_searchable(records, seconds=120).",
            )
        pause = _PAUSES[min(rounds, len(_PAUSES) - 1)]
        sleep(min(pause, seconds - waited))
        rounds += 1
