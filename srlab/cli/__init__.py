"""The command `srlab`: book · run · sweep · train · lam · faig · export · list.

Arguments are read here; what computes or writes loads inside the commands, so that help is quick.
"""

import io
import sys
from collections.abc import Sequence

from srlab.extras import require

typer = require("typer", "cli")  # before the commands, which import it

from srlab.cli import book, export, faig, lam, listing, train
from srlab.lifetime import ending_at_signals

app = typer.Typer(
    help="What super-resolution networks know. Any command takes --debug: show where an error "
    "arose instead of one line about it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (book.book, book.run, book.sweep, train.train, lam.lam, faig.faig, export.export):
    app.command()(command)
app.command("list")(listing.show)

EXPECTED = (ValueError, OSError, ImportError)  # raised with words for the reader


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error is one message on stderr and exit code 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a sign that the console lacks ends nothing
    try:
        with ending_at_signals():
            app([argument for argument in given if argument != "--debug"], prog_name="srlab")
    except Exception as error:
        if "--debug" in given:
            raise
        known = isinstance(error, EXPECTED) or type(error).__module__.startswith("srlab.")
        kind, hint = ("", "") if known else (f"{type(error).__name__}: ", " (--debug shows where)")
        if isinstance(error, ModuleNotFoundError) and "pip install" not in f"{error}":
            hint = "; pip install 'srlab[book]' brings what the book needs"
        typer.echo(f"srlab: {kind}{error}{hint}", err=True)
        sys.exit(1)
