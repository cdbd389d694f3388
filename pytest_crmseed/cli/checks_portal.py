"""Checks of a portal: target, token, account, pin, rights, quota, clock, unique key, schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pytest_crmseed.cli.findings import Finding, failure, ok, warning
from pytest_crmseed.cli.kept import configured, kept_file, kept_portal
from pytest_crmseed.cli.made import relative
from pytest_crmseed.cli.main import EXIT_GUARD, Loaded, exit_code, found_credentials, sentence
from pytest_crmseed.cli.tables import plural
from pytest_crmseed.environment import credentials
from pytest_crmseed.errors import CrmseedError, GuardRefused, PortalError, Unauthorized
from pytest_crmseed.ingest import guard
from pytest_crmseed.providers.base import Account, Answer, Exchange, KeyRoute, Provider, Request
from pytest_crmseed.providers.registry import load
from pytest_crmseed.schema.cache import fresh
from pytest_crmseed.seeder import assemble, schemas
from pytest_crmseed.seeder.target import Address, Target

# The Date header counts whole seconds, and an answer takes some time; beyond that a clock is wrong.
SKEW_SECONDS = 60
# A quota of which less is left than this share is worth a word.
SCARCE = 0.1
# So many names are listed.
_LISTED = 6


def portal_findings(loaded: Loaded, object_types: Sequence[str]) -> Iterator[Finding]:
    """Yield what is found of the portal that the settings name; the first thing that fails may be the last.

    Raises:
        UnknownName: there is no such provider or object type.
    """
    settings = loaded.settings
    provider = load(settings.provider)
    yield ok("provider", f"{provider.title} ({settings.provider}, from {settings.origin('provider')})")
    with ExitStack() as stack:
        try:
            address = configured(loaded, provider)
            if address is None:
                path = kept_file(settings)
                address = stack.enter_context(
                    kept_portal(path if path.exists() else None, settings, provider)
                )
        except CrmseedError as error:
            yield _failed("target", error)
            return
        yield ok("target", _where(loaded, address))
        yield _credentials(loaded, provider, address)
        try:
            # The guards speak for themselves below.
            unpinned = settings.chosen("doctor", portal=None)
            target = assemble.open_by_settings(unpinned, provider, address, writing=False, schema="known")
        except Unauthorized as error:
            yield _failed("token", error)
            return
        except CrmseedError as error:
            yield _failed("portal", error)
            return
        stack.callback(target.close)
        yield from _opened(loaded, target, object_types)


def _failed(check: str, error: CrmseedError) -> Finding:
    return failure(check, sentence(error.message), sentence(error.remedy), code=exit_code(error))


def _where(loaded: Loaded, address: Address) -> str:
    settings = loaded.settings
    if address.is_local and address.file is not None:
        return f"local portal kept in {relative(address.file)}"
    if address.is_local and address.private:
        return f"local portal, a new one; `crmseed seed` will keep it in {relative(kept_file(settings))}"
    kind = "local portal" if address.is_local else "sandbox"
    origin = settings.origin("base_url" if settings.base_url else "target")
    return f"{kind} at {address.base_url} (from {origin})"


def _credentials(loaded: Loaded, provider: type[Provider], address: Address) -> Finding:
    if address.is_local:
        return ok("credentials", "none needed: a local portal has its own")
    import os

    variables = [credential.variable for credential in provider.credentials]
    found = credentials(variables, os.environ, loaded.dotenv)
    return ok("credentials", ", ".join(f"from {secret.origin}" for secret in found.values()))


# -- once it is open -------------------------------------------------------------------------------
def _opened(loaded: Loaded, target: Target, object_types: Sequence[str]) -> Iterator[Finding]:
    # The one that is kept later has an id of its own.
    new = target.address.is_local and target.address.private
    title = f"a new {target.provider.title} local portal" if new else target.title
    yield ok("token", f"accepted by {title}")
    yield _account(loaded, target)
    yield _pin(loaded, target)
    schema, names = _schema(loaded, target, object_types)
    yield _rights(target, names, named=bool(object_types))
    yield _quota(target)
    yield _clock(target, found_credentials(loaded, type(target.provider)))
    yield from _keys(target, names)
    yield schema


def _account(loaded: Loaded, target: Target) -> Finding:
    account = target.account
    known = Account(account.portal_id, account.kind, False) if _believed(target) else account
    limits = guard.Limits(
        loaded.settings.portal if account.sandbox_name is not None else None,
        loaded.settings.allow_production,
    )
    try:
        guard.check_account(known, limits, title=target.provider.title)
    except GuardRefused as error:
        text = error.message.replace(" Nothing was written.", "")
        return failure("account", sentence(text), sentence(error.remedy), code=EXIT_GUARD)
    if account.production:
        return warning("account", f"kind {account.kind}: production, and allowed by --allow-production")
    return ok("account", f"kind {account.kind}, no production portal")


def _believed(target: Target) -> bool:
    # A local portal says itself what it is.
    return target.address.is_local and target.account.sandbox_name is not None


def _pin(loaded: Loaded, target: Target) -> Finding:
    settings, portal_id = loaded.settings, target.account.portal_id
    if settings.portal == portal_id:
        return ok("pin", f"{portal_id} (from {settings.origin('portal')})")
    if settings.portal is None:
        if target.address.is_local:
            return ok("pin", "none needed for a local portal")
        return warning(
            "pin",
            "none: other credentials in the same variables would seed another portal.",
            f"Set CRMSEED_PORTAL={portal_id}, or crm_portal in the ini file.",
        )
    if target.address.is_local and not settings.origin("portal").startswith("--"):
        return ok("pin", f"{settings.portal} (from {settings.origin('portal')}) is for the sandbox")
    return failure(
        "pin",
        f"{settings.origin('portal')} pins {settings.portal}, and the credentials lead to {portal_id}.",
        "Use the credentials of the pinned portal, or correct the pin.",
        code=EXIT_GUARD,
    )


def _schema(loaded: Loaded, target: Target, object_types: Sequence[str]) -> tuple[Finding, list[str]]:
    """Read the portal's schema; return what is found of it, and the object types that the rest is about."""
    settings, address = loaded.settings, target.address
    try:
        if settings.schema is not None:
            file = schemas.from_file(type(target.provider), settings.schema)
            chosen = schemas.for_account(file, target.account, is_local=address.is_local)
        else:
            chosen = schemas.of_portal(
                target.connection,
                target.account,
                schemas.cache_of(settings),
                is_local=address.is_local,
                stock=address.stock_schema,
                refresh=settings.refresh_schema,
            )
    except PortalError as error:
        return _failed("schema", error), _names(target, object_types)
    target.use(chosen)
    names = _names(target, object_types)
    told = f"{chosen.told()}: {plural(len(chosen.schema.object_types), 'object type')}"
    if chosen.notes:
        return warning("schema", f"{told}. {' '.join(map(sentence, chosen.notes))}"), names
    if chosen.file is not None and not fresh(chosen.schema, schemas.now_utc()):
        return warning("schema", told, "If the portal has changed since: crmseed schema pull"), names
    return ok("schema", told), names


