"""Measure the local portal: ``python benchmarks/portal.py``.

Two things are measured, with validation, uniqueness and SQLite on and rate limits off:

- *writing*: records a second through batch create on the loopback address, 100 contacts of ten
  properties in a request, the portal in a process of its own;
- *growth*: how much slower a portal of many records answers than one of few. A page of a list, a
  batch read by key and searches with 50 hits each are asked of the small portal and of the large
  one in turn, so that whatever else the machine does meets both; the ratio of the two is taken
  within each round. This part asks in the process, where nothing hides the difference.

Every answer is checked, and must be right for the exit code to be 0. Speed is printed and never
fails: it is the machine's as much as ours.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from pytest_crmseed.portal import LocalPortal, Portal, PortalRequest

BATCH = 100
HITS = 50
CREATE = "/crm/objects/2026-03/contacts/batch/create"
KEY = "crmseed_key"


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the local portal.")
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--records", type=int, default=20_000, metavar="N", help="written in each round")
    parser.add_argument("--small", type=int, default=10_000, metavar="N", help="records of the small portal")
    parser.add_argument("--large", type=int, default=1_000_000, metavar="N", help="and of the large one")
    asked = parser.parse_args()
    print(machine())
    writing(asked.rounds, asked.records)
    growth(asked.rounds, asked.small, asked.large)
    return 0


def writing(rounds: int, count: int) -> None:
    """Measure batch create over the loopback address."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    theirs.close()  # so that reading ends when the portal's process does
    try:
        address, token = ours.recv()
        connection = http.client.HTTPConnection(address)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        speeds: list[float] = []
        busy: list[float] = []
        for number in range(rounds + 1):
            bodies = [batch(f"w{number}", start) for start in range(0, count, BATCH)]
            if number == 0:
                bodies = bodies[:10]  # what is loaded or compiled on first use is not what is measured
            answers: list[tuple[int, bytes]] = []
            processor = used(ours)
            started = time.perf_counter()
            for body in bodies:
                connection.request("POST", CREATE, body, headers)
                answer = connection.getresponse()
                answers.append((answer.status, answer.read()))
            seconds = time.perf_counter() - started
            for status, text in answers:
                expect(status == 201 and len(json.loads(text)["results"]) == BATCH, text.decode()[:500])
            if number:
                speeds.append(len(bodies) * BATCH / seconds)
                busy.append(len(bodies) * BATCH / (used(ours) - processor))
        connection.close()
        ours.send("stop")
    finally:
        ours.close()
        process.join(30)
    print(
        f"batch create on loopback: {statistics.median(speeds):,.0f} records/s"
        f" (median of {rounds} rounds of {count:,}; {min(speeds):,.0f} to {max(speeds):,.0f});"
        f" {statistics.median(busy):,.0f} in a second of the portal's processor time"
    )


def used(pipe: Connection) -> float:
    """Return the processor time that the portal's process has used."""
    pipe.send("used")
    seconds: float = pipe.recv()
    return seconds


def serve(pipe: Connection) -> None:
    """Serve a portal until told to stop."""
    with LocalPortal() as portal:
        pipe.send((portal.base_url.removeprefix("http://"), portal.seed_token))
        with contextlib.suppress(EOFError):
            while pipe.recv() == "used":
                pipe.send(time.process_time())


def growth(rounds: int, small: int, large: int) -> None:
    """Measure reads of a small and of a large portal in turn."""
    portals = {count: filled(count) for count in (small, large)}
    print(f"reads of {large:,} records against reads of {small:,}:")
    for name, ask in READS.items():
        times: dict[int, list[float]] = {count: [] for count in portals}
        for number in range(rounds + 1):
            for count, portal in portals.items():
                request, right = ask(portal, count, number)
                started = time.perf_counter()
                answer = portal.handle(request)
                seconds = time.perf_counter() - started
                expect(answer.status == 200 and right(answer.json()), f"{name}: {answer.body.decode()[:500]}")
                if number:
                    times[count].append(seconds)
                else:
                    first = f"{seconds * 1000:,.1f} ms"
        ratios = [many / few for few, many in zip(times[small], times[large], strict=True)]
        print(
            f"  {name:32} {statistics.median(times[small]) * 1000:6.2f} ms and"
            f" {statistics.median(times[large]) * 1000:6.2f} ms, {statistics.median(ratios):.2f} times"
            f" (median; {min(ratios):.2f} to {max(ratios):.2f}); first time {first}"
        )
    for portal in portals.values():
        portal.close()


