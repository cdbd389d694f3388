"""``crmseed portal``: what it prints, how it stops, what it keeps, what it refuses."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.companies import ApiException, SimplePublicObjectInputForCreate

from pytest_crmseed import LocalPortal
from pytest_crmseed.errors import UsageError
from pytest_crmseed.schema import catalog, documents

Crmseed = Callable[..., Any]
Serve = Callable[..., Any]

SCOPES = ["crm.schemas.contacts.write", "crm.schemas.contacts.read"]


def client(environ: dict[str, str]) -> Any:
    """The official client, pointed at a portal by an application's variables alone."""
    url = environ["HUBSPOT_BASE_URL"]
    return HubSpot(access_token=environ["HUBSPOT_ACCESS_TOKEN"], host=url, base_url=url).crm


def portal_id(base_url: str, token: str) -> int:
    request = urllib.request.Request(
        f"{base_url}/account-info/v3/details", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(json.load(answer)["portalId"])


def test_it_prints_the_address_and_variables_that_are_enough_for_an_application(served: Serve) -> None:
    portal = served()
    address, *variables = portal.lines
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
    names = [line.partition("=")[0] for line in variables]
    assert names[:2] == ["HUBSPOT_ACCESS_TOKEN", "HUBSPOT_BASE_URL"]
    assert names[-1] == "CRMSEED_BASE_URL"
    assert portal.environ["HUBSPOT_BASE_URL"] == portal.environ["CRMSEED_BASE_URL"] == address
    companies = client(portal.environ).companies
    made = companies.basic_api.create(SimplePublicObjectInputForCreate(properties={"name": "Acorn"}))
    assert companies.basic_api.get_by_id(made.id, properties=["name"]).properties["name"] == "Acorn"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_without_a_word(served: Serve, number: signal.Signals) -> None:
    screen = served().stop(number)
    assert (screen.code, screen.out, screen.err) == (0, "", "")


def test_a_file_keeps_records_token_and_identity_over_a_restart(served: Serve, tmp_path: Path) -> None:
    file = str(tmp_path / "portal.sqlite")
    first = served("--db", file)
    made = client(first.environ).companies.basic_api.create(
        SimplePublicObjectInputForCreate(properties={"name": "Acorn"})
    )
    token = first.environ["HUBSPOT_ACCESS_TOKEN"]
    identity = portal_id(first.base_url, token)
    assert first.stop().code == 0
    port = first.base_url.rpartition(":")[2]
    second = served("--db", file, "--port", port)
    assert second.lines == first.lines
    found = client(second.environ).companies.basic_api.get_by_id(made.id, properties=["name"])
    assert found.properties["name"] == "Acorn"
    assert portal_id(second.base_url, token) == identity


def test_over_tls_it_prints_the_authoritys_file_and_removes_it_at_the_end(served: Serve) -> None:
    portal = served("--tls")
    assert portal.base_url.startswith("https://127.0.0.1:")
    names = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]
    files = {portal.environ[name] for name in names}
    [file] = files
    assert Path(file).is_file()
    answer = requests.get(f"{portal.base_url}/_portal/stats", verify=file, timeout=30)
    assert answer.status_code == 200
    assert portal.stop().code == 0
    assert not Path(file).exists()


def test_a_file_keeps_definitions_and_tokens_that_were_issued_but_no_limits_nor_faults(
    served: Serve, tmp_path: Path
) -> None:
    file = str(tmp_path / "portal.sqlite")
    tier = {"name": "tier", "label": "Tier", "type": "string", "fieldType": "text"}
    first = served("--db", file, "--rate", "1/3600")
    token = requests.post(f"{first.base_url}/_portal/tokens", json={"scopes": SCOPES}, timeout=30).json()[
        "token"
    ]
    headers = {"Authorization": f"Bearer {token}"}
    path = "/crm/v3/properties/contacts"
    made = requests.post(
        first.base_url + path, json={**tier, "groupName": "contactinformation"}, headers=headers, timeout=30
    )
    assert made.status_code == 201
    assert requests.get(first.base_url + path, headers=headers, timeout=30).status_code == 429
    requests.post(f"{first.base_url}/_portal/faults", json={"fault": "fail"}, timeout=30)
    first.stop()
    second = served("--db", file, "--rate", "1/3600")
    read = requests.get(f"{second.base_url}{path}/tier", headers=headers, timeout=30)
    assert (read.status_code, read.json()["label"]) == (200, "Tier")
    assert requests.get(f"{second.base_url}/_portal/faults", timeout=30).json() == []


