"""The objects of an org: those that every org has, and what its own people added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from pytest_crmseed.portal.behaviour import Behaviour
from pytest_crmseed.portal.salesforce import custom, pulled, stock
from pytest_crmseed.portal.salesforce.behaviour import CustomField
from pytest_crmseed.portal.salesforce.definitions import (
    MASTER_RECORD_TYPE,
    PROVIDER,
    Child,
    Field,
    RecordType,
    SObject,
)
from pytest_crmseed.portal.store import Store
from pytest_crmseed.schema.model import Schema

KEY = "crmseed_key__c"

SYSTEM = frozenset(
    {
        "CaseStatus",
        "FieldPermissions",
        "LeadStatus",
        "OpportunityStage",
        "Organization",
        "PermissionSet",
        "PermissionSetAssignment",
        "Profile",
        "RecordType",
        "TaskStatus",
        "User",
    }
)
"""Objects whose rows make the org itself; nobody seeds them."""

ACTIVITIES = ("Task", "Event")
"""The objects that share the fields of ``Activity``."""

_QUOTES = frozenset({"Quote", "QuoteLineItem"})
_FIELD = "field"
_MASTER = RecordType(MASTER_RECORD_TYPE, "Master", "Master", master=True)


class Catalogue:
    """The objects of one org by name in any case, and by the first letters of their ids.

    ``changed`` tells that fields were added in the store since it was last set to False: whoever undoes a
    transaction then has to :meth:`load` anew.
    """

    def __init__(self, store: Store, behaviour: Behaviour, schema: Schema | None) -> None:
        self._store = store
        self._behaviour = behaviour
        self._schema = schema
        self.load()

    def load(self) -> None:
        """Take all definitions anew: the stock, the switches, a pulled schema, what the store keeps."""
        switches = self._behaviour.salesforce
        absent = frozenset() if switches.quotes else _QUOTES
        self.changed = False
        self.defined_at = 0.0
        self._built: dict[str, SObject] = {}
        self._own: dict[str, list[Field]] = {}
        self._hidden: dict[str, dict[str, Field]] = {}
        self._custom: dict[str, SObject] = {}
        self._children: dict[str, list[Child]] = {}
        stock_names = [name for name in stock.data()["objects"] if name not in absent]
        self._pulled = {} if self._schema is None else pulled.fields(self._schema, stock_names)
        told = self._pulled.get("Account", ())
        self.person_accounts = switches.person_accounts or any(f.name == "IsPersonAccount" for f in told)
        of_switches = switches.record_types
        self._record_types = custom.record_types(
            custom.with_people(of_switches) if self.person_accounts else of_switches
        )
        for each in custom.objects(switches.custom_objects):
            self._custom[each.name] = each
        if self._schema is not None:
            self._record_types |= pulled.record_types(self._schema)
            for each in pulled.objects(self._schema, stock_names):
                self._custom[each.name] = each
        self._names = {name.lower(): name for name in (*stock_names, *self._custom)}
        self.by_prefix: dict[str, str] = {
            stock.data()["objects"][name]["keyPrefix"]: name for name in stock_names
        }
        self._number_custom_objects()
        for each in self._custom.values():
            self._refer(each.name, each.fields)
        for name, fields in self._pulled.items():
            self._refer(name, [field for field in fields if field.custom])
        for holder, added in switches.custom_fields.items():
            for name in self.holders(holder):
                self._add(name, [custom.field(one) for one in added])
        if self._behaviour.set_up:
            for name in self.names:
                if self.seedable(name) and not self._has(name, KEY):
                    self._add(name, [custom.key_field(KEY)])
        for name, _, kept in self._store.definitions(PROVIDER, _FIELD):
            if name.lower() in self._names:
                self.defined_at = max(self.defined_at, kept["at"])
                made = custom.field(CustomField(**kept["field"]))
                if kept["visible"]:
                    self._add(name, [made])
                else:
                    self._hidden.setdefault(name, {})[made.name.lower()] = made

    # -- to look up ------------------------------------------------------------------------------
    @property
    def names(self) -> Iterable[str]:
        """The names of all objects."""
        return self._names.values()

    def find(self, name: str) -> SObject | None:
        """Return the object of a name in any case, or None."""
        known = self._names.get(name.lower())
        if known is None:
            return None
        if known not in self._built:
            self._built[known] = self._build(known)
        return self._built[known]

    def of_id(self, prefix: str) -> SObject | None:
        """Return the object whose ids begin with three letters, or None."""
        name = self.by_prefix.get(prefix)
        return None if name is None else self.find(name)

    def seedable(self, name: str) -> bool:
        """Return whether rows of an object are records, and not part of the org itself."""
        return name not in SYSTEM and name != "CampaignMemberStatus"

    def holders(self, name: str) -> tuple[str, ...]:
        """Return the objects that have the fields defined on one; those of Activity are shared."""
        if name.lower() == "activity":
            return ACTIVITIES
        known = self._names.get(name.lower())
        return () if known is None else (known,)

    # -- to change -------------------------------------------------------------------------------
    def taken(self, holder: str, name: str) -> bool:
        """Return whether an object has a field of a name, be it hidden."""
        return any(
            self._has(each, name) or name.lower() in self._hidden.get(each, {})
            for each in self.holders(holder)
        )

    def make_field(self, holder: str, field: CustomField, at: float, *, visible: bool) -> None:
        """Keep a new field; unless it is visible, nobody sees it until it is shown."""
        self._keep(holder, {"field": asdict(field), "visible": visible, "at": at})

    def show_field(self, holder: str, name: str, at: float) -> bool:
        """Let a field be seen; return whether there is one."""
        if not self.taken(holder, name):
            return False
        for each, known, kept in self._store.definitions(PROVIDER, _FIELD):
            if known.lower() == name.lower() and each in self.holders(holder) and not kept["visible"]:
                self._keep(each, {**kept, "visible": True, "at": at})
        return True

    def _keep(self, holder: str, kept: Mapping[str, Any]) -> None:
        for name in self.holders(holder):
            self._store.define(PROVIDER, _FIELD, name, kept["field"]["name"], kept)
        self.load()
        self.changed = True

    # -- to put together -------------------------------------------------------------------------
    def _stocked(self, name: str) -> tuple[Field, ...]:
        if name in self._pulled:
            return self._pulled[name]
        return stock.fields_with_people(name) if self.person_accounts else stock.fields(name)

    def _build(self, name: str) -> SObject:
        own = tuple(self._own.get(name, ()))
        if name == "Account" and self.person_accounts:
            known = {field.name for field in (*self._stocked(name), *own)}
            of_contacts = [custom.of_contact(f) for f in self._own.get("Contact", ()) if f.custom]
            own = (*own, *(field for field in of_contacts if field.name not in known))
        if name in self._custom:
            base = self._custom[name]
            fields, children = base.fields, base.children
        else:
            head = stock.data()["objects"][name]
            fields, children = self._stocked(name), stock.children(name)
            base = SObject(
                name=name,
                label=head["label"],
                label_plural=head["labelPlural"],
                prefix=head["keyPrefix"],
                flags=stock.flags(head.get("flags", {})),
                fields=fields,
                scopes=tuple((scope, label) for scope, label in head["scopes"]),
                links=tuple(head.get("links", ())),
                record_types=(_MASTER,) if head["recordTypes"] else (),
            )
        record_types = self._record_types.get(name, ())
        if record_types:
            defaulted = any(each.default for each in record_types)
            master = replace(_MASTER, default=not defaulted)
            base = replace(base, record_types=(*record_types, master))
            if not any(field.name == "RecordTypeId" for field in (*fields, *own)):
                own = (custom.record_type_field(), *own)
        elif base.record_types:
            base = replace(base, record_types=(replace(_MASTER, default=True),))
        replaced = {field.name.lower() for field in own}
        kept = [field for field in fields if field.name.lower() not in replaced]
        children = tuple(
            child
            for child in (*children, *self._children.get(name, ()))
            if child.object not in _QUOTES or child.object.lower() in self._names
        )
        return replace(base, fields=_placed([*kept, *own]), children=children)

    def _has(self, name: str, field: str) -> bool:
        fields = self._custom[name].fields if name in self._custom else self._stocked(name)
        lowered = field.lower()
        return any(each.name.lower() == lowered for each in (*fields, *self._own.get(name, ())))

    def _add(self, name: str, fields: Iterable[Field]) -> None:
        known = list(fields)
        self._own.setdefault(name, []).extend(known)
        self._built.pop(name, None)
        self._refer(name, known)

    def _refer(self, name: str, fields: Iterable[Field]) -> None:
        for field in fields:
            facts = field.facts
            for target in field.references:
                made = Child(
                    name, field.name, field.children, facts["cascadeDelete"], facts["restrictedDelete"]
                )
                self._children.setdefault(target, []).append(made)
                self._built.pop(target, None)

    def _number_custom_objects(self) -> None:
        for number, name in enumerate(sorted(self._custom)):
            each = self._custom[name]
            prefix = each.prefix or custom.prefix(number)
            while prefix in self.by_prefix:
                number += 1
                prefix = custom.prefix(number)
            self._custom[name] = replace(each, prefix=prefix)
            self.by_prefix[prefix] = name


def _placed(fields: list[Field]) -> tuple[Field, ...]:
    """Return fields of which dependent picklists know the places in their controlling field's list."""
    by_name = {field.name: field for field in fields}
    return tuple(
        field.placed(by_name[field.controller].options)
        if field.valid_for is not None and field.controller in by_name
        else field
        for field in fields
    )
