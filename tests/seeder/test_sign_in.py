"""Portals that take a sign-in: sessions are opened, renewed once when they are over, and kept secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pytest_crmseed.errors import CrmseedError, Unauthorized, UsageError
from pytest_crmseed.ingest import guard
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.portal import Behaviour, LocalPortal, SalesforceBehaviour
from pytest_crmseed.providers.salesforce import Salesforce
from pytest_crmseed.schema import catalog
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder.target import Target, open_target, sandbox_address

CLIENT = {"SALESFORCE_CLIENT_ID": "app-1", "SALESFORCE_CLIENT_SECRET": "5ecret-of-the-app"}


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    """A private key and its public one, as PEM texts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


@pytest.fixture
def org(keys: tuple[str, str]) -> Iterator[LocalPortal]:
    """A local portal that is strict about who signs in."""
    own = SalesforceBehaviour(client_id="app-1", client_secret="5ecret-of-the-app", jwt_public_key=keys[1])
    with LocalPortal(behaviour=Behaviour(salesforce=own)) as portal:
        yield portal


@pytest.fixture
def entered(org: LocalPortal) -> Iterator[Callable[..., Target]]:
    targets: list[Target] = []

    def open_one(**credentials: str) -> Target:
        address = sandbox_address(Salesforce, {"SALESFORCE_INSTANCE_URL": org.base_url, **credentials})
        target = open_target(
            Salesforce,
            Translator(Salesforce.legend, catalog.bundled("salesforce")),
            address,
            guard.Limits(),
            policy=RetryPolicy(sleep=lambda seconds: None),
        )
        targets.append(target)
        return target

    yield open_one
    for target in targets:
        target.close()


@pytest.fixture
def bench(entered: Callable[..., Target], org: LocalPortal, one_bench: Any, tmp_path: Path) -> Iterator[Any]:
    """Makes a bench of an org that was signed in to."""
    benches: list[Any] = []

    def make(**credentials: str) -> Any:
        benches.append(type(one_bench)(org, entered(**credentials), tmp_path / "org"))
        return benches[-1]

    yield make
    for each in benches:
        each.ledger.close()


def sign_ins(portal: LocalPortal) -> int:
    return sum(1 for request in portal.requests if request.path == "/services/oauth2/token")


def live(portal: LocalPortal) -> int:
    return sum(portal.stats()["records"]["salesforce"].values())


def flows(keys: tuple[str, str], org: LocalPortal) -> dict[str, dict[str, str]]:
    username = org.portal.behaviour.salesforce.username
    return {
        "client credentials": CLIENT,
        "JWT": {
            "SALESFORCE_CLIENT_ID": "app-1",
            "SALESFORCE_USERNAME": username,
            "SALESFORCE_PRIVATE_KEY": keys[0],
        },
    }


@pytest.mark.parametrize("flow", ["client credentials", "JWT"])
def test_a_session_is_opened_and_seeds(
    bench: Callable[..., Any], org: LocalPortal, keys: tuple[str, str], flow: str
) -> None:
    credentials = flows(keys, org)[flow]
    seeded = bench(**credentials)
    assert len(seeded.seed({"deals": 2}).records.deals) == 2
    # Two deals with a company and a contact, who has a role in each.
    assert (sign_ins(org), live(org)) == (1, 6)
    # An application gets the session's token, and none of what opened it.
    token = seeded.target.address.token
    assert token.startswith("00D") and token not in credentials.values()
    assert seeded.engine.clean().complete
    assert live(org) == 0


def test_a_session_that_ends_is_renewed_once_and_nothing_is_made_twice(
    bench: Callable[..., Any], org: LocalPortal
) -> None:
    seeded = bench(**CLIENT)
    org.faults.expire_token(route="*/composite*", times=1)
    assert len(seeded.seed({"deals": 3}).records.deals) == 3
    assert (sign_ins(org), live(org)) == (2, 8)
    # The end of the second one, too, when its time has come.
    org.faults.expire_token(route="*/composite*", times=1, method="DELETE")
    assert seeded.engine.clean().complete
    assert (sign_ins(org), live(org)) == (3, 0)


