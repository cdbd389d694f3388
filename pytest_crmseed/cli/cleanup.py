"""``crmseed cleanup``: remove what runs left, by the ledger or by the keys that records carry."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import click

from pytest_crmseed.cli.completion import complete_runs
from pytest_crmseed.cli.kept import kept_portal
from pytest_crmseed.cli.main import (
    EXIT_FAILED,
    Loaded,
    exit_code,
    fail,
    found_credentials,
    sentence,
    time_span,
    with_settings,
)
from pytest_crmseed.cli.runs import LEDGER_HELP, Left, no_ledger, read_runs
from pytest_crmseed.errors import (
    CrmseedError,
    GuardRefused,
    NotAPortal,
    UnknownName,
    Unreachable,
    UsageError,
)
from pytest_crmseed.ingest.cleaner import CleanupResult
from pytest_crmseed.ingest.entries import Run
from pytest_crmseed.ingest.ledger import Ledger
from pytest_crmseed.providers.base import Provider
from pytest_crmseed.seeder.target import Address

RUN_ID_LENGTH = 22
"""Characters of a run's id without suffixes."""

_START_AGAIN = (
    "If it was started with --db, start it again with that file (--base-url names another address); "
    "if not, its records ended with it."
)


@dataclass
class Outcome:
    """What a cleanup of several runs did, and the exit codes of its failures.

    ``gone`` are the records that went with the file of their local portal.
    """

    runs: int = 0
    removed: int = 0
    gone: int = 0
    left: int = 0
    errors: list[str] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)

    @property
    def exit_code(self) -> int:
        """The exit code: that of the failures where they are of one kind."""
        if not self.codes:
            return 0
        return next(iter(self.codes)) if len(self.codes) == 1 else EXIT_FAILED


