"""What all tests need: ``pytester``, and an environment in which nobody's variables change a result."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

FOREIGN = ("CRMSEED_", "HUBSPOT_", "SALESFORCE_", "PIPEDRIVE_", "ODOO_")
# Proxies would take requests to the loopback interface elsewhere; colours would change the text read,
# and so would pytest's longer summary where it sees that it runs in CI. A job's page is not for them.
FOREIGN_NAMES = {
    "PYTEST_ADDOPTS",
    "PYTEST_PLUGINS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "FORCE_COLOR",
    "PY_COLORS",
    "CI",
    "BUILD_NUMBER",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_ENV",
}

# Read before it is taken out of the environment, and kept for xdist's workers, which get what is left.
if os.environ.get("CI"):
    os.environ["TEST_IN_CI"] = "1"
IN_CI = "TEST_IN_CI" in os.environ

# At import, not in a fixture: session fixtures, xdist's workers and child processes see it too.
for name in list(os.environ):
    if name.startswith(FOREIGN) or name.upper() in FOREIGN_NAMES:
        del os.environ[name]

# A busy machine is slow: how long an example takes says nothing about it. In CI the examples are the same
# each time, as Hypothesis has it by itself, so that a run tells of the change it is for; elsewhere new ones.
settings.register_profile(
    "crmseed",
    deadline=None,
    derandomize=IN_CI,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("crmseed")
