"""What all commands share: variables are read once, and errors become a message and a code."""

from typing import Any

import click

from loyalty_helpers.cli.telling import be_patient
from loyalty_helpers.errors import REFUSALS, LoyaltyError
from loyalty_helpers.redaction import mask_text

VERIFIED, FAILED, REFUSED = 0, 1, 2


class Command(click.Command):
    """Any of the commands; here its variables are read, once and for what it starts as well."""

    def invoke(self, context: click.Context) -> object:
        """Called by click."""
        from loyalty_helpers.settings import settle_variables

        settle_variables()
        return super().invoke(context)


class Group(click.Group):
    """Turns the project's errors into a message and an exit code; nobody sees a traceback."""

    command_class = Command
    group_class = type

    def main(self, *arguments: Any, **options: Any) -> Any:
        """The command as a whole."""
        be_patient()
        return super().main(*arguments, **options)

    def invoke(self, context: click.Context) -> object:
        """Called by click."""
        try:
            return super().invoke(context)
        except LoyaltyError as error:
            refused, told = isinstance(error, REFUSALS), mask_text(str(error))
            click.echo("refused:" if refused else "failed:", err=True)
            click.echo("\n".join(f"  {line}" for line in told.splitlines()), err=True)
            context.exit(REFUSED if refused else FAILED)
        except BrokenPipeError:  # a reader that went away
            raise
        except OSError as error:  # such as a disk that has become full
            click.echo(f"failed:\n  {error}", err=True)
            context.exit(FAILED)
