"""`loyalty emulator`: serve it, and put its made-up buyers back to where they began."""

from pathlib import Path
from typing import Any

import click

from loyalty_helpers.cli.group import Group
from loyalty_helpers.plain import plain


@click.group(cls=Group)
def emulator() -> None:
    """The emulator of Square's Loyalty API."""


_DATABASE = click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The emulator's file; without it, the one that `local` uses.",
)


@emulator.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free port.")
@_DATABASE
@click.option("--token", default="local-token", show_default=True, help="The token it accepts.")
@click.option("--seed", type=int, help="Ids are made from it: the same on every run.")
@click.option("--now", metavar="TIME", help="The clock stands still at this RFC 3339 time.")
@click.option(
    "--program",
    type=click.Choice(["seed", "walkthrough-1", "walkthrough-2"]),
    help="Change the seller's program to one of Square's examples, or back to the first one.",
)
@click.option(
    "--assume",
    "assumed",
    multiple=True,
    metavar="NAME=VALUE",
    help="A rule that Square does not document; docs/emulator.md lists them.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND[:OPTIONS]",
    help="What goes wrong on purpose; may be given several times.",
)
def serve(port: int, db: Path | None, token: str, **wanted: Any) -> None:
    """Serve the emulator on 127.0.0.1 until Ctrl-C.

    \b
    Faults, with -after for after the write:
      refuse, drop, slow:seconds=S, drip:seconds=S, truncate, html
      429, 500, 502, 503, 504, 408, 409, rate-limit:rate=N,burst=B
        (with retry-after=S, or retry-at=S for a date, if wanted)
      expired-token, revoked-token, read-only
      forget-keys:seconds=S, late-events:seconds=S
    Options of all of them: path=REGEX, next=N, probability=P. For example
      --fault drop-after:path=/adjust,next=1
    """
    from loyalty_helpers.cli.emulating import serve_emulator

    def on_ready(url: str) -> None:
        click.echo(f"listening on {url}")

    serve_emulator(port, db, token, on_ready=on_ready, **wanted)


@emulator.command()
@_DATABASE
def reset(db: Path | None) -> None:
    """Put the emulator's made-up buyers back to where they began."""
    from loyalty_helpers.cli.emulating import reset_emulator

    click.echo(f"reset: {plain(reset_emulator(db))}")
