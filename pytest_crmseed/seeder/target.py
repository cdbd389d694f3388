"""The portal that is seeded: its address, the way in, and the connection once it is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_crmseed.errors import UsageError
from pytest_crmseed.events import Listener, ignore
from pytest_crmseed.ingest import guard
from pytest_crmseed.ingest.connection import Connection
from pytest_crmseed.ingest.limits import Budget, parse_rate, scope_key
from pytest_crmseed.ingest.probe import probe
from pytest_crmseed.ingest.retry import RetryPolicy
from pytest_crmseed.ingest.transport import Transport
from pytest_crmseed.providers.base import Account, Provider
from pytest_crmseed.schema.legend import Translator
from pytest_crmseed.seeder.links import Links, links_for
from pytest_crmseed.seeder.schemas import Chosen
from pytest_crmseed.suggest import valid_names


@dataclass(frozen=True)
class Address:
    """Where a portal is and how to sign in.

    ``credentials`` go by variable name and are the seeder's; ``token`` is the application's.
    ``private`` is a local portal that lives and dies with this process. ``stock_schema`` says that a
    local portal has the definitions of the bundled schema, and no others. ``file`` is that of a local
    portal which is only served while a command runs, each time at another ``base_url``.
    """

    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    token: str = field(repr=False)
    is_local: bool = False
    private: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    stock_schema: bool = False
    file: Path | None = None

    @property
    def lasting(self) -> str:
        """Where the portal is found again: its address, or its file as an URI."""
        return self.base_url if self.file is None else self.file.resolve().as_uri()


@dataclass
class Target:
    """An open portal: provider, connection, account, its schema and the translator for it."""

    provider: Provider
    connection: Connection
    account: Account
    translator: Translator
    address: Address
    chosen: Chosen

    def use(self, chosen: Chosen) -> None:
        """Go by this schema from now on."""
        self.chosen = chosen
        self.provider.schema = chosen.schema
        self.translator = Translator(self.provider.legend, chosen.schema)

    @property
    def links(self) -> Links:
        """The link rules of this portal: the provider's, and those its schema tells of."""
        return links_for(self.provider, self.translator.schema)

    @property
    def title(self) -> str:
        """A few words that name the portal to people."""
        place = "local portal" if self.address.is_local else "portal"
        return f"{self.provider.title} {place} {self.account.portal_id}"

    def close(self) -> None:
        """Close the connections."""
        self.connection.transport.close()
        self.connection.budget.close()


def sandbox_address(
    provider: type[Provider], credentials: Mapping[str, str], *, base_url: str | None = None
) -> Address:
    """Return the address of a vendor's portal.

    Raises:
        UsageError: a credential is missing; the text names the variables.
    """
    missing = [c for c in provider.credentials if c.required and not credentials.get(c.variable)]
    if missing:
        names = " and ".join(f"{c.variable} ({c.meaning})" if c.meaning else c.variable for c in missing)
        raise UsageError(
            f"--crm-target sandbox needs credentials for {provider.title}: {names} is not set.",
            remedy=(
                f"Set it in the environment or in .env (CRMSEED_{missing[0].variable} wins over "
                f"{missing[0].variable}), or override the crm_credentials fixture; "
                "--crm-target local needs none."
            ),
        )
    url = base_url or provider.base_url(provider_without_schema(provider), credentials)
    # The first secret is the token; those of a login flow are no application's business.
    first = next((c.variable for c in provider.credentials if c.secret), "")
    return Address(url.rstrip("/"), credentials, credentials.get(first, ""), environ=dict(credentials))


def _token_of(headers: Mapping[str, str]) -> str:
    """Return the token of a session."""
    return next((value.partition(" ")[2] or value for value in headers.values()), "")


def provider_without_schema(provider: type[Provider]) -> Provider:
    """Return a provider to ask what does not depend on a schema."""
    from pytest_crmseed.schema.model import Schema

    return provider(Schema(provider.name, {}))


def local_address(
    provider: type[Provider],
    base_url: str,
    seed_token: str,
    token: str,
    environ: Mapping[str, str],
    *,
    private: bool,
    stock_schema: bool = False,
) -> Address:
    """Return the address of a local portal for a provider."""
    secret = next(c.variable for c in provider.credentials if c.secret)
    return Address(
        base_url,
        {secret: seed_token},
        token,
        is_local=True,
        private=private,
        environ=environ,
        stock_schema=stock_schema,
    )


