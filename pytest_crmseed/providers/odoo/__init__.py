"""Odoo, through its external API: JSON-2 of Odoo 19 and later, JSON-RPC of those before."""

from pytest_crmseed.providers.odoo.wire import Odoo

__all__ = ["Odoo"]
