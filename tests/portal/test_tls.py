"""A portal over ``https``, and who may come in by a loopback door at all."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pytest_crmseed import LocalPortal, Seeder
from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import PortalRequest
from pytest_crmseed.portal.gate import refusal

DETAILS = "/account-info/v3/details"


@pytest.fixture
def secure() -> Iterator[LocalPortal]:
    with LocalPortal(tls=True) as portal:
        yield portal


def test_its_authority_is_needed_and_enough(secure: LocalPortal) -> None:
    assert secure.base_url.startswith("https://127.0.0.1:")
    environ = secure.environ
    file = environ["REQUESTS_CA_BUNDLE"]
    assert environ["SSL_CERT_FILE"] == environ["NODE_EXTRA_CA_CERTS"] == file
    assert environ["HUBSPOT_BASE_URL"] == secure.base_url
    with requests.Session() as session:
        session.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(secure.base_url + DETAILS, timeout=30)
        session.verify = file
        for host in ("127.0.0.1", "localhost"):
            url = secure.base_url.replace("127.0.0.1", host)
            assert session.get(url + DETAILS, timeout=30).status_code == 401
        identity = session.get(f"{secure.base_url}/_portal/", timeout=30).json()
        assert identity["environ"]["HUBSPOT_BASE_URL"] == secure.base_url
        same = {"Origin": secure.base_url}
        assert session.get(f"{secure.base_url}/_portal/stats", headers=same, timeout=30).status_code == 200
    secure.close()
    assert not Path(file).exists() and not Path(file).parent.exists()
    secure.close()


def test_the_seeder_goes_through_it(secure: LocalPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", secure.environ["REQUESTS_CA_BUNDLE"])
    with Seeder(secure) as seeder:
        assert len(seeder.seed(contacts=1).contacts) == 1
        seeder.clean()


def test_a_client_that_says_nothing_holds_nobody_up(secure: LocalPortal) -> None:
    port = int(secure.base_url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port)),
        socket.create_connection(("127.0.0.1", port)) as plain,
    ):
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        verify = secure.environ["SSL_CERT_FILE"]
        answer = requests.get(secure.base_url + DETAILS, verify=verify, timeout=30)
        assert answer.status_code == 401


def test_an_authority_is_trusted_by_openssl(secure: LocalPortal) -> None:
    context = ssl.create_default_context(cafile=secure.environ["SSL_CERT_FILE"])
    port = int(secure.base_url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
        context.wrap_socket(connection, server_hostname="localhost") as wrapped,
    ):
        assert wrapped.version() in ("TLSv1.2", "TLSv1.3")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(UsageError) as refused:
        LocalPortal(tls=True)
    assert str(refused.value) == ("TLS needs the package trustme. Run: pip install pytest-crmseed[tls]")


def test_it_is_imported_only_when_it_is_needed() -> None:
    code = (
        "import sys\n"
        "from pytest_crmseed import LocalPortal\n"
        "LocalPortal().start().close()\n"
        "print('trustme' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False\n"


# -- hosts and origins -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "host",
    ["", "127.0.0.1", "127.0.0.1:99", "localhost:80", "LOCALHOST", "[::1]:80", "CRM.test", "crm.test:1"],
)
def test_own_hosts_come_in(host: str) -> None:
    assert refusal(PortalRequest("GET", "/crm", "", {"host": host}), {"crm.test"}) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "a@127.0.0.1", "[::1", "127.0.0.1/x"]
)
def test_foreign_hosts_do_not(host: str) -> None:
    answer = refusal(PortalRequest("GET", "/crm", "", {"host": host}), {"crm.test"})
    assert answer is not None
    assert (answer.status, answer.json()) == (
        403,
        {
            "status": "error",
            "category": "FORBIDDEN",
            "message": f"The local portal answers on 127.0.0.1 and localhost, not on {host!r}. Name another"
            " host with LocalPortal(host_names=[...]) or `crmseed portal --host-name`.",
        },
    )


@pytest.mark.parametrize(
    ("origin", "fine"),
    [
        ("http://127.0.0.1:3000", True),
        ("https://localhost", True),
        ("http://crm.test:8080", True),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
        ("file://127.0.0.1", False),
    ],
)
def test_origins(origin: str, fine: bool) -> None:
    request = PortalRequest("GET", "/crm", "", {"host": "localhost", "origin": origin})
    answer = refusal(request, {"crm.test"})
    if fine:
        assert answer is None
    else:
        assert answer is not None and answer.status == 403
        expected = f"The local portal refuses requests from pages of another site ({origin})."
        assert answer.json()["message"] == expected


def test_the_server_asks_the_gate() -> None:
    with LocalPortal(host_names=["Crm.Test"]) as portal:

        def ask(path: str, **headers: str) -> int:
            return requests.get(portal.base_url + path, headers=headers, timeout=30).status_code

        for path, known in [(DETAILS, 401), ("/_portal/stats", 200)]:
            assert ask(path, Host="crm.test") == known
            assert ask(path, Host="evil.example") == 403
            assert ask(path, Origin="https://evil.example") == 403
        assert portal.requests[-1].status == 401 and len(portal.requests) == 1
