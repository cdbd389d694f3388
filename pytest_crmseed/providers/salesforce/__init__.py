"""Salesforce, through its REST API: collections, composite requests and SOQL."""

from pytest_crmseed.providers.salesforce.wire import Salesforce

__all__ = ["Salesforce"]
