"""What came of a run, for machines (JSON) and for the page of a CI job (Markdown)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pytest_crmseed._version import __version__
from pytest_crmseed.errors import UsageError
from pytest_crmseed.settings import SETTINGS, Settings, shown

FORMAT = 1

# GitHub Actions: the file whose Markdown becomes the job's page ("Workflow commands", adding a job summary).
SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a run: plain numbers and texts.

    ``portals`` go by ``provider/id``; ``records`` by object type; ``left`` and ``swept`` by run id;
    ``changed`` by field; ``tests`` are those that were seeded for, each with its outcome and its seeds.
    """

    run: str
    settings: Settings
    random_seed: int
    base_date: date
    started_at: float
    ended_at: float
    portals: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, int] = field(default_factory=dict)
    seeds: int = 0
    requests: int = 0
    seconds: float = 0.0
    removed: int = 0
    kept: int = 0
    left: Mapping[str, int] = field(default_factory=dict)
    swept: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0
    retries: int = 0
    lost: int = 0
    changed: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    troubles: Sequence[str] = ()
    tests: Sequence[Mapping[str, Any]] = ()

    @property
    def told(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.seeds or self.left or self.troubles or self.refused or self.swept)


def document(report: Report) -> dict[str, Any]:
    """Return a report as JSON data; ``format`` grows when a key changes its meaning."""
    settings = report.settings
    return {
        "format": FORMAT,
        "version": __version__,
        "run": report.run,
        "started_at": _iso(report.started_at),
        "ended_at": _iso(report.ended_at),
        "random_seed": report.random_seed,
        "base_date": report.base_date.isoformat(),
        "settings": {
            name: {"value": shown(getattr(settings, name)), "origin": settings.origin(name)}
            for name in SETTINGS
            if settings.origin(name) != "default" or name in ("provider", "target")
        },
        "portals": dict(report.portals),
        "records": dict(report.records),
        "seeds": report.seeds,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "removed": report.removed,
        "kept": report.kept,
        "left": dict(report.left),
        "swept": dict(report.swept),
        "refused": report.refused,
        "errors": str(settings.errors) if report.refused else None,
        "retries": report.retries,
        "lost_answers": report.lost,
        "changed": dict(report.changed),
        "notes": list(dict.fromkeys(report.notes)),
        "troubles": list(dict.fromkeys(report.troubles)),
        "tests": list(report.tests),
    }


def write_report(report: Report, path: Path) -> None:
    """Write a report as JSON.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document(report), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from error


def check_writable(path: Path) -> None:
    """Check that a report can be written, before anything is seeded; an existing file stays as it is.

    Raises:
        UsageError: it cannot.
    """
    try:
        # A file in the folder's place is told as that by the opening below, and as something else by mkdir.
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        existed = path.exists()
        path.open("a", encoding="utf-8").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> UsageError:
    """Return the error of an output file that cannot be written."""
    return UsageError(
        f"{path} cannot be written: {error.strerror or error}.", remedy="Name a file that can be written to."
    )


def write_summary(report: Report, environ: Mapping[str, str], *, title: str = "crmseed") -> str:
    """Append a report to the page of a GitHub job, if there is one; return why it could not be, or ""."""
    target = environ.get(SUMMARY_VARIABLE, "")
    if not target or not report.told:
        return ""
    try:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write("\n".join(markdown(report, title=title)) + "\n")
    except OSError as error:
        return f"The job's summary ({SUMMARY_VARIABLE}) cannot be written: {error.strerror or error}."
    return ""


def markdown(report: Report, *, title: str = "crmseed") -> Iterable[str]:
    """Yield the lines of a report in GitHub's Markdown."""
    yield f"### {_escaped(title)}"
    yield ""
    if report.records:
        yield "| object | records |"
        yield "|---|---:|"
        for name, number in report.records.items():
            yield f"| {_escaped(name)} | {number:,} |"
        yield ""
    if report.seeds:
        seeds = "1 seed" if report.seeds == 1 else f"{report.seeds:,} seeds"
        yield (
            f"{sum(report.records.values()):,} records in {seeds}: {report.requests:,} requests in "
            f"{report.seconds:.2f} s; {report.removed:,} removed."
        )
    for portal in report.portals.values():
        yield f"- {_escaped(portal)}, run `{report.run}`"
    if report.kept:
        yield f"- {report.kept:,} records are kept; remove them with `crmseed cleanup --run {report.run}`"
    if report.refused:
        yield f"- ❌ {report.refused:,} records were refused; details: `{report.settings.errors}`"
    for run, number in report.left.items():
        what = f"{number:,} records are left" if number else "Records may be left"
        yield f"- ❌ {what}; remove them with `crmseed cleanup --run {run}`"
    for run, number in report.swept.items():
        yield f"- {number:,} records that run `{run}` had left were removed first"
    for text in dict.fromkeys(report.troubles):
        yield f"- ❌ {_escaped(text)}"
    for text in dict.fromkeys(report.notes):
        yield f"- ⚠️ {_escaped(text)}"
    yield ""


def _escaped(text: str) -> str:
    # One line, in which nothing is a tag, a cell's end or a mark.
    line = " ".join(text.split())
    for mark in "\\`*_[]|":
        line = line.replace(mark, f"\\{mark}")
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
