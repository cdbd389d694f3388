"""A real Odoo server, where ``server.py run`` started one; its database as the judge; a lossy proxy."""

from __future__ import annotations

import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pytest_crmseed.testing import PortalUnderTest

# Tables that the server keeps for itself: no records, and nothing that a seed asked for.
BOOKKEEPING = {
    "ir_cron_trigger": "a job is noted to run for new records; no job runs here, so that none is taken off",
    "crm_lead_scoring_frequency": "deals that are won and lost are counted for the scoring of others",
    "res_users_log": "each sign-in by JSON-RPC is noted",
    "orm_signaling_default": "each change of what is cached is told to other processes by a row",
    "orm_signaling_registry": "the same",
    "orm_signaling_groups": "the same",
    "orm_signaling_assets": "the same",
    "orm_signaling_routing": "the same",
    "orm_signaling_stable": "the same",
    "orm_signaling_templates": "the same",
}
_COUNTS = (
    "select table_name || ' ' || (xpath('/row/n/text()', query_to_xml("
    "format('select count(*) as n from %I', table_name), false, true, '')))[1]::text "
    "from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
)
SERVER = Path(__file__).with_name("server.py")


@dataclass(frozen=True)
class OdooServer:
    """A running server, and the way into its database."""

    url: str
    database: str
    api_key: str = field(repr=False)
    login: str
    dsn: str
    psql: str
    state: str

    def query(self, sql: str) -> list[str]:
        """Return the lines that PostgreSQL answers, past Odoo."""
        command = [self.psql, "-XqAt", "-v", "ON_ERROR_STOP=1", self.dsn, "-c", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has, but for the server's own bookkeeping."""
        counts = dict(line.split(" ") for line in self.query(_COUNTS))
        return {name: int(number) for name, number in counts.items() if name not in BOOKKEEPING}

    def credentials(self, url: str | None = None) -> dict[str, str]:
        """Return what a seeder needs to sign in."""
        return {
            "ODOO_URL": url or self.url,
            "ODOO_DATABASE": self.database,
            "ODOO_API_KEY": self.api_key,
            "ODOO_LOGIN": self.login,
        }

    def under_test(self, url: str | None = None) -> PortalUnderTest:
        """Return it as the portal of a contract."""
        return PortalUnderTest(url or self.url, self.credentials(url), self.count, pin=self.database)

    def count(self, object_type: str) -> int:
        """Return how many records of ours there are of an object type, by its neutral name."""
        (number,) = self.query(
            f"select count(*) from ir_model_data d join {_RECORDS[object_type]} and d.module = 'crmseed'"
        )
        return int(number)

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a model's method, past the provider."""
        request = urllib.request.Request(
            f"{self.url}/json/2/{model}/{method}",
            json.dumps(arguments).encode(),
            {
                "Authorization": f"bearer {self.api_key}",
                "X-Odoo-Database": self.database,
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def kill(self) -> None:
        """End the server at once, in the midst of whatever it does."""
        os.kill(int(json.loads(Path(self.state).read_text("utf-8"))["odoo_pid"]), 9)

    def restart(self) -> None:
        """Start the server again, at the same address."""
        known = json.loads(Path(self.state).read_text("utf-8"))
        where = ["--cache", known["cache"], "--work", known["work"]]
        subprocess.run([sys.executable, str(SERVER), *where, "restart"], check=True)


_RECORDS = {
    "companies": "res_partner r on d.model = 'res.partner' and d.res_id = r.id and r.is_company",
    "contacts": "res_partner r on d.model = 'res.partner' and d.res_id = r.id and not r.is_company",
    "leads": "crm_lead r on d.model = 'crm.lead' and d.res_id = r.id and r.type = 'lead'",
    "deals": "crm_lead r on d.model = 'crm.lead' and d.res_id = r.id and r.type = 'opportunity'",
    "products": "product_template r on d.model = 'product.template' and d.res_id = r.id",
    "tasks": "mail_activity r on d.model = 'mail.activity' and d.res_id = r.id",
    "notes": "mail_message r on d.model = 'mail.message' and d.res_id = r.id",
}


@pytest.fixture(scope="session")
def odoo() -> OdooServer:
    """The server that ``server.py run`` started; without one, tests are skipped, or fail if it is needed."""
    given = {name: os.environ.get(f"TEST_ODOO_{name.upper()}", "") for name in OdooServer.__annotations__}
    if all(given.values()):
        return OdooServer(**given)
    missing = ", ".join(f"TEST_ODOO_{name.upper()}" for name, value in given.items() if not value)
    reason = f"no Odoo server: {missing} not set. python tests/odoo/server.py run -- pytest tests/odoo"
    if os.environ.get("TEST_ODOO_REQUIRED"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def unchanged(odoo: OdooServer) -> Iterator[None]:
    """Check that no table has more or fewer rows than before the test."""
    before = odoo.rows()
    yield
    after = odoo.rows()
    assert {
        name: (before.get(name), number) for name, number in after.items() if before.get(name) != number
    } == {}


# -- a proxy that loses answers ---------------------------------------------------------------------
Rule = Callable[[str, int], str | None]
"""What becomes of a request, by its path and its number: ``reset``, ``502``, ``stall``, or nothing.

In each case the server has carried the request out before; ``stall`` never answers.
"""


class LossyProxy:
    """Forward requests to a server, and lose those of its answers that a rule picks."""

    def __init__(self, upstream: str, rule: Rule) -> None:
        address = urlsplit(upstream)
        self.lost: list[str] = []
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._number = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            timeout = 60

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                onward = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
                try:
                    headers = {
                        k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")
                    }
                    onward.request(self.command, self.path, body or None, headers)
                    answer = onward.getresponse()
                    status, content = answer.status, answer.read()
                    kind = answer.getheader("Content-Type") or "text/plain"
                except (OSError, http.client.HTTPException):
                    # The server is down, or died over it.
                    return self.reset()
                finally:
                    onward.close()
                fault = proxy.fault(self.path, rule)
                if fault == "reset":
                    return self.reset()
                if fault == "stall":
                    proxy._released.wait(60)
                    return self.reset()
                if fault == "502":
                    status, kind, content = 502, "text/html", b"<html>Bad Gateway</html>"
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = forward

            def reset(self) -> None:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def fault(self, path: str, rule: Rule) -> str | None:
        """Return what becomes of the next answer."""
        with self._lock:
            self._number += 1
            fault = rule(path, self._number)
            if fault is not None:
                self.lost.append(f"{fault} {path}")
            return fault

    def __enter__(self) -> LossyProxy:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)


@pytest.fixture
def lossy(odoo: OdooServer) -> Iterator[Callable[[Rule], LossyProxy]]:
    """Return a function that starts a proxy before the server; all are stopped at the end."""
    proxies: list[LossyProxy] = []

    def started(rule: Rule) -> LossyProxy:
        proxy = LossyProxy(odoo.url, rule).__enter__()
        proxies.append(proxy)
        return proxy

    yield started
    for proxy in proxies:
        proxy.__exit__()


@pytest.fixture
def run_pytest(
    odoo: OdooServer, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Return a function that runs a test file as a user does, in a process of its own."""

    def run(source: str, *options: str, url: str | None = None, pin: str | None = None) -> pytest.RunResult:
        for name, value in odoo.credentials(url).items():
            monkeypatch.setenv(name, value)
        pytester.makepyfile(source)
        where = ["--crm-provider", "odoo", "--crm-target", "sandbox", "--crm-portal", pin or odoo.database]
        return pytester.runpytest_subprocess("-p", "no:randomly", *where, *options)

    return run


def env_of(odoo: OdooServer, url: str | None = None) -> Mapping[str, Any]:
    """Return the environment of a process that seeds."""
    return {**os.environ, **odoo.credentials(url)}