Asking = Callable[[Portal, int, int], tuple[PortalRequest, Callable[[Any], bool]]]


def filled(count: int) -> Portal:
    """Return a portal with so many contacts."""
    portal = Portal()
    token = portal.hubspot.tokens()["seeder"]
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    started = time.perf_counter()
    for start in range(0, count, BATCH):
        answer = portal.handle(PortalRequest("POST", CREATE, "", headers, batch("g", start, count)))
        expect(answer.status == 201, answer.body.decode()[:500])
    print(f"{count:,} contacts made in the process: {count / (time.perf_counter() - started):,.0f} records/s")
    return portal


def batch(run: str, start: int, count: int = 0) -> bytes:
    """Return the body of a batch of contacts, of which 50 of any ``count`` have each city and amount."""
    groups = max(1, count // HITS)
    inputs = [
        {
            "objectWriteTraceId": f"t{index}",
            "properties": {
                KEY: f"{run}-{index}",
                "email": f"ann.{index}@{run}.example.com",
                "firstname": "Ann",
                "lastname": f"Bee {index}",
                "phone": "+1 555 555 0100",
                "jobtitle": "Head of Sales",
                "address": f"{index} Main Street",
                "city": f"City {index % groups}",
                "country": "Slovenia",
                "lifecyclestage": "lead",
            },
        }
        for index in range(start, start + BATCH)
    ]
    return json.dumps({"inputs": inputs}).encode()


def _request(portal: Portal, method: str, url: str, body: Any = None) -> PortalRequest:
    return PortalRequest.of(method, url, body, token=portal.hubspot.tokens()["seeder"])


def _list(portal: Portal, count: int, number: int) -> tuple[PortalRequest, Callable[[Any], bool]]:
    middle = portal.store.page("hubspot", "contacts", start=0, limit=1)[0].id + count * 24
    url = f"/crm/objects/2026-03/contacts?limit=100&after={middle + number}&properties=email,city"
    return _request(portal, "GET", url), lambda body: len(body["results"]) == 100


def _by_key(portal: Portal, count: int, number: int) -> tuple[PortalRequest, Callable[[Any], bool]]:
    step = count // BATCH
    keys = [{"id": f"g-{index * step + number}"} for index in range(BATCH)]
    body = {"idProperty": KEY, "properties": [KEY, "city"], "inputs": keys}
    return (
        _request(portal, "POST", "/crm/objects/2026-03/contacts/batch/read", body),
        lambda found: {each["properties"][KEY] for each in found["results"]} == {key["id"] for key in keys},
    )


def _query(portal: Portal, count: int, number: int) -> tuple[PortalRequest, Callable[[Any], bool]]:
    address = f"ann.{number * 37 % count}@g.example.com"
    body = {"limit": 100, "query": address, "properties": ["email"]}
    return (
        _request(portal, "POST", "/crm/objects/2026-03/contacts/search", body),
        lambda found: [each["properties"]["email"] for each in found["results"]] == [address],
    )


def _search(**filter: Any) -> Asking:
    def ask(portal: Portal, count: int, number: int) -> tuple[PortalRequest, Callable[[Any], bool]]:
        group = (number * 37) % (count // HITS)
        text = json.dumps({"propertyName": "city", **filter}).replace("CITY", f"City {group}")
        body = {"limit": 100, "properties": ["city"], "filterGroups": [{"filters": [json.loads(text)]}]}
        request = _request(portal, "POST", "/crm/objects/2026-03/contacts/search", body)
        city = f"City {group}"

        def right(found: Any) -> bool:
            cities = {each["properties"]["city"] for each in found["results"]}
            return found["total"] == HITS and cities == {city}

        return request, right

    return ask


READS: dict[str, Asking] = {
    "list, 100 from the middle": _list,
    "batch read of 100 by key": _by_key,
    "search EQ": _search(operator="EQ", value="CITY"),
    "search BETWEEN": _search(operator="BETWEEN", value="CITY", highValue="CITY"),
    "search CONTAINS_TOKEN": _search(operator="CONTAINS_TOKEN", value="CITY"),
    "query": _query,
}


def expect(right: bool, message: str) -> None:
    """Raise ``AssertionError`` with the message unless something is right; ``python -O`` keeps it."""
    if not right:
        raise AssertionError(message)


def machine() -> str:
    """Return what the figures were measured on, in one line."""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.machine()}, {platform.system()}"
    )


if __name__ == "__main__":
    sys.exit(main())
