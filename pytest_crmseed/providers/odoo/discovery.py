"""Odoo's schema, read live: the fields of each model, stages, and lists to choose from.

Sources: Odoo docs, "External JSON-2 API" (``fields_get``, ``default_get``, dynamic documentation).

Requests: one for the list of models, one for each list to choose from, one for each model's fields, and one
for the defaults of each model that has required fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pytest_crmseed.errors import ApiRefused, NotAPortal, PortalError, Unauthorized
from pytest_crmseed.providers.base import Exchange, Rounds, together
from pytest_crmseed.providers.odoo import definitions
from pytest_crmseed.providers.odoo.calls import Session, result_of
from pytest_crmseed.providers.odoo.definitions import ATTRIBUTES, LISTS, STAGE, model_of
from pytest_crmseed.schema.model import ObjectType, Option, Schema

# The server's own machinery, and who may do what: no business of a seed's.
_MACHINERY = re.compile(
    r"(ir|bus|base|base_import|web_tour|web_editor|html_editor|report|iap|fetchmail|auth|auth_totp|digest"
    r"|discuss|properties|decimal|sms|snailmail|privacy|mail|phone|crm\.iap|crm\.lead\.scoring)\..*"
    r"|res\.(users|groups|device|lang|role|config|company)(\..*)?"
)
# Of those, what people write down.
_OF_PEOPLE = frozenset({"mail.activity", "mail.activity.type", "mail.message"})

_MOST_ROWS = 500


class Discovery:
    """Read the schema of one database: all models that hold records of people's.

    What the user may not see is left out and noted in the schema's ``gaps``.
    """

    def __init__(self, session: Session, known: Schema) -> None:
        self._session = session
        self._known = known
        self._labels: dict[str, str] = {}
        self._manual: set[str] = set()
        # By model, those of which each of its records has one inside, made with it.
        self._inside: dict[str, set[str]] = {}
        self._fields: dict[str, dict[str, Any]] = {}
        self._defaults: dict[str, set[str]] = {}
        self._options: dict[str, list[Option]] = {}
        self._stages: list[dict[str, Any]] = []
        self._gaps: list[str] = []

    def schema(self, object_types: Sequence[str], *, portal_id: str, taken_at: str) -> Rounds[Schema]:
        """Return the live schema of these object types, by native name, and of all other models.

        Raises:
            PortalError: the server fails, or lets nothing be read.
        """
        asked = dict.fromkeys(map(model_of, object_types))
        yield from together([self._list(asked)])
        lists = [name for name in LISTS if name in self._labels]
        yield from together([*map(self._choices, lists), self._read_stages()])
        yield from together([self._read_fields(name) for name in self._labels])
        every: dict[str, ObjectType] = {}
        for name in sorted(self._fields, key=lambda name: (name not in asked, name)):
            found = definitions.object_type_of(
                name,
                self._labels[name],
                self._fields[name],
                defaults=self._defaults.get(name, ()),
                inside=self._inside.get(name, ()),
                options=self._options,
                manual=name in self._manual,
            )
            every |= {each.name: each for each in definitions.variants(found, self._stages)}
        return Schema(
            provider=self._known.provider,
            object_types=every,
            source="live",
            taken_at=taken_at,
            portal_id=portal_id,
            complete=True,
            gaps=tuple(self._gaps),
        )

    def _list(self, asked: dict[str, None]) -> Exchange[None]:
        try:
            rows = yield from self._session.rows(
                "ir.model",
                [["transient", "=", False]],
                ("model", "name", "state", "inherited_model_ids"),
                "list the models",
            )
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            if refused.status == 401:
                raise
            self._gaps.append(
                f"The list of models could not be read ({_reason(refused)}): only those that are known from "
                "the start can be seeded."
            )
            self._labels = {name: self._label(name) for name in asked}
            return
        names = {row["id"]: str(row["model"]) for row in rows}
        for row in rows:
            model = str(row["model"])
            self._inside[model] = {names[id] for id in row.get("inherited_model_ids") or () if id in names}
            if model in _OF_PEOPLE or not _MACHINERY.fullmatch(model):
                self._labels[model] = str(row["name"])
                if row.get("state") == "manual":
                    self._manual.add(model)

    def _label(self, name: str) -> str:
        snapshot = self._known.object_types.get(name)
        return snapshot.label if snapshot else name

    def _choices(self, model: str) -> Exchange[None]:
        try:
            answer = yield self._session.search(model, [], ("display_name",), f"read the rows of {model}")
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            self._note(f"The rows of {model}", "they go by their ids only", refused)
            return
        rows = result_of(answer)
        if len(rows) <= _MOST_ROWS:
            self._options[model] = [Option(str(row["id"]), str(row["display_name"])) for row in rows]

    def _read_stages(self) -> Exchange[None]:
        if STAGE not in self._labels:
            return
        try:
            self._stages = yield from self._session.rows(
                STAGE, [], ("name", "sequence", "is_won"), "read the stages"
            )
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            self._note("The stages", "deals take their ids only", refused)

    def _read_fields(self, model: str) -> Exchange[None]:
        call = self._session.call
        what = f"read the fields of {model}"
        try:
            found = result_of((yield call(model, "fields_get", what, attributes=list(ATTRIBUTES))))
            if "create_uid" not in found and model not in self._known.object_types:
                # Nobody's records: an abstract model, or a view of others.
                return
            required = [name for name, entry in found.items() if entry.get("required")]
            if required:
                what = f"read the defaults of {model}"
                given = result_of((yield call(model, "default_get", what, fields=required)))
                # A default may be that there is none.
                self._defaults[model] = {name for name, value in given.items() if value not in (False, None)}
        except (ApiRefused, Unauthorized, NotAPortal) as refused:
            if refused.status == 401 or model in map(model_of, self._known.object_types):
                self._note(f"The fields of {model}", "it cannot be seeded", refused)
            return
        self._fields[model] = found

    def _note(self, what: str, consequence: str, refused: PortalError) -> None:
        if refused.status == 401:
            raise refused
        self._gaps.append(f"{what} could not be read ({_reason(refused)}): {consequence}.")


def _reason(refused: PortalError) -> str:
    code = next((x.code for x in getattr(refused, "refusals", ()) if x.code), "")
    return f"Odoo answers {refused.status}{f', {code}' if code else ''}"
