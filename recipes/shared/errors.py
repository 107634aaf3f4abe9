"""What the command line shows instead of a traceback."""

from __future__ import annotations

import click


class RecipeError(click.ClickException):
    """Something that the user can mend: a file, a row, an option, a program that failed."""
