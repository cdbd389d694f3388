"""MiniCRM for pytest-crmseed: `pytest --crm-provider minicrm`."""

from crmseed_minicrm.provider import MiniCRM

__all__ = ["MiniCRM"]