def test_of_many_threads_the_first_opens_the_next_session(
    bench: Callable[..., Any], org: LocalPortal
) -> None:
    seeded = bench(**CLIENT)
    old = seeded.target.address.token
    org.portal.apis["salesforce"].service.org.sessions.revoke(old)  # type: ignore[attr-defined]
    counts = {"companies": 300, "leads": 300, "products": 200}
    seeded.seed(counts)
    # Each product has its entry in the price book.
    assert live(org) == sum(counts.values()) + 200
    assert sign_ins(org) == 2
    assert seeded.engine.clean().complete


def test_a_token_that_is_over_gives_way_to_a_flow(bench: Callable[..., Any], org: LocalPortal) -> None:
    token = org.tokens("salesforce")["application"]
    seeded = bench(SALESFORCE_ACCESS_TOKEN=token, **CLIENT)
    assert (sign_ins(org), seeded.target.address.token) == (0, token)
    org.faults.expire_token(route="*/composite*", times=1)
    seeded.seed({"contacts": 1})
    assert sign_ins(org) == 1
    assert seeded.engine.clean().complete


def test_a_token_that_is_over_and_nothing_else_is_told(bench: Callable[..., Any], org: LocalPortal) -> None:
    seeded = bench(SALESFORCE_ACCESS_TOKEN=org.tokens("salesforce")["application"])
    org.faults.expire_token(route="*/composite*", times=None)
    with pytest.raises(Unauthorized) as refused:
        seeded.seed({"contacts": 1})
    assert str(refused.value) == (
        "Salesforce does not accept the session (401): Session expired or invalid. Is "
        "SALESFORCE_ACCESS_TOKEN (or CRMSEED_SALESFORCE_ACCESS_TOKEN) expired, or of another org? With the "
        "variables of a flow, such as SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET, sessions are "
        "renewed. "
        f"Nothing was left in the portal. The answer: {seeded.errors.path}."
    )
    assert live(org) == 0


GRANT = (
    " [invalid_grant]. Refresh tokens can be used up; an app that signs in by JWT has to be approved for the "
    "user first, and its audience (SALESFORCE_AUDIENCE) is login or test."
)


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        (
            {"SALESFORCE_CLIENT_SECRET": "5ecret-of-another"},
            "invalid client credentials [invalid_client]. Check SALESFORCE_CLIENT_ID and "
            "SALESFORCE_CLIENT_SECRET.",
        ),
        (
            {"SALESFORCE_CLIENT_ID": "app-2", "SALESFORCE_CLIENT_SECRET": "5ecret-of-the-app"},
            "client identifier invalid [invalid_client_id]. Check SALESFORCE_CLIENT_ID: the consumer key "
            "of the connected app.",
        ),
        (
            {"SALESFORCE_USERNAME": "nobody@example.com", "SALESFORCE_PRIVATE_KEY": ""},
            f"user hasn't approved this consumer{GRANT}",
        ),
        ({"SALESFORCE_REFRESH_TOKEN": "5ecret-and-revoked"}, f"expired access/refresh token{GRANT}"),
    ],
    ids=["secret", "app", "user", "refresh token"],
)
def test_a_refused_login_says_what_salesforce_said(
    entered: Callable[..., Target],
    org: LocalPortal,
    keys: tuple[str, str],
    credentials: dict[str, str],
    message: str,
) -> None:
    given = {"SALESFORCE_CLIENT_ID": "app-1", **credentials}
    if "SALESFORCE_PRIVATE_KEY" in given:
        given["SALESFORCE_PRIVATE_KEY"] = keys[0]
    with pytest.raises(Unauthorized) as refused:
        entered(**given)
    assert str(refused.value) == f"Salesforce does not let these credentials sign in (400): {message}"
    assert "5ecret" not in str(refused.value)
    # Once: nothing makes wrong credentials right.
    assert sign_ins(org) == 1


def test_without_any_way_in_the_variables_are_named(entered: Callable[..., Target]) -> None:
    with pytest.raises(UsageError) as refused:
        entered()
    assert str(refused.value).startswith(
        "Salesforce has no way in: SALESFORCE_ACCESS_TOKEN is not set, and no flow's variables are complete."
    )


def test_no_secret_of_a_session_leaves(bench: Callable[..., Any], org: LocalPortal) -> None:
    seeded = bench(**CLIENT)
    token = seeded.target.address.token
    with pytest.raises(CrmseedError) as failed:
        seeded.target.connection.transport.redactor.clean(error := UsageError(f"it said {token}"))
        raise error
    assert str(failed.value) == "it said ***"
    assert token not in repr(seeded.target.connection.transport) + repr(seeded.target.address)
