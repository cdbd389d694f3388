"""Certificates of a throw-away authority, for a portal that is asked over ``https``."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pytest_crmseed.errors import UsageError

VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
"""Where requests, Python and OpenSSL, and Node look for an authority to trust."""


class Certificates:
    """One authority and one certificate for ``names``, made anew for each portal.

    Raises:
        UsageError: the package that makes certificates is not installed.
    """

    def __init__(self, names: Sequence[str]) -> None:
        try:
            import trustme
        except ImportError as error:
            raise UsageError(
                "TLS needs the package trustme.", remedy="Run: pip install pytest-crmseed[tls]"
            ) from error
        self._authority = trustme.CA(
            organization_name="pytest-crmseed", organization_unit_name="local portal"
        )
        self._certificate = self._authority.issue_cert(*dict.fromkeys(names))
        self._folder: Path | None = None

    def start(self) -> ssl.SSLContext:
        """Write the authority's file, and return how a server shows the certificate."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="crmseed-portal-"))
            self._authority.cert_pem.write_to_path(str(self.file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)
        return context

    @property
    def file(self) -> Path:
        """The file of the authority's certificate; it is there until :meth:`remove`."""
        assert self._folder is not None, "start() has not been called"
        return self._folder / "ca.pem"

    @property
    def environ(self) -> dict[str, str]:
        """The variables that make usual clients trust the authority."""
        return dict.fromkeys(VARIABLES, str(self.file))

    def remove(self) -> None:
        """Remove the authority's file. May be called twice."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
