"""``crmseed debug-script``: a file that needs ``requests`` alone, run against its portal."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_crmseed import LocalPortal
from pytest_crmseed.providers.registry import load

Crmseed = Callable[..., Any]
Serve = Callable[..., LocalPortal]

# Runs each script as its own main module, and prints how it ended.
DRIVER = """
import contextlib, io, runpy, sys
for path in sys.argv[1:]:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(path, run_name="__main__")
    except BaseException as error:
        print(path, "failed:", repr(error), said.getvalue()[-2000:])
    else:
        print(path, "done:", said.getvalue().splitlines()[-1])
assert not any(name.startswith("pytest") for name in sys.modules)
"""

PROVIDERS = ["hubspot", "salesforce", "pipedrive"]


def run(portal: LocalPortal, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environ |= {**portal.environ, "CRMSEED_BASE_URL": portal.base_url, **more}
    return subprocess.run(
        [sys.executable, *arguments], env=environ, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_object_type_is_made_and_deleted(
    crmseed: Crmseed, serve: Serve, folder: Path, provider: str
) -> None:
    portal = serve()
    at = ("--provider", provider, "--base-url", portal.base_url)
    names = list(load(provider).legend.objects)
    for name in names:
        screen = crmseed("debug-script", name, *at, "-o", f"{name}.py")
        assert (screen.code, screen.err) == (0, "")
    assert portal.stats()["requests"]["writes"] == 0
    ran = run(portal, "-c", DRIVER, *(f"{name}.py" for name in names))
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [[f"{name}.py", "done:", name] for name in names], lines
    assert not any(portal.stats()["records"][provider].values())
    assert portal.stats()["requests"]["writes"] >= len(names)


def test_a_script_shows_all_and_holds_no_secret(crmseed: Crmseed, serve: Serve, folder: Path) -> None:
    portal = serve()
    screen = crmseed("debug-script", "deals", "--base-url", portal.base_url, "-o", "deep/debug.py")
    assert screen.out == (
        "deep/debug.py: makes and deletes deals. Run it with\n  HUBSPOT_ACCESS_TOKEN=… python deep/debug.py\n"
    )
    text = (folder / "deep" / "debug.py").read_text()
    tree = ast.parse(text)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"json", "os", "sys", "requests"}
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))
    for secret in (portal.seed_token, portal.token):
        assert secret not in text
    # A record of ours: a sweep finds it, should it be left.
    assert "'crmseed_key': 'crmseed-1-" in text
    ran = run(portal, str(folder / "deep" / "debug.py"))
    assert ran.returncode == 0, ran.stderr
    assert f"> POST {portal.base_url}/crm/objects/2026-03/deals/batch/create\n" in ran.stdout
    assert "> Authorization: ***\n" in ran.stdout
    assert "< 201 Created\n" in ran.stdout and '"status":"COMPLETE"' in ran.stdout.replace(" ", "")
    assert portal.token not in ran.stdout


def test_a_refusal_is_printed_whole_and_parents_are_deleted(
    crmseed: Crmseed, serve: Serve, folder: Path
) -> None:
    portal = serve()
    crmseed(
        "debug-script", "line_items", "--provider", "salesforce", "--base-url", portal.base_url, "-o", "s.py"
    )  # fmt: skip
    text = (folder / "s.py").read_text()
    (folder / "s.py").write_text(text.replace("'Quantity':", "'Quantty':"))
    ran = run(portal, "s.py")
    assert ran.returncode == 1
    assert "The record was not made: see the answer above.\n" in ran.stderr
    assert "Quantty" in ran.stdout.split("create 1 line_items")[1]
    assert not any(portal.stats()["records"]["salesforce"].values())


@pytest.mark.parametrize(
    ("provider", "right", "wrong"),
    [
        ("hubspot", "'inputs'", "'input'"),
        # Refused with a status of success.
        ("salesforce", "['ids', ids['contacts']]", "['ids', '003000000000000AAA']"),
        ("pipedrive", "'/api/v2/persons/' + ids['contacts']", "'/api/v2/persons/999999'"),
    ],
)
def test_a_deletion_that_is_refused_is_told(
    crmseed: Crmseed, serve: Serve, folder: Path, provider: str, right: str, wrong: str
) -> None:
    portal = serve()
    crmseed("debug-script", "contacts", "--provider", provider, "--base-url", portal.base_url, "-o", "s.py")
    making, _, deleting = (folder / "s.py").read_text().partition("finally:")
    assert deleting.count(right) == 1
    (folder / "s.py").write_text(f"{making}finally:{deleting.replace(right, wrong)}")
    ran = run(portal, "s.py")
    assert ran.returncode == 1
    assert ran.stderr.startswith("Not deleted, see the answers above: contacts ")
    assert "was made and deleted" not in ran.stdout


def test_without_a_token_it_says_which(crmseed: Crmseed, serve: Serve, folder: Path) -> None:
    portal = serve()
    script = crmseed("debug-script", "companies", "--base-url", portal.base_url).out
    (folder / "s.py").write_text(script)
    ran = run(portal, "s.py", HUBSPOT_ACCESS_TOKEN="")
    assert (ran.returncode, ran.stderr) == (1, "HUBSPOT_ACCESS_TOKEN is not set in the environment\n")


def test_by_default_it_is_written_for_the_vendor(crmseed: Crmseed, folder: Path) -> None:
    assert "or 'https://api.hubapi.com')" in crmseed("debug-script", "deals").out
    pipedrive = crmseed("debug-script", "deals", "--provider", "pipedrive").out
    assert "or 'https://' + variable('PIPEDRIVE_COMPANY_DOMAIN') + '.pipedrive.com')" in pipedrive
    salesforce = crmseed("debug-script", "deals", "--provider", "salesforce").out
    assert "or variable('SALESFORCE_INSTANCE_URL'))" in salesforce


def test_what_cannot_be_written_or_made(crmseed: Crmseed, folder: Path) -> None:
    (folder / "file").touch()
    screen = crmseed("debug-script", "deals", "-o", "file/debug.py")
    assert (screen.code, screen.out) == (2, "")
    assert "crmseed: file/debug.py cannot be written: " in screen.err
    unknown = crmseed("debug-script", "deels")
    assert unknown.code == 2
    assert "unknown object type 'deels'; did you mean 'deals'?" in unknown.err
    assert crmseed("debug-script").code == 2
