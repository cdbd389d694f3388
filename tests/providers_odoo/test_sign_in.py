"""The way in: which protocol a server speaks, and who the user is."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any

import pytest

from pytest_crmseed.errors import ApiRefused, NotAPortal, Unauthorized, UsageError
from pytest_crmseed.providers.base import Answer, Request
from pytest_crmseed.providers.odoo import Odoo
from pytest_crmseed.providers.odoo.sign_in import major
from pytest_crmseed.schema.model import Schema

KEY = "0123456789abcdef0123456789abcdef01234567"
CREDENTIALS = {"ODOO_URL": "https://acme.example/", "ODOO_DATABASE": "staging", "ODOO_API_KEY": KEY}
LOGIN = {**CREDENTIALS, "ODOO_LOGIN": "seeder"}
BEARER = {"Authorization": f"bearer {KEY}", "X-Odoo-Database": "staging"}


def odoo(api_version: str | None = None) -> Odoo:
    return Odoo(Schema("odoo", {}), api_version=api_version)


def run(exchange: Generator[Request, Answer, Any], *answers: Any) -> tuple[Any, list[Request]]:
    """Run an exchange on answers, of which an error is thrown; return its result and its requests."""
    sent = [next(exchange)]
    try:
        for answer in answers:
            if isinstance(answer, Exception):
                sent.append(exchange.throw(answer))
            else:
                sent.append(exchange.send(Answer(200, {}, json.dumps(answer).encode(), sent[-1])))
    except StopIteration as done:
        return done.value, sent
    raise AssertionError(f"{sent[-1]} has no answer")


def result(value: Any) -> Mapping[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": value}


def test_version_19_speaks_json_2() -> None:
    provider = odoo()
    headers, (ask,) = run(provider.sign_in(CREDENTIALS), {"version_info": [19, 0, 0, "final", 0, ""]})
    assert headers == BEARER == provider.headers(CREDENTIALS)
    assert (ask.method, ask.path, ask.signed) == ("GET", "/web/version", False)
    assert ask.headers == {"X-Odoo-Database": "staging"}
    assert provider.api_version == "json-2"
    assert provider.base_url(CREDENTIALS) == "https://acme.example"


@pytest.mark.parametrize("absent", [ApiRefused("404", status=404), NotAPortal("a page", status=404)])
def test_servers_before_the_address_of_the_version_speak_json_rpc(absent: Exception) -> None:
    provider = odoo()
    headers, sent = run(
        provider.sign_in(LOGIN),
        absent,
        result({"server_version_info": [14, 0, 0, "final", 0, ""]}),
        result(7),
    )
    assert headers == {}
    assert [request.path for request in sent] == ["/web/version", "/jsonrpc", "/jsonrpc"]
    assert sent[1].body["params"] == {"service": "common", "method": "version", "args": []}
    assert sent[2].body["params"]["args"] == ["staging", "seeder", KEY, {}]
    assert not any(request.signed for request in sent)
    assert provider.api_version == "json-rpc"
    (call,) = [next(provider.account(LOGIN))]
    assert call.body["params"]["args"][:5] == ["staging", 7, KEY, "res.users", "context_get"]
    assert KEY not in repr(call) and KEY not in repr(provider._session)


def test_a_version_in_between_speaks_json_rpc() -> None:
    provider = odoo()
    run(provider.sign_in(LOGIN), {"version_info": ["saas~18", 4, 0, "final", 0, ""]}, result(7))
    assert provider.api_version == "json-rpc"


def test_a_chosen_protocol_is_taken_without_asking() -> None:
    _, (authenticate,) = run(odoo("json-rpc").sign_in(LOGIN), result(7))
    assert authenticate.path == "/jsonrpc"
    with pytest.raises(StopIteration) as done:
        next(odoo("json-2").sign_in(CREDENTIALS))
    assert done.value.value == BEARER


def test_json_rpc_takes_a_login() -> None:
    with pytest.raises(UsageError) as missing:
        next(odoo("json-rpc").sign_in(CREDENTIALS))
    assert str(missing.value) == (
        "This Odoo server is signed in to by JSON-RPC, which asks for a login; ODOO_LOGIN is not set. Set "
        "ODOO_LOGIN to the login of the user whose key is in ODOO_API_KEY."
    )


def test_json_rpc_does_not_know_the_user() -> None:
    with pytest.raises(Unauthorized) as refused:
        run(odoo("json-rpc").sign_in(LOGIN), result(False))
    assert str(refused.value) == (
        "Odoo does not accept the login 'seeder' with this key in database 'staging'. Check ODOO_LOGIN, "
        "ODOO_API_KEY and ODOO_DATABASE; keys made in Odoo's preferences may expire."
    )


@pytest.mark.parametrize(
    ("version", "number"),
    [([19, 0], 19), (["saas~18", 2], 18), (["master"], 0), ([], 0), (None, 0), ("19.0", 0)],
)
def test_the_number_that_a_version_begins_with(version: Any, number: int) -> None:
    assert major(version) == number


def test_the_account_is_the_database() -> None:
    provider = odoo("json-2")
    list(provider.sign_in(CREDENTIALS))
    account, sent = run(
        provider.account(CREDENTIALS), {"uid": 2, "lang": "en_US"}, [{"id": 1, "currency_id": [1, "USD"]}]
    )
    assert [request.path for request in sent] == [
        "/json/2/res.users/context_get",
        "/json/2/res.company/search_read",
    ]
    assert (account.portal_id, account.production, account.sandbox_name) == ("staging", None, True)
    assert (account.currency, account.ui_url) == ("USD", "https://acme.example")


def test_a_server_that_answers_something_else_is_no_odoo() -> None:
    provider = odoo("json-2")
    list(provider.sign_in(CREDENTIALS))
    with pytest.raises(NotAPortal) as other:
        run(provider.account(CREDENTIALS), ["hello"])
    assert other.value.message == "The address does not answer as Odoo does to: ask who the user is."


def test_a_user_who_may_not_read_external_ids_is_refused() -> None:
    provider = odoo("json-2")
    list(provider.sign_in(CREDENTIALS))
    with pytest.raises(Unauthorized) as refused:
        run(provider.key_routes(["deals"]), False)
    assert str(refused.value) == (
        "Odoo does not let this user read external ids (ir.model.data), by which records of ours are told "
        "from others. Nothing was written. Use the API key of a user with the right 'Administration: Access "
        "Rights'."
    )
    routes, (ask,) = run(provider.key_routes(["deals", "crm.tag"]), True)
    assert {name: (route.kind, route.field) for name, route in routes.items()} == {
        "deals": ("unique", "external_id"),
        "crm.tag": ("unique", "external_id"),
    }
    assert ask.path == "/json/2/ir.model.data/has_access"
