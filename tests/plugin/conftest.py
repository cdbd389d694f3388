"""What the plugin's tests share: suites run in pytest, portals outside them, doors that misbehave."""

from __future__ import annotations

import http.client
import importlib
import pkgutil
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest

import pytest_crmseed
from pytest_crmseed import LocalPortal
from pytest_crmseed.portal import Behaviour

# pytester forgets the modules that a run imported: what is imported here is not imported for each.
for module in pkgutil.walk_packages(pytest_crmseed.__path__, "pytest_crmseed."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
importlib.import_module("filelock")

Response = tuple[int, str, bytes]
"""Status, content type and body."""

# What only shuffles or slows is asked for by the tests about it.
QUIET = ("-p", "no:randomly", "-p", "no:hypothesispytest", "-p", "no:syrupy", "--strict-markers")


class Result:
    """What came of a run: outcomes, exit code, and the text people read."""

    def __init__(self, result: pytest.RunResult) -> None:
        self._result = result
        self.ret = int(result.ret)
        self.out = result.stdout.str()
        self.err = result.stderr.str()

    @property
    def outcomes(self) -> dict[str, int]:
        """The numbers of the last line, such as ``{"passed": 2, "errors": 1}``."""
        found = self._result.parseoutcomes()
        return {name: n for name, n in found.items() if name not in ("warnings", "deselected")}

    @property
    def text(self) -> str:
        """Output and errors on one line: what terminals break is one paragraph again."""
        return " ".join(f"{self.out} {self.err}".split())

    @property
    def header(self) -> str:
        """The plugin's header line."""
        return next(line for line in self.out.splitlines() if line.startswith("crmseed: "))

    @property
    def summary(self) -> list[str]:
        """The lines of the plugin's section at the end, or none."""
        lines = self.out.splitlines()
        heads = [i for i, line in enumerate(lines) if re.fullmatch(r"=+ crmseed =+", line)]
        if not heads:
            return []
        assert len(heads) == 1, "more than one section"
        rest = lines[heads[0] + 1 :]
        end = next(i for i, line in enumerate(rest) if line.startswith("="))
        return rest[:end]

    def says(self, *sentences: str) -> Result:
        """Assert that each sentence is in the text."""
        for sentence in sentences:
            assert " ".join(sentence.split()) in self.text, f"{sentence!r} is not in:\n{self.out}\n{self.err}"
        return self

    def without_traceback(self) -> Result:
        """Assert that nobody is shown a stack."""
        for mark in (
            "Traceback (most recent call last)",
            "INTERNALERROR",
            "pytest_crmseed/",
            "site-packages",
        ):
            assert mark not in self.out + self.err, f"{mark!r} is in:\n{self.out}\n{self.err}"
        return self


class Suite:
    """A suite in a directory of its own, and ways to run it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path

    def write(self, source: str, name: str = "test_it.py") -> Path:
        """Write a file of the suite; a test module starts with the usual imports."""
        head = "import pytest\nfrom pytest_crmseed import count, ref\n\n" if name.endswith(".py") else ""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + dedent(source), encoding="utf-8")
        return path

    def run(self, *options: object, randomly: int | None = None, **inline: bool) -> Result:
        """Run the suite in this process; shuffled by pytest-randomly if it gets a seed."""
        quiet = QUIET if randomly is None else (*QUIET[2:], f"--randomly-seed={randomly}")
        return Result(self.pytester.runpytest_inprocess(*quiet, *map(str, options), **inline))

    def spawn(self, *options: object) -> Result:
        """Run the suite in a process of its own."""
        return Result(self.pytester.runpytest_subprocess(*QUIET, *map(str, options), timeout=120))


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """Return an empty suite."""
    return Suite(pytester)


class Outside:
    """A local portal that the test started itself, seen from outside the run."""

    def __init__(self, portal: LocalPortal) -> None:
        self.portal = portal
        self.url = portal.base_url
        self.at = ("--crm-base-url", portal.base_url)

    @property
    def live(self) -> int:
        """The number of live records."""
        return sum(self.portal.stats()["records"]["hubspot"].values())

    @property
    def writes(self) -> int:
        """The number of requests that created or updated."""
        return int(self.portal.stats()["requests"]["writes"])

    def created(self, object_type: str) -> int:
        """Return how many batch creates there were for an object type."""
        return sum(
            1
            for request in self.portal.requests
            if request.method == "POST" and request.path.endswith(f"/{object_type}/batch/create")
        )

    def sent(self, object_type: str) -> list[dict[str, str]]:
        """Return the properties of all records of an object type that were sent, in order."""
        return [
            entry["properties"]
            for request in self.portal.requests
            if request.method == "POST" and request.path.endswith(f"/{object_type}/batch/create")
            for entry in request.body["inputs"]
        ]


@pytest.fixture
def start_portal() -> Iterator[Callable[..., Outside]]:
    """Return a function that starts a portal outside the run, behaving as its arguments say."""
    started: list[LocalPortal] = []

    def start(**behaviour: object) -> Outside:
        portal = LocalPortal(behaviour=Behaviour(**behaviour))  # type: ignore[arg-type]
        started.append(portal.start())
        return Outside(portal)

    yield start
    for portal in started:
        portal.close()


@pytest.fixture
def outside(start_portal: Callable[..., Outside]) -> Outside:
    """Return a portal outside the run, as local portals are by default."""
    return start_portal()


class Door:
    """An address on the loopback interface that answers what ``answer`` returns."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler, bytes], Response]) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def respond(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, kind, content = answer(self, body)
                self.send_response(status)
                # As a developer test account's: reading a whole schema fits into its burst limit.
                self.send_header("X-HubSpot-RateLimit-Max", "190")
                self.send_header("X-HubSpot-RateLimit-Interval-Milliseconds", "10000")
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.at = ("--crm-base-url", self.url)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def open_door() -> Iterator[Callable[..., Door]]:
    """Return a function that opens a door."""
    doors: list[Door] = []

    def start(answer: Callable[[BaseHTTPRequestHandler, bytes], Response]) -> Door:
        doors.append(Door(answer))
        return doors[-1]

    yield start
    for door in doors:
        door.close()


@pytest.fixture
def as_sandbox(open_door: Callable[..., Door]) -> Callable[..., Door]:
    """Return a function that hides that a portal is local, so that it counts as a vendor's sandbox.

    ``meddle`` may answer in the portal's place: it gets method and path, and returns an answer or None.
    """

    def hide(outside: Outside, meddle: Callable[[str, str], Response | None] | None = None) -> Door:
        address = urlsplit(outside.url).netloc

        def forward(handler: BaseHTTPRequestHandler, body: bytes) -> Response:
            if handler.path.startswith("/_portal"):
                return 404, "text/html", b"<html>Not Found</html>"
            instead = meddle(handler.command, handler.path) if meddle else None
            if instead is not None:
                return instead
            connection = http.client.HTTPConnection(address, timeout=30)
            try:
                headers = {name: value for name, value in handler.headers.items() if name != "Host"}
                connection.request(handler.command, handler.path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.headers.get("Content-Type", ""), answer.read()
            finally:
                connection.close()

        return open_door(forward)

    return hide
