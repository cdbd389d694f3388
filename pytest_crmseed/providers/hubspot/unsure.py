"""What this provider takes for true though no page of HubSpot's says so.

The bundled schema and the legend are built from HubSpot's documentation, from what its API answers in
public, and where both are silent from the most plausible reading. A live portal's own schema replaces
the bundled one, so that a wrong guess here is at worst a wrong local portal.
"""

from __future__ import annotations

from collections.abc import Mapping

UNSURE: Mapping[str, tuple[str, ...]] = {
    "tickets": (
        "labels of the default pipeline's stages 2, 3 and 4",
        "subject, hs_pipeline and hs_pipeline_stage are all required on create",
        "hs_resolution and its options",
    ),
    "leads": (
        "type id 581 of the primary company's direction to the lead, and 599 of an e-mail to a lead",
        "labels of the default pipeline's stages, and that the last two are closed",
        "options of hs_lead_type, hs_lead_label and hs_lead_disqualification_reason",
        "hs_lead_source is read-only",
    ),
    "products": (
        "only name is required on create",
        "hs_status is what says whether a product is on sale",
        "a unique property, such as our key, can be made",
    ),
    "line_items": (
        "hs_product_id is a number",
        "discount is an amount of money off each unit",
        "a unique property, such as our key, can be made",
    ),
    "quotes": (
        "hs_title and hs_expiration_date are required on create",
        "options of hs_status and hs_language",
        "scopes crm.objects.quotes.read and .write",
    ),
    "orders": (
        "names of the properties beyond name, currency, total, external id and source store",
        "labels of the default pipeline's stages, and that the last two are closed",
    ),
    "notes": ("a unique property, such as our key, can be made of an activity",),
    "tasks": ("hs_timestamp is when a task is due", "options of hs_task_status beyond two"),
    "calls": ("all properties but hs_timestamp", "scopes are those of contacts"),
    "meetings": ("all properties but hs_timestamp", "scopes are those of contacts"),
    "emails": (
        "all properties but hs_timestamp and hs_email_direction",
        "scopes are those of contacts",
    ),
}
"""By object type, what is not confirmed."""