def test_without_a_file_every_portal_is_another(served: Serve) -> None:
    portals = [served(), served()]
    tokens = [portal.environ["HUBSPOT_ACCESS_TOKEN"] for portal in portals]
    assert tokens[0] != tokens[1]
    first, second = (portal_id(p.base_url, token) for p, token in zip(portals, tokens, strict=True))
    assert first != second
    assert 100_000_000 <= min(first, second) <= max(first, second) < 1_000_000_000


def test_the_rate_is_the_burst_limit_of_the_application(served: Serve) -> None:
    companies = client(served("--rate", "2/3600").environ).companies.basic_api
    assert companies.get_page().results == []
    assert companies.get_page().results == []
    with pytest.raises(ApiException) as refused:
        companies.get_page()
    assert refused.value.status == 429


def test_its_options_reach_the_portal(crmseed: Crmseed, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def record(**options: Any) -> LocalPortal:
        given.update(options)
        raise UsageError("recorded")

    monkeypatch.setattr("pytest_crmseed.portal.LocalPortal", record)
    handler = signal.getsignal(signal.SIGTERM)
    documents.write(catalog.bundled("hubspot"), Path("s.json"))
    screen = crmseed(
        *("portal", "--db", "p.sqlite", "--latency", "250", "--rate", " 5 / 0.5 ", "--schema", "s.json"),
        *("--tls", "--host-name", "crm.test", "--host-name", "other.test"),
    )
    assert (screen.code, screen.err) == (2, "crmseed: recorded\n")
    schema = given.pop("schema")
    assert (schema.provider, schema.source) == ("hubspot", "file")
    assert given == {
        "db": Path("p.sqlite"),
        "port": 0,
        "latency": 0.25,
        "rate": (5, 0.5),
        "tls": True,
        "host_names": ("crm.test", "other.test"),
    }
    # The process's own handling of signals is back.
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_port_in_use_is_one_line(crmseed: Crmseed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        screen = crmseed("portal", "--port", str(port))
    assert (screen.code, screen.out) == (2, "")
    assert screen.err.startswith(
        f"crmseed: the local portal cannot listen on 127.0.0.1:{port}: Address already in use"
    )
    assert screen.err.endswith(" Choose another port, or 0 for a free one.\n")
    assert screen.err.count("\n") == 1


@pytest.mark.parametrize("rate", ["fast", "0/10", "5/0", "50%", "1/2/3", "-1/10", "", "1.5/10", "٣/10x"])
def test_a_rate_that_is_none_is_refused(crmseed: Crmseed, rate: str) -> None:
    screen = crmseed("portal", "--rate", rate)
    assert (screen.code, screen.out) == (2, "")
    assert screen.err.endswith(
        f"Invalid value for '--rate': {rate!r} is no number of requests per seconds, such as 100/10.\n"
    )


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--port", "99999", "99999 is not in the range 0<=x<=65535."),
        ("--port", "http", "'http' is not a valid integer range."),
        ("--latency", "-1", "-1.0 is not in the range x>=0."),
        ("--db", ".", "File '.' is a directory."),
    ],
)
def test_a_value_out_of_range_is_refused(crmseed: Crmseed, option: str, value: str, sentence: str) -> None:
    screen = crmseed("portal", option, value)
    assert (screen.code, screen.out) == (2, "")
    assert screen.err.endswith(f"Error: Invalid value for '{option}': {sentence}\n")


def test_a_file_that_is_no_portal_is_refused(crmseed: Crmseed, folder: Path) -> None:
    (folder / "notes.txt").write_text("not a database")
    screen = crmseed("portal", "--db", "notes.txt")
    assert (screen.code, screen.out) == (2, "")
    assert screen.err.startswith("crmseed: the portal database notes.txt cannot be opened: file is not a ")
    assert (folder / "notes.txt").read_text() == "not a database"


def test_a_file_in_a_folder_that_is_not_there_is_refused(crmseed: Crmseed) -> None:
    screen = crmseed("portal", "--db", "no/folder/p.sqlite")
    assert (screen.code, screen.out) == (2, "")
    assert "crmseed: the portal database no/folder/p.sqlite cannot be opened: " in screen.err
