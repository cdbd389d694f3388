"""The switches of the local portal's Salesforce org, and the points where its behaviour is not certain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_crmseed.portal.salesforce import jwt

Moment = Literal["before insert", "after insert", "before update", "after update", "before delete"]


@dataclass(frozen=True)
class User:
    """A user beside the administrator whom the tokens are of."""

    username: str
    first_name: str = ""
    last_name: str = ""
    active: bool = True


USERS = (
    User("olive.owner@example.com", "Olive", "Owner"),
    User("gina.gone@example.com", "Gina", "Gone", active=False),
)


@dataclass(frozen=True)
class RecordTypeOf:
    """A record type of an object. ``values`` are what it leaves of picklists, by field.

    ``person`` ones are of Account, and make an account a person where ``person_accounts`` are on.
    """

    name: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default: bool = False
    person: bool = False


@dataclass(frozen=True)
class CustomField:
    """A field that the org's own people made.

    ``type`` is that of a describe, such as ``string``, ``picklist`` or ``reference``. ``values`` of a list
    may each be limited to values of the field ``controller`` by ``valid_for``. ``cascade`` is what a
    master-detail relationship does.
    """

    name: str
    label: str = ""
    type: str = "string"
    length: int = 255
    precision: int = 18
    scale: int = 0
    required: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    values: tuple[str, ...] = ()
    default: str | bool | None = None
    restricted: bool = True
    controller: str | None = None
    valid_for: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    relationship: str = ""
    child_relationship: str | None = None
    cascade: bool = False
    restrict: bool = False
    formula: str | None = None


@dataclass(frozen=True)
class CustomObject:
    """An object that the org's own people made. ``auto_number`` is a format such as ``"INV-{0000}"``."""

    name: str
    label: str = ""
    plural: str = ""
    fields: tuple[CustomField, ...] = ()
    name_label: str = ""
    auto_number: str | None = None


@dataclass(frozen=True)
class DuplicateRule:
    """A rule that refuses a row whose ``fields`` all equal another one's.

    It alerts, so that a header lets the row pass, or with ``blocks`` refuses in any case.
    """

    object_type: str
    fields: tuple[str, ...]
    name: str = "Standard_Rule"
    message: str = "Use one of these records?"
    blocks: bool = False


@dataclass(frozen=True)
class ValidationRule:
    """A rule of the org that refuses rows whose field ``when`` is one of ``values``.

    ``field`` is where the message stands; None is the top of the page.
    """

    object_type: str
    when: str
    values: tuple[str | None, ...]
    message: str = "Please contact your administrator."
    field: str | None = None


@dataclass(frozen=True)
class FailingTrigger:
    """A trigger of the org that throws."""

    object_type: str
    name: str = "LocalTrigger"
    moment: Moment = "before insert"
    message: str = "System.NullPointerException: Attempt to de-reference a null object"


@dataclass
class SalesforceBehaviour:
    """How the local portal's Salesforce org behaves; change a value at any time.

    Objects, fields and record types are taken when the org is first used, and on a reset.
    """

    organization_name: str = "Local portal"
    organization_number: int = 1
    """What the org's id is made of; taken when the org is first used."""
    is_sandbox: bool = True
    organization_type: str = "Developer Edition"
    trial_expires: str | None = None
    """When a trial or scratch org ends, such as ``2026-12-31T00:00:00.000+0000``."""
    username: str = "admin@local-portal.example.com"
    """The administrator whom all tokens are of."""
    users: tuple[User, ...] = USERS
    custom_objects: tuple[CustomObject, ...] = ()
    custom_fields: Mapping[str, tuple[CustomField, ...]] = field(default_factory=dict)
    """By object; those of ``Activity`` are of Task and Event."""
    record_types: Mapping[str, tuple[RecordTypeOf, ...]] = field(default_factory=dict)
    person_accounts: bool = False
    """Whether the org has turned person accounts on; a record type of each kind is there in any case."""
    quotes: bool = False
    """Whether the org has turned quotes on."""

    daily_requests: int = 5_000_000
    """Requests in 24 rolling hours; a full sandbox has so many, a Developer Edition 15,000."""
    storage_mb: int | None = None
    """The room for records: a Developer Edition has 5, a Developer sandbox 200; None has no end."""
    usage_steps_back: bool = True
    """Let the figure of ``Sforce-Limit-Info`` go back now and then, as in recordings of real orgs."""
    page_size: int = 2_000
    """Rows on a page of a query, at most."""
    locked: frozenset[str] = frozenset()
    """Ids of rows that another transaction holds; writes to them, and of rows that refer to them, fail."""

    client_id: str | None = None
    """The consumer key that OAuth takes; None takes any."""
    client_secret: str | None = None
    """The consumer secret that OAuth takes; None takes any."""
    password: str | None = None
    """The password, security token included, that a login takes; None takes any."""
    jwt_public_key: str | None = None
    """The RSA key (PEM) that signatures of JWT assertions are checked with; None takes any signature."""
    session_seconds: float = 7_200.0
    """How long a session lasts that a login flow opened. The standing tokens last."""
    rotate_refresh_tokens: bool = False
    """Let a refresh token work once, and answer the next one with it."""

    duplicate_rules: tuple[DuplicateRule, ...] = ()
    validation_rules: tuple[ValidationRule, ...] = ()
    failing_triggers: tuple[FailingTrigger, ...] = ()
    duplicate_result_spelled_right: bool = False
    """Answer ``duplicateResult``; real orgs have been seen to answer ``duplicateResut``."""
    missing_parents_are_out_of_reach: bool = False
    """[unsure] Refuse a lookup to a row that is not there with INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY,
    as some orgs do, instead of INVALID_CROSS_REFERENCE_KEY."""

    def __post_init__(self) -> None:
        # Told here: where an assertion comes in, it would be taken for the application's fault.
        if self.jwt_public_key is not None:
            jwt.rsa_key(self.jwt_public_key)
