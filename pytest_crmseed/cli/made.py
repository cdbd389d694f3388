"""What a seed made, as a screen, as JSON, and as variables for the next step of a CI job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pytest_crmseed.cli.tables import columns, plural, shortened
from pytest_crmseed.ingest.entries import Entry
from pytest_crmseed.records import Record
from pytest_crmseed.seeder.seeder import Engine, Seed

# So many records of an object type have a line of their own on the screen.
LISTED = 10
# What people know a record by, the first that it has.
_NAMES = ("name", "subject", "email", "sku", "body")
_PERSON = ("first_name", "last_name")
_WIDTH = 40


@dataclass
class Made:
    """A run of ``crmseed seed`` and, once it is complete, its seed."""

    engine: Engine
    random_seed: int
    base_date: date
    seed: Seed | None = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.engine.run.run_id

    @property
    def portal(self) -> str:
        """The portal as ``provider/id``."""
        target = self.engine.target
        return f"{target.provider.name}/{target.account.portal_id}"

    @property
    def title(self) -> str:
        """A few words that name the portal to people."""
        target = self.engine.target
        file = target.address.file
        return target.title if file is None else f"{target.title} (in {relative(file)})"

    @property
    def command(self) -> str:
        """The command that removes what was made."""
        return f"crmseed cleanup --run {self.run_id}"

    def entries(self) -> list[Entry]:
        """Return what may exist in the portal, by the ledger, in the order it was made."""
        return list(reversed(self.engine.live()))

    @property
    def kept_until(self) -> float | None:
        """Until when the records stay, in seconds since 1970; None where none are kept."""
        return max((entry.kept_until for entry in self.entries() if entry.kept_until), default=None)


def relative(path: Any) -> str:
    """Return a path as people would write it here."""
    from pathlib import Path

    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def screen(made: Made) -> Iterator[str]:
    """Yield the lines that tell of what was made."""
    rows = [("record", "id", "name")]
    more = []
    counts: dict[str, int] = {}
    for name, index, record_id, title in _listed(made):
        counts[name] = counts.get(name, 0) + 1
        if counts[name] <= LISTED:
            rows.append((f"{name}[{index}]", record_id, shortened(title, _WIDTH)))
    for name, number in counts.items():
        if number > LISTED:
            more.append(f"{number - LISTED:,} more {name}")
    yield from columns(rows)
    if more:
        yield f"and {', '.join(more)}: --json prints them all"
    seed = made.seed
    how = f": {plural(seed.requests, 'request')}, {seed.seconds:.2f} s" if seed else ""
    yield f"{plural(sum(counts.values()), 'record')} in {made.title}{how}."
    yield f"Random seed {made.random_seed}, base date {made.base_date.isoformat()}."
    until = made.kept_until
    kept = f"Kept until {_shown(until)}; remove" if until is not None else "Remove"
    yield f"{kept} them with: {made.command}"


def _listed(made: Made) -> Iterator[tuple[str, int | str, str, str]]:
    """Yield object type, index, id and name of what was made."""
    if made.seed is not None:
        for record in made.seed.records:
            yield record.object_type, record.index, record.id, _name(record)
        return
    for entry in made.entries():
        if entry.id is not None:
            yield entry.object_type, "" if entry.index is None else entry.index, entry.id, ""


def _name(record: Record) -> str:
    person = [str(record[name]) for name in _PERSON if record.get(name)]
    if person:
        return " ".join(person)
    return next((str(value) for name in _NAMES if (value := record.get(name)) not in (None, "")), "")


def as_data(made: Made, error: str | None = None) -> dict[str, Any]:
    """Return what was made as JSON data; ``error`` is why not everything was."""
    urls = {(r.object_type, r.id): r.url for r in made.seed.records} if made.seed else {}
    keys = {(entry.object_type, entry.id): entry.key for entry in made.entries()}
    records: dict[str, list[dict[str, Any]]] = {}
    for name, index, record_id, _ in _listed(made):
        records.setdefault(name, []).append(
            {
                "index": index,
                "id": record_id,
                "key": keys.get((name, record_id)),
                "url": urls.get((name, record_id)),
            }
        )
    target = made.engine.target
    until = made.kept_until
    data: dict[str, Any] = {
        "run": made.run_id,
        "provider": target.provider.name,
        "portal": target.account.portal_id,
        "base_url": target.address.lasting,
        "random_seed": made.random_seed,
        "base_date": made.base_date.isoformat(),
        "kept_until": None if until is None else datetime.fromtimestamp(until, UTC).isoformat(),
        "records": records,
        "requests": made.seed.requests if made.seed else None,
        "seconds": round(made.seed.seconds, 3) if made.seed else None,
    }
    return data if error is None else {**data, "error": error}


def env_lines(made: Made) -> Iterator[str]:
    """Yield ``NAME=value`` lines: run, portal, and the ids of each object type, in order; no secrets."""
    target = made.engine.target
    yield f"CRM_RUN={made.run_id}"
    yield f"CRM_PROVIDER={target.provider.name}"
    yield f"CRM_PORTAL={target.account.portal_id}"
    if target.address.file is None:
        yield f"CRM_BASE_URL={target.address.base_url}"
    ids: dict[str, list[str]] = {}
    for name, _, record_id, _ in _listed(made):
        ids.setdefault(name, []).append(record_id)
    for name, listed in ids.items():
        yield f"CRM_{re.sub('[^A-Z0-9]+', '_', name.upper()).strip('_')}_IDS={','.join(listed)}"


def _shown(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