def address_at(
    base_url: str, provider: type[Provider], credentials: Mapping[str, str], *, target: str, asked: bool
) -> Address:
    """Return what stands at ``base_url``: a local portal says so itself, anything else is a sandbox.

    ``asked`` says that ``target`` was chosen by the user and is no default.

    Raises:
        PortalError: nothing answers there.
        UsageError: ``target`` is local by choice and it is not, or credentials are missing.
    """
    if not base_url.startswith(("http://", "https://")):
        raise UsageError(
            "--crm-base-url takes an address with its scheme, such as http://127.0.0.1:8765, not "
            f"{base_url!r}."
        )
    base_url = base_url.rstrip("/")
    identity = probe(base_url)
    if identity is not None:
        tokens = identity.tokens.get(provider.name)
        if tokens is None:
            raise UsageError(
                f"The local portal at {base_url} does not emulate {provider.title}."
                f"{valid_names(identity.tokens, 'It emulates')}"
            )
        return local_address(
            provider,
            base_url,
            tokens["seeder"],
            tokens["application"],
            identity.environ,
            private=False,
            stock_schema=provider.name in identity.stock,
        )
    if asked and target == "local":
        raise UsageError(
            f"--crm-target local, but what answers at {base_url} is no local portal.",
            remedy="Start one with `crmseed portal`, or say --crm-target sandbox if it is a portal.",
        )
    return sandbox_address(provider, credentials, base_url=base_url)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to go: ``--crm-rate`` as text, ``--crm-batch-size``, the file of the shared budgets."""

    rate: str | None = None
    batch_size: int | None = None
    budget_path: Path | None = None


def open_target(
    provider_class: type[Provider],
    translator: Translator,
    address: Address,
    limits: guard.Limits,
    *,
    api_version: str | None = None,
    pace: Pace | None = None,
    policy: RetryPolicy | None = None,
    listener: Listener = ignore,
    writing: bool = True,
    transport: Callable[..., Transport] = Transport,
) -> Target:
    """Open a portal: sign in, ask who it is, and check that it is the one that may be written to.

    Raises:
        GuardRefused: it is another portal than the pinned one, or perhaps a production portal.
        PortalError: it cannot be reached, or does not accept the credentials.
        UsageError: the API version is none this provider speaks.
    """
    if api_version is not None and api_version not in provider_class.api_versions:
        raise UsageError(
            f"--crm-api-version {api_version!r} is none that {provider_class.title} is written for."
            f"{valid_names(provider_class.api_versions)}"
        )
    pace = pace or Pace()
    provider = provider_class(translator.schema, api_version=api_version)
    secrets = [
        address.credentials[c.variable]
        for c in provider.credentials
        if c.secret and c.variable in address.credentials
    ]
    wire = transport(address.base_url, headers={}, secrets=secrets)
    token_scope = scope_key(address.base_url, *secrets)
    # On a local portal the seeder signs in as an app of its own, which has no burst limit there; a
    # pace that is asked for is kept all the same.
    rates = () if address.is_local and not pace.rate else provider.capabilities.rates
    budget = Budget(
        rates,
        scopes={"token": token_scope, "portal": token_scope},
        path=None if address.private else pace.budget_path,
        override=parse_rate(pace.rate) if pace.rate else None,
    )
    connection = Connection(
        provider,
        wire,
        budget,
        policy or RetryPolicy(),
        listener,
        sign_in=lambda: provider.sign_in(address.credentials),
    )
    try:
        signing = connection.sign_in()
        if not address.token:
            address = replace(address, token=_token_of(signing))
        account = connection.run(provider.account(address.credentials))
        # What is called a sandbox needs a pin to be believed; a local portal says itself what it is.
        known = replace(account, production=False) if address.is_local and account.sandbox_name else account
        guard.check_account(known, limits, title=provider.title, writing=writing)
    except BaseException:
        wire.close()
        budget.close()
        raise
    # Every token of a portal draws on the same day's quota.
    budget.join("portal", scope_key(address.base_url, account.portal_id))
    return Target(provider, connection, account, translator, address, Chosen(translator.schema))
