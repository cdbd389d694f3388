"""Pure data on its way from a plan to a test: refs, drafts, batches, results, seeded records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.suggest import did_you_mean


@dataclass(frozen=True, slots=True)
class Ref:
    """A pointer to a record of the same plan, or of a wider scope, by object type and index.

    Make one with :func:`ref`. ``label`` names an association label of the portal
    (``"decision_maker"``).
    """

    object_type: str
    index: int
    label: str | None = None


def ref(object_type: str, index: int, *, label: str | None = None) -> Ref:
    """Point at the ``index``-th record of ``object_type``, for a link in an override.

    ``index`` counts from 0; under ``--crm-count`` it wraps around what there is.

    Raises:
        UsageError: ``index`` is negative or no whole number.
    """
    if not isinstance(object_type, str) or not object_type:
        raise UsageError(f"ref() takes an object type's name first, not {object_type!r}.")
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise UsageError(f"ref({object_type!r}, {index!r}): the index is a whole number from 0 on.")
    return Ref(object_type, index, label)


@dataclass(frozen=True, slots=True)
class Link:
    """One end of an association: the link field, and the parent by index in the plan or by id.

    Exactly one of ``index`` (a record of the same plan) and ``id`` (a record that exists) is set.
    """

    field: str
    object_type: str
    index: int | None = None
    id: str | None = None
    label: str | None = None


@dataclass(slots=True)
class Draft:
    """A record before it exists: ``values`` in the provider's own names and wire form.

    ``neutral`` keeps what the factory and the overrides said, for messages and the error file.
    """

    object_type: str
    index: int
    key: str
    values: dict[str, Any]
    links: tuple[Link, ...] = ()
    neutral: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Batch:
    """Drafts of one object type that go out in one request. ``number`` counts from 1 within the type."""

    object_type: str
    number: int
    of: int
    drafts: list[Draft]

    def __len__(self) -> int:
        return len(self.drafts)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the API itself said against a record, as far as it said it.

    ``message`` and ``code`` are the API's own words; ``field`` is the native name of the field,
    ``value`` the value as sent, ``allowed`` the allowed values where the API or the schema lists
    them, ``request_id`` the API's own id of the request. ``conflict`` marks a unique value that
    another record already holds (its id in ``existing_id`` where the API gives it). ``of_batch``
    says that the API refused a whole batch and did not name the record. ``body`` is all that the
    API said on it, as text.
    """

    message: str
    code: str = ""
    field: str | None = None
    value: Any = None
    allowed: tuple[str, ...] = ()
    status: int | None = None
    request_id: str | None = None
    conflict: bool = False
    existing_id: str | None = None
    of_batch: bool = False
    body: str = dataclasses.field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Warned:
    """What the API said of a record that it took all the same, in its own words.

    ``field`` is the native name of the field, ``sent`` the value as sent and ``held`` the one that the
    API made of it, where it says so.
    """

    message: str
    code: str = ""
    field: str | None = None
    sent: Any = None
    held: Any = None


