"""A real Odoo on a throw-away PostgreSQL cluster, on loopback, for the tests beside this file.

    python tests/odoo/server.py fetch                      fill the cache
    python tests/odoo/server.py run -- COMMAND             start, run a command, stop; its exit code
    python tests/odoo/server.py start | stop | restart     by hand; `start` prints the variables

``run`` ends with 0 and a line that begins with SKIPPED where the server could not be fetched. A server
that was fetched and does not start is a failure. The cache is ``~/.cache/pytest-crmseed/odoo``
(``--cache``, ``CRMSEED_ODOO_CACHE``); all else is one folder that ``stop`` deletes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fetching import Parts, Unfetched, default_cache, fetch

DATABASE = "odoo19"
APPS = "crm,product"
STATE = "server.json"
START_SECONDS = 120.0
STOP_SECONDS = 20.0
MAKE_KEY = """
import datetime
user = env.ref("base.user_admin")
expiry = datetime.datetime.now() + datetime.timedelta(days=1)
print("APIKEY=" + env["res.users.apikeys"].with_user(user)._generate("rpc", "tests", expiry))
env.cr.commit()
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, default=default_cache(), help="default: %(default)s")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()) / f"crmseed-odoo-{os.getuid()}",
        help="folder of `start`, `stop` and `restart` (default: %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("fetch", "start", "stop", "restart"):
        commands.add_parser(name)
    commands.add_parser("run").add_argument("to_run", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    cache, work = options.cache.resolve(), options.work.resolve()
    if options.command == "stop":
        return _stop(work)
    try:
        parts = fetch(cache)
    except Unfetched as error:
        print(f"SKIPPED the proof on a real Odoo server: {error}", flush=True)
        return 0 if options.command == "run" else 75
    if options.command == "start":
        state = _start(parts, cache, work)
        print("\n".join(f"export {name}='{value}'" for name, value in variables(state).items()))
    elif options.command == "restart":
        _restart(parts, work)
    elif options.command == "run":
        command = options.to_run[1:] if options.to_run[:1] == ["--"] else options.to_run
        return _run(parts, cache, command)
    return 0


def variables(state: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables by which the tests find a running server."""
    return {
        "TEST_ODOO_URL": state["url"],
        "TEST_ODOO_DATABASE": state["database"],
        "TEST_ODOO_API_KEY": state["api_key"],
        "TEST_ODOO_LOGIN": "admin",
        "TEST_ODOO_DSN": state["dsn"],
        "TEST_ODOO_PSQL": state["psql"],
        "TEST_ODOO_STATE": state["state"],
        # Whoever runs the tests with a server wants them run.
        "TEST_ODOO_REQUIRED": "1",
    }


def _run(parts: Parts, cache: Path, command: list[str]) -> int:
    def ended(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ended)
    work = Path(tempfile.mkdtemp(prefix="crmseed-odoo-"))
    try:
        state = _start(parts, cache, work)
        return subprocess.run(command, env={**os.environ, **variables(state)}).returncode
    finally:
        _stop(work)


# -- start -------------------------------------------------------------------------------------------
def _start(parts: Parts, cache: Path, work: Path) -> dict[str, Any]:
    if (work / STATE).exists():
        raise SystemExit(f"{work} holds a server already; stop it first: server.py --work {work} stop")
    began = time.monotonic()
    work.mkdir(parents=True, exist_ok=True)
    work.chmod(0o755)
    state: dict[str, Any] = {
        "cache": str(cache),
        "database": DATABASE,
        "state": str(work / STATE),
        "work": str(work),
    }
    try:
        _start_postgresql(parts, work, state)
        _make_database(parts, cache, work, state)
        state["api_key"] = _api_key(parts, work)
        _start_odoo(parts, work, state)
    except BaseException:
        for log in ("odoo.log", "postgresql.log"):
            with contextlib.suppress(OSError):
                print(f"--- {log}\n{(work / log).read_text('utf-8')[-4000:]}", file=sys.stderr)
        _stop(work)
        raise
    print(f"Odoo on {state['url']} after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return state


def _start_postgresql(parts: Parts, work: Path, state: dict[str, Any]) -> None:
    # PostgreSQL refuses to run as root.
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    folder = work / "postgresql"
    folder.mkdir()
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    who: dict[str, Any] = {}
    if account:
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    data, quick = folder / "data", ["--locale=C.UTF-8", "--no-sync"]
    subprocess.run(
        [parts.postgresql / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", *quick],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, **who,
    )  # fmt: skip
    port = _free_port()
    settings = ["listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
    settings += ["synchronous_commit=off", "full_page_writes=off"]
    with (work / "postgresql.log").open("ab") as log:
        process = subprocess.Popen(
            [parts.postgresql / "postgres", "-D", data, "-p", str(port)]
            + [word for setting in settings for word in ("-c", setting)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True, **who,
        )  # fmt: skip
    state["postgresql_pid"], state["postgresql_port"] = process.pid, port
    state["psql"] = str(parts.postgresql / "psql")
    state["dsn"] = f"postgresql://postgres@127.0.0.1:{port}/{DATABASE}"
    _write(state)
    ready = [parts.postgresql / "pg_isready", "-q", "-U", "postgres", "-h", "127.0.0.1", "-p", str(port)]
    _until(lambda: subprocess.run(ready).returncode == 0, process, "PostgreSQL")


def _make_database(parts: Parts, cache: Path, work: Path, state: dict[str, Any]) -> None:
    server = ["-h", "127.0.0.1", "-p", str(state["postgresql_port"]), "-U", "postgres"]
    # Odoo refuses to work under the role postgres.
    made = [
        "create role odoo login nosuperuser password 'odoo'",
        f"create database {DATABASE} owner odoo template template0 encoding 'UTF8'",
    ]
    commands = [word for command in made for word in ("-c", command)]
    subprocess.run([state["psql"], "-qX", "-v", "ON_ERROR_STOP=1", *server, *commands], check=True)
    (work / "odoo.conf").write_text(
        "[options]\n"
        f"db_host = 127.0.0.1\ndb_port = {state['postgresql_port']}\ndb_user = odoo\ndb_password = odoo\n"
        f"db_name = {DATABASE}\ndbfilter = ^{DATABASE}$\nlist_db = False\nadmin_passwd = tests-only\n"
        f"data_dir = {work}/data\naddons_path = {parts.packages}/odoo/addons\n"
        # No cron thread: nothing runs beside the tests, and nothing reaches for the vendor's services.
        "http_interface = 127.0.0.1\nmax_cron_threads = 0\nworkers = 0\n",
        "utf-8",
    )
    dump = cache / f"database-{APPS}-{parts.stamp}-{parts.postgresql.parent.name}.dump"
    if dump.is_file():
        restore = [parts.postgresql / "pg_restore", *server, "-d", DATABASE, "--role=odoo", "--no-owner"]
        subprocess.run([*restore, "--exit-on-error", dump], check=True)
        return
    install = [
        "-i",
        APPS,
        "--without-demo=True",
        "--stop-after-init",
        "--no-http",
        "--log-level=error",
    ]
    _odoo(parts, work, install)
    partial = dump.with_name(f"{dump.name}.partial-{os.getpid()}")
    subprocess.run([parts.postgresql / "pg_dump", *server, "-Fc", "-f", partial, DATABASE], check=True)
    partial.rename(dump)


def _odoo(parts: Parts, work: Path, arguments: list[str], stdin: str = "") -> str:
    command = [*parts.odoo, *arguments, "-c", str(work / "odoo.conf")]
    done = subprocess.run(command, env=parts.environment, input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"odoo {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _api_key(parts: Parts, work: Path) -> str:
    for line in _odoo(parts, work, ["shell", "--no-http", "--log-level=error"], MAKE_KEY).splitlines():
        if "APIKEY=" in line:
            return line.partition("APIKEY=")[2].strip()
    raise SystemExit("odoo shell made no API key.")


def _start_odoo(parts: Parts, work: Path, state: dict[str, Any]) -> None:
    state.setdefault("odoo_port", _free_port())
    state["url"] = f"http://127.0.0.1:{state['odoo_port']}"
    with (work / "odoo.log").open("ab") as log:
        process = subprocess.Popen(
            [*parts.odoo, "-c", str(work / "odoo.conf"), "--http-port", str(state["odoo_port"])],
            env=parts.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    state["odoo_pid"] = process.pid
    _write(state)
    _until(lambda: _answers(f"{state['url']}/web/health"), process, "Odoo")


def _restart(parts: Parts, work: Path) -> None:
    state = _read(work)
    _end(state["odoo_pid"], signal.SIGTERM, work)
    _start_odoo(parts, work, state)


# -- stop --------------------------------------------------------------------------------------------
def _stop(work: Path) -> int:
    state = _read(work)
    for name, number in (("odoo_pid", signal.SIGTERM), ("postgresql_pid", signal.SIGINT)):
        if name in state:
            _end(state[name], number, work)
    shutil.rmtree(work, ignore_errors=True)
    return 0


def _end(pid: int, number: signal.Signals, work: Path) -> None:
    """End a process of ours, by force where asking is not enough; another's of that number is let be."""
    if not _ours(pid, work):
        return
    os.kill(pid, number)
    deadline = time.monotonic() + STOP_SECONDS
    while _ours(pid, work):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline += STOP_SECONDS
        time.sleep(0.05)


def _ours(pid: int, work: Path) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return str(work).encode() in command


# -- small things ------------------------------------------------------------------------------------
def _until(reached: Any, process: subprocess.Popen[bytes], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not reached():
        if process.poll() is not None:
            raise SystemExit(f"{what} ended with {process.returncode} before it was ready.")
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} was not ready after {START_SECONDS:.0f} s.")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write(state: dict[str, Any]) -> None:
    path = Path(state["state"])
    path.touch(0o600)
    path.write_text(json.dumps(state, indent=2), "utf-8")


def _read(work: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((work / STATE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return state


if __name__ == "__main__":
    raise SystemExit(main())