def _names(target: Target, object_types: Sequence[str]) -> list[str]:
    translator = target.translator
    wanted = object_types or list(target.provider.legend.objects)
    return list(dict.fromkeys(translator.canonical(name) for name in wanted))


def _rights(target: Target, names: Sequence[str], *, named: bool) -> Finding:
    held = target.account.scopes
    if held is None:
        return ok("rights", "the token does not tell; the portal will, at the first request")
    lacking: dict[str, list[str]] = {}
    for name, needed in target.provider.scopes(names).items():
        missing = [" or ".join(sorted(some)) for some in needed if not some & held]
        if missing:
            lacking[name] = missing
    if not lacking:
        return ok("rights", f"create, read, associate and delete: all of {plural(len(names), 'object type')}")
    told = "; ".join(
        f"{name} lacks {', '.join(missing)}" for name, missing in list(lacking.items())[:_LISTED]
    )
    rest = len(lacking) - _LISTED
    text = f"{told}{f' and {rest} more' if rest > 0 else ''}."
    remedy = "Add the scopes to the app that issued the token, and use its new token."
    # Nobody needs all object types; those that were named are needed.
    return failure("rights", text, remedy, code=EXIT_GUARD) if named else warning("rights", text, remedy)


def _quota(target: Target) -> Finding:
    account = target.account
    if account.daily_left is None:
        return ok("quota", "the portal does not tell what is left for today")
    unit = "tokens" if target.provider.capabilities.prices else "requests"
    of = f" of {account.daily_limit:,}" if account.daily_limit is not None else ""
    text = f"{account.daily_left:,}{of} {unit} left for today"
    if account.daily_left <= 0:
        return failure("quota", text, "Wait until it resets.", code=EXIT_GUARD)
    if account.daily_limit and account.daily_left < SCARCE * account.daily_limit:
        return warning("quota", text, "See what a seed takes: crmseed plan")
    return ok("quota", text)


