"""``crmseed seed``: make records that stay, as a run that ``crmseed cleanup`` removes."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import click

from pytest_crmseed.cli import options
from pytest_crmseed.cli.completion import complete_counts
from pytest_crmseed.cli.counts import counts_of
from pytest_crmseed.cli.interrupt import as_interrupt
from pytest_crmseed.cli.kept import some_portal
from pytest_crmseed.cli.made import Made, as_data, env_lines, screen
from pytest_crmseed.cli.main import EXIT_INTERRUPTED, Loaded, exit_code, fail, sentence, warn, with_settings
from pytest_crmseed.errors import CrmseedError, RecordsRefused, UsageError
from pytest_crmseed.planning import Count
from pytest_crmseed.providers.registry import load
from pytest_crmseed.seeder.report import Report, check_writable, unwritable, write_report, write_summary


@click.command(short_help="Make records that stay.")
@click.argument("counts", nargs=-1, metavar="[OBJECT=N]...", shell_complete=complete_counts)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A plan in TOML: counts, values, links. OBJECT=N wins over its numbers.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the ids as NAME=value lines, for the next step of a CI job; $GITHUB_ENV is added to.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(**options.PORTAL, **options.DATA, **options.WRITING)
@click.pass_context
def seed(
    ctx: click.Context,
    loaded: Loaded,
    counts: tuple[str, ...],
    plan_file: Path | None,
    env_file: Path | None,
    as_json: bool,
) -> None:
    """Make N records of each OBJECT, and what they depend on, and keep them.

    `crmseed seed deals=50 contacts=200` prints the ids. What was made is a run of its own; `crmseed
    cleanup --run ID` removes it, `crmseed runs` lists it. When something fails or Ctrl-C is pressed,
    everything is undone, unless --on-error says keep-good. Without a configured portal the records go
    into a local one that is kept in .crmseed/portal.sqlite.
    """
    wanted = counts_of(counts, plan_file)
    for path in (env_file, loaded.settings.report):
        if path is not None:
            check_writable(path)
    with as_interrupt():
        code = Seeding(loaded, as_json=as_json, env_file=env_file).run(wanted)
    ctx.exit(code)


class Seeding:
    """One run of the command."""

    def __init__(self, loaded: Loaded, *, as_json: bool, env_file: Path | None) -> None:
        settings = loaded.settings
        self._loaded = loaded
        self._settings = settings
        self._as_json = as_json
        self._env_file = env_file
        self._started = time.time()
        given = settings.random_seed
        self._random_seed = random.SystemRandom().randrange(2**32) if given is None else given
        self._base_date = settings.base_date or date.today()
        self._swept: dict[str, int] = {}
        self._refused = 0

    def run(self, counts: Mapping[str, Count]) -> int:
        """Seed, print what was made, and return the exit code.

        Raises:
            CrmseedError: before anything was made.
        """
        from pytest_crmseed.cli.progress import Progress
        from pytest_crmseed.seeder import assemble
        from pytest_crmseed.seeder.sweep import Sweeper

        settings = self._settings
        provider = load(settings.provider)
        recipe = assemble.recipe_of(settings, random_seed=self._random_seed, base_date=self._base_date)
        progress = Progress()
        with some_portal(self._loaded, provider, make=True) as address:
            target = assemble.open_by_settings(
                settings,
                provider,
                address,
                listener=progress.hear,
                schema="refreshed" if settings.refresh_schema else "read",
            )
            try:
                for note in target.chosen.notes:
                    warn(note)
                run = assemble.run_of(settings, assemble.make_run_id())
                engine = assemble.engine(settings, target, run, listener=progress.hear)
                made = Made(engine, self._random_seed, self._base_date)
                try:
                    swept = Sweeper(engine).by_ledger()
                    self._tell_swept(swept.removed, swept.errors)
                    try:
                        with progress:
                            made.seed = engine.seed(counts, recipe, node="crmseed seed", keep=True)
                    except BaseException as error:
                        return self._failed(made, error)
                    return self._succeeded(made)
                finally:
                    engine.end()
                    engine.ledger.close()
            finally:
                target.close()

    def _tell_swept(self, removed: Mapping[str, int], errors: list[str]) -> None:
        self._swept = dict(removed)
        for run_id, number in removed.items():
            warn(f"{number} records that run {run_id} had left were removed first.")
        for text in errors:
            warn(f"An earlier run's records could not be removed: {text} Try `crmseed cleanup --all-mine`.")

    # -- what came of it -------------------------------------------------------------------------
    def _succeeded(self, made: Made) -> int:
        self._print(made)
        self._write_env(made)
        self._report(made)
        return 0

    def _failed(self, made: Made, error: BaseException) -> int:
        """Say what failed and what is left, and return the exit code; other errors go on."""
        if isinstance(error, KeyboardInterrupt):
            return self._interrupted(made, error)
        if not isinstance(error, CrmseedError):
            raise error
        if isinstance(error, RecordsRefused):
            self._refused = len(error.results)
        good = made.entries() if self._settings.on_error == "keep-good" else []
        if good or self._as_json:
            self._print(made, error)
        if good:
            self._write_env(made)
        self._report(made, error)
        fail(error)
        return exit_code(error)

    def _interrupted(self, made: Made, error: KeyboardInterrupt) -> int:
        # The engine's own note: an undo that was interrupted as well has left none.
        notes = [note.removeprefix("crmseed: ") for note in getattr(error, "__notes__", ())]
        left = len(made.entries())
        if left and not any("cleanup --run" in note for note in notes):
            notes = [f"{left} records may be left; remove them with: {made.command}"]
        fail(f"interrupted. {' '.join(notes) or 'Nothing was made.'}")
        self._report(made, error)
        return EXIT_INTERRUPTED

    def _print(self, made: Made, error: CrmseedError | None = None) -> None:
        if self._as_json:
            click.echo(json.dumps(as_data(made, sentence(error) if error else None), indent=2))
            return
        for line in screen(made):
            click.echo(line)

    def _write_env(self, made: Made) -> None:
        if self._env_file is None:
            return
        # The file of a GitHub job collects the variables of all steps.
        shared = os.environ.get("GITHUB_ENV")
        adding = bool(shared) and self._env_file.resolve() == Path(shared or "").resolve()
        try:
            with self._env_file.open("a" if adding else "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in env_lines(made))
        except OSError as error:
            told = unwritable(self._env_file, error)
            raise UsageError(
                f"the records were made, and {told.message}", remedy=f"Remove them with: {made.command}"
            ) from error

    def _report(self, made: Made, error: BaseException | None = None) -> None:
        left = made.entries()
        kept = sum(1 for entry in left if entry.kept_until is not None)
        plan = made.seed.plan.counts if made.seed else {}
        report = Report(
            run=made.run_id,
            settings=self._settings,
            random_seed=self._random_seed,
            base_date=self._base_date,
            started_at=self._started,
            ended_at=time.time(),
            portals={made.portal: made.title},
            records=plan,
            seeds=1 if made.seed else 0,
            requests=made.seed.requests if made.seed else 0,
            seconds=made.seed.seconds if made.seed else 0.0,
            kept=kept,
            left={made.run_id: len(left) - kept} if len(left) > kept else {},
            swept=self._swept,
            refused=self._refused,
            troubles=[sentence(str(error)) or "interrupted"] if error else [],
        )
        if self._settings.report is not None:
            write_report(report, self._settings.report)
        if trouble := write_summary(report, os.environ, title="crmseed seed"):
            warn(trouble)
