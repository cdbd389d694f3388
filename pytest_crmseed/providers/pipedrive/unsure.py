"""What this provider takes for true though no page of Pipedrive's says so.

A live company's own definitions replace the bundled ones, so that a wrong guess here is at worst a wrong
dry run.
"""

from __future__ import annotations

from collections.abc import Mapping

UNSURE: Mapping[str, tuple[str, ...]] = {
    "all": (
        "a 429 whose header Retry-After asks for more than a minute is that of the daily budget",
        "a record that was deleted may still be read, with is_deleted",
        "a company's domain that ends in -sandbox is one of a developer sandbox",
    ),
    "companies": ("website, annual_revenue and employee_count have definitions where the company has them",),
    "deals": ("pipeline and stages of a new company", "a deal may be made won or lost"),
    "leads": ("origin_id keeps any text, and is answered by lists",),
    "line_items": (
        "a product that is added changes update_time of its deal",
        "a discount that is an amount is taken off once",
    ),
    "activities": ("the activity types of a new company", "ids of priorities"),
}
"""By object type, what is not confirmed."""
