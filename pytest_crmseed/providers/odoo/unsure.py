"""What this provider takes for true though neither Odoo's pages nor a running server said so."""

from __future__ import annotations

from collections.abc import Mapping

UNSURE: Mapping[str, tuple[str, ...]] = {
    "versions before 19": (
        "the names of fields beyond those of 14 and 19",
        "a user whose login is asked for may use an API key from 14 on",
    ),
    "settle": ("a request that was cut off is over within five seconds",),
    "429": ("comes from something before the server, and says that nothing was executed",),
    "mail.message": ("a note of another user's may be deleted by an administrator",),
}
"""By subject, what is not confirmed."""
