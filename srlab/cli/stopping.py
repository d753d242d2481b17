"""Ctrl-C and other signals end a command with a word about what is kept."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import typer


@contextmanager
def stopped(words: str) -> Iterator[None]:
    """Say what is kept where Ctrl-C or another signal ends the work."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        with suppress(OSError):  # the terminal may be gone
            typer.echo(f"\nStopped. {words}", err=True)
        if isinstance(stop, SystemExit):
            raise
        raise typer.Exit(130) from None
