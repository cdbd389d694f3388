"""Object types and fields by any of their names: neutral, native, label, type id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_crmseed.errors import UnknownName, UsageError
from pytest_crmseed.schema.model import Field, ObjectType, Schema
from pytest_crmseed.schema.tables import Legend, ObjectLegend
from pytest_crmseed.suggest import nearest

# A name outside an incomplete schema that is this near to a known one is taken for a slip of the
# pen; anything less near may be a custom field the snapshot cannot know.
SLIP = 0.82


class Names:
    """The names of a legend and of one portal's schema."""

    def __init__(self, legend: Legend, schema: Schema) -> None:
        self.legend = legend
        self.schema = schema
        self._by_native = {entry.native: entry for entry in legend.objects.values()}

    # -- object types ----------------------------------------------------------------------------
    def canonical(self, name: str) -> str:
        """Return the name an object type goes by: its neutral one, else its native one.

        Takes the neutral name, the native name, a label, or the type id.

        Raises:
            UsageError: the provider lacks it.
            UnknownName: there is no such object type.
        """
        if name in self.legend.objects:
            return name
        if name in self.legend.lacking:
            raise UsageError(f"{self.legend.lacking[name]}")
        native = self._native_name(name)
        entry = self._by_native.get(native)
        return entry.neutral if entry else native

    def _native_name(self, name: str) -> str:
        if name in self.schema.object_types:
            return name
        folded = name.casefold()
        for native, candidate in self.schema.object_types.items():
            spellings = (native, candidate.label, candidate.plural, candidate.singular, candidate.type_id)
            if folded in (spelling.casefold() for spelling in spellings if spelling):
                return native
        raise UnknownName("object type", name, [*self.legend.objects, *self.schema.object_types])

    def object_type(self, name: str) -> ObjectType:
        """Return the schema's object type of a canonical name."""
        entry = self.legend.objects.get(name)
        native = entry.native if entry else self._native_name(name)
        try:
            return self.schema.object_types[native]
        except KeyError:
            raise UnknownName("object type", native, self.schema.object_types) from None

    def entry(self, name: str) -> ObjectLegend:
        """Return the legend's table of an object type; an empty one where the legend has none."""
        return self.legend.objects.get(name) or ObjectLegend(name, name, {})

    def aliases(self) -> dict[str, str]:
        """Return other names of object types: native name and type id → canonical name."""
        names: dict[str, str] = {}
        for native, object_type in self.schema.object_types.items():
            entry = self._by_native.get(native)
            canonical = entry.neutral if entry else native
            names |= {other: canonical for other in (native, object_type.type_id) if other}
        return {other: canonical for other, canonical in names.items() if other != canonical}

    # -- fields ----------------------------------------------------------------------------------
    def neutral_fields(self, name: str) -> tuple[str, ...]:
        """Return the neutral fields that can be written in this object type.

        They have a home of their own, or are parts of a composed field; a home that the portal's
        complete schema does not have is none.
        """
        return tuple(neutral for neutral, native in self._homes(name).items() if self._has(name, native))

    def _homes(self, name: str) -> dict[str, str]:
        """Return the native field that each neutral field goes into; of several, the first."""
        entry = self.entry(name)
        homes = {neutral: home.native for neutral, home in entry.fields.items()}
        for composed in entry.composed:
            for part in composed.parts:
                homes.setdefault(part, composed.native)
        return homes

    def _has(self, name: str, native: str) -> bool:
        return not self.schema.complete or native in self.object_type(name).fields

    def homeless(self, name: str) -> Mapping[str, str]:
        """Return the neutral fields that cannot be set in this object type, with the reasons."""
        return self.entry(name).homeless

    def neutral_home(self, name: str, native: str) -> str | None:
        """Return the neutral field whose home is the native field ``native``, or None.

        A composed field is nobody's home: its parts are given, or it is itself.
        """
        for neutral, home in self.entry(name).fields.items():
            if home.native == native:
                return neutral
        return None

    def spellings(self, name: str) -> dict[str, str]:
        """Return the neutral name for each native field that has one; a composed field's first part."""
        entry = self.entry(name)
        composed = {each.native: each.parts[0] for each in entry.composed}
        return composed | {home.native: neutral for neutral, home in entry.fields.items()}

    def resolve(self, name: str, field_name: str) -> str:
        """Return the name that ``field_name`` stands for: the neutral one, else the native one.

        Takes a neutral name, a native name, or a label of the portal, in any case. A name that an
        incomplete schema cannot know is returned as it is.

        Raises:
            UsageError: the field has no writable home here, is a near miss of a known one, or is a
                label of several fields.
        """
        entry, neutral = self.entry(name), self.neutral_fields(name)
        if field_name in neutral:
            return field_name
        if field_name in entry.homeless:
            raise UsageError(f"{name}.{field_name} cannot be set: {entry.homeless[field_name]}")
        if field_name in (homes := self._homes(name)):
            raise UsageError(
                f"{name}.{field_name} cannot be set: the portal has no field {homes[field_name]!r}."
            )
        native = self.object_type(name).fields
        found = self._field(name, field_name, neutral, native)
        if found is not None:
            return self.neutral_home(name, found) or found
        known = [*neutral, *native]
        if self.schema.complete or nearest(field_name, known, cutoff=SLIP):
            remedy = (
                "" if self.schema.complete else f"If the portal has it, write native={{{field_name!r}: …}}."
            )
            raise UnknownName("field", field_name, known, where=f"of {name}", remedy=remedy)
        return field_name

    def _field(
        self, name: str, wanted: str, neutral: Iterable[str], native: Mapping[str, Field]
    ) -> str | None:
        """Return the neutral or native name that is meant, or None."""
        if wanted in native:
            return wanted
        folded = wanted.casefold()
        for known in (*neutral, *native):
            if known.casefold() == folded:
                return known
        labelled = [field for field in native.values() if field.label.casefold() == folded]
        # A portal keeps the definitions of deleted fields; a live one of that label is meant.
        labelled = [field for field in labelled if not field.archived] or labelled
        if len(labelled) > 1:
            names = ", ".join(field.name for field in labelled)
            raise UsageError(
                f"{wanted!r} is the label of {len(labelled)} fields of {name}: {names}.",
                remedy="Give one of these names.",
            )
        return labelled[0].name if labelled else None
