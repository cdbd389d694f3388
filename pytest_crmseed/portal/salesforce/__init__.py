"""Salesforce's REST API, emulated for the objects that people sell and serve with; :mod:`.api` is the way in."""
