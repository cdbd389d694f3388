"""``mock_crm``: real hosts in this process, beside the user's own mocks on ``responses``."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter

from pytest_crmseed import LocalPortal, Seeder, mock_crm
from pytest_crmseed.errors import UsageError
from pytest_crmseed.portal import Behaviour

HOST = "https://api.hubapi.com"
CONTACTS = f"{HOST}/crm/v3/objects/contacts"
OTHER = "https://example.org/prices"
REAL_SEND = HTTPAdapter.send
FIND = responses.RequestsMock._find_match


@pytest.fixture(autouse=True)
def nothing_stays_patched() -> Iterator[None]:
    yield
    assert HTTPAdapter.send is REAL_SEND and responses.RequestsMock._find_match is FIND


def create(token: str) -> int:
    body = {"properties": {"firstname": "Ann"}}
    return requests.post(
        CONTACTS, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30
    ).status_code


def refused(url: str = OTHER) -> bool:
    with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
        requests.get(url, timeout=30)
    return True


def test_the_real_host_is_answered_and_others_are_refused() -> None:
    with mock_crm(behaviour=Behaviour(portal_id=7)) as crm:
        assert create(crm.token) == 201
        details = requests.get(
            f"{HOST}/account-info/v3/details", headers={"Authorization": f"Bearer {crm.token}"}, timeout=30
        )
        assert details.json()["portalId"] == 7
        assert refused()
        own = {"HUBSPOT_ACCESS_TOKEN": crm.token, "HUBSPOT_BASE_URL": HOST}
        assert crm.environ == {**crm.environ, **own}
        assert [each.status for each in crm.requests] == [201, 200]
        crm.faults.fail(500)
        assert (create(crm.token), repr(crm)) == (500, "<MockCrm active>")
        # Nobody takes the vendor's host for this machine.
        assert requests.get(f"{HOST}/_portal/stats", timeout=30).status_code == 403
    assert repr(crm) == "<MockCrm not active>"
    with pytest.raises(UsageError, match=r"^mock_crm\(\) is not active\. Use it in its with block"):
        _ = crm.portal


def test_a_users_mock_inside() -> None:
    with mock_crm() as crm:
        with responses.RequestsMock() as own:
            own.get(OTHER, json={"price": 1})
            own.get(f"{CONTACTS}/1", json={"id": "mine"})
            assert requests.get(OTHER, timeout=30).json() == {"price": 1}
            assert requests.get(f"{CONTACTS}/1", timeout=30).json() == {"id": "mine"}
            assert create(crm.token) == 201
            assert refused("https://example.net/")
            assert len(own.calls) == 4
        assert create(crm.token) == 201
        assert len(crm.requests) == 2


def test_a_users_mock_around() -> None:
    with responses.RequestsMock() as own:
        own.get(OTHER, json={"price": 1})
        own.get(f"{CONTACTS}/1", json={"id": "mine"})
        with mock_crm() as crm:
            assert requests.get(OTHER, timeout=30).json() == {"price": 1}
            assert requests.get(f"{CONTACTS}/1", timeout=30).json() == {"id": "mine"}
            assert create(crm.token) == 201
            assert refused("https://example.net/")
        # Outside, the host is as unknown as before.
        assert refused(CONTACTS)
        assert [each.request.method for each in own.calls] == ["GET", "GET", "POST", "GET", "GET"]


def test_registrations_that_nobody_asked_for_still_fail_the_users_mock() -> None:
    with (
        mock_crm() as crm,
        pytest.raises(AssertionError, match="Not all requests have been executed"),
        responses.RequestsMock(assert_all_requests_are_fired=True) as own,
    ):
        own.get(CONTACTS, json={})
        create(crm.token)


@responses.activate
@mock_crm
def test_decorators_of_both_kinds_and_without_parentheses() -> None:
    responses.get(OTHER, json=[])
    assert requests.get(OTHER, timeout=30).json() == []
    assert requests.get(CONTACTS, timeout=30).status_code == 401


CRM = mock_crm()


@CRM
def test_a_decorated_function_gets_at_the_portal() -> None:
    assert create(CRM.token) == 201
    assert CRM.portal.stats()["records"]["hubspot"]["contacts"] == 1


@CRM
def test_each_time_it_is_a_new_portal() -> None:
    assert CRM.portal.stats()["records"]["hubspot"]["contacts"] == 0
    before = CRM.portal
    with CRM:
        assert CRM.portal is before
    assert create(CRM.token) == 201


def test_coroutines_and_generators() -> None:
    @mock_crm()
    async def answer(path: str) -> int:
        """Ask."""
        await asyncio.sleep(0)
        return requests.get(HOST + path, timeout=30).status_code

    @mock_crm()
    def fixture() -> Iterator[int]:
        yield requests.get(CONTACTS, timeout=30).status_code

    assert inspect.iscoroutinefunction(answer) and answer.__doc__ == "Ask."
    assert asyncio.run(answer("/nowhere")) == 404
    assert inspect.isgeneratorfunction(fixture) and list(fixture()) == [401]


def test_what_it_does_not_decorate() -> None:
    async def generator() -> Any:
        yield 1

    for thing, name in [(LocalPortal, "LocalPortal"), (generator, "generator"), (3, "3")]:
        with pytest.raises(UsageError) as error:
            mock_crm()(thing)  # type: ignore[type-var]
        assert str(error.value) == (
            f"mock_crm() decorates functions, and {name} is none."
            " Decorate its functions, or use `with mock_crm():`."
        )
    with pytest.raises(UsageError, match="LocalPortal is none"):
        mock_crm(LocalPortal)
    taken = "takes a portal, or a behaviour and a schema for a new one, not both"
    with LocalPortal() as portal, pytest.raises(UsageError, match=taken):
        mock_crm(portal, behaviour=Behaviour())


def test_the_inner_of_two_answers_and_the_outer_again_after_it() -> None:
    with mock_crm() as outer, mock_crm() as inner:
        assert (create(inner.token), create(outer.token)) == (201, 401)
    with mock_crm() as outer:
        with mock_crm():
            pass
        assert create(outer.token) == 201


def test_a_seeded_portal_answers_and_the_seeder_is_not_caught() -> None:
    with LocalPortal() as portal, mock_crm(portal) as crm, Seeder(portal) as seeder:
        records = seeder.seed(contacts=2)
        found = requests.get(CONTACTS, headers={"Authorization": f"Bearer {crm.token}"}, timeout=30).json()
        assert {each["id"] for each in found["results"]} == {each.id for each in records.contacts}
        seeder.clean()
    # A portal that was given is not closed, nor are its records gone, with the mock: it had ended before.
    with LocalPortal() as portal:
        with mock_crm(portal) as crm:
            create(crm.token)
        assert portal.stats()["records"]["hubspot"]["contacts"] == 1


def test_importing_the_package_imports_no_mock() -> None:
    code = (
        "import sys, pytest_crmseed\n"
        "before = 'responses' in sys.modules\n"
        "from pytest_crmseed import mock_crm\n"
        "print(before, 'responses' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "False True\n"
