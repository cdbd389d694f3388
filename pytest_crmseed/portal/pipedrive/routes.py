"""Which paths are emulated, with their costs and scopes (Pipedrive's API references for v1 and v2)."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_crmseed.portal.pipedrive import (
    activities,
    contacts,
    crud_v1,
    deal_products,
    deals,
    field_routes,
    field_routes_v1,
    leads,
    notes,
    oauth,
    pipelines,
    products,
    records,
    search,
    users,
)
from pytest_crmseed.portal.pipedrive.entities import Entity
from pytest_crmseed.portal.pipedrive.routing import Handler, Route

_DEALS = ("deals:read", "deals:full")
_CONTACTS = ("contacts:read", "contacts:full")
_PRODUCTS = ("products:read", "products:full")
_ACTIVITIES = ("activities:read", "activities:full")
_LEADS = ("leads:read", "leads:full")


def _crud(
    entity: Entity, path: str, read: tuple[str, ...], write: tuple[str, ...], listed: Handler | None = None
) -> Iterator[Route]:
    one = f"{path}/{{id}}"
    yield Route("v2", "GET", path, listed or records.listed(entity), 10, read, entity.type)
    yield Route("v2", "POST", path, records.create(entity), 5, write, entity.type, write=True)
    yield Route("v2", "GET", one, records.get(entity), 1, read, entity.type)
    yield Route("v2", "PATCH", one, records.update(entity), 5, write, entity.type, write=True)
    yield Route("v2", "DELETE", one, records.delete(entity), 3, write, entity.type)


def _fields(
    entity: str, read: tuple[str, ...], change: tuple[str, ...], make: tuple[str, ...]
) -> Iterator[Route]:
    path = f"/{entity}Fields"
    one, options = f"{path}/{{field_code}}", f"{path}/{{field_code}}/options"
    yield Route("v2", "GET", path, field_routes.listed(entity), 10, read)
    yield Route("v2", "GET", one, field_routes.get(entity), 1, read)
    if entity == "activity":
        return
    yield Route("v2", "POST", path, field_routes.create(entity), 5, make, write=True)
    yield Route("v2", "PATCH", one, field_routes.update(entity), 5, change, write=True)
    yield Route("v2", "DELETE", one, field_routes.delete(entity), 3, make)
    yield Route("v2", "POST", options, field_routes.add_options(entity), 5, change, write=True)
    yield Route("v2", "PATCH", options, field_routes.change_options(entity), 5, change, write=True)
    yield Route("v2", "DELETE", options, field_routes.delete_options(entity), 3, change)


_FIELDS = (
    ("deal", "deal-fields:full", "deals"),
    ("person", "contact-fields:full", "contacts"),
    ("organization", "contact-fields:full", "contacts"),
)


def _v2() -> Iterator[Route]:
    yield from _crud(deals.ENTITY, "/deals", _DEALS, ("deals:full",), deals.listed)
    yield Route("v2", "GET", "/deals/archived", deals.archived, 20, _DEALS, "deals")
    yield from _crud(contacts.PERSON, "/persons", _CONTACTS, ("contacts:full",))
    yield from _crud(contacts.ORGANIZATION, "/organizations", _CONTACTS, ("contacts:full",))
    yield from _crud(products.ENTITY, "/products", _PRODUCTS, ("products:full",))
    yield from _crud(activities.ENTITY, "/activities", _ACTIVITIES, ("activities:full",))
    yield from _variations()
    yield from _deal_products()
    for entity, own, right in _FIELDS:
        full = f"{right}:full"
        read = (f"{right}:read", full, "admin", own)
        yield from _fields(entity, read, (full, "admin", own), ("admin", own))
    product = ("products:full", "product-fields:full")
    yield from _fields("product", ("products:read", *product), product, product)
    yield from _fields("activity", ("admin",), (), ())
    yield from _pipelines()
    for kind, path, rights in _SEARCHED:
        scopes = (*rights, "search:read")
        yield Route("v2", "GET", f"/{path}/search", search.of(kind), 20, scopes, path, searches=True)
    yield Route("v2", "GET", "/itemSearch", search.items, 20, ("search:read",), searches=True)
    yield Route("v2", "GET", "/itemSearch/field", search.field_values, 20, ("search:read",), searches=True)


_SEARCHED = (
    ("deal", "deals", _DEALS),
    ("person", "persons", _CONTACTS),
    ("organization", "organizations", _CONTACTS),
    ("product", "products", _PRODUCTS),
    ("lead", "leads", _LEADS),
)


def _variations() -> Iterator[Route]:
    path, one, full = (
        "/products/{id}/variations",
        "/products/{id}/variations/{product_variation_id}",
        _PRODUCTS[1:],
    )
    yield Route("v2", "GET", path, products.variations, 10, _PRODUCTS, "products")
    yield Route("v2", "POST", path, products.add_variation, 5, full, "products", write=True)
    yield Route("v2", "PATCH", one, products.change_variation, 5, full, "products", write=True)
    yield Route("v2", "DELETE", one, products.delete_variation, 3, full, "products")


def _deal_products() -> Iterator[Route]:
    path, own = "/deals/{id}/products", "deal_products"
    one = f"{path}/{{product_attachment_id}}"
    read, full = (*_PRODUCTS, *_DEALS), ("products:full", "deals:full")
    yield Route("v2", "GET", path, deal_products.listed, 10, read, own)
    yield Route("v2", "GET", "/deals/products", deal_products.of_deals, 10, read, own)
    yield Route("v2", "POST", path, deal_products.add, 5, full, own, write=True)
    yield Route("v2", "DELETE", path, deal_products.delete_many, 15, full, own)
    yield Route("v2", "POST", f"{path}/bulk", deal_products.add_many, 25, full, own, write=True)
    yield Route("v2", "PATCH", one, deal_products.update, 5, full, own, write=True)
    yield Route("v2", "DELETE", one, deal_products.delete, 3, full, own)


def _pipelines() -> Iterator[Route]:
    read = (*_DEALS, "admin")
    for path, handlers in (
        (
            "/pipelines",
            (pipelines.listed, pipelines.create, pipelines.get, pipelines.update, pipelines.delete),
        ),
        (
            "/stages",
            (
                pipelines.stages,
                pipelines.create_stage,
                pipelines.get_stage,
                pipelines.update_stage,
                pipelines.delete_stage,
            ),
        ),
    ):
        one = f"{path}/{{id}}"
        listed, create, get, update, delete = handlers
        yield Route("v2", "GET", path, listed, 5, read)
        yield Route("v2", "POST", path, create, 5, ("admin",), write=True)
        yield Route("v2", "GET", one, get, 1, read)
        yield Route("v2", "PATCH", one, update, 5, ("admin",), write=True)
        yield Route("v2", "DELETE", one, delete, 3, ("admin",))


def _v1() -> Iterator[Route]:
    yield Route("v1", "GET", "/users/me", users.me, 2, ("base",))
    yield Route("v1", "GET", "/users", users.listed, 20, ("users:read",))
    yield Route("v1", "GET", "/users/find", users.find, 40, ("users:read",))
    yield Route("v1", "GET", "/users/{id}", users.get, 2, ("users:read",))
    yield Route("v1", "GET", "/userSettings", users.settings, 2, ("base",))
    yield Route("v1", "GET", "/currencies", users.currencies, 20, ("base",))
    yield Route("v1", "GET", "/leadSources", users.lead_sources, 2, _LEADS)
    yield from _leads()
    for parent, key in (("pipelines", "pipeline_id"), ("stages", "stage_id")):
        handler = crud_v1.listed(deals.ENTITY, parent=key)
        yield Route("v1", "GET", f"/{parent}/{{id}}/deals", handler, 20, _DEALS, "deals")
    yield Route("v1", "GET", "/products/{id}/deals", crud_v1.deals_of_product, 20, _DEALS, "deals")
    noting = ("deals:full", "contacts:full")
    reading = (*_DEALS, *_CONTACTS)
    yield Route("v1", "GET", "/notes", notes.listed, 20, reading, "notes")
    yield Route("v1", "POST", "/notes", notes.create, 10, noting, "notes", write=True)
    yield Route("v1", "GET", "/notes/{id}", notes.get, 2, reading, "notes")
    yield Route("v1", "PUT", "/notes/{id}", notes.update, 10, noting, "notes", write=True)
    yield Route("v1", "DELETE", "/notes/{id}", notes.delete, 6, noting, "notes")
    yield Route("v1", "GET", "/noteFields", field_routes_v1.note_fields, 20, reading)
    yield Route("v1", "GET", "/leadFields", field_routes_v1.listed("deal"), 20, (*_LEADS, "admin"))
    yield Route("v1", "GET", "/activityFields", field_routes_v1.listed("activity"), 20, _ACTIVITIES)
    for entity, own, right in (*_FIELDS, ("product", "product-fields:full", "products")):
        yield from _fields_v1(entity, own, right)
    typed = (*_ACTIVITIES, "admin")
    yield Route("v1", "GET", "/activityTypes", activities.types, 20, typed)
    yield Route("v1", "POST", "/activityTypes", activities.add_type, 10, ("admin",), write=True)
    yield Route("v1", "PUT", "/activityTypes/{id}", activities.change_type, 10, ("admin",), write=True)
    yield Route("v1", "DELETE", "/activityTypes/{id}", activities.delete_type, 6, ("admin",))


def _leads() -> Iterator[Route]:
    full = ("leads:full",)
    yield Route("v1", "GET", "/leads", leads.listed, 20, _LEADS, "leads")
    yield Route("v1", "POST", "/leads", leads.create, 10, full, "leads", write=True)
    yield Route("v1", "GET", "/leads/archived", leads.archived, 40, _LEADS, "leads")
    yield Route(
        "v1", "GET", "/leads/search", search.of("lead"), 40, (*_LEADS, "search:read"), "leads", searches=True
    )
    yield Route("v1", "GET", "/leads/{id}", leads.get, 2, _LEADS, "leads")
    yield Route("v1", "PATCH", "/leads/{id}", leads.update, 10, full, "leads", write=True)
    yield Route("v1", "DELETE", "/leads/{id}", leads.delete, 6, full, "leads")
    yield Route("v1", "GET", "/leadLabels", leads.labels, 10, _LEADS)
    yield Route("v1", "POST", "/leadLabels", leads.add_label, 10, full, write=True)
    yield Route("v1", "PATCH", "/leadLabels/{id}", leads.change_label, 10, full, write=True)
    yield Route("v1", "DELETE", "/leadLabels/{id}", leads.delete_label, 6, full)


def _fields_v1(entity: str, own: str, right: str) -> Iterator[Route]:
    path, one = f"/{entity}Fields", f"/{entity}Fields/{{id}}"
    full = f"{right}:full"
    other = full if entity == "product" else "admin"
    read, make = (f"{right}:read", full, own, other), (own, other)
    yield Route("v1", "GET", path, field_routes_v1.listed(entity), 20, read)
    yield Route("v1", "POST", path, field_routes_v1.create(entity), 10, make, write=True)
    yield Route("v1", "DELETE", path, field_routes_v1.delete_many(entity), 10, make)
    yield Route("v1", "GET", one, field_routes_v1.get(entity), 2, read)
    yield Route("v1", "PUT", one, field_routes_v1.update(entity), 10, make, write=True)
    yield Route("v1", "DELETE", one, field_routes_v1.delete(entity), 6, make)


def _removed() -> Iterator[Route]:
    for entity, right in (
        (deals.ENTITY, "deals"),
        (contacts.PERSON, "contacts"),
        (contacts.ORGANIZATION, "contacts"),
        (products.ENTITY, "products"),
        (activities.ENTITY, "activities"),
    ):
        path, read, full = f"/{entity.type}", (f"{right}:read", f"{right}:full"), (f"{right}:full",)
        yield _old("GET", path, crud_v1.listed(entity), 20, read, entity.type)
        yield _old("POST", path, crud_v1.create(entity), 10, full, entity.type)
        yield _old("GET", f"{path}/{{id}}", crud_v1.get(entity), 2, read, entity.type)
        yield _old("PUT", f"{path}/{{id}}", crud_v1.update(entity), 10, full, entity.type)
        yield _old("DELETE", f"{path}/{{id}}", crud_v1.delete(entity), 6, full, entity.type)
    for kind, path, read in _SEARCHED[:-1]:
        scopes = (*read, "search:read")
        yield Route(
            "v1", "GET", f"/{path}/search", search.of(kind), 40, scopes, path, searches=True, removed=True
        )
    for name, handler in (("", search.items), ("/field", search.field_values)):
        path = f"/itemSearch{name}"
        yield Route("v1", "GET", path, handler, 40, ("search:read",), searches=True, removed=True)
    for parent, key in (("deals", "deal_id"), ("persons", "person_id"), ("organizations", "org_id")):
        for entity, read in (
            (activities.ENTITY, _ACTIVITIES),
            (deals.ENTITY, _DEALS),
            (contacts.PERSON, _CONTACTS),
        ):
            if key in entity.rules:
                path = f"/{parent}/{{id}}/{entity.type}"
                yield _old("GET", path, crud_v1.listed(entity, parent=key), 20, read, entity.type)
    path = "/deals/{id}/products"
    yield _old("GET", path, crud_v1.deal_products_listed, 20, _DEALS, "deal_products")
    yield _old("POST", path, crud_v1.add_product, 10, ("products:full", "deals:full"), "deal_products")
    for path, listed, one in (
        ("/pipelines", crud_v1.pipelines_listed, crud_v1.pipeline),
        ("/stages", crud_v1.stages_listed, crud_v1.stage),
    ):
        yield _old("GET", path, listed, 20, (*_DEALS, "admin"), None)
        yield _old("GET", f"{path}/{{id}}", one, 2, (*_DEALS, "admin"), None)
    yield _old("POST", "/stages", crud_v1.create_stage, 10, ("admin",), None)
    yield _old("PUT", "/stages/{id}", crud_v1.update_stage, 10, ("admin",), None)
    yield _old("DELETE", "/stages/{id}", crud_v1.delete_stage, 6, ("admin",), None)


def _old(
    method: str, path: str, handler: Handler, cost: int, scopes: tuple[str, ...], object_type: str | None
) -> Route:
    write = method in ("POST", "PUT")
    return Route("v1", method, path, handler, cost, scopes, object_type, write=write, removed=True)


def _absent() -> Iterator[Route]:
    """Yield what another template would match, though the portal has it not."""
    for path in ("/deals/summary", "/deals/timeline", "/deals/archived", "/deals/installments"):
        for version in ("v1", "v2"):
            if (version, path) != ("v2", "/deals/archived"):
                yield Route(version, "GET", path, None, 0)


def all_routes() -> Iterator[Route]:
    """Yield all routes."""
    yield from _v2()
    yield from _v1()
    yield from _removed()
    yield from _absent()
    yield Route("oauth", "GET", "/oauth/authorize", oauth.authorize, 0, open=True)
    yield Route("oauth", "POST", "/oauth/token", oauth.token, 0, open=True)