@dataclass(slots=True)
class RecordResult:
    """What became of one draft: an ``id`` with the values the portal answered, or ``refusals``.

    With both, it was made, and a part of it that is a record of its own was not. With neither, the
    portal's answer does not account for the draft; ``remarks`` are errors in that answer that name no
    record. ``warnings`` are what the portal said of a record it took.
    """

    draft: Draft
    id: str | None = None
    native: dict[str, Any] = field(default_factory=dict)
    url: str | None = None
    refusals: tuple[Refusal, ...] = ()
    remarks: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the record exists, and is whole."""
        return self.id is not None and not self.refusals


class Record(Mapping[str, Any]):
    """A record that exists in the portal.

    ``record["amount"]`` gives the neutral Python value as the portal holds it; native names work
    too. ``native`` holds the wire values, ``links`` the parents it was made with, by id. Equality
    and hash go by object type and id.
    """

    __slots__ = (
        "_decode",
        "_native",
        "_neutral",
        "_reload",
        "id",
        "index",
        "key",
        "links",
        "object_type",
        "url",
    )

    def __init__(
        self,
        *,
        object_type: str,
        index: int,
        id: str,
        key: str = "",
        native: Mapping[str, Any] | None = None,
        url: str | None = None,
        links: tuple[Link, ...] = (),
        decode: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] | None = None,
        reload: Callable[[Record], tuple[Mapping[str, Any], str | None]] | None = None,
    ) -> None:
        self.object_type = object_type
        self.index = index
        self.id = id
        self.key = key
        self.url = url
        self.links = links
        self._native = dict(native or {})
        self._decode = decode
        self._reload = reload
        self._neutral: Mapping[str, Any] | None = None

    @property
    def native(self) -> dict[str, Any]:
        """The wire values, by native name."""
        return self._native

    def _values(self) -> Mapping[str, Any]:
        if self._neutral is None:
            decode = self._decode
            self._neutral = dict(decode(self.object_type, self._native)) if decode else {}
        return self._neutral

    def __getitem__(self, name: str) -> Any:
        __tracebackhide__ = True
        values = self._values()
        if name in values:
            return values[name]
        if name in self._native:
            return self._native[name]
        known = [*values, *self._native]
        raise KeyError(f"{self.object_type}[{self.index}] has no field {name!r}{did_you_mean(name, known)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def __contains__(self, name: object) -> bool:
        return name in self._values() or name in self._native

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return (self.object_type, self.id) == (other.object_type, other.id)

    def __hash__(self) -> int:
        return hash((self.object_type, self.id))

    def __repr__(self) -> str:
        return f"<Record {self.object_type}[{self.index}] id={self.id}>"

    def reload(self) -> Record:
        """Read the record again from the portal, and return it.

        Raises:
            PortalError: the portal cannot be read, or the record is gone.
        """
        if self._reload is None:
            raise UsageError(f"{self!r} was not seeded by a portal and cannot be reloaded.")
        native, url = self._reload(self)
        self._native = dict(native)
        self.url = url or self.url
        self._neutral = None
        return self


class SeededRecords:
    """Records by object type: ``records.deals[0]``, ``records["2-123"]``; iteration gives all.

    Object types come in the order they were made, parents first.
    """

    __slots__ = ("_aliases", "_by_type", "_hint")

    def __init__(
        self,
        by_type: Mapping[str, Sequence[Record]] | None = None,
        *,
        aliases: Mapping[str, str] | None = None,
        hint: str = "",
    ) -> None:
        self._by_type: dict[str, tuple[Record, ...]] = {
            name: tuple(records) for name, records in (by_type or {}).items()
        }
        self._aliases = dict(aliases or {})
        self._hint = hint

    @classmethod
    def layered(cls, layers: Iterable[SeededRecords], *, hint: str = "") -> SeededRecords:
        """Return one view of several, widest scope first: a narrower one shadows by object type."""
        by_type: dict[str, tuple[Record, ...]] = {}
        aliases: dict[str, str] = {}
        for layer in layers:
            by_type.update(layer._by_type)
            aliases.update(layer._aliases)
        return cls(by_type, aliases=aliases, hint=hint)

    @property
    def object_types(self) -> tuple[str, ...]:
        """The names of the object types that have records here."""
        return tuple(self._by_type)

    def __getitem__(self, object_type: str) -> tuple[Record, ...]:
        name = self._aliases.get(object_type, object_type)
        try:
            return self._by_type[name]
        except KeyError:
            raise UnknownName("seeded object type", object_type, self._by_type, remedy=self._hint) from None

    def __getattr__(self, object_type: str) -> tuple[Record, ...]:
        __tracebackhide__ = True  # a test that misspells a name sees its own line
        if object_type.startswith("_"):
            raise AttributeError(object_type)
        try:
            return self[object_type]
        except UnknownName as error:
            raise AttributeError(str(error)) from None

    def __contains__(self, object_type: object) -> bool:
        return object_type in self._by_type or object_type in self._aliases

    def get(self, object_type: str) -> tuple[Record, ...]:
        """Return the records of ``object_type``, empty when there are none."""
        return self._by_type.get(self._aliases.get(object_type, object_type), ())

    def __iter__(self) -> Iterator[Record]:
        for records in self._by_type.values():
            yield from records

    def __len__(self) -> int:
        return sum(len(records) for records in self._by_type.values())

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={len(records)}" for name, records in self._by_type.items())
        return f"<SeededRecords {counts or 'none'}>"
