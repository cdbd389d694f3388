"""``crmseed portal``: serve the local portal until it is stopped."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType

import click

from pytest_crmseed.errors import UsageError
from pytest_crmseed.parsers import rate as checked_rate


@click.command(short_help="Serve the local portal.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; by default a free one.")
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Keep the portal's records in this file; by default they end with it.",
)
@click.option(
    "--latency",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="MS",
    help="Let every API request take so many milliseconds longer.",
)
@click.option("--rate", metavar="N/SECONDS", default=None, help="Burst limit of each token; by default HubSpot's.")
def portal(port: int, db: Path | None, latency: float, rate: str | None) -> None:
    """Serve the emulated CRM APIs on one loopback address until Ctrl-C.

    Prints the address, then NAME=value lines that point an application at it.
    """
    from pytest_crmseed.portal import LocalPortal

    local = LocalPortal(db=db, port=port, latency=latency / 1000, rate=_burst(rate))
    stop = threading.Event()

    def leave(signum: int, frame: FrameType | None) -> None:
        stop.set()

    local.start()
    try:
        previous = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
        click.echo(local.base_url)
        for name, value in local.environ.items():
            click.echo(f"{name}={value}")
        click.echo(f"CRMSEED_BASE_URL={local.base_url}")
        stop.wait()
        for number, handler in previous.items():
            signal.signal(number, handler)
    finally:
        local.close()


def _burst(rate: str | None) -> tuple[int, float] | None:
    if rate is None:
        return None
    try:
        text = checked_rate(rate)
    except ValueError as error:
        raise UsageError(f"--rate {rate}: {error}") from None
    if text.endswith("%"):
        raise UsageError(f"--rate {rate}: a portal's own limit is N/SECONDS, such as 100/10.")
    number, _, seconds = text.partition("/")
    return int(number), float(seconds)
