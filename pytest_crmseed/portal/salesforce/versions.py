"""The versions of the API (Salesforce docs, "API End-of-Life Policy")."""

from __future__ import annotations

OLDEST, NEWEST = 31, 68
"""Those that are answered; older ones are gone. From 41 on they are supported."""

_SEASONS = ("Spring", "Summer", "Winter")
# 60 is Spring '24; there are three releases a year, and the winter's bears the next one's number.
_SPRING, _YEAR = 60, 24


def versions() -> list[dict[str, str]]:
    """Return what ``/services/data`` lists, oldest first."""
    found = []
    for number in range(OLDEST, NEWEST + 1):
        years, season = divmod(number - _SPRING, len(_SEASONS))
        year = _YEAR + years + (season == len(_SEASONS) - 1)
        label = f"{_SEASONS[season]} '{year:02d}"
        found.append({"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return found
