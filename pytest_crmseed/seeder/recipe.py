"""What a seed depends on, and what it is once made."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pytest_crmseed.factories import CRMFactory, default_factories
from pytest_crmseed.ingest.entries import Run
from pytest_crmseed.planning import Plan
from pytest_crmseed.records import SeededRecords
from pytest_crmseed.seeder.target import Target


@dataclass(frozen=True)
class Recipe:
    """What generated values depend on, and which factories make them."""

    random_seed: int
    base_date: date
    locale: str = "en_US"
    email_domain: str = "example.com"
    factories: Mapping[str, type[CRMFactory]] = field(default_factory=dict)

    def factory_of(self) -> Mapping[str, type[CRMFactory]]:
        """Return the factories by object type, the caller's before the stock ones."""
        return {**default_factories(), **self.factories}


@dataclass(frozen=True)
class RunInfo:
    """The run that records belong to: its id; how many seconds until it expires and kept records stay."""

    run_id: str
    expires_after: float = 7200.0
    keep_for: float = 86400.0
    worker: str = ""


@dataclass
class Seed:
    """One seed: its records, and what cleanup needs to know of it.

    ``shared`` marks a seed that several processes use and another one removes, ``joined`` one that
    another process made.
    """

    name: str
    plan: Plan
    records: SeededRecords
    keep: bool = False
    seconds: float = 0.0
    requests: int = 0
    shared: bool = False
    joined: bool = False


def run_in(target: Target, info: RunInfo, now: float) -> Run:
    """Return the ledger's entry of a run that begins in a portal now."""
    return Run(
        run_id=info.run_id,
        provider=target.provider.name,
        portal_id=target.account.portal_id,
        target="local" if target.address.is_local else "sandbox",
        base_url=target.address.lasting,
        pid=os.getpid(),
        host=socket.gethostname(),
        worker=info.worker,
        started_at=now,
        heartbeat_at=now,
        expires_at=now + info.expires_after,
        ephemeral=target.address.private,
    )
