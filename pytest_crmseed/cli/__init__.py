"""The console command ``crmseed``; thin over the same code as the plugin.

Exit codes: 0 ok, 1 some records failed, 2 usage, 3 refused by a guard, 4 portal unreachable or
unauthorised.
"""

from __future__ import annotations

from pytest_crmseed.cli.main import main

__all__ = ["main"]
