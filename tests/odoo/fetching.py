"""What a real Odoo server is made of, fetched once from the package registries and kept in a cache.

The Debian package is unpacked, never installed: the dependencies of the release it comes from must not
enter this machine. What it needs of Python goes into a venv of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "odoo-19"
RELEASE = "sid"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ATTEMPTS = 3
SECONDS_BETWEEN = 10.0
WHOLE = ".whole"


class Unfetched(Exception):
    """What the server is made of could not be had, after all attempts."""


@dataclass(frozen=True)
class Parts:
    """What was fetched: where the package was unpacked, the venv's Python, PostgreSQL's programs."""

    root: Path
    python: Path
    postgresql: Path
    stamp: str

    @property
    def packages(self) -> Path:
        """The folder that Odoo is imported from."""
        return self.root / "usr/lib/python3/dist-packages"

    @property
    def odoo(self) -> list[str]:
        """The command that runs Odoo, without arguments."""
        return [str(self.python), str(self.root / "usr/bin/odoo")]

    @property
    def environment(self) -> dict[str, str]:
        """The environment that Odoo runs in."""
        return {**os.environ, "PYTHONPATH": str(self.packages), "PYTHONDONTWRITEBYTECODE": "1"}


def default_cache() -> Path:
    """Return where what was fetched is kept: ``CRMSEED_ODOO_CACHE``, or below the user's cache folder."""
    chosen = os.environ.get("CRMSEED_ODOO_CACHE")
    if chosen:
        return Path(chosen).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pytest-crmseed" / "odoo"


def fetch(cache: Path) -> Parts:
    """Return what the server is made of, fetching what the cache lacks.

    Raises:
        Unfetched: something could not be had, after all attempts; says what.
    """
    cache.mkdir(parents=True, exist_ok=True)
    postgresql = _postgresql()
    root = cache / PACKAGE
    if not (root / "usr/bin/odoo").is_file():
        _attempts(lambda: _unpacked(root), f"the Debian package {PACKAGE}")
    venv = cache / f"venv-{_stamp(REQUIREMENTS.read_bytes(), sys.version.encode())}"
    if not (venv / WHOLE).is_file():
        # A venv holds its own path: it is made where it stays, and the last step says that it is whole.
        _attempts(lambda: _make_venv(venv), "Odoo's Python packages")
    release = (root / "usr/lib/python3/dist-packages/odoo/release.py").read_bytes()
    return Parts(root, venv / "bin/python", postgresql, _stamp(release, REQUIREMENTS.read_bytes()))


def _stamp(*contents: bytes) -> str:
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:12]


def _postgresql() -> Path:
    """Return the folder of PostgreSQL's programs, newest version first; install it where there is none."""
    for attempt in range(2):
        found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
        if found:
            return max(found, key=lambda path: int(path.parent.name.split(".")[0]))
        on_path = shutil.which("initdb")
        if on_path:
            return Path(on_path).resolve().parent
        if attempt == 0:
            _attempts(_install_postgresql, "PostgreSQL")
    raise Unfetched("PostgreSQL was installed, and its programs are in none of the known folders.")


def _install_postgresql() -> None:
    if os.geteuid() != 0:
        raise Unfetched("PostgreSQL is not installed, which takes root: apt-get install postgresql.")
    # Without a run level the package's own cluster is made but not started.
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    _run(["apt-get", "-qq", "update"], env=quiet)
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"], env=quiet)


def _unpack(target: Path) -> None:
    if shutil.which("apt-get") is None or not KEYRING.is_file():
        raise Unfetched(f"this machine has no apt-get, or no {KEYRING}: it takes Debian to fetch {PACKAGE}.")
    apt = target.with_name(target.name + ".apt")
    shutil.rmtree(apt, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    try:
        architecture = _run(["dpkg", "--print-architecture"]).strip()
        sources = f"deb [arch={architecture} signed-by={KEYRING}] {_mirror()} {RELEASE} main\n"
        (apt / "sources.list").write_text(sources, "utf-8")
        settings = (
            f'Dir::Etc::SourceList "{apt}/sources.list";\nDir::Etc::SourceParts "/dev/null";\n'
            f'Dir::State::lists "{apt}/lists";\nDir::Cache "{apt}/cache";\n'
            'APT::Sandbox::User "root";\nAcquire::Retries "3";\nAcquire::Languages "none";\n'
        )
        (apt / "apt.conf").write_text(settings, "utf-8")
        own = {**os.environ, "APT_CONFIG": str(apt / "apt.conf")}
        _run(["apt-get", "-qq", "update"], env=own)
        _run(["apt-get", "-qq", "download", PACKAGE], env=own, cwd=apt)
        package = next(apt.glob(f"{PACKAGE}_*.deb"))
        target.mkdir()
        # Without translations and the partial second copy of the addons: 1.2 GB become 318 MB.
        pipe = (
            'dpkg-deb --fsys-tarfile "$0" | '
            'tar -x -C "$1" --exclude=./usr/lib/python3/dist-packages/addons --exclude="*/i18n/*.po"'
        )
        _run(["bash", "-o", "pipefail", "-c", pipe, str(package), str(target)])
    finally:
        shutil.rmtree(apt, ignore_errors=True)


def _mirror() -> str:
    """Return the mirror that this machine's own Debian packages come from."""
    form = "$(ORIGIN) $(COMPONENT) $(REPO_URI)"
    for line in _run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"]).splitlines():
        origin, component, uri = line.split(" ", 2)
        if origin == "Debian" and component == "main" and "security" not in uri:
            return uri
    raise Unfetched("apt-get names no mirror of Debian; run apt-get update first.")


def _make_venv(target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(target)])
    python = str(target / "bin/python")
    quiet = ["-q", "--disable-pip-version-check", "--prefer-binary"]
    _run([python, "-m", "pip", "install", *quiet, "-r", str(REQUIREMENTS)])
    (target / WHOLE).touch()


def _unpacked(target: Path) -> None:
    """Unpack beside the place and move it there once it is whole."""
    partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _unpack(partial)
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _attempts(step: Callable[[], None], what: str) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        print(f"fetching {what}, attempt {attempt} of {ATTEMPTS}", file=sys.stderr, flush=True)
        try:
            return step()
        except (subprocess.CalledProcessError, OSError, StopIteration) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-3:]
            print(f"failed: {' / '.join(said)}", file=sys.stderr, flush=True)
            if attempt == ATTEMPTS:
                raise Unfetched(f"{what} could not be fetched: {' / '.join(said)}") from error
            time.sleep(SECONDS_BETWEEN)


def _run(command: list[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, env=env, cwd=cwd, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return done.stdout
