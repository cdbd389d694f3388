"""SOQL: parsed, checked against the org's objects, and evaluated over its rows."""
