"""``crmseed portal``: serve the local portal until it is stopped."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from queue import SimpleQueue
from types import FrameType

import click

from pytest_crmseed.cli.kept import give_own_id


def burst(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, float] | None:
    """Return ``N/SECONDS`` as a number of requests and of seconds, or fail with what it should be."""
    if value is None:
        return None
    parts = re.fullmatch(r"(\d{1,9})/(\d{1,9}(?:\.\d{1,6})?)", value.replace(" ", ""))
    number, seconds = (int(parts[1]), float(parts[2])) if parts else (0, 0.0)
    if not number or not seconds:
        raise click.BadParameter(
            f"{value!r} is no number of requests per seconds, such as 100/10.", ctx, param
        )
    return number, seconds


@click.command(short_help="Serve the local portal.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="N",
    help="Port on 127.0.0.1 (default: a free one).",
)
@click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep records, definitions and tokens in this file (default: they end with the portal).",
)
@click.option(
    "--latency",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="MS",
    help="Let every API request take this many milliseconds longer.",
)
@click.option(
    "--rate",
    callback=burst,
    metavar="N/SECONDS",
    help="Burst limit of the application's token (default: HubSpot's, 190/10).",
)
@click.option(
    "--schema",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Have the properties and pipelines of this file of `crmseed schema pull`.",
)
@click.option(
    "--tls",
    is_flag=True,
    help="Serve https, with a throw-away authority whose file is printed (extra: tls).",
)
@click.option(
    "--host-name",
    "host_names",
    multiple=True,
    metavar="NAME",
    help="Answer on this name as well; it has to lead to this machine. May be repeated.",
)
def portal(
    port: int,
    db: Path | None,
    latency: float,
    rate: tuple[int, float] | None,
    schema: Path | None,
    tls: bool,
    host_names: tuple[str, ...],
) -> None:
    """Serve the emulated CRM APIs on one loopback address until Ctrl-C.

    Prints the address, then NAME=value lines that point an application at it. `pytest
    --crm-base-url ADDRESS` seeds it.
    """
    from pytest_crmseed.portal import LocalPortal
    from pytest_crmseed.schema import documents

    pulled = documents.read(schema) if schema else None

    # A signal's handler may run while the main thread is inside the very wait that it ends. A queue
    # of this kind bears that; an Event would wait for its own lock for ever.
    signals: SimpleQueue[int] = SimpleQueue()

    def leave(signum: int, frame: FrameType | None) -> None:
        signals.put(signum)

    previous = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with LocalPortal(
            db=db,
            port=port,
            latency=latency / 1000,
            rate=rate,
            schema=pulled,
            tls=tls,
            host_names=host_names,
        ) as local:
            give_own_id(local)
            click.echo(local.base_url)
            for name, value in local.environ.items():
                click.echo(f"{name}={value}")
            click.echo(f"CRMSEED_BASE_URL={local.base_url}")
            signals.get()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