@click.command(short_help="Remove what runs left.")
@click.option(
    "--run",
    "run_id",
    metavar="ID",
    shell_complete=complete_runs,
    help="The run to clean, as the test run's summary names it.",
)
@click.option("--all-mine", is_flag=True, help="Clean all runs in the ledger that are not running any more.")
@click.option(
    "--older-than",
    metavar="DURATION",
    callback=time_span,
    help="Clean the runs in the ledger that started longer ago, such as 2h, and are not running any more.",
)
@click.option(
    "--from-portal",
    is_flag=True,
    help="Clean without the ledger: remove what carries the key of a run that has expired.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(
    ledger=LEDGER_HELP,
    provider="The CRM that --from-portal searches",
    target="Where --from-portal searches: local or sandbox",
    base_url="The address of the portal, if it is not where the run was made any more",
    portal="Refuse runs that were made in any other portal than the one with this id",
    allow_production="Allow exactly the portal with this id though it is not provably a sandbox",
    empty_bin="Take the records out of the CRM's recycle bin, too (Salesforce)",
    rate="Send at most N requests in SECONDS, or P% of what the portal allows",
)
@click.pass_context
def cleanup(
    ctx: click.Context,
    loaded: Loaded,
    run_id: str | None,
    all_mine: bool,
    older_than: timedelta | None,
    from_portal: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Remove the records that runs left in a portal.

    By the ledger, a run is cleaned in the portal it was made in. Where the ledger is gone, as with a
    runner's disk, --from-portal finds records of ours by the key they carry, and removes those whose
    run has expired. Credentials for a sandbox come from the environment or .env, as for the test run.
    """
    if [run_id is not None, all_mine, older_than is not None, from_portal].count(True) != 1:
        raise click.UsageError("Say which: --run ID, --all-mine, --older-than DURATION or --from-portal.")
    if from_portal:
        from pytest_crmseed.cli.sweeping import sweep_portal

        ctx.exit(sweep_portal(loaded, dry_run=dry_run, as_json=as_json))
    known = read_runs(loaded)
    chosen = known if run_id is None else _named(run_id, known, loaded)
    if older_than is not None:
        chosen = [left for left in chosen if left.run.started_at <= time.time() - older_than.total_seconds()]
    work = [left for left in chosen if left.number]
    busy = [left for left in work if left.running] if run_id is None else []
    outcome = Outcome()
    for left in work:
        if left in busy:
            continue
        if dry_run:
            outcome.runs += 1
            outcome.left += left.number
        else:
            _clean_into(outcome, loaded, left)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "runs": outcome.runs,
                    "removed": outcome.removed,
                    "gone": outcome.gone,
                    "left": outcome.left,
                    "running": [left.run.run_id for left in busy],
                    "errors": outcome.errors,
                },
                indent=2,
            )
        )
    else:
        if dry_run:
            for left in work:
                if left not in busy:
                    counts = ", ".join(f"{name}={number}" for name, number in left.records.items())
                    click.echo(f"Would remove {counts} of run {left.run.run_id}.")
        click.echo(_summary(outcome, loaded))
        for left in busy:
            click.echo(
                f"Run {left.run.run_id} is {left.state}: its {left.number} records were left alone. "
                f"If that is not so, remove them with: crmseed cleanup --run {left.run.run_id}"
            )
    for error in outcome.errors:
        fail(error)
    ctx.exit(outcome.exit_code)


def _named(run_id: str, known: Sequence[Left], loaded: Loaded) -> list[Left]:
    # Workers with a portal of their own, and further providers, have the run's whole id with a suffix.
    whole = len(run_id) == RUN_ID_LENGTH
    chosen = [x for x in known if x.run.run_id == run_id or (whole and x.run.run_id.startswith(run_id))]
    if not chosen:
        if missing := no_ledger(loaded):
            raise UsageError(f"run {run_id!r} is not known.", remedy=missing)
        raise UnknownName(
            "run",
            run_id,
            [left.run.run_id for left in known],
            where=f"in the ledger {loaded.settings.ledger}",
            remedy="List them with `crmseed runs --all`.",
        )
    return chosen


def _summary(outcome: Outcome, loaded: Loaded) -> str:
    if not outcome.runs:
        return f"Nothing to remove. {no_ledger(loaded)}".rstrip()
    records = "record" if outcome.removed == 1 else "records"
    runs = "run" if outcome.runs == 1 else "runs"
    gone = f" {outcome.gone} more went with the file of their local portal." if outcome.gone else ""
    return f"{outcome.removed} {records} of {outcome.runs} {runs} removed, {outcome.left} left.{gone}"


def _clean_into(outcome: Outcome, loaded: Loaded, left: Left) -> None:
    outcome.runs += 1
    try:
        result = _clean(loaded, left.run)
        if result is None:
            outcome.gone += _forget(loaded, left.run)
            return
    except CrmseedError as error:
        outcome.left += left.number
        outcome.errors.append(f"run {left.run.run_id}: {sentence(error)}")
        outcome.codes.add(exit_code(error))
        return
    outcome.removed += result.removed
    outcome.left += len(result.left)
    outcome.errors += [f"run {left.run.run_id}: {sentence(text)}" for text in result.errors]
    if result.left or result.errors:
        outcome.codes.add(EXIT_FAILED)


def _clean(loaded: Loaded, run: Run) -> CleanupResult | None:
    """Remove a run's records; return what came of it, or None where its portal is a file that is gone."""
    from pytest_crmseed.providers.registry import load

    provider = load(run.provider)
    path = None if loaded.settings.base_url else _file_of(run)
    if path is None:
        return _clean_at(loaded, run, provider, _address(loaded, run, provider))
    if not path.exists():
        return None
    with kept_portal(path, loaded.settings, provider) as address:
        try:
            return _clean_at(loaded, run, provider, address)
        except GuardRefused as error:
            if error.guard != "pin":
                raise
            # A file of the same name, made anew since.
            return None


def _file_of(run: Run) -> Path | None:
    """Return the file of the local portal that a run was made in, if it was a kept one."""
    parts = urlsplit(run.base_url)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _forget(loaded: Loaded, run: Run) -> int:
    """Take a run's records for gone, as the file of their portal is; return how many they are."""
    with Ledger(loaded.settings.ledger) as ledger:
        entries = ledger.live(run.run_id)
        ledger.gone(run.run_id, entries)
    return len(entries)


def _address(loaded: Loaded, run: Run, provider: type[Provider]) -> Address:
    from pytest_crmseed.seeder.target import address_at, sandbox_address

    settings = loaded.settings
    url = settings.base_url or run.base_url
    where = f"{provider.title} portal {run.portal_id}"
    if run.target == "local":
        try:
            return address_at(url, provider, {}, target="local", asked=True)
        except Unreachable as error:
            raise Unreachable(f"its local portal does not answer at {url}.", remedy=_START_AGAIN) from error
        except UsageError as error:
            raise NotAPortal(f"what answers at {url} is no local portal.", remedy=_START_AGAIN) from error
    if settings.portal not in (None, run.portal_id):
        raise GuardRefused(
            "pin",
            f"it was made in {where}, and {settings.origin('portal')} pins {settings.portal}. "
            "Nothing was deleted.",
            remedy=f"Give --portal {run.portal_id} if you mean that portal.",
        )
    secrets = found_credentials(loaded, provider)
    missing = [c.variable for c in provider.credentials if c.required and not secrets.get(c.variable)]
    if missing:
        raise UsageError(
            f"it was made in {where}, and {' and '.join(missing)} is not set.",
            remedy="Set it in the environment or in .env.",
        )
    return sandbox_address(provider, secrets, base_url=url)


def _clean_at(loaded: Loaded, run: Run, provider: type[Provider], address: Address) -> CleanupResult:
    from pytest_crmseed.seeder import assemble

    settings = loaded.settings
    where = f"{provider.title} portal {run.portal_id}"
    try:
        target = assemble.open_by_settings(settings, provider, address, pin=run.portal_id, schema="known")
    except GuardRefused as error:
        if error.guard != "pin":
            raise
        # Ids mean something else in another portal.
        raise GuardRefused(
            "pin",
            f"it was made in {where}, and what answers at {address.lasting} is another portal. Nothing "
            "was deleted.",
            remedy=_START_AGAIN if run.target == "local" else "Use the credentials of that portal.",
        ) from error
    try:
        with Ledger(settings.ledger) as ledger:
            engine = assemble.engine(settings, target, assemble.run_of(settings, run.run_id), ledger=ledger)
            return engine.clean_entries(ledger.live(run.run_id))
    finally:
        target.close()