def _clock(target: Target, secrets: dict[str, str]) -> Finding:
    answers: list[Answer] = []
    credentials_ = {**secrets, **target.address.credentials}
    target.connection.run(_heard(target.provider.account(credentials_), answers))
    dates = [answer.headers["date"] for answer in answers if "date" in answer.headers]
    try:
        portal = parsedate_to_datetime(dates[-1])
    except (IndexError, ValueError):
        return ok("clock", "the portal does not tell the time")
    skew = (datetime.now(UTC) - portal).total_seconds()
    if abs(skew) < SKEW_SECONDS:
        return ok("clock", "within a minute of the portal's")
    direction = "ahead of" if skew > 0 else "behind"
    return warning(
        "clock",
        f"this machine is {abs(skew):,.0f} s {direction} the portal.",
        "Set it right: by it runs expire, and other machines tell live ones from dead ones.",
    )


def _heard(exchange: Exchange[Account], answers: list[Answer]) -> Exchange[Account]:
    """Pass an exchange on, and note its answers."""
    try:
        request: Request = next(exchange)
        while True:
            try:
                answer = yield request
            except CrmseedError as error:
                request = exchange.throw(error)
            else:
                answers.append(answer)
                request = exchange.send(answer)
    except StopIteration as done:
        account: Account = done.value
        return account


def _keys(target: Target, names: Sequence[str]) -> Iterator[Finding]:
    try:
        routes = target.connection.run(target.provider.key_routes(names))
    except PortalError as error:
        yield _failed("unique key", error)
        return
    field = target.provider.legend.key_field
    missing = [name for name in names if name not in routes]
    if missing:
        yield failure(
            "unique key",
            f"no field {field} for {_some(missing)}, and nothing else by which records are found again.",
            f"Make it, with a token that may write schemas: crmseed setup {' '.join(missing)}",
            code=EXIT_GUARD,
        )
    usual = ("unique",) if target.provider.capabilities.unique_keys else ("unique", "field", "text")
    degraded = {name: route for name, route in routes.items() if route.kind not in usual}
    if degraded:
        yield warning(
            "unique key",
            f"no unique field {field} for some object types; their records are found again: "
            f"{_ways(degraded)}.",
            f"Make it, with a token that may write schemas: crmseed setup {' '.join(degraded)}",
        )
    if not missing and not degraded:
        yield ok("unique key", f"{plural(len(names), 'object type')}: {_ways(routes)}")


def _ways(routes: Mapping[str, KeyRoute]) -> str:
    grouped: dict[str, list[str]] = {}
    for name, route in routes.items():
        grouped.setdefault(route.way, []).append(name)
    if len(grouped) == 1:
        return next(iter(grouped))
    return "; ".join(f"{_some(names)} {way}" for way, names in grouped.items())


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
