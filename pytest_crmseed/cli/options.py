"""The settings that the commands about seeding have in common, each with its help text."""

from __future__ import annotations

PORTAL = {
    "provider": "The CRM",
    "target": "A local portal or a vendor's sandbox",
    "base_url": "The portal at this address: a running local one, or a sandbox behind it",
    "portal": "Refuse every portal but the one with this id",
    "allow_production": "Allow exactly the portal with this id though it is not provably a sandbox",
}

DATA = {
    "count": "Tracer bullet: at most this many records of each object type",
    "random_seed": "Make the same data again; by default a new number, which is printed",
    "base_date": "The day that generated dates are counted from; by default today",
    "max_records": "Refuse more records than this",
    "schema": "Check records by this file of `crmseed schema pull`",
    "refresh_schema": "Read the portal's schema anew, though it was read within the last day",
    "batch_size": "At most this many records in one request",
    "rate": "Send at most N requests in SECONDS, or P% of what the portal allows",
    "locale": "The language and country of generated names and addresses",
    "email_domain": "The domain of generated e-mail addresses",
    "api_version": "The version of the provider's API",
    "verify": "Read the records back: an absent record or a dropped value is a failure, with strict a "
    "value that the portal changed, too",
}

WRITING = {
    "on_error": "When a record is refused, undo everything, or keep the good records",
    "empty_bin": "Take what is undone out of the CRM's recycle bin, too (Salesforce)",
    "keep_for": "How long the records may stay, such as 2h",
    "expire": "When a run that gives no more sign of life may be swept from elsewhere",
    "errors": "Write refused records and what the portal said here",
    "report": "Write a report of the run here, as JSON",
    "ledger": "Write down here what was made; `crmseed cleanup` reads it",
}
