"""Salesforce's REST API, emulated for the objects that people sell with; :mod:`.api` is the way in."""
