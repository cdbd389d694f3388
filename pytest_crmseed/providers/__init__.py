"""Providers: each a CRM, as data plus a sans-I/O adapter. They send nothing."""
