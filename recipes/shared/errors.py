"""The error of the recipes, which the command line shows without a traceback."""

from __future__ import annotations

import click


class RecipeError(click.ClickException):
    """An error in a file, a row or an option, or a failed program."""
