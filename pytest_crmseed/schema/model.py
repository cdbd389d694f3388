"""The schema of a portal: object types, fields, options, pipelines, association types.

One model for every provider. What only one provider has stays in ``Field.native``, for example
HubSpot's ``type``, ``fieldType`` and ``groupName``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a field's value is, whatever the provider calls it."""

    STRING = "string"
    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    OPTION = "option"
    OPTIONS = "options"
    REFERENCE = "reference"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a picklist: ``value`` goes over the wire, ``label`` is what people see.

    ``valid_for`` are the values of the controlling field that allow it, where there is such a field.
    """

    value: str
    label: str
    hidden: bool = False
    valid_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object type.

    ``external`` says where the options live when they are not in ``options``: ``"pipelines"``,
    ``"stages"`` or ``"owners"``. ``required`` fields need a value on create whatever the API version;
    ``admin_required`` ones by a rule of the portal's administrator, which only some versions enforce.
    ``pattern`` is a regular expression that the whole text matches; ``minimum`` and ``maximum`` are
    the bounds of a number, both included, as decimal text. ``unrestricted`` picklists take values
    beyond their options; ``controller`` is the field whose value decides which options are allowed.
    """

    name: str
    label: str
    kind: Kind
    options: tuple[Option, ...] = ()
    external: str | None = None
    required: bool = False
    admin_required: bool = False
    read_only: bool = False
    calculated: bool = False
    unique: bool = False
    hidden: bool = False
    archived: bool = False
    custom: bool = False
    max_length: int | None = None
    min_length: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    pattern: str = ""
    group: str = ""
    references: tuple[str, ...] = ()
    unrestricted: bool = False
    controller: str = ""
    description: str = ""
    native: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of fields, as the portal shows them to people."""

    name: str
    label: str
    order: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline. ``probability`` runs from 0 to 1 and is None where the portal has none."""

    id: str
    label: str
    order: int
    closed: bool = False
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline with its stages in display order; the first pipeline is the default one."""

    id: str
    label: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Association:
    """An association type from the object type that holds it to ``to``.

    ``inverse`` is the type id of the same association seen from the other side. ``primary`` marks
    the type that makes its target the one main record ("primary company").
    """

    to: str
    type_id: int
    category: str
    label: str | None = None
    inverse: int | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object type under its native name, with its fields by native name.

    ``required_any`` holds groups of fields of which at least one has a value on create; a group of
    one is a required field. ``type_id`` is the provider's own id (HubSpot ``0-3``). ``display_field``
    is the field that people see as the record's name, ``searchable`` are those that the portal's own
    search looks through, where the portal tells.
    """

    name: str
    label: str
    plural: str
    fields: Mapping[str, Field]
    type_id: str = ""
    singular: str = ""
    groups: tuple[Group, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    associations: tuple[Association, ...] = ()
    required_any: tuple[tuple[str, ...], ...] = ()
    custom: bool = False
    display_field: str = ""
    searchable: tuple[str, ...] = ()

    def association(self, to: str, *, primary: bool = False, label: str | None = None) -> Association | None:
        """Return the association type to ``to``: the unlabelled, the primary, or the labelled one."""
        for association in self.associations:
            if association.to != to or association.primary != primary:
                continue
            if association.label == label or (primary and label is None):
                return association
        return None


@dataclass(frozen=True, slots=True)
class Schema:
    """All that is known of a portal's object types, and where it comes from.

    ``source`` is ``"bundled"``, ``"file"``, ``"cache"`` or ``"live"``; ``taken_at`` an ISO date or
    time. A bundled schema is not complete: a name outside it is not checkable, not invalid. ``gaps``
    are sentences that say what the portal did not let us read.
    """

    provider: str
    object_types: Mapping[str, ObjectType]
    source: str = "bundled"
    taken_at: str = ""
    portal_id: str = ""
    complete: bool = False
    gaps: tuple[str, ...] = ()
